//go:build fault

package invoice_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/invoice"
	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/control/payment/paymenttest"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault/faulttest"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// What a victim is told of in its environment.
const (
	victimDB      = "SKYBRIDGE_TEST_CRASH_DB"
	victimDoes    = "SKYBRIDGE_TEST_CRASH_DOES" // pays, backs, catches up
	victimOrder   = "SKYBRIDGE_TEST_CRASH_ORDER"
	victimAccount = "SKYBRIDGE_TEST_CRASH_ACCOUNT"
	victimSubject = "SKYBRIDGE_TEST_CRASH_SUBJECT"
)

// TestInvoiceVictim does one thing in a process that is to be killed on the way.
func TestInvoiceVictim(t *testing.T) {
	path := os.Getenv(victimDB)
	if path == "" {
		return
	}
	d, err := db.Open(bg, path)
	must(t, err)
	newRig(t, d).does(os.Getenv(victimDoes), os.Getenv(victimOrder), account.Principal{
		Account: account.ID(os.Getenv(victimAccount)), Subject: id.Handle(os.Getenv(victimSubject)),
	})
	t.Fatal("the process outlived its fault point")
}

func (r *rig) does(what, orderID string, p account.Principal) {
	switch what {
	case "pays":
		all, err := r.Pay.List(bg, p.Account, orderID)
		must(r.T, err)
		r.notify(paymenttest.Paid(all[0], "T-"+all[0].No))
	case "backs":
		all, err := r.Pay.Refunds(bg, p.Account, orderID)
		must(r.T, err)
		if len(all) == 0 {
			f, err := r.Pay.AskRefund(bg, p, orderID, payment.TargetWallet)
			must(r.T, err)
			all = append(all, f)
		}
		if all[0].Phase == payment.PhaseReview {
			_, err := r.Pay.Approve(bg, r.desk(), all[0].No)
			must(r.T, err)
		}
		for range 5 { // what a killed process had taken comes back after a while
			r.Settle()
			r.Clock.Advance(10 * time.Minute)
		}
	case "catches up":
		must(r.T, r.docs.Backfill(bg))
	}
}

func TestThePowerFailsWhileADocumentIsIssued(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		does, point    string
		before         int // documents that are there after the crash
		invoices, back int // in the end
	}{
		{"pays", "invoice-after-number", 1, 2, 0},
		{"pays", "invoice-after-document", 1, 2, 0},
		{"pays", "payment-after-order", 1, 2, 0},
		{"pays", "payment-after-outbox", 1, 2, 0},
		{"pays", "payment-after-commit", 2, 2, 0},
		{"backs", "refund-after-ledger", 2, 2, 1},
		{"backs", "invoice-after-number", 2, 2, 1},
		{"backs", "invoice-after-document", 2, 2, 1},
		{"backs", "refund-after-execute", 3, 2, 1},
		{"catches up", "invoice-after-number", 0, 2, 0},
		{"catches up", "invoice-after-document", 0, 2, 0},
		{"catches up", "invoice-after-backfill", 1, 2, 0},
	} {
		t.Run(c.does+" "+c.point, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "crash.db")
			p, orderID := prepared(t, path, c.does)
			faulttest.Kill(t, "TestInvoiceVictim", c.point, victimDB+"="+path, victimDoes+"="+c.does, victimOrder+"="+orderID,
				victimAccount+"="+string(p.Account), victimSubject+"="+string(p.Subject))
			d, err := db.Open(bg, path)
			must(t, err)
			t.Cleanup(func() { _ = d.Close() })
			r := newRig(t, d)
			if n := len(r.all()); n != c.before {
				t.Errorf("after the crash: %d documents, want %d", n, c.before)
			}
			r.sound()
			r.does(c.does, orderID, p)
			must(t, r.docs.Backfill(bg))
			r.gapless(invoice.Invoice, c.invoices)
			r.gapless(invoice.CreditNote, c.back)
			r.sound()
		})
	}
}

// prepared leaves a database with one order that is paid and one that what is done
// is done to.
func prepared(t *testing.T, path, does string) (account.Principal, string) {
	t.Helper()
	d, err := db.Open(bg, path)
	must(t, err)
	defer d.Close()
	must(t, d.Migrate(bg, sets()...))
	r := newRig(t, d)
	r.issuing(does != "catches up")
	r.buys(customer())
	p := customer()
	if does == "pays" {
		o, _ := r.Started(p)
		return p, o.ID
	}
	return p, r.buys(p).ID
}
