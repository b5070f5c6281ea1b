package payment

import (
	"context"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/control/order"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// Split is an amount by where it was paid from. All are in the same currency.
type Split struct {
	Outside money.Money // by a provider or a bank
	Wallet  money.Money // from what was paid into the wallet
	Gift    money.Money // from gifts
}

// splitOf is a split of minor units.
func splitOf(cur money.Currency, outside, wallet, gift int64) Split {
	return Split{money.New(outside, cur), money.New(wallet, cur), money.New(gift, cur)}
}

// Sum is all of it.
func (p Split) Sum() money.Money {
	return money.New(p.Outside.Minor+p.Wallet.Minor+p.Gift.Minor, p.Outside.Cur)
}

func (p Split) minus(q Split) Split {
	return splitOf(p.Outside.Cur, p.Outside.Minor-q.Outside.Minor, p.Wallet.Minor-q.Wallet.Minor, p.Gift.Minor-q.Gift.Minor)
}

// share is an amount of it, at most all, in the proportions that it has.
func (p Split) share(amount money.Money) (Split, error) {
	if amount.Cur != p.Outside.Cur {
		return Split{}, money.ErrCurrency
	}
	parts, err := money.Allocate(amount.Minor, []int64{p.Outside.Minor, p.Wallet.Minor, p.Gift.Minor})
	if err != nil {
		return Split{}, err
	}
	return splitOf(amount.Cur, parts[0], parts[1], parts[2]), nil
}

// source is what paid an order.
type source struct {
	ID      string // of a receipt, or of the journal by which the wallet paid all
	Gateway string // of the receipt
	Attempt string // likewise
	Gifts   string // by what the gifts' use is noted: an order or an attempt
	PaidAt  time.Time
	Paid    Split
}

// sourceOf is the money that paid an order; ErrNotOffered if none of it may go back
// now.
func (s *Service) sourceOf(ctx context.Context, q db.Q, o order.Order) (source, error) {
	if !o.Refundable() || o.Receipt == "" {
		return source{}, ErrNotOffered
	}
	find := s.sourceOutside
	if strings.HasPrefix(o.Receipt, journalPrefix) {
		find = s.sourceWallet
	}
	src, err := find(ctx, q, o)
	if errs.IsNotFound(err) {
		return src, ErrNotOffered
	}
	return src, err
}

// sourceWallet is of an order that the wallet has paid alone.
func (s *Service) sourceWallet(ctx context.Context, q db.Q, o order.Order) (source, error) {
	j, err := s.d.Ledger.JournalIn(ctx, q, o.Receipt)
	if err != nil {
		return source{}, err
	}
	src := source{ID: o.Receipt, Gifts: o.ID, PaidAt: o.PaidAt, Paid: splitOf(o.Total.Cur, 0, 0, 0)}
	for _, p := range j.Entry.Postings {
		switch p.Account {
		case ledger.Wallet(string(o.Account)):
			src.Paid.Wallet = p.Amount
		case ledger.Gift(string(o.Account)):
			src.Paid.Gift = p.Amount
		}
	}
	return src, nil
}

// sourceOutside is of an order that a provider or a bank has brought money for, with
// what the wallet added to it.
func (s *Service) sourceOutside(ctx context.Context, q db.Q, o order.Order) (source, error) {
	rc, err := getReceipt(ctx, q, o.Receipt)
	if err != nil {
		return source{}, err
	}
	src := sourceOfReceipt(rc)
	added, err := spentOf(ctx, q, o.ID)
	if errs.IsNotFound(err) {
		return src, nil
	}
	src.Gifts, src.Paid.Wallet, src.Paid.Gift = added.No, added.Hold.Wallet, added.Hold.Gift
	return src, err
}

func sourceOfReceipt(rc Receipt) source {
	return source{ID: rc.ID, Gateway: rc.Gateway, Attempt: rc.Attempt, PaidAt: rc.PaidAt, Paid: splitOf(rc.Amount.Cur, rc.Amount.Minor, 0, 0)}
}

// leftOf is what of a source is not taken by refunds; one under way is
// ErrRefundOpen.
func (s *Service) leftOf(ctx context.Context, q db.Q, src source) (Split, error) {
	all, err := refundsOfReceipt(ctx, q, src.ID)
	if err != nil {
		return Split{}, err
	}
	left := src.Paid
	for _, r := range all {
		if !r.Phase.Over() {
			return Split{}, ErrRefundOpen.With("refund", r.No)
		}
		if r.Phase.takes() {
			left = left.minus(r.Split())
		}
	}
	return left, nil
}

// Split is where the amount of a refund was paid from.
func (r Refund) Split() Split {
	return splitOf(r.Amount.Cur, r.Amount.Minor-r.Wallet.Minor-r.Gift.Minor, r.Wallet.Minor, r.Gift.Minor)
}

// homeTx gives back what a refund returns to the wallet and to gifts, and an amount
// beside it, and returns the lines of that. What came from gifts that are over is
// over.
func (s *Service) homeTx(ctx context.Context, tx *db.Tx, r Refund, beside money.Money) (credits []ledger.Posting, err error) {
	cash, err := beside.Add(r.Wallet)
	if err != nil {
		return nil, err
	}
	over := money.New(0, r.Amount.Cur)
	if !r.Gift.IsZero() {
		o, err := s.d.Orders.GetIn(ctx, tx, r.Order)
		if err != nil {
			return nil, err
		}
		src, err := s.giftsOf(ctx, tx, o)
		if err != nil {
			return nil, err
		}
		if over.Minor, err = giveBackGiftsTx(ctx, tx, src, r.Gift.Minor, s.d.Clock.Now()); err != nil {
			return nil, err
		}
	}
	credits = outOf(ledger.Credit, r.Account, cash, money.New(r.Gift.Minor-over.Minor, r.Amount.Cur))
	if !over.IsZero() {
		credits = append(credits, ledger.Credit(ledger.Promo, over))
	}
	return credits, nil
}

// giftsOf is by what the use of gifts for an order is noted.
func (s *Service) giftsOf(ctx context.Context, tx *db.Tx, o order.Order) (string, error) {
	if strings.HasPrefix(o.Receipt, journalPrefix) {
		return o.ID, nil
	}
	added, err := spentOf(ctx, tx, o.ID)
	return added.No, err
}

// spentOf is the attempt whose hold an order was paid with; ErrNotFound.
func spentOf(ctx context.Context, q db.Q, orderID string) (Attempt, error) {
	return db.Get(ctx, q, ErrNotFound, scanAttempt, attemptColumns+" WHERE order_id = $1 AND hold = 'spent'", orderID)
}

// giveBackGiftsTx returns an amount to the gifts that were used for ref, the one
// that ends last first, and how much of it is of gifts that are over.
func giveBackGiftsTx(ctx context.Context, tx *db.Tx, ref string, minor int64, now time.Time) (over int64, err error) {
	used, err := db.Select(ctx, tx, scanPortion, `SELECT u.grant_id, u.amount_minor FROM payment_gift_use u JOIN payment_grant g ON g.id = u.grant_id
		WHERE u.ref = $1 AND g.expires_at > $2 ORDER BY g.expires_at DESC, g.id DESC`, ref, db.Micros(now))
	if err != nil {
		return 0, err
	}
	for _, p := range used {
		part := min(minor, p.minor)
		if part == 0 {
			break
		}
		minor -= part
		if err := tx.ExecOne(ctx, db.ErrRetry, "UPDATE payment_grant SET left_minor = left_minor + $1 WHERE id = $2", part, p.grant); err != nil {
			return 0, err
		}
		text, args := "UPDATE payment_gift_use SET amount_minor = amount_minor - $1 WHERE ref = $2 AND grant_id = $3", []any{part, ref, p.grant}
		if part == p.minor {
			text, args = "DELETE FROM payment_gift_use WHERE ref = $1 AND grant_id = $2", args[1:]
		}
		if err := tx.ExecOne(ctx, db.ErrRetry, text, args...); err != nil {
			return 0, err
		}
	}
	return minor, nil
}

// giveBackTx tells the services that money of lines is not to be earned any more.
func (s *Service) giveBackTx(ctx context.Context, tx *db.Tx, line string, amount money.Money) error {
	if s.d.Services == nil {
		return nil
	}
	return s.d.Services.GiveBackTx(ctx, tx, line, amount)
}

// keepTx is the way back of giveBackTx, for a journal that was reversed: what is of
// a time that is over meanwhile is earned.
func (s *Service) keepTx(ctx context.Context, tx *db.Tx, r Refund, reversed ledger.Journal) error {
	if s.d.Services == nil {
		return nil
	}
	var lines []ledger.Posting
	sum := money.New(0, r.Amount.Cur)
	for _, p := range reversed.Entry.Postings {
		line, ok := strings.CutPrefix(string(p.Account), string(ledger.Deferred("")))
		if !ok {
			continue
		}
		amount, err := p.Amount.Neg() // a credit is below zero
		if err != nil {
			return err
		}
		over, err := s.d.Services.KeepTx(ctx, tx, line, amount)
		if err != nil {
			return err
		}
		if over.IsZero() {
			continue
		}
		lines = append(lines, ledger.Debit(p.Account, over))
		if sum, err = sum.Add(over); err != nil {
			return err
		}
	}
	if len(lines) == 0 {
		return nil
	}
	_, err := s.d.Ledger.PostTx(ctx, tx, ledger.Entry{
		Key: "rec:" + r.No, Kind: "recognition", OccurredAt: s.d.Clock.Now(), RefType: "refund", RefID: r.No, Actor: "system", Memo: "kept",
		Postings: append(lines, ledger.Credit(ledger.Sales, sum)),
	})
	return err
}
