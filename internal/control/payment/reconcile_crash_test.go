//go:build fault

package payment_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/control/order/ordertest"
	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/control/payment/paymenttest"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault/faulttest"
)

// billPoints are the ends of the steps of reading a bill, in their order.
var billPoints = []string{
	"bill-after-fetch", "bill-after-rows", "payment-after-receipt", "payment-after-commit", "bill-after-fact", "bill-after-taken-up", "bill-after-money",
	"bill-after-missing", "bill-after-fees", "bill-after-end",
}

// victimRows is the bill that a victim is told of in its environment.
const victimRows = "SKYBRIDGE_TEST_CRASH_ROWS"

// TestBillVictim reads a bill in a process that is to be killed.
func TestBillVictim(t *testing.T) {
	path := os.Getenv(victimDB)
	if path == "" {
		return
	}
	d, err := db.Open(bg, path)
	must(t, err)
	r := newRig(t, d)
	r.read(os.Getenv(victimRows))
	t.Fatal("the process outlived its fault point")
}

// read brings the till's bill and reads it, the day after the next.
func (r *rig) read(rows string) {
	var all []payment.BillRow
	must(r.T, json.Unmarshal([]byte(rows), &all))
	r.Till.SetBill(all, nil)
	r.Till.Away(payment.ErrTemporary)
	r.atNoon()
	r.atNoon()
	r.bills()
}

func TestThePowerFailsWhileABillIsRead(t *testing.T) {
	t.Parallel()
	for _, point := range billPoints {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "crash.db")
			d, err := db.Open(bg, path)
			must(t, err)
			must(t, d.Migrate(bg, paymenttest.Sets()...))
			first := newRig(t, d)
			first.atNoon()
			_, planted, _, want := first.planted()
			rows, err := json.Marshal(planted)
			must(t, err)
			must(t, d.Close())
			faulttest.Kill(t, "TestBillVictim", point, victimDB+"="+path, victimRows+"="+string(rows))
			if d, err = db.Open(bg, path); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = d.Close() })
			r := newRig(t, d)
			r.booksHold() // whatever was left
			r.read(string(rows))
			for range 2 {
				r.bills()
			}
			if got := r.kinds(); !maps.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
			fees := int64(0)
			for _, row := range planted[:4] { // what is told twice counts once, and what nobody takes not at all
				fees += row.Fee.Minor
			}
			if got := r.balance(ledger.GatewayFee); got != fees {
				t.Errorf("fees: got %d, want %d", got, fees)
			}
			rc := r.receipts(r.differences(payment.DifferenceFilter{Kind: payment.MissingHere})[0].Attempt)
			if len(rc) != 1 {
				t.Errorf("taken up: %+v", rc)
			}
			r.booksHold()
		})
	}
}

// TestSuspenseVictim settles money in suspense in a process that is to be killed.
func TestSuspenseVictim(t *testing.T) {
	path := os.Getenv(victimDB)
	if path == "" {
		return
	}
	d, err := db.Open(bg, path)
	must(t, err)
	r := newRig(t, d)
	_, err = r.Pay.SettleSuspense(bg, r.settler(), payment.SuspenseRequest{Receipt: os.Getenv(victimAttempt), Kind: payment.SuspenseBack, Reason: "other_amount"})
	must(t, err)
	r.Settle()
	t.Fatal("the process outlived its fault point")
}

func TestThePowerFailsWhileMoneyInSuspenseGoesBack(t *testing.T) {
	t.Parallel()
	for _, point := range []string{"suspense-after-proposal", "suspense-after-ledger", "suspense-after-decision", "refund-after-execute", "refund-before-call", "refund-after-fact"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "crash.db")
			d, err := db.Open(bg, path)
			must(t, err)
			must(t, d.Migrate(bg, paymenttest.Sets()...))
			_, _, rc := newRig(t, d).stray(ordertest.Customer(), "T1", 2_00)
			must(t, d.Close())
			faulttest.Kill(t, "TestSuspenseVictim", point, victimDB+"="+path, victimAttempt+"="+rc.ID)
			if d, err = db.Open(bg, path); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = d.Close() })
			r := newRig(t, d)
			r.booksHold()
			if got := r.receipts(rc.Attempt)[0].Disposition; got == payment.ToSuspense { // nothing had been done
				_, err := r.Pay.SettleSuspense(bg, r.settler(), payment.SuspenseRequest{Receipt: rc.ID, Kind: payment.SuspenseBack, Reason: "other_amount"})
				must(t, err)
			}
			r.Settle()
			r.later(5, 10*time.Minute)
			if r.balance(ledger.Suspense) != 0 || r.balance(ledger.RefundPayable) != 0 || r.balance(ledger.Gateway("till")) != 0 {
				t.Errorf("suspense %d, owed %d, at the till %d", r.balance(ledger.Suspense), r.balance(ledger.RefundPayable), r.balance(ledger.Gateway("till")))
			}
			all, err := r.Pay.AllRefunds(bg, staff, payment.RefundFilter{}, 10)
			if err != nil || len(all) != 1 || all[0].Phase != payment.PhaseSucceeded {
				t.Errorf("got %+v, %v", all, err)
			}
			r.booksHold()
		})
	}
}
