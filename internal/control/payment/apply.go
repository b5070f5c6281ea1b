package payment

import (
	"context"
	"errors"

	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/control/order"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// ApplyFact is the one door for money: it takes what a provider says about a
// trade of a gateway account, in one transaction, and returns what it came to.
// digest names the message without keeping it. An error means that nothing has
// happened and the fact should be brought again. The steps, by the letters in
// the comments below:
//
//	a  the message's key, once          g  the attempt's state
//	b  the attempt, locked              h  where the money goes
//	c  whose merchant it is             i  the journal
//	d  what is not about money          j  the order
//	e  the trade, once a receipt        k  told, and noted as done
//	f  another amount: suspense
func (s *Service) ApplyFact(ctx context.Context, gateway string, f Fact, from Source, digest string) (Result, error) {
	g, ok := s.byID[gateway]
	if !ok {
		return "", ErrNotFound
	}
	if f.AttemptNo == "" || f.DedupeKey == "" || (f.State == FactPaid && (f.TradeNo == "" || f.Amount.Minor <= 0)) {
		return "", ErrMalformed
	}
	f.DedupeKey = messageKey(f)
	var result Result
	err := s.d.DB.InTx(ctx, func(tx *db.Tx) (err error) {
		result, err = s.applyTx(ctx, tx, g, f, from, digest)
		return err
	})
	if err == nil {
		fault.Point("payment-after-commit")
		s.warn(ctx, result, f, from)
	}
	return result, err
}

// messageKey tells messages apart also by whose merchant and which amount they
// name: one that lies about them must not stand in the way of the honest one
// about the same trade.
func messageKey(f Fact) string {
	return f.DedupeKey + "|" + string(f.State) + "|" + f.MerchantID + "|" + f.Amount.String()
}

// warn tells operators of what needs a person.
func (s *Service) warn(ctx context.Context, r Result, f Fact, from Source) {
	if r == Orphan || r == Mismatch || r == Foreign {
		s.d.Log.WarnContext(ctx, "payment fact needs attention", "result", string(r), "attempt", f.AttemptNo, "channel", string(from))
	}
}

func (s *Service) applyTx(ctx context.Context, tx *db.Tx, g GatewayAccount, f Fact, from Source, digest string) (Result, error) {
	now := s.d.Clock.Now()
	known, err := insertEvent(ctx, tx, g.ID, f, from, digest, now) // a
	if err != nil || (known != Received && known != Orphan) {
		return NoOp, err
	}
	fault.Point("payment-after-event")
	result, err := s.decideTx(ctx, tx, g, f, from)
	if err != nil {
		return "", err
	}
	if err := markEvent(ctx, tx, g.ID, f.DedupeKey, result, now); err != nil { // k
		return "", err
	}
	fault.Point("payment-after-outbox")
	return result, nil
}

func (s *Service) decideTx(ctx context.Context, tx *db.Tx, g GatewayAccount, f Fact, from Source) (Result, error) {
	a, err := lockAttempt(ctx, tx, g.ID, f.AttemptNo) // b
	if errs.IsNotFound(err) {
		return Orphan, nil
	}
	if err != nil {
		return "", err
	}
	if from == FromNotify {
		if a, err = s.touchTx(ctx, tx, a); err != nil {
			return "", err
		}
	}
	fault.Point("payment-after-lock")
	if f.MerchantID != g.MerchantID { // c
		return Foreign, nil
	}
	if f.State != FactPaid { // d
		return s.unpaidTx(ctx, tx, a, f.State)
	}
	r := Receipt{
		ID: id.New("rcp"), Gateway: g.ID, TradeNo: f.TradeNo, Attempt: a.No, Amount: f.Amount,
		PaidAt: f.PaidAt, ReceivedAt: s.d.Clock.Now(),
	}
	if r.PaidAt.IsZero() {
		r.PaidAt = r.ReceivedAt
	}
	fresh, err := insertReceipt(ctx, tx, r) // e
	if err != nil {
		return "", err
	}
	if !fresh {
		return NoOp, s.compareTx(ctx, tx, r)
	}
	fault.Point("payment-after-receipt")
	return s.moneyTx(ctx, tx, a, r)
}

// compareTx tells operators when a trade is told with two amounts. What was
// booked first stays: only a person can know which is true.
func (s *Service) compareTx(ctx context.Context, tx *db.Tx, r Receipt) error {
	was, err := receiptOfTrade(ctx, tx, r.Gateway, r.TradeNo)
	if err != nil || was.Amount == r.Amount {
		return err
	}
	tx.AfterCommit(func() {
		s.d.Log.ErrorContext(ctx, "a trade is told with two amounts", "receipt", was.ID, "attempt", was.Attempt, "disposition", string(was.Disposition))
	})
	return nil
}

func (s *Service) touchTx(ctx context.Context, tx *db.Tx, a Attempt) (Attempt, error) {
	next := a
	next.LastNotifyAt = s.d.Clock.Now()
	return saveAttempt(ctx, tx, a, next)
}

// unpaidTx applies what is not about money: closed, failed, pending.
func (s *Service) unpaidTx(ctx context.Context, tx *db.Tx, a Attempt, state FactState) (Result, error) {
	events := map[FactState]Event{FactClosed: ProviderClosed, FactFailed: Declined, FactPending: QueryPending}
	event, ok := events[state]
	if !ok {
		return NoOp, nil
	}
	next, err := a.Apply(event)
	if errors.Is(err, ErrTransition) {
		return NoOp, nil
	}
	if err != nil {
		return "", err
	}
	next.CloseConfirmed = state == FactClosed
	_, err = s.saveTx(ctx, tx, a, next)
	return Applied, err
}

// moneyTx books money that has arrived.
func (s *Service) moneyTx(ctx context.Context, tx *db.Tx, a Attempt, r Receipt) (Result, error) {
	if r.Amount != a.Amount { // f: the real amount, the attempt stays as it is
		r.Disposition = ToSuspense
		return Mismatch, s.bookTx(ctx, tx, a, r, order.Order{}, "mismatch")
	}
	if a.State.Paid() { // g, h: another trade for the same attempt
		r.Disposition = ToSuspense
		return Applied, s.bookTx(ctx, tx, a, r, order.Order{}, "second_payment")
	}
	next, err := a.Apply(FactPaidEvent)
	if err != nil {
		return "", err
	}
	next.TradeNo, next.PaidAt, next.NextQueryAt = r.TradeNo, r.PaidAt, next.nextQuery(r.ReceivedAt)
	if a, err = saveAttempt(ctx, tx, a, next); err != nil { // g
		return "", err
	}
	fault.Point("payment-after-cas")
	o, err := s.disposeTx(ctx, tx, a, &r) // h
	if err != nil {
		return "", err
	}
	if r.Disposition != ToOrder && a.Hold.State == HoldHeld { // paid, but not for the order: the wallet's part goes back
		if next, err = s.unholdTx(ctx, tx, a); err != nil {
			return "", err
		}
		if a, err = saveAttempt(ctx, tx, a, next); err != nil {
			return "", err
		}
	}
	return Applied, s.bookTx(ctx, tx, a, r, o, "paid")
}

// disposeTx chooses where the money of a receipt goes, before anything is
// posted, and returns the order that it pays, if any.
func (s *Service) disposeTx(ctx context.Context, tx *db.Tx, a Attempt, r *Receipt) (order.Order, error) {
	r.Disposition = ToWallet
	if s.d.Wallet.NoTopUp {
		r.Disposition = ToSuspense
	}
	if a.Purpose != ForOrder {
		r.Disposition = ToWallet
		return order.Order{}, nil
	}
	o, err := s.d.Orders.LockTx(ctx, tx, a.Order)
	if errs.IsNotFound(err) { // erased since: the money is still the payer's
		r.Disposition = ToSuspense
		return order.Order{}, nil
	}
	if err != nil || !o.Payable() {
		return o, err
	}
	held, err := s.d.Ledger.BalanceIn(ctx, tx, ledger.Hold(o.ID), o.Total.Cur)
	if err != nil {
		return o, err
	}
	if due, err := o.Total.Sub(held); err == nil && r.Amount == due {
		r.Disposition = ToOrder
	}
	return o, nil
}

// bookTx posts the journal, completes the receipt and moves the order.
func (s *Service) bookTx(ctx context.Context, tx *db.Tx, a Attempt, r Receipt, o order.Order, why string) error {
	lines := []ledger.Posting{ledger.Debit(s.byID[a.Gateway].asset(), r.Amount)}
	if r.Disposition == ToOrder {
		held, err := s.spendHoldTx(ctx, tx, o)
		if err != nil {
			return err
		}
		if !held.IsZero() {
			lines = append(lines, ledger.Debit(ledger.Hold(o.ID), held))
		}
	}
	j, err := s.d.Ledger.PostTx(ctx, tx, ledger.Entry{
		Key: "pay:" + r.ID, Kind: "payment", OccurredAt: r.PaidAt, RefType: "attempt",
		RefID: a.No, Actor: "system", Memo: why, Postings: append(lines, credits(a, r, o)...),
	}) // i
	if err != nil {
		return err
	}
	fault.Point("payment-after-ledger")
	r.Journal = j.ID
	if err := completeReceipt(ctx, tx, r); err != nil {
		return err
	}
	fault.Point("payment-after-disposition")
	if r.Disposition == ToOrder { // j
		if _, err := s.d.Orders.MarkPaidTx(ctx, tx, o.ID, order.Receipt{ID: r.ID, Amount: o.Total, At: r.ReceivedAt}); err != nil {
			return err
		}
		fault.Point("payment-after-order")
	}
	return s.tellTx(ctx, tx, a, r, why) // k
}

func (s *Service) tellTx(ctx context.Context, tx *db.Tx, a Attempt, r Receipt, why string) error {
	topic := TopicSucceeded
	if r.Disposition == ToSuspense {
		topic = TopicSuspense
		tx.AfterCommit(func() {
			s.d.Log.ErrorContext(ctx, "money is in suspense and waits for a person", "receipt", r.ID, "attempt", a.No, "reason", why)
		})
	}
	err := s.auditTx(ctx, tx, topic, a, "system", map[string]string{
		"receipt": r.ID, "disposition": string(r.Disposition),
		"journal": r.Journal, "reason": why, "order": a.Order,
	})
	if err != nil {
		return err
	}
	if a.Purpose == ForTopUp && r.Disposition == ToWallet {
		if err := s.toldOfTopUpTx(ctx, tx, a, r); err != nil {
			return err
		}
	}
	return s.d.Queue.PublishTx(ctx, tx, topic, Changed{a.No, r.ID})
}

// credits are the lines of whose the money is now.
func credits(a Attempt, r Receipt, o order.Order) []ledger.Posting {
	switch r.Disposition {
	case ToOrder:
		return earning(o)
	case ToWallet:
		return []ledger.Posting{ledger.Credit(ledger.Wallet(string(a.Account)), r.Amount)}
	}
	return []ledger.Posting{ledger.Credit(ledger.Suspense, r.Amount)}
}
