package payment_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/control/order"
	"github.com/skybridge-cloud/skybridge/internal/control/order/ordertest"
	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/control/payment/paymenttest"
)

// stray has an amount come for an order that asked for another, into suspense.
func (r *rig) stray(p account.Principal, trade string, minor int64) (order.Order, payment.Attempt, payment.Receipt) {
	r.T.Helper()
	o, a := r.Started(p)
	f := paid(a, trade)
	f.Amount = cny(minor)
	r.notify(f)
	rc := r.receipts(a.No)
	if len(rc) != 1 || rc[0].Disposition != payment.ToSuspense {
		r.T.Fatalf("got %+v", rc)
	}
	return o, a, rc[0]
}

func TestMoneyInSuspenseIsAssignedOrSentBack(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p := ordertest.Customer()
		other := r.Place(p) // of the same price: what came is what it costs
		_, a, rc := r.stray(p, "T1", other.Total.Minor-1)
		to := func(kind payment.SuspenseKind, receipt string) payment.SuspenseRequest {
			return payment.SuspenseRequest{Receipt: receipt, Kind: kind, Reason: "other_amount"}
		}
		wrong := to(payment.SuspenseToOrder, rc.ID)
		wrong.Order = other.ID
		if _, err := r.Pay.SettleSuspense(bg, r.settler(), wrong); !errors.Is(err, payment.ErrNotDue) {
			t.Errorf("an order of another price: got %v", err)
		}
		mine := r.settler()
		mine.Subject = p.Subject
		if _, err := r.Pay.SettleSuspense(bg, mine, to(payment.SuspenseToWallet, rc.ID)); !errors.Is(err, payment.ErrOneself) {
			t.Errorf("one's own money: got %v", err)
		}
		if _, err := r.Pay.SettleSuspense(bg, staff, to(payment.SuspenseToWallet, rc.ID)); !errors.Is(err, payment.ErrStaffOnly) {
			t.Errorf("a reader: got %v", err)
		}
		act, err := r.Pay.SettleSuspense(bg, r.settler(), to(payment.SuspenseToWallet, rc.ID))
		if err != nil || act.State != payment.Booked || r.purse(p).Paid != rc.Amount || r.balance(ledger.Suspense) != 0 {
			t.Fatalf("to the wallet: got %+v, %v, %s", act, err, r.purse(p).Paid)
		}
		if _, err := r.Pay.SettleSuspense(bg, r.settler(), to(payment.SuspenseBack, rc.ID)); !errors.Is(err, payment.ErrTransition) {
			t.Errorf("a second time: got %v", err)
		}

		_, short, rc := r.stray(p, "T2", 1_00)
		if _, err := r.Pay.SettleSuspense(bg, r.settler(), to(payment.SuspenseBack, rc.ID)); err != nil {
			t.Fatal(err)
		}
		r.Settle()
		calls := r.Till.Calls()
		if len(calls) != 1 || calls[0].Amount != cny(1_00) || calls[0].Paid != cny(1_00) || calls[0].AttemptNo != short.No || r.balance(ledger.RefundPayable) != 0 || r.balance(ledger.Suspense) != 0 {
			t.Errorf("back: %+v, owed %d", calls, r.balance(ledger.RefundPayable))
		}

		// A second payment of one attempt has another trade: the provider would pay back the first.
		_, twice := r.Started(p)
		r.notify(paid(twice, "T3"))
		r.notify(paid(twice, "T4"))
		second := r.receipts(twice.No)[1]
		if _, err := r.Pay.SettleSuspense(bg, r.settler(), to(payment.SuspenseBack, second.ID)); !errors.Is(err, payment.ErrNoWayBack) {
			t.Errorf("the second of two: got %v", err)
		}
		pays := to(payment.SuspenseToOrder, second.ID)
		pays.Order = other.ID
		if got, err := r.Pay.SettleSuspense(bg, r.settler(), pays); err != nil || got.State != payment.Booked || r.Order(other.ID).State != order.Paid {
			t.Errorf("to another order: %+v, %v, order %s", got, err, r.Order(other.ID).State)
		}
		_ = a
		r.booksHold()
	})
}

func TestMoreThanOneMayDecideAloneWaitsAndIsBookedOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p, first, second := ordertest.Customer(), r.settler(), r.settler()
		_, _, rc := r.stray(p, "T1", paymenttest.FourEyes+1)
		req := payment.SuspenseRequest{Receipt: rc.ID, Kind: payment.SuspenseToWallet, Reason: "other_amount"}
		act, err := r.Pay.SettleSuspense(bg, first, req)
		if err != nil || act.State != payment.Waiting || r.purse(p).Paid.Minor != 0 {
			t.Fatalf("got %+v, %v", act, err)
		}
		if _, err := r.Pay.SettleSuspense(bg, second, req); !errors.Is(err, payment.ErrSettling) {
			t.Errorf("decided twice: got %v", err)
		}
		if _, err := r.Pay.DecideSuspense(bg, first, act.ID, payment.Book); !errors.Is(err, payment.ErrOneself) {
			t.Errorf("by the same person: got %v", err)
		}
		var wg sync.WaitGroup
		var booked atomic.Int64
		for range 30 {
			wg.Go(func() {
				err := untilDecided(func() error { _, err := r.Pay.DecideSuspense(bg, second, act.ID, payment.Book); return err })
				if err == nil {
					booked.Add(1)
				} else if !errors.Is(err, payment.ErrTransition) {
					t.Errorf("got %v", err)
				}
			})
		}
		wg.Wait()
		if booked.Load() != 1 || r.purse(p).Paid != rc.Amount || r.balance(ledger.Suspense) != 0 {
			t.Errorf("booked %d times, %s", booked.Load(), r.purse(p).Paid)
		}
		_, _, rc = r.stray(p, "T2", 1) // in slices, the rest of a day is for two as well
		req.Receipt = rc.ID
		r.given(p, payment.GoodwillGrant, 1, 0)
		if act, err = r.Pay.SettleSuspense(bg, first, req); err != nil || act.State != payment.Booked {
			t.Errorf("below: %+v, %v", act, err)
		}
		_, _, rc = r.stray(p, "T3", 700_00)
		req.Receipt = rc.ID
		act, err = r.Pay.SettleSuspense(bg, first, req)
		must(t, err)
		if act, err = r.Pay.DecideSuspense(bg, second, act.ID, payment.Refuse); err != nil || act.State != payment.Refused || r.balance(ledger.Suspense) != 700_00 {
			t.Errorf("refused: %+v, %v", act, err)
		}
		if all, err := r.Pay.SuspenseActs(bg, staff, "", 10); err != nil || len(all) != 3 || all[0].ID != act.ID {
			t.Errorf("got %+v, %v", all, err)
		}
		r.booksHold()
	})
}

func TestDifferencesEndAndAreReached(t *testing.T) {
	t.Parallel()
	reached := map[payment.DifferenceState]bool{payment.DifferenceOpen: true}
	for _, tr := range payment.DifferenceTransitions {
		d := payment.Difference{State: tr.From}
		next, err := d.Apply(tr.Event)
		if err != nil || next.State != tr.To {
			t.Errorf("%s %s: got %s, %v", tr.From, tr.Event, next.State, err)
		}
		reached[tr.To] = true
	}
	for _, s := range []payment.DifferenceState{payment.DifferenceOpen, payment.DifferenceWaiting, payment.DifferenceClosed} {
		if !reached[s] {
			t.Errorf("%s is never reached", s)
		}
	}
	for _, e := range []payment.DifferenceEvent{payment.DifferenceExplain, payment.DifferencePropose, payment.DifferenceConfirm, payment.DifferenceGone} {
		if _, err := (payment.Difference{State: payment.DifferenceClosed}).Apply(e); !errors.Is(err, payment.ErrTransition) {
			t.Errorf("closed, %s: got %v", e, err)
		}
	}
}

func TestAStatementIsComparedAndBooksNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		day := r.atNoon()
		p := ordertest.Customer()
		a, _, err := r.Pay.TopUp(bg, p, bank, cny(80_00))
		must(t, err)
		if _, err := r.Pay.EnterTransfer(bg, r.clerk(), r.transfer(a, "B1", 80_00)); err != nil {
			t.Fatal(err)
		}
		lines := []payment.StatementRow{{Reference: "B1", Amount: cny(80_00)}, {Reference: "B2", Amount: cny(9_00)}}
		if _, err := r.Pay.BringStatement(bg, r.settler(), "bank", day, lines); !errors.Is(err, payment.ErrBillTooEarly) {
			t.Errorf("before the day is over: got %v", err)
		}
		r.atNoon()
		for range 2 {
			b, err := r.Pay.BringStatement(bg, r.settler(), "bank", day, lines)
			if err != nil || b.State != payment.BillSettled || b.Paid.Minor != 89_00 {
				t.Fatalf("got %+v, %v", b, err)
			}
		}
		if got := r.kinds(); len(got) != 1 || got["foreign open"] != 1 || r.balance(ledger.Bank) != 80_00 {
			t.Errorf("got %v, bank %d", got, r.balance(ledger.Bank))
		}
		if _, err := r.Pay.BringStatement(bg, r.settler(), "till", day, lines); !errors.Is(err, payment.ErrNotFound) {
			t.Errorf("of a provider with bills: got %v", err)
		}
	})
}
