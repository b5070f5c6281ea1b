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
)

// points are the ends of the steps of ApplyFact, in their order.
var points = []string{
	"payment-after-parse", "payment-after-event", "payment-after-lock", "payment-after-receipt", "payment-after-cas",
	"payment-after-ledger", "payment-after-disposition", "payment-after-order", "payment-after-outbox", "payment-after-commit",
}

const victimDB, victimAttempt = "SKYBRIDGE_TEST_CRASH_DB", "SKYBRIDGE_TEST_CRASH_ATTEMPT"

// TestVictim takes a notice in a process that is to be killed. Without the
// environment that makes it one it has nothing to do.
func TestVictim(t *testing.T) {
	path := os.Getenv(victimDB)
	if path == "" {
		return
	}
	d, err := db.Open(bg, path)
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, d)
	a := r.attempt(os.Getenv(victimAttempt))
	_, err = r.Pay.HandleNotify(bg, tillToken, raw(paid(a, "T1")))
	t.Fatalf("the process outlived its fault point: %v", err)
}

func TestThePowerFailsBetweenAnyTwoSteps(t *testing.T) {
	t.Parallel()
	for _, point := range points {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "crash.db")
			o, a := prepared(t, path)
			faulttest.Kill(t, "TestVictim", point, victimDB+"="+path, victimAttempt+"="+a.No)
			d, err := db.Open(bg, path)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = d.Close() })
			r := newRig(t, d)
			committed := point == "payment-after-commit"
			if got := r.Order(o.ID).State == order.Paid; got != committed {
				t.Errorf("after the crash: order paid %v, want %v", got, committed)
			}
			if n := len(r.receipts(a.No)); (n == 1) != committed {
				t.Errorf("after the crash: %d receipts", n)
			}
			r.proven()
			r.notify(paid(a, "T1")) // the provider comes again
			rc := r.receipts(a.No)
			if len(rc) != 1 || rc[0].Disposition != payment.ToOrder || r.Order(o.ID).State != order.Paid {
				t.Errorf("after the repetition: got %+v, order %s", rc, r.Order(o.ID).State)
			}
			if got := r.balance(ledger.Deferred(o.Lines[0].ID)); got != o.Total.Minor {
				t.Errorf("deferred: got %d, want %d", got, o.Total.Minor)
			}
			r.Settle()
			if got := r.Order(o.ID).State; got != order.Fulfilling {
				t.Errorf("what follows the payment did not run: order %s", got)
			}
			r.proven()
		})
	}
}

// walletPoints are the ends of the steps of a payment from the wallet.
var walletPoints = []string{
	"wallet-after-gift", "wallet-after-ledger", "wallet-after-order", "wallet-before-commit", "wallet-after-commit",
}

// TestWalletVictim pays from the wallet in a process that is to be killed.
func TestWalletVictim(t *testing.T) {
	path := os.Getenv(victimDB)
	if path == "" {
		return
	}
	d, err := db.Open(bg, path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = newRig(t, d).Pay.PayForOwner(bg, os.Getenv(victimAttempt))
	t.Fatalf("the process outlived its fault point: %v", err)
}

func TestThePowerFailsWhileTheWalletPays(t *testing.T) {
	t.Parallel()
	for _, point := range walletPoints {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "crash.db")
			p := ordertest.Customer()
			o := wealthy(t, path, p)
			faulttest.Kill(t, "TestWalletVictim", point, victimDB+"="+path, victimAttempt+"="+o.ID)
			d, err := db.Open(bg, path)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = d.Close() })
			r := newRig(t, d)
			if got := r.Order(o.ID).State == order.Paid; got != (point == "wallet-after-commit") {
				t.Errorf("after the crash: order paid %v", got)
			}
			r.sound()
			if _, err := r.Pay.PayForOwner(bg, o.ID); err != nil {
				t.Fatal(err)
			}
			if got := r.purse(p).Spendable(); got != cny(30_00) || r.Order(o.ID).State != order.Paid {
				t.Errorf("after the repetition: %s left, order %s", got, r.Order(o.ID).State)
			}
			r.sound()
		})
	}
}

// wealthy leaves a database with an order and a wallet of gifts and money, 30.00
// more than it costs.
func wealthy(t *testing.T, path string, p account.Principal) order.Order {
	t.Helper()
	d, err := db.Open(bg, path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Migrate(bg, paymenttest.Sets()...); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, d)
	o := r.Place(p)
	r.given(p, payment.GiftGrant, 30_00, 48*time.Hour)
	r.toppedUp(p, o.Total.Minor)
	return o
}

// prepared leaves a database with an order that is being paid.
func prepared(t *testing.T, path string) (order.Order, payment.Attempt) {
	t.Helper()
	d, err := db.Open(bg, path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Migrate(bg, paymenttest.Sets()...); err != nil {
		t.Fatal(err)
	}
	return newRig(t, d).Started(ordertest.Customer())
}
