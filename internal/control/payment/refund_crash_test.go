//go:build fault

package payment_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/control/order"
	"github.com/skybridge-cloud/skybridge/internal/control/order/ordertest"
	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/control/payment/paymenttest"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault/faulttest"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// refundPoints are the ends of the steps of a refund that goes well, in their order.
var refundPoints = []string{
	"refund-after-request", "refund-after-approve", "refund-after-hold", "refund-after-ledger", "refund-after-execute", "refund-before-call",
	"refund-after-call", "refund-after-payback-ledger", "refund-after-fact", "refund-after-end",
}

// Names of what a victim is told of in its environment.
const (
	victimAccount = "SKYBRIDGE_TEST_CRASH_ACCOUNT"
	victimSubject = "SKYBRIDGE_TEST_CRASH_SUBJECT"
	victimDumb    = "SKYBRIDGE_TEST_CRASH_DUMB"
	victimTarget  = "SKYBRIDGE_TEST_CRASH_TARGET"
)

// goBack has an order refunded from wherever that stands.
func (r *rig) goBack(p account.Principal, orderID string, to payment.Target) {
	r.T.Helper()
	all, err := r.Pay.Refunds(bg, p.Account, orderID)
	must(r.T, err)
	if len(all) == 0 {
		f, err := r.Pay.AskRefund(bg, p, orderID, to)
		must(r.T, err)
		all = append(all, f)
	}
	if all[0].Phase == payment.PhaseReview {
		_, err := r.Pay.Approve(bg, r.desk(), all[0].No)
		must(r.T, err)
	}
	r.Settle()
}

// TestRefundVictim refunds an order in a process that is to be killed.
func TestRefundVictim(t *testing.T) {
	path := os.Getenv(victimDB)
	if path == "" {
		return
	}
	d, err := db.Open(bg, path)
	must(t, err)
	r := newRig(t, d)
	r.Till.Dumb(os.Getenv(victimDumb) != "")
	p := account.Principal{Account: account.ID(os.Getenv(victimAccount)), Subject: id.Handle(os.Getenv(victimSubject))}
	r.goBack(p, os.Getenv(victimAttempt), payment.Target(os.Getenv(victimTarget)))
	t.Fatal("the process outlived its fault point")
}

// paidByBoth leaves a database with a delivered order that the wallet, a gift and
// the till have paid.
func paidByBoth(t *testing.T, path string) (p account.Principal, o order.Order, outside int64) {
	t.Helper()
	d, err := db.Open(bg, path)
	must(t, err)
	defer d.Close()
	must(t, d.Migrate(bg, paymenttest.Sets()...))
	r := newRig(t, d)
	p = ordertest.Customer()
	o = r.Place(p)
	r.given(p, payment.GiftGrant, 30_00, 40*24*time.Hour)
	r.toppedUp(p, 40_00)
	a, _, err := r.Pay.StartMixed(bg, p, o.ID, method)
	must(t, err)
	r.notify(paid(a, "T-"+a.No))
	return p, r.delivered(o), a.Amount.Minor
}

func killRefund(t *testing.T, point string, to payment.Target, env ...string) (r *rig, p account.Principal, o order.Order, outside int64) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "crash.db")
	p, o, outside = paidByBoth(t, path)
	faulttest.Kill(t, "TestRefundVictim", point, append(env, victimDB+"="+path, victimAttempt+"="+o.ID, victimAccount+"="+string(p.Account),
		victimSubject+"="+string(p.Subject), victimTarget+"="+string(to))...)
	d, err := db.Open(bg, path)
	must(t, err)
	t.Cleanup(func() { _ = d.Close() })
	r = newRig(t, d)
	r.sound() // whatever was left
	return r, p, o, outside
}

func TestThePowerFailsWhileMoneyGoesBack(t *testing.T) {
	t.Parallel()
	for _, to := range []payment.Target{payment.ToOriginal, payment.TargetWallet} {
		for _, point := range refundPoints {
			if to == payment.TargetWallet && (point == "refund-before-call" || point == "refund-after-call" || point == "refund-after-payback-ledger" || point == "refund-after-fact") {
				continue // nobody is called for it
			}
			t.Run(string(to)+" "+point, func(t *testing.T) {
				t.Parallel()
				r, p, o, outside := killRefund(t, point, to)
				r.goBack(p, o.ID, to)
				r.later(5, 10*time.Minute)
				all, err := r.Pay.Refunds(bg, p.Account, o.ID)
				if err != nil || len(all) != 1 || all[0].Phase != payment.PhaseSucceeded || all[0].EndedAt.IsZero() || r.Order(o.ID).State != order.Refunded {
					t.Fatalf("after the crash: %+v, %v, order %s", all, err, r.Order(o.ID).State)
				}
				wallet := int64(40_00)
				if to == payment.TargetWallet {
					wallet += outside
				}
				if got := r.purse(p); got.Paid != cny(wallet) || got.Gift != cny(30_00) {
					t.Errorf("purse: %+v", got)
				}
				if got := r.balance(ledger.RefundPayable); got != 0 {
					t.Errorf("owed still: %d", got)
				}
				r.sound()
			})
		}
	}
}

// TestWhoPaysTwiceIsNotToldAgainAfterAPowerCut: nobody knows whether it was told.
func TestWhoPaysTwiceIsNotToldAgainAfterAPowerCut(t *testing.T) {
	t.Parallel()
	for _, point := range []string{"refund-before-call", "refund-after-call"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			r, p, o, _ := killRefund(t, point, payment.ToOriginal, victimDumb+"=1")
			r.Till.Dumb(true)
			r.later(5, time.Hour)
			all, err := r.Pay.Refunds(bg, p.Account, o.ID)
			if err != nil || len(all) != 1 || all[0].Phase != payment.PhaseUnknown || len(r.Till.Calls()) != 0 {
				t.Fatalf("after the crash: %+v, %v, %d calls", all, err, len(r.Till.Calls()))
			}
			_, err = r.Pay.SettleRefund(bg, r.desk(), all[0].No, true)
			must(t, err)
			r.Settle()
			if got := r.refund(all[0].No).Phase; got != payment.PhaseSucceeded || r.Order(o.ID).State != order.Refunded {
				t.Errorf("after a person looked: %s, order %s", got, r.Order(o.ID).State)
			}
			r.sound()
		})
	}
}
