package payment_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/control/order"
	"github.com/skybridge-cloud/skybridge/internal/control/order/ordertest"
	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/control/payment/paymenttest"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// desk is a staff member who may handle refunds, with a fresh step-up.
func (r *rig) desk() account.Principal {
	return account.Principal{
		Subject: id.NewHandle(), Staff: true, StepUpUntil: r.Clock.Now().Add(time.Hour),
		Permissions: []string{account.PermRefundHandle, account.PermPaymentRead, account.PermPaymentSettle},
	}
}

// bought is a customer with a completed order and its service.
func (r *rig) bought() (account.Principal, order.Order, payment.Attempt) {
	r.T.Helper()
	p := ordertest.Customer()
	o, a := r.Started(p)
	r.notify(paid(a, "T-"+a.No))
	return p, r.delivered(o), r.attempt(a.No)
}

// delivered is an order that is paid, after what it bought is there.
func (r *rig) delivered(o order.Order) order.Order {
	r.T.Helper()
	r.Settle()
	line := o.Lines[0]
	must(r.T, r.DB.InTx(bg, func(tx *db.Tx) error { return r.Orders.MarkFulfilledTx(bg, tx, o.ID, line.ID, "svc_"+o.ID, "") }))
	r.Ends.Periods[line.ID] = [2]time.Time{r.Clock.Now(), r.Clock.Now().AddDate(0, 1, 0)}
	r.Ends.Earning[line.ID] = line.Amount.Minor
	return r.Order(o.ID)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (r *rig) refund(no string) payment.Refund {
	r.T.Helper()
	got, _, err := r.Pay.RefundHistory(bg, staff, no)
	must(r.T, err)
	return got
}

// back holds a refund to have ended well: all of it, once, in this order.
func (r *rig) back(o order.Order, no string) {
	r.T.Helper()
	if got := r.refund(no); got.Phase != payment.PhaseSucceeded || got.EndedAt.IsZero() || got.HeldAt.IsZero() {
		r.T.Errorf("refund: got %s, held %v, ended %v, problem %q", got.Phase, got.HeldAt, got.EndedAt, got.Problem)
	}
	if s := r.Order(o.ID).State; s != order.Refunded {
		r.T.Errorf("order: got %s", s)
	}
	svc := o.Lines[0].Service
	if got := strings.Join(r.Ends.Log(), ", "); !strings.HasPrefix(got, "hold "+svc) || !strings.HasSuffix(got, "end "+svc) {
		r.T.Errorf("services: %s", got)
	}
	r.sound()
}

func (r *rig) asked(p account.Principal, o order.Order, to payment.Target) payment.Refund {
	r.T.Helper()
	f, err := r.Pay.AskRefund(bg, p, o.ID, to)
	must(r.T, err)
	if f.Phase != payment.PhaseReview || f.Amount != o.Total {
		r.T.Fatalf("asked: got %s of %s", f.Phase, f.Amount)
	}
	return f
}

func (r *rig) approved(p account.Principal, o order.Order, to payment.Target) payment.Refund {
	r.T.Helper()
	f, err := r.Pay.Approve(bg, r.desk(), r.asked(p, o, to).No)
	must(r.T, err)
	return f
}

func TestMoneyGoesBackTheWayItCame(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p, o, a := r.bought()
		offer, err := r.Pay.Offer(bg, p.Account, o.ID)
		if err != nil || offer.Rule != payment.RuleFull || offer.Amount != o.Total || offer.Left != payment.FullPerYear-1 || offer.Services != 1 {
			t.Errorf("offer: got %+v, %v", offer, err)
		}
		f := r.approved(p, o, payment.ToOriginal)
		if s := r.Order(o.ID).State; s != order.Refunding || len(r.Ends.Log()) != 0 {
			t.Errorf("approved: order %s, services %v", s, r.Ends.Log())
		}
		r.Settle()
		r.back(o, f.No)
		if got := r.balance(ledger.Gateway("till")) + r.balance(ledger.RefundPayable) + r.balance(ledger.Deferred(o.Lines[0].ID)); got != 0 {
			t.Errorf("%d left somewhere", got)
		}
		if calls := r.Till.Calls(); len(calls) != 1 || calls[0].RefundNo != f.No || calls[0].AttemptNo != a.No || calls[0].Amount != o.Total {
			t.Errorf("calls: %+v", calls)
		}
		for _, leaf := range []string{"refund.requested", "refund.approved", "refund.succeeded", "order.refunding", "order.refunded"} {
			if n := r.Log.Count(leaf); n != 1 {
				t.Errorf("%d leaves %s", n, leaf)
			}
		}
		if _, err := r.Pay.AskRefund(bg, p, o.ID, payment.ToOriginal); !errors.Is(err, payment.ErrNotOffered) {
			t.Errorf("again: got %v", err)
		}
	})
}

func TestMoneyGoesToTheWallet(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p, o, _ := r.bought()
		f := r.approved(p, o, payment.TargetWallet)
		r.Settle()
		r.back(o, f.No)
		if got := r.balance(ledger.Wallet(string(p.Account))); got != o.Total.Minor || len(r.Till.Calls()) != 0 {
			t.Errorf("wallet: got %d; %d calls", got, len(r.Till.Calls()))
		}
	})
}

func TestNobodyAsksApprovesOrSeesForAnother(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p, o, _ := r.bought()
		if _, err := r.Pay.AskRefund(bg, ordertest.Customer(), o.ID, payment.ToOriginal); !errors.Is(err, order.ErrNotFound) {
			t.Errorf("another's order: got %v", err)
		}
		if _, err := r.Pay.AskRefund(bg, r.desk(), o.ID, payment.ToOriginal); !errors.Is(err, order.ErrNotFound) {
			t.Errorf("by staff as a customer: got %v", err)
		}
		f := r.asked(p, o, payment.ToOriginal)
		if _, err := r.Pay.CancelRefund(bg, ordertest.Customer(), f.No); !errors.Is(err, payment.ErrNoRefund) {
			t.Errorf("another's refund: got %v", err)
		}
		stale := r.desk()
		stale.StepUpUntil = r.Clock.Now()
		if _, err := r.Pay.Approve(bg, stale, f.No); !errors.Is(err, account.ErrStepUp) {
			t.Errorf("without a step-up: got %v", err)
		}
		if _, err := r.Pay.Approve(bg, p, f.No); !errors.Is(err, payment.ErrRefundStaff) {
			t.Errorf("by the customer: got %v", err)
		}
		if _, err := r.Pay.Reject(bg, r.desk(), f.No, "Not text!"); !errors.Is(err, payment.ErrReason) {
			t.Errorf("a reason in words: got %v", err)
		}
		got, err := r.Pay.Reject(bg, r.desk(), f.No, "abuse")
		if err != nil || got.Phase != payment.PhaseRejected {
			t.Errorf("rejected: got %s, %v", got.Phase, err)
		}
		f = r.asked(p, o, payment.ToOriginal) // what was rejected takes nothing
		got, err = r.Pay.CancelRefund(bg, p, f.No)
		if err != nil || got.Phase != payment.PhaseCancelled || r.Order(o.ID).State != order.Completed {
			t.Errorf("cancelled: got %s, %v, order %s", got.Phase, err, r.Order(o.ID).State)
		}
	})
}

func TestAboveTheLimitTwoPersonsApprove(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		r.Strict(t)
		p, o, _ := r.bought()
		f, one, two := r.asked(p, o, payment.ToOriginal), r.desk(), r.desk()
		got, err := r.Pay.Approve(bg, one, f.No)
		if err != nil || got.Phase != payment.PhaseReview {
			t.Errorf("the first: got %s, %v", got.Phase, err)
		}
		if _, err := r.Pay.Approve(bg, one, f.No); !errors.Is(err, payment.ErrSecondPerson) {
			t.Errorf("the first again: got %v", err)
		}
		if got, err = r.Pay.Approve(bg, two, f.No); err != nil || got.Phase != payment.PhaseApproved {
			t.Errorf("the second: got %s, %v", got.Phase, err)
		}
		r.Settle()
		r.back(o, f.No)
	})
}

func TestFiftyRequestsAndApprovalsAreOneRefund(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p, o, _ := r.bought()
		var wg sync.WaitGroup
		var mu sync.Mutex
		all := map[string]bool{}
		for range 50 {
			wg.Go(func() {
				f, err := payment.Refund{}, error(nil)
				_ = untilDecided(func() error { f, err = r.Pay.AskRefund(bg, p, o.ID, payment.ToOriginal); return err })
				if mu.Lock(); err == nil {
					all[f.No] = true
				} else if !errors.Is(err, payment.ErrRefundOpen) {
					t.Errorf("asking: %v", err)
				}
				mu.Unlock()
			})
		}
		wg.Wait()
		if len(all) != 1 {
			t.Fatalf("%d refunds", len(all))
		}
		for no := range all {
			for range 5 {
				wg.Go(func() {
					_ = untilDecided(func() error { _, err := r.Pay.Approve(bg, r.desk(), no); return err })
				})
			}
			wg.Wait()
			r.Settle()
			r.back(o, no)
		}
		if n := len(r.Till.Calls()); n != 1 || r.Till.PaidBack() != o.Total.Minor {
			t.Errorf("%d calls, %d went back", n, r.Till.PaidBack())
		}
	})
}

func TestALostAnswerIsAskedAboutUnderTheSameNumber(t *testing.T) {
	t.Parallel()
	for name, done := range map[string]bool{"carried out": true, "not carried out": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, r *rig) {
				p, o, _ := r.bought()
				r.Till.FailRefund(payment.ErrUnknownOutcome, done)
				f := r.approved(p, o, payment.ToOriginal)
				r.Settle()
				if got := r.refund(f.No).Phase; got != payment.PhaseUnknown {
					t.Errorf("got %s", got)
				}
				r.Till.FailRefund(nil, false)
				r.later(5, 2*time.Minute)
				r.back(o, f.No)
				for _, c := range r.Till.Calls() {
					if c.RefundNo != f.No {
						t.Errorf("another number was sent: %s", c.RefundNo)
					}
				}
				if r.Till.PaidBack() != o.Total.Minor {
					t.Errorf("%d went back", r.Till.PaidBack())
				}
			})
		})
	}
}

// later lets time pass in steps, with what is due then.
func (r *rig) later(n int, step time.Duration) {
	r.T.Helper()
	for range n {
		r.Clock.Advance(step)
		r.Settle()
	}
}

func TestWhoPaysTwiceIsNeverToldTwice(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		r.Till.Dumb(true)
		p, o, _ := r.bought()
		r.Till.FailRefund(payment.ErrUnknownOutcome, true)
		f := r.approved(p, o, payment.ToOriginal)
		r.Settle()
		r.later(10, time.Hour)
		if got := r.refund(f.No).Phase; got != payment.PhaseUnknown || len(r.Till.Calls()) != 1 {
			t.Fatalf("got %s after %d calls", got, len(r.Till.Calls()))
		}
		if _, err := r.Pay.RetryRefund(bg, r.desk(), f.No); !errors.Is(err, payment.ErrTransition) {
			t.Errorf("retrying what is unknown: got %v", err)
		}
		if _, err := r.Pay.SettleRefund(bg, r.desk(), f.No, true); err != nil {
			t.Fatal(err)
		}
		r.Settle()
		r.back(o, f.No)
	})
}

func TestARefundOnItsWayEndsByNotice(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		r.Till.RefundsAre(payment.RefundProcessing)
		p, o, _ := r.bought()
		f := r.approved(p, o, payment.ToOriginal)
		r.Settle()
		if got := r.refund(f.No).Phase; got != payment.PhaseProcessing || r.Order(o.ID).State != order.Refunding {
			t.Fatalf("got %s", got)
		}
		said := r.Till.SettleRefund(f.No, payment.RefundSucceeded)
		for name, lie := range map[string]func(*payment.RefundFact){
			"another merchant": func(f *payment.RefundFact) { f.MerchantID = "9" },
			"another amount":   func(f *payment.RefundFact) { f.Amount.Minor++ },
			"another number": func(f *payment.RefundFact) {
				last := "x"
				if strings.HasSuffix(f.RefundNo, last) {
					last = "y"
				}
				f.RefundNo = f.RefundNo[:len(f.RefundNo)-1] + last
			},
		} {
			wrong := said
			lie(&wrong)
			if _, err := r.Pay.HandleNotify(bg, tillToken, paymenttest.RawRefund(wrong)); err != nil || r.refund(f.No).Phase != payment.PhaseProcessing {
				t.Errorf("%s: got %s, %v", name, r.refund(f.No).Phase, err)
			}
		}
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				_ = untilDecided(func() error { _, err := r.Pay.HandleNotify(bg, tillToken, paymenttest.RawRefund(said)); return err })
			})
		}
		wg.Wait()
		_, err := r.Pay.HandleNotify(bg, tillToken, paymenttest.RawRefund(said))
		must(t, err)
		r.Settle()
		r.back(o, f.No)
	})
}

func TestAfterAFailureThereAreThreeWays(t *testing.T) {
	t.Parallel()
	fail := func(t *testing.T, r *rig) (account.Principal, order.Order, string) {
		r.Till.FailRefund(payment.ErrDeclined, false)
		p, o, _ := r.bought()
		f := r.approved(p, o, payment.ToOriginal)
		r.Settle()
		if got := r.refund(f.No); got.Phase != payment.PhaseFailed || r.Order(o.ID).State != order.NeedsAttention || got.HeldAt.IsZero() || !got.EndedAt.IsZero() {
			t.Fatalf("got %+v, order %s", got, r.Order(o.ID).State)
		}
		r.Till.FailRefund(nil, false)
		return p, o, f.No
	}
	t.Run("again", func(t *testing.T) {
		t.Parallel()
		each(t, func(t *testing.T, r *rig) {
			_, o, no := fail(t, r)
			if got := r.Ends.Earning[o.Lines[0].ID]; got != 0 {
				t.Errorf("to be earned of what goes back: %d", got)
			}
			_, err := r.Pay.RetryRefund(bg, r.desk(), no)
			must(t, err)
			r.Settle()
			r.back(o, no)
		})
	})
	t.Run("to the wallet", func(t *testing.T) {
		t.Parallel()
		each(t, func(t *testing.T, r *rig) {
			p, o, no := fail(t, r)
			_, err := r.Pay.RefundToWallet(bg, r.desk(), no)
			must(t, err)
			r.Settle()
			r.back(o, no)
			if got := r.balance(ledger.Wallet(string(p.Account))); got != o.Total.Minor {
				t.Errorf("wallet: %d", got)
			}
		})
	})
	t.Run("given up", func(t *testing.T) {
		t.Parallel()
		each(t, func(t *testing.T, r *rig) {
			p, o, no := fail(t, r)
			if _, err := r.Pay.KeepService(bg, ordertest.Customer(), no); !errors.Is(err, payment.ErrNoRefund) {
				t.Errorf("by another: got %v", err)
			}
			_, err := r.Pay.KeepService(bg, p, no)
			must(t, err)
			r.Settle()
			if got := r.Ends.Log(); len(got) != 2 || !strings.HasPrefix(got[1], "drop ") {
				t.Errorf("services: %v", got)
			}
			if got := r.balance(ledger.Deferred(o.Lines[0].ID)); got != o.Total.Minor || r.balance(ledger.RefundPayable) != 0 || r.Order(o.ID).State != order.Completed {
				t.Errorf("deferred %d, order %s", got, r.Order(o.ID).State)
			}
			if got := r.Ends.Earning[o.Lines[0].ID]; got != o.Total.Minor {
				t.Errorf("to be earned again: %d", got)
			}
			r.sound()
		})
	})
	t.Run("given up when its time is over", func(t *testing.T) {
		t.Parallel()
		each(t, func(t *testing.T, r *rig) {
			p, o, no := fail(t, r)
			delete(r.Ends.Earning, o.Lines[0].ID)
			_, err := r.Pay.KeepService(bg, p, no)
			must(t, err)
			if deferred, sales := r.balance(ledger.Deferred(o.Lines[0].ID)), r.balance(ledger.Sales); deferred != 0 || sales != o.Total.Minor {
				t.Errorf("deferred %d, sales %d", deferred, sales)
			}
			r.sound()
		})
	})
}

func TestNoMoneyMovesBeforeTheServiceIsSuspended(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p, o, _ := r.bought()
		r.Ends.Fail(errors.New("the provider is away"))
		f := r.approved(p, o, payment.ToOriginal)
		_ = r.Queue.Drain(bg)
		if got := r.refund(f.No).Phase; got != payment.PhaseApproved || len(r.Till.Calls()) != 0 {
			t.Errorf("got %s, %d calls", got, len(r.Till.Calls()))
		}
		r.Ends.Fail(nil)
		r.later(3, time.Minute)
		r.back(o, f.No)
	})
}

func TestAfterSevenDaysTheRestGoesBack(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p, o, _ := r.bought()
		r.Clock.Advance(15 * 24 * time.Hour)
		offer, err := r.Pay.Offer(bg, p.Account, o.ID)
		if err != nil || offer.Rule != payment.RuleProrata || offer.Amount.Minor != o.Total.Minor/2 {
			t.Errorf("half of the month: got %+v, %v", offer, err)
		}
		f, err := r.Pay.AskRefund(bg, p, o.ID, payment.ToOriginal)
		must(t, err)
		_, err = r.Pay.Approve(bg, r.desk(), f.No)
		must(t, err)
		r.Settle()
		if got := r.Order(o.ID).State; got != order.Completed || r.refund(f.No).Phase != payment.PhaseSucceeded {
			t.Errorf("a part: order %s", got)
		}
		r.sound()
	})
}

func TestAnAttemptIsClosedAtItsEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		close     func(r *rig, a payment.Attempt) error
		state     payment.State
		confirmed bool
	}{
		"closed": {func(r *rig, a payment.Attempt) error {
			f := paid(a, "")
			f.State, f.DedupeKey = payment.FactClosed, "closed|"+a.No
			r.Till.Know(f)
			return nil
		}, payment.Closed, true},
		"the outcome is not known": {func(*rig, payment.Attempt) error { return payment.ErrUnknownOutcome }, payment.Closed, false},
		"paid between": {func(r *rig, a payment.Attempt) error {
			r.Till.Know(paid(a, "T-"+a.No))
			return payment.ErrDeclined
		}, payment.Succeeded, false},
		"cannot": {nil, payment.Closed, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, r *rig) {
				_, a := r.Started(ordertest.Customer())
				if c.close != nil {
					r.Till.Closing(func(string) error { return c.close(r, a) })
				}
				r.later(7, 5*time.Minute)
				got := r.attempt(a.No)
				if got.State != c.state && (c.state != payment.Succeeded || !got.State.Paid()) || got.CloseConfirmed != c.confirmed {
					t.Errorf("got %s, confirmed %v", got.State, got.CloseConfirmed)
				}
				if asks := !got.NextQueryAt.IsZero(); asks != (c.state == payment.Closed && !c.confirmed) {
					t.Errorf("asked on: %v", asks)
				}
				r.proven()
			})
		})
	}
}

// TestWhatTheWalletPaidGoesBackToIt: money to the wallet, gifts to the gifts they
// were, whatever the target of what was paid outside.
func TestWhatTheWalletPaidGoesBackToIt(t *testing.T) {
	t.Parallel()
	t.Run("all of it", func(t *testing.T) {
		t.Parallel()
		each(t, func(t *testing.T, r *rig) {
			p := ordertest.Customer()
			o := r.Place(p)
			r.given(p, payment.GiftGrant, 30_00, 40*24*time.Hour)
			r.toppedUp(p, o.Total.Minor-30_00+1)
			_, err := r.Pay.PayFromWallet(bg, p, o.ID)
			must(t, err)
			o = r.delivered(o)
			offer, err := r.Pay.Offer(bg, p.Account, o.ID)
			if err != nil || len(offer.Targets) != 1 || offer.Targets[0] != payment.TargetWallet || offer.From.Gift != cny(30_00) || !offer.From.Outside.IsZero() {
				t.Fatalf("offer: %+v, %v", offer, err)
			}
			if _, err := r.Pay.AskRefund(bg, p, o.ID, payment.ToOriginal); !errors.Is(err, payment.ErrTarget) {
				t.Errorf("to nobody: got %v", err)
			}
			f := r.approved(p, o, payment.TargetWallet)
			r.Settle()
			r.back(o, f.No)
			if got := r.purse(p); got.Gift != cny(30_00) || got.Paid != cny(o.Total.Minor-30_00+1) {
				t.Errorf("purse: %+v", got)
			}
			if len(r.Till.Calls()) != 0 {
				t.Error("a provider was told")
			}
		})
	})
	t.Run("a part, of gifts that are over", func(t *testing.T) {
		t.Parallel()
		each(t, func(t *testing.T, r *rig) {
			p := ordertest.Customer()
			o := r.Place(p)
			r.given(p, payment.GiftGrant, 30_00, 10*24*time.Hour)
			r.toppedUp(p, o.Total.Minor-30_00)
			_, err := r.Pay.PayFromWallet(bg, p, o.ID)
			must(t, err)
			o = r.delivered(o)
			r.Clock.Advance(15 * 24 * time.Hour)
			f, err := r.Pay.AskRefund(bg, p, o.ID, payment.TargetWallet)
			must(t, err)
			if f.Gift != cny(15_00) || f.Wallet != cny(o.Total.Minor/2-15_00) {
				t.Errorf("half of each: %s and %s of %s", f.Gift, f.Wallet, o.Total)
			}
			_, err = r.Pay.Approve(bg, r.desk(), f.No)
			must(t, err)
			r.Settle()
			if got := r.purse(p); got.Gift.Minor != 0 || got.Paid != f.Wallet {
				t.Errorf("purse: %+v", got)
			}
			if got := r.Ends.Earning[o.Lines[0].ID]; got != o.Total.Minor-f.Amount.Minor {
				t.Errorf("to be earned: %d", got)
			}
			r.sound()
		})
	})
}

// TestAMixedPaymentGoesBackToBoth also after the provider failed.
func TestAMixedPaymentGoesBackToBoth(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(t *testing.T, r *rig, p account.Principal, no string) (outside int64, wallet int64){
		"the way it came": func(*testing.T, *rig, account.Principal, string) (int64, int64) { return 1, 0 },
		"to the wallet after a failure": func(t *testing.T, r *rig, _ account.Principal, no string) (int64, int64) {
			_, err := r.Pay.RefundToWallet(bg, r.desk(), no)
			must(t, err)
			return 0, 1
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, r *rig) {
				p, o, a := r.mixed()
				before := a.Hold
				r.notify(paid(a, "T-"+a.No))
				o = r.delivered(o)
				if name != "the way it came" {
					r.Till.FailRefund(payment.ErrDeclined, false)
				}
				f := r.approved(p, o, payment.ToOriginal)
				r.Settle()
				outside, wallet := end(t, r, p, f.No)
				r.Settle()
				r.back(o, f.No)
				if got := r.Till.PaidBack(); got != outside*a.Amount.Minor {
					t.Errorf("outside: %d of %s", got, a.Amount)
				}
				if got := r.purse(p); got.Gift != before.Gift || got.Paid.Minor != before.Wallet.Minor+wallet*a.Amount.Minor {
					t.Errorf("purse: %+v, held was %+v", got, before)
				}
			})
		})
	}
}
