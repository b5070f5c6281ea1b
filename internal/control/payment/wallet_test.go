package payment_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/control/order"
	"github.com/skybridge-cloud/skybridge/internal/control/order/ordertest"
	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// toppedUp pays an amount into the customer's wallet.
func (r *rig) toppedUp(p account.Principal, minor int64) payment.Attempt {
	r.T.Helper()
	a, _, err := r.Pay.TopUp(bg, p, method, cny(minor))
	if err != nil {
		r.T.Fatal(err)
	}
	r.notify(paid(a, "TOP-"+a.No))
	return a
}

func (r *rig) purse(p account.Principal) payment.Purse {
	r.T.Helper()
	purse, err := r.Pay.Purse(bg, p.Account, money.CNY)
	if err != nil {
		r.T.Fatal(err)
	}
	return purse
}

// sound checks books, receipts, holds and gifts.
func (r *rig) sound() {
	r.T.Helper()
	p, err := r.Books.Prove(bg)
	if err != nil || len(p.Problems) > 0 {
		r.T.Errorf("the books: %v, %v", p.Problems, err)
	}
	wrong, err := r.Pay.Prove(bg)
	if err != nil || len(wrong) > 0 {
		r.T.Errorf("receipts, holds and gifts: %v, %v", wrong, err)
	}
}

func TestATopUpIsTheCustomersMoneyAndNotAnOrders(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p := ordertest.Customer()
		a := r.toppedUp(p, 250_00)
		if got := r.purse(p); got.Paid != cny(250_00) || got.Spendable() != cny(250_00) || got.Held.Minor != 0 {
			t.Errorf("purse: got %+v", got)
		}
		if rc := r.receipts(a.No); len(rc) != 1 || rc[0].Disposition != payment.ToWallet {
			t.Errorf("receipts: got %+v", rc)
		}
		r.notify(paid(a, "TOP-"+a.No)) // again
		all, err := r.Pay.TopUps(bg, p.Account, 10)
		if err != nil || len(all) != 1 || all[0].Purpose != payment.ForTopUp || all[0].State != payment.Succeeded {
			t.Errorf("top-ups: got %+v, %v", all, err)
		}
		r.sound()
	})
}

func TestTheAmountOfATopUpIsChecked(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p := ordertest.Customer()
		for _, minor := range []int64{-1, 0, 99, 50_000_01, 1 << 62} {
			if _, _, err := r.Pay.TopUp(bg, p, method, cny(minor)); !errors.Is(err, payment.ErrAmount) {
				t.Errorf("%d: got %v, want ErrAmount", minor, err)
			}
		}
		if _, _, err := r.Pay.TopUp(bg, p, method, money.New(100_00, money.USD)); !errors.Is(err, payment.ErrTopUp) {
			t.Errorf("another currency: got %v, want ErrTopUp", err)
		}
		for range payment.MaxAttempts {
			if _, _, err := r.Pay.TopUp(bg, p, method, cny(1_00)); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := r.Pay.TopUp(bg, p, method, cny(1_00)); !errors.Is(err, payment.ErrTooMany) {
			t.Errorf("one too many: got %v, want ErrTooMany", err)
		}
	})
}

func TestAnOrderIsPaidFromTheWalletOnceByFifty(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p := ordertest.Customer()
		o := r.Place(p)
		r.toppedUp(p, o.Total.Minor+1)
		var wg sync.WaitGroup
		var fine atomic.Int64
		for range 50 {
			wg.Go(func() {
				if err := untilDecided(func() error { _, err := r.Pay.PayFromWallet(bg, p, o.ID); return err }); err == nil {
					fine.Add(1)
				}
			})
		}
		wg.Wait()
		now := r.Order(o.ID)
		if now.State != order.Paid || fine.Load() != 50 {
			t.Errorf("got %s, %d of 50 heard of it", now.State, fine.Load())
		}
		if got := r.purse(p).Paid; got != cny(1) {
			t.Errorf("left: got %s, want 0.01", got)
		}
		if got := r.balance(ledger.Deferred(o.Lines[0].ID)); got != o.Total.Minor {
			t.Errorf("deferred: got %d, want %d", got, o.Total.Minor)
		}
		r.sound()
		r.Settle()
		if got := r.Order(o.ID).State; got != order.Fulfilling {
			t.Errorf("what follows the payment did not run: order %s", got)
		}
	})
}

func TestFiftyOrdersNeverTakeMoreThanTheWalletHolds(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p := ordertest.Customer()
		var orders []order.Order
		for range 50 {
			orders = append(orders, r.Place(p))
		}
		r.toppedUp(p, 3*orders[0].Total.Minor+5)
		var wg sync.WaitGroup
		for _, o := range orders {
			wg.Go(func() {
				err := untilDecided(func() error { _, err := r.Pay.PayFromWallet(bg, p, o.ID); return err })
				if err != nil && !errors.Is(err, ledger.ErrBelowMin) {
					t.Errorf("got %v", err)
				}
			})
		}
		wg.Wait()
		n := 0
		for _, o := range orders {
			if r.Order(o.ID).State == order.Paid {
				n++
			}
		}
		if n != 3 || r.purse(p).Paid != cny(5) {
			t.Errorf("got %d paid, %s left", n, r.purse(p).Paid)
		}
		r.sound()
	})
}

func TestTheWalletPaysOnlyTheOwnersWaitingOrders(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p, other := ordertest.Customer(), ordertest.Customer()
		o := r.Place(p)
		r.toppedUp(p, o.Total.Minor-1)
		r.toppedUp(other, 2*o.Total.Minor)
		if _, err := r.Pay.PayFromWallet(bg, other, o.ID); !errors.Is(err, order.ErrNotFound) {
			t.Errorf("another's order: got %v", err)
		}
		if _, err := r.Pay.PayFromWallet(bg, p, o.ID); !errors.Is(err, ledger.ErrBelowMin) {
			t.Errorf("one fen short: got %v", err)
		}
		if got := r.Order(o.ID).State; got != order.PendingPayment {
			t.Errorf("after a refusal: order %s", got)
		}
		r.toppedUp(p, 1_00)
		if _, err := r.Pay.PayForOwner(bg, o.ID); err != nil {
			t.Errorf("by the system: %v", err)
		}
		again, err := r.Pay.PayForOwner(bg, o.ID)
		if err != nil || again.State != order.Paid || r.purse(p).Paid != cny(99) {
			t.Errorf("again: got %s, %v, left %s", again.State, err, r.purse(p).Paid)
		}
		late := r.Place(other)
		r.Clock.Advance(time.Hour)
		if _, err := r.Pay.PayFromWallet(bg, other, late.ID); !errors.Is(err, payment.ErrNotPayable) {
			t.Errorf("past its time: got %v", err)
		}
		r.sound()
	})
}

func TestAnOpenPaymentDoesNotCostTwice(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p := ordertest.Customer()
		o, a := r.Started(p)
		r.toppedUp(p, o.Total.Minor)
		if _, err := r.Pay.PayFromWallet(bg, p, o.ID); err != nil {
			t.Fatal(err)
		}
		if got := r.attempt(a.No).State; got != payment.Closed {
			t.Errorf("the open attempt: got %s", got)
		}
		r.notify(paid(a, "late"))
		if rc := r.receipts(a.No); len(rc) != 1 || rc[0].Disposition != payment.ToWallet || r.purse(p).Paid != o.Total {
			t.Errorf("money that came too: got %+v, wallet %s", rc, r.purse(p).Paid)
		}
		r.sound()
	})
}

// mixed starts a payment of which the wallet has 40.00.
func (r *rig) mixed() (account.Principal, order.Order, payment.Attempt) {
	r.T.Helper()
	p := ordertest.Customer()
	o := r.Place(p)
	r.toppedUp(p, 40_00)
	a, _, err := r.Pay.StartMixed(bg, p, o.ID, method)
	if err != nil {
		r.T.Fatal(err)
	}
	if a.Amount.Minor != o.Total.Minor-40_00 || a.Hold.State != payment.HoldHeld || r.balance(ledger.Hold(o.ID)) != 40_00 || r.purse(p).Paid.Minor != 0 {
		r.T.Fatalf("the hold: got %+v, purse %+v", a, r.purse(p))
	}
	return p, o, a
}

func TestAMixedPaymentIsWholeOrGoesBack(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		do   func(r *rig, p account.Principal, o order.Order, a payment.Attempt)
		paid bool  // the order
		left int64 // in the wallet, besides what the rest is worth
	}{
		{"the rest comes", func(r *rig, _ account.Principal, _ order.Order, a payment.Attempt) { r.notify(paid(a, "T")) }, true, 0},
		{"twice", func(r *rig, _ account.Principal, _ order.Order, a payment.Attempt) {
			r.notify(paid(a, "T"))
			r.notify(paid(a, "T"))
		}, true, 0},
		{"it is cancelled", func(r *rig, p account.Principal, o order.Order, _ payment.Attempt) {
			if _, err := r.Orders.Cancel(bg, p, o.ID); err != nil {
				r.T.Fatal(err)
			}
			r.Settle()
		}, false, 40_00},
		{"it expires", func(r *rig, _ account.Principal, _ order.Order, _ payment.Attempt) {
			r.Clock.Advance(31 * time.Minute)
			r.Settle()
		}, false, 40_00},
		{"the provider says no", func(r *rig, _ account.Principal, _ order.Order, a payment.Attempt) {
			f := paid(a, "T")
			f.State, f.TradeNo = payment.FactFailed, ""
			r.notify(f)
		}, false, 40_00},
		{"another way is chosen", func(r *rig, p account.Principal, o order.Order, _ payment.Attempt) {
			if _, _, err := r.Pay.Start(bg, p, o.ID, "till.cash"); err != nil {
				r.T.Fatal(err)
			}
		}, false, 40_00},
		{"the rest comes after the cancellation", func(r *rig, p account.Principal, o order.Order, a payment.Attempt) {
			if _, err := r.Orders.Cancel(bg, p, o.ID); err != nil {
				r.T.Fatal(err)
			}
			r.notify(paid(a, "T")) // before the attempt is closed
			r.Settle()
		}, false, -1},
		{"the rest comes after the end", func(r *rig, _ account.Principal, _ order.Order, a payment.Attempt) {
			r.Clock.Advance(31 * time.Minute)
			r.Settle()
			r.notify(paid(a, "T"))
		}, false, -1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, r *rig) {
				p, o, a := r.mixed()
				c.do(r, p, o, a)
				r.sound()
				left := c.left
				if left < 0 { // all of it
					left = o.Total.Minor
				}
				if got := r.purse(p).Paid.Minor; got != left {
					t.Errorf("wallet: got %d, want %d", got, left)
				}
				if got := r.balance(ledger.Hold(o.ID)); got != 0 {
					t.Errorf("hold: got %d", got)
				}
				if got := r.Order(o.ID).State == order.Paid; got != c.paid {
					t.Errorf("order: got %s", r.Order(o.ID).State)
				}
				if c.paid && r.balance(ledger.Deferred(o.Lines[0].ID)) != o.Total.Minor {
					t.Errorf("deferred: got %d", r.balance(ledger.Deferred(o.Lines[0].ID)))
				}
			})
		})
	}
}

func TestAnOrderHasOneHold(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p, o, a := r.mixed()
		again, _, err := r.Pay.StartMixed(bg, p, o.ID, method)
		if err != nil || again.No != a.No {
			t.Errorf("the same again: got %s, %v, want %s", again.No, err, a.No)
		}
		other, _, err := r.Pay.StartMixed(bg, p, o.ID, "till.cash")
		if err != nil || other.Hold.Sum() != cny(40_00) || r.attempt(a.No).Hold.State != payment.HoldReturned {
			t.Errorf("by another method: got %+v, %v; the first holds %s", other, err, r.attempt(a.No).Hold.State)
		}
		r.notify(paid(a, "late")) // the money of the closed one, with the hold of the open one
		if got := r.Order(o.ID).State; got != order.Paid || r.attempt(other.No).Hold.State != payment.HoldSpent {
			t.Errorf("got %s, hold %s", got, r.attempt(other.No).Hold.State)
		}
		r.notify(paid(other, "second"))
		if got := r.purse(p).Paid; got != other.Amount {
			t.Errorf("what came too much: got %s in the wallet, want %s", got, other.Amount)
		}
		r.sound()
	})
}

func TestAWalletThatCoversAllIsNotMixed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p := ordertest.Customer()
		o := r.Place(p)
		plain, _, err := r.Pay.StartMixed(bg, p, o.ID, method)
		if err != nil || plain.Hold.State != payment.NoHold || plain.Amount != o.Total {
			t.Errorf("an empty wallet: got %+v, %v", plain, err)
		}
		r.toppedUp(p, o.Total.Minor)
		if _, _, err := r.Pay.StartMixed(bg, p, o.ID, "till.cash"); !errors.Is(err, payment.ErrCovered) {
			t.Errorf("a full one: got %v, want ErrCovered", err)
		}
		if got := r.attempt(plain.No).State; !got.Open() {
			t.Errorf("a refusal closed the open attempt: %s", got)
		}
		r.sound()
	})
}
