package payment_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/control/order"
	"github.com/skybridge-cloud/skybridge/internal/control/order/ordertest"
	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/control/payment/paymenttest"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
)

// Random histories of refunds, of orders that were paid in any way, at a provider in
// any mood. After each step what was paid for an order is to be earned, owed, or
// back where it came from, and never more.
func TestRandomHistoriesOfRefunds(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		n := 0
		rapid.Check(t, func(rt *rapid.T) {
			n++
			m := &refundMachine{walletMachine{machine: machine{r: r, p: ordertest.Customer(), run: n, paidIn: map[string]int64{}}}}
			r.Till.FailRefund(nil, false)
			r.Till.RefundsAre(payment.RefundSucceeded)
			m.buy(rt)
			rt.Repeat(map[string]func(*rapid.T){
				"buy": m.buy, "ask": m.ask, "ask again": m.ask, "decide": m.decide, "decide again": m.decide, "mood": m.mood, "says": m.says, "mend": m.mend,
				"wait": m.wait, "days": m.days, "": m.accounted,
			})
		})
		r.sound()
	}, sets()...)
}

type refundMachine struct{ walletMachine }

func (m *refundMachine) one(t *rapid.T) (order.Order, bool) {
	if len(m.orders) == 0 {
		return order.Order{}, false
	}
	return m.r.Order(rapid.SampledFrom(m.orders).Draw(t, "order").ID), true
}

func (m *refundMachine) refunds(o order.Order) []payment.Refund {
	all, err := m.r.Pay.Refunds(bg, m.p.Account, o.ID)
	must(m.r.T, err)
	return all
}

// open is a refund that is not over.
func (m *refundMachine) open(t *rapid.T) (payment.Refund, bool) {
	o, ok := m.one(t)
	if !ok {
		return payment.Refund{}, false
	}
	for _, f := range m.refunds(o) {
		if !f.Phase.Over() {
			return f, true
		}
	}
	return payment.Refund{}, false
}

// buy has an order that is paid by gifts, the wallet and the till, or by some of
// them, and delivered.
func (m *refundMachine) buy(t *rapid.T) {
	o := m.r.Place(m.p)
	m.orders = append(m.orders, o)
	if gift := rapid.Int64Range(0, o.Total.Minor).Draw(t, "gift"); gift > 0 {
		m.r.given(m.p, payment.GiftGrant, gift, time.Duration(rapid.IntRange(1, 40).Draw(t, "days of the gift"))*24*time.Hour)
	}
	if topUp := rapid.Int64Range(0, o.Total.Minor).Draw(t, "top-up"); topUp >= 1_00 {
		m.r.toppedUp(m.p, topUp)
	}
	a, _, err := m.r.Pay.StartMixed(bg, m.p, o.ID, method)
	if errors.Is(err, payment.ErrCovered) {
		_, err = m.r.Pay.PayFromWallet(bg, m.p, o.ID)
	} else if err == nil {
		m.r.notify(paid(a, "B-"+a.No))
	}
	if err != nil {
		t.Fatalf("buying: %v", err)
	}
	m.r.delivered(o)
}

func (m *refundMachine) days(t *rapid.T) {
	m.r.Clock.Advance(time.Duration(rapid.IntRange(1, 12).Draw(t, "days")) * 24 * time.Hour)
	m.settle(t)
}

func (m *refundMachine) mood(t *rapid.T) {
	moods := []error{nil, payment.ErrDeclined, payment.ErrTemporary, payment.ErrUnknownOutcome}
	err := rapid.SampledFrom(moods).Draw(t, "mood")
	m.r.Till.FailRefund(err, errors.Is(err, payment.ErrUnknownOutcome) && rapid.Bool().Draw(t, "done"))
	m.r.Till.RefundsAre(rapid.SampledFrom([]payment.RefundState{payment.RefundSucceeded, payment.RefundProcessing}).Draw(t, "first"))
}

func (m *refundMachine) ask(t *rapid.T) {
	o, ok := m.one(t)
	if !ok {
		return
	}
	to := rapid.SampledFrom([]payment.Target{payment.ToOriginal, payment.TargetWallet}).Draw(t, "target")
	var err error
	if rapid.Bool().Draw(t, "staff") {
		_, err = m.r.Pay.StaffRefund(bg, m.r.desk(), o.ID, to, rapid.Bool().Draw(t, "whole"), "goodwill")
	} else {
		_, err = m.r.Pay.AskRefund(bg, m.p, o.ID, to)
	}
	switch {
	case err == nil, errors.Is(err, payment.ErrNotOffered), errors.Is(err, payment.ErrTarget), errors.Is(err, payment.ErrRefundOpen):
	default:
		t.Fatalf("asking: %v", err)
	}
}

func (m *refundMachine) decide(t *rapid.T) {
	f, ok := m.open(t)
	if !ok || f.Phase != payment.PhaseReview {
		return
	}
	var err error
	switch rapid.SampledFrom([]string{"approve", "approve", "reject", "cancel"}).Draw(t, "decision") {
	case "approve":
		_, err = m.r.Pay.Approve(bg, m.r.desk(), f.No)
	case "reject":
		_, err = m.r.Pay.Reject(bg, m.r.desk(), f.No, "used_up")
	case "cancel":
		_, err = m.r.Pay.CancelRefund(bg, m.p, f.No)
	}
	if err != nil {
		t.Fatalf("deciding: %v", err)
	}
	if rapid.Bool().Draw(t, "at once") {
		m.settle(t)
	}
}

// says has the provider end what is on its way.
func (m *refundMachine) says(t *rapid.T) {
	f, ok := m.open(t)
	if !ok || f.Phase != payment.PhaseProcessing && f.Phase != payment.PhaseUnknown {
		return
	}
	for _, c := range m.r.Till.Calls() {
		if c.RefundNo == f.No && m.r.Till.Paying(f.No) {
			fact := m.r.Till.SettleRefund(f.No, rapid.SampledFrom([]payment.RefundState{payment.RefundSucceeded, payment.RefundFailed}).Draw(t, "end"))
			if _, err := m.r.Pay.HandleNotify(bg, tillToken, paymenttest.RawRefund(fact)); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
}

func (m *refundMachine) mend(t *rapid.T) {
	f, ok := m.open(t)
	if !ok || f.Phase != payment.PhaseFailed {
		return
	}
	var err error
	switch rapid.SampledFrom([]string{"again", "wallet", "keep"}).Draw(t, "way") {
	case "again":
		_, err = m.r.Pay.RetryRefund(bg, m.r.desk(), f.No)
	case "wallet":
		_, err = m.r.Pay.RefundToWallet(bg, m.r.desk(), f.No)
	case "keep":
		_, err = m.r.Pay.KeepService(bg, m.p, f.No)
	}
	if err != nil {
		t.Fatalf("mending: %v", err)
	}
}

// accounted is that the money of every order is known, and the books say the same.
func (m *refundMachine) accounted(t *rapid.T) {
	for _, o := range m.orders {
		now, taken := m.r.Order(o.ID), int64(0)
		for _, f := range m.refunds(o) {
			switch f.Phase {
			case payment.PhaseProcessing, payment.PhaseUnknown, payment.PhaseFailed, payment.PhaseSucceeded:
				taken += f.Amount.Minor
			}
		}
		deferred := m.r.balance(ledger.Deferred(o.Lines[0].ID))
		want := now.Total.Minor - taken
		if now.PaidAt.IsZero() {
			want = 0
		}
		if deferred != want || taken > now.Total.Minor {
			t.Fatalf("order %s is %s: %d deferred, %d of %d taken", o.ID, now.State, deferred, taken, now.Total.Minor)
		}
		if at, known := m.r.Ends.Earning[o.Lines[0].ID]; known && at != deferred {
			t.Fatalf("order %s: %d to be earned, %d deferred", o.ID, at, deferred)
		}
	}
	// What earlier customers left goes on too.
	owed := m.sum("SELECT CAST(COALESCE(SUM(amount_minor), 0) AS BIGINT) FROM payment_refund WHERE phase IN ('processing', 'unknown', 'failed')")
	if got := m.r.balance(ledger.RefundPayable); got != owed {
		t.Fatalf("owed %d, the books say %d", owed, got)
	}
	back := m.sum("SELECT CAST(COALESCE(SUM(amount_minor - wallet_minor - gift_minor), 0) AS BIGINT) FROM payment_refund WHERE phase = 'succeeded' AND target = 'original'")
	if got := m.r.Till.PaidBack(); got < back {
		t.Fatalf("booked as back %d, the provider paid %d", back, got)
	}
	if p := m.r.purse(m.p); p.Paid.Minor < 0 || p.Gift.Minor < 0 {
		t.Fatalf("below zero: %+v", p)
	}
}

func (m *refundMachine) sum(text string) int64 {
	v, err := db.Get(bg, m.r.DB, nil, db.One[int64], text)
	must(m.r.T, err)
	return v
}
