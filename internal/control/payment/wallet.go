package payment

import (
	"context"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/control/order"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// Purse is what a wallet holds. Both are in the same currency.
type Purse struct {
	Paid money.Money // paid in
	Gift money.Money // given, and not over; spent first
	Held money.Money // waits for the rest of mixed payments
}

// Spendable is what an order can be paid with.
func (p Purse) Spendable() money.Money { return money.New(p.Paid.Minor+p.Gift.Minor, p.Paid.Cur) }

// take splits an amount over the purse, gift first; ledger.ErrBelowMin if it
// holds less.
func (p Purse) take(amount money.Money) (gift, paid money.Money, err error) {
	if amount.Cur != p.Paid.Cur {
		return gift, paid, money.ErrCurrency
	}
	g := min(amount.Minor, p.Gift.Minor)
	if amount.Minor-g > p.Paid.Minor {
		return gift, paid, ledger.ErrBelowMin
	}
	return money.New(g, amount.Cur), money.New(amount.Minor-g, amount.Cur), nil
}

// Purse returns what lies in an account's wallet.
func (s *Service) Purse(ctx context.Context, owner account.ID, cur money.Currency) (Purse, error) {
	return s.purse(ctx, s.d.DB, owner, cur)
}

func (s *Service) purse(ctx context.Context, q db.Q, owner account.ID, cur money.Currency) (p Purse, err error) {
	p = Purse{money.New(0, cur), money.New(0, cur), money.New(0, cur)}
	if p.Paid, err = s.d.Ledger.BalanceIn(ctx, q, ledger.Wallet(string(owner)), cur); err != nil {
		return p, err
	}
	if p.Gift.Minor, err = spendableGifts(ctx, q, owner, cur, s.d.Clock.Now()); err != nil {
		return p, err
	}
	p.Held.Minor, err = db.Get(ctx, q, nil, db.One[int64], `SELECT CAST(COALESCE(sum(hold_wallet_minor + hold_gift_minor), 0) AS BIGINT)
		FROM payment_attempt WHERE account_id = $1 AND currency = $2 AND hold = 'held'`, string(owner), string(cur))
	return p, err
}

// PayFromWallet pays an order of the account whole from its wallet, gift first.
// An order that the wallet has paid is returned as it is. order.ErrNotFound,
// ErrNotPayable, ledger.ErrBelowMin when the wallet holds less, and
// ErrUnknownOutcome while a provider is asked whether the order is paid.
func (s *Service) PayFromWallet(ctx context.Context, p account.Principal, orderID string) (order.Order, error) {
	return s.payFromWallet(ctx, orderID, p.Account, audit.Actor{Class: "self", Handle: p.Subject, Session: p.Session})
}

// PayForOwner is PayFromWallet by the system, for whoever owns the order: a
// renewal that the customer has chosen to be paid by itself.
func (s *Service) PayForOwner(ctx context.Context, orderID string) (order.Order, error) {
	return s.payFromWallet(ctx, orderID, "", audit.Actor{Class: "system"})
}

func (s *Service) payFromWallet(ctx context.Context, orderID string, owner account.ID, by audit.Actor) (order.Order, error) {
	var paid order.Order
	err := s.d.DB.InTx(ctx, func(tx *db.Tx) (err error) {
		paid, err = s.walletPaysTx(ctx, tx, orderID, owner, by)
		fault.Point("wallet-before-commit")
		return err
	})
	if err == nil {
		fault.Point("wallet-after-commit")
	}
	return paid, err
}

// journalPrefix begins the receipt of an order that the wallet has paid.
const journalPrefix = "jnl_"

func (s *Service) walletPaysTx(ctx context.Context, tx *db.Tx, orderID string, owner account.ID, by audit.Actor) (order.Order, error) {
	o, err := s.d.Orders.LockTx(ctx, tx, orderID)
	if err == nil && owner != "" && o.Account != owner {
		err = order.ErrNotFound
	}
	if err != nil {
		return order.Order{}, err
	}
	now := s.d.Clock.Now()
	if !o.Payable() || !now.Before(o.ExpiresAt) {
		if strings.HasPrefix(o.Receipt, journalPrefix) {
			return o, nil
		}
		return o, ErrNotPayable
	}
	if err := s.closeAllTx(ctx, tx, o.ID); err != nil { // what they hold comes back first
		return o, err
	}
	purse, err := s.purse(ctx, tx, o.Account, o.Total.Cur)
	if err != nil {
		return o, err
	}
	gift, cash, err := purse.take(o.Total)
	if err != nil {
		return o, err
	}
	if err := takeGiftsTx(ctx, tx, o.Account, gift, o.ID, now); err != nil {
		return o, err
	}
	fault.Point("wallet-after-gift")
	j, err := s.d.Ledger.PostTx(ctx, tx, ledger.Entry{
		Key: "wpay:" + o.ID, Kind: "wallet_payment", OccurredAt: now, RefType: "order", RefID: o.ID, Actor: actorName(by), Memo: "paid",
		Postings: append(outOf(ledger.Debit, o.Account, cash, gift), earning(o)...),
	})
	if err != nil {
		return o, err
	}
	fault.Point("wallet-after-ledger")
	if o, err = s.d.Orders.MarkPaidTx(ctx, tx, o.ID, order.Receipt{ID: j.ID, Amount: o.Total, At: now, Wallet: true}); err != nil {
		return o, err
	}
	fault.Point("wallet-after-order")
	return o, s.spentTx(ctx, tx, o, purse, j.ID, by)
}

// spentTx tells of a payment, and of a wallet that runs low by it.
func (s *Service) spentTx(ctx context.Context, tx *db.Tx, o order.Order, was Purse, journal string, by audit.Actor) error {
	err := s.d.Audit.AppendTx(ctx, tx, audit.Event{
		Type: "payment.wallet_paid", Subject: o.Subject, Account: string(o.Account), Actor: by,
		Detail: map[string]string{"order": o.ID, "journal": journal},
	})
	left := was.Spendable().Minor - o.Total.Minor
	if err != nil || left >= s.d.Wallet.LowBelow || was.Spendable().Minor < s.d.Wallet.LowBelow {
		return err
	}
	return s.d.Queue.PublishTx(ctx, tx, TopicLow, Moved{ID: journal, Account: o.Account, Balance: money.New(left, o.Total.Cur).String()})
}

// closeAllTx closes the attempts of an order that is paid another way. While the
// outcome of one is unknown it is ErrUnknownOutcome.
func (s *Service) closeAllTx(ctx context.Context, tx *db.Tx, orderID string) error {
	all, err := attemptsOf(ctx, tx, orderID)
	if err != nil {
		return err
	}
	for _, a := range all {
		if a.State == Unknown {
			return ErrUnknownOutcome
		}
		if err := s.closeTx(ctx, tx, a); err != nil {
			return err
		}
	}
	return nil
}

// actorName is who stands in the books.
func actorName(by audit.Actor) string {
	if by.Handle == "" {
		return "system"
	}
	return string(by.Handle)
}

// outOf are the lines of a wallet's two accounts, on the side given; none for
// zero.
func outOf(side func(ledger.Code, money.Money) ledger.Posting, owner account.ID, cash, gift money.Money) (lines []ledger.Posting) {
	if !gift.IsZero() {
		lines = append(lines, side(ledger.Gift(string(owner)), gift))
	}
	if !cash.IsZero() {
		lines = append(lines, side(ledger.Wallet(string(owner)), cash))
	}
	return lines
}

// earning credits what is paid and not earned yet, by line.
func earning(o order.Order) (lines []ledger.Posting) {
	for _, l := range o.Lines {
		if !l.Amount.IsZero() {
			lines = append(lines, ledger.Credit(ledger.Deferred(l.ID), l.Amount))
		}
	}
	return lines
}

// holdTx moves the wallet's part of an order into its hold and returns the
// attempt that asks for the rest. A wallet that holds nothing gives nothing;
// ErrCovered if it holds all.
func (s *Service) holdTx(ctx context.Context, tx *db.Tx, a Attempt) (Attempt, error) {
	purse, err := s.purse(ctx, tx, a.Account, a.Amount.Cur)
	if err != nil || purse.Spendable().IsZero() {
		return a, err
	}
	if purse.Spendable().Minor >= a.Amount.Minor {
		return a, ErrCovered
	}
	a.Hold = Hold{State: HoldHeld, Wallet: purse.Paid, Gift: purse.Gift}
	if err := takeGiftsTx(ctx, tx, a.Account, purse.Gift, a.No, s.d.Clock.Now()); err != nil {
		return a, err
	}
	if a.Amount, err = a.Amount.Sub(purse.Spendable()); err != nil {
		return a, err
	}
	_, err = s.d.Ledger.PostTx(ctx, tx, ledger.Entry{
		Key: "hold:" + a.No, Kind: "hold", OccurredAt: a.CreatedAt, RefType: "attempt", RefID: a.No, Actor: string(a.Subject), Memo: "held",
		Postings: append(outOf(ledger.Debit, a.Account, a.Hold.Wallet, a.Hold.Gift), ledger.Credit(ledger.Hold(a.Order), purse.Spendable())),
	})
	fault.Point("wallet-after-hold")
	return a, err
}

// Sum is the whole of a hold.
func (h Hold) Sum() money.Money { return money.New(h.Wallet.Minor+h.Gift.Minor, h.Wallet.Cur) }

// unholdTx gives back what an attempt held. The caller saves the attempt.
func (s *Service) unholdTx(ctx context.Context, tx *db.Tx, a Attempt) (Attempt, error) {
	if a.Hold.State != HoldHeld {
		return a, nil
	}
	if err := returnGiftsTx(ctx, tx, a.No); err != nil {
		return a, err
	}
	_, err := s.d.Ledger.PostTx(ctx, tx, ledger.Entry{
		Key: "unhold:" + a.No, Kind: "unhold", OccurredAt: s.d.Clock.Now(), RefType: "attempt", RefID: a.No, Actor: "system", Memo: "returned",
		Postings: append(outOf(ledger.Credit, a.Account, a.Hold.Wallet, a.Hold.Gift), ledger.Debit(ledger.Hold(a.Order), a.Hold.Sum())),
	})
	fault.Point("wallet-after-unhold")
	a.Hold.State = HoldReturned
	return a, err
}

// saveTx is saveAttempt; an attempt that ends unpaid gives back what it held.
func (s *Service) saveTx(ctx context.Context, tx *db.Tx, was, next Attempt) (Attempt, error) {
	if !next.State.Open() && !next.State.Paid() {
		var err error
		if next, err = s.unholdTx(ctx, tx, next); err != nil {
			return was, err
		}
	}
	return saveAttempt(ctx, tx, was, next)
}

// heldOf returns the attempt whose hold an order has; ErrNotFound.
func heldOf(ctx context.Context, tx *db.Tx, orderID string) (Attempt, error) {
	return db.Get(ctx, tx, ErrNotFound, scanAttempt, attemptColumns+" WHERE order_id = $1 AND hold = 'held'", orderID)
}

// spendHoldTx uses up the hold of an order in the journal that pays it, whoever
// brought the rest; zero if there is none.
func (s *Service) spendHoldTx(ctx context.Context, tx *db.Tx, o order.Order) (money.Money, error) {
	held, err := heldOf(ctx, tx, o.ID)
	if errs.IsNotFound(err) {
		return money.New(0, o.Total.Cur), nil
	}
	if err != nil {
		return money.Money{}, err
	}
	next := held
	next.Hold.State = HoldSpent
	_, err = saveAttempt(ctx, tx, held, next)
	return held.Hold.Sum(), err
}
