package invoice_test

import (
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/catalog"
	"github.com/skybridge-cloud/skybridge/internal/control/invoice"
	"github.com/skybridge-cloud/skybridge/internal/control/order/ordertest"
	"github.com/skybridge-cloud/skybridge/internal/control/payment/paymenttest"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

func TestAnOrderThatIsPaidHasOneInvoice(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p := customer()
		o, a := r.Started(p)
		if n := len(r.all()); n != 0 {
			t.Fatalf("%d documents before anything is paid", n)
		}
		for range 3 { // the provider repeats itself
			r.notify(paymenttest.Paid(a, "T1"))
		}
		docs, err := r.docs.List(bg, p.Account, invoice.Filter{}, "", 10)
		must(t, err)
		if len(docs) != 1 {
			t.Fatalf("got %d documents", len(docs))
		}
		d, err := r.docs.Get(bg, p.Account, docs[0].ID)
		must(t, err)
		if d.Kind != invoice.Invoice || d.Number() != "INV-2026-000001" || d.Total != o.Total || d.Order != o.ID || d.State() != invoice.Issued {
			t.Errorf("got %+v", d)
		}
		want, err := money.MulDiv(o.Total.Minor, 6, 106)
		must(t, err)
		if d.Tax.Minor != want || d.Net().Minor+d.Tax.Minor != d.Total.Minor || d.Seller != settings.Seller {
			t.Errorf("tax %s, net %s, seller %+v", d.Tax, d.Net(), d.Seller)
		}
		if len(d.Lines) != 1 || d.Lines[0].Names.Product["zh-CN"] == "" || d.Lines[0].Names.Region["en"] == "" || d.Lines[0].Amount != o.Total {
			t.Errorf("lines: %+v", d.Lines)
		}
		if n := r.Log.Count("invoice.issued"); n != 1 {
			t.Errorf("%d leaves", n)
		}
		must(t, r.docs.Backfill(bg))
		r.sound()
	})
}

func TestNothingDueGetsNoDocumentAndAnotherSeesNone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p := customer()
		r.buys(p)
		mine, err := r.docs.List(bg, p.Account, invoice.Filter{}, "", 10)
		must(t, err)
		other := customer().Account
		if _, err := r.docs.Get(bg, other, mine[0].ID); !is(err, invoice.ErrNotFound) {
			t.Errorf("another's document: %v", err)
		}
		if _, err := r.docs.List(bg, other, invoice.Filter{}, mine[0].ID, 10); !is(err, invoice.ErrNotFound) {
			t.Errorf("a list from another's document on: %v", err)
		}
		if all, err := r.docs.List(bg, other, invoice.Filter{Account: p.Account}, "", 10); err != nil || len(all) != 0 {
			t.Errorf("another's list: %v, %v", all, err)
		}
		if _, err := r.docs.GetAny(bg, p, mine[0].ID); !is(err, invoice.ErrStaffOnly) {
			t.Errorf("staff's document for a customer: %v", err)
		}
	})
}

func TestFiftyPaidAtOnceAreNumberedOneToFifty(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		const n = 50
		var wg sync.WaitGroup
		for range n {
			_, a := r.Started(customer())
			wg.Go(func() { r.notify(paymenttest.Paid(a, "T-"+a.No)) })
			wg.Go(func() { r.notify(paymenttest.Paid(a, "T-"+a.No)) })
		}
		wg.Wait()
		r.gapless(invoice.Invoice, n)
		must(t, r.docs.Backfill(bg))
		r.sound()
	})
}

func TestEachRefundHasACreditNoteOfItsPart(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		must(t, r.docs.Backfill(bg))
		p, q := customer(), customer()
		part, whole := r.buys(p), r.buys(q)
		r.backs(q, whole)
		r.Clock.Advance(10 * 24 * time.Hour)
		f := r.backs(p, part)
		if f.Amount.Minor <= 0 || f.Amount.Minor >= part.Total.Minor {
			t.Fatalf("a share of %s: %s", part.Total, f.Amount)
		}
		docs, err := r.docs.List(bg, p.Account, invoice.Filter{}, "", 10)
		must(t, err)
		note, err := r.docs.Get(bg, p.Account, docs[0].ID)
		must(t, err)
		if len(docs) != 2 || docs[0].Kind != invoice.CreditNote || docs[0].Total != f.Amount || docs[0].Invoice != docs[1].ID || docs[0].Refund != f.No {
			t.Fatalf("got %+v", docs)
		}
		if docs[1].State() != invoice.PartiallyRefunded || docs[1].Credited != f.Amount || note.Lines[0].Amount != f.Amount {
			t.Errorf("the invoice: %s, %s credited; lines %+v", docs[1].State(), docs[1].Credited, note.Lines)
		}
		others, err := r.docs.List(bg, q.Account, invoice.Filter{Kind: invoice.Invoice}, "", 10)
		must(t, err)
		if len(others) != 1 || others[0].State() != invoice.Refunded {
			t.Fatalf("paid back whole: %+v", others)
		}
		credits, err := r.docs.Credits(bg, others[0])
		must(t, err)
		if len(credits) != 1 || credits[0].Tax != others[0].Tax {
			t.Errorf("taxes: %+v of %s", credits, others[0].Tax)
		}
		r.gapless(invoice.CreditNote, 2)
		r.gapless(invoice.Invoice, 2)
		if n := r.Log.Count("credit_note.issued"); n != 2 {
			t.Errorf("%d leaves", n)
		}
		r.sound()
	})
}

func TestADocumentStaysAsItWas(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p := customer()
		o := r.buys(p)
		other := settings
		other.Seller.Name, other.TaxRate = "Another Ltd", 13_00
		r.docs = r.issuer(other, job.New(r.DB, r.Clock, slog.New(slog.DiscardHandler)))
		r.issuing(true)
		renamed := ordertest.Demo(t)
		renamed.Products[0].Name = catalog.Text{"zh-CN": "隧道", "en": "Tunnel"}
		_, err := r.Catalog.Publish(bg, renamed)
		must(t, err)
		r.backs(p, o)
		docs := r.all()
		if len(docs) != 2 {
			t.Fatalf("got %d documents", len(docs))
		}
		for _, d := range docs {
			if d.Seller != settings.Seller || d.TaxRate != 6_00 || strings.Contains(d.Lines[0].Names.Product["en"], "Tunnel") {
				t.Errorf("%s: %+v at %d, %q", d.Number(), d.Seller, d.TaxRate, d.Lines[0].Names.Product["en"])
			}
		}
	})
}

func TestWhatWasPaidBeforeGetsItsDocumentsOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		r.issuing(false)
		p := customer()
		o := r.buys(p)
		r.buys(customer())
		r.backs(p, o)
		r.issuing(true)
		late := r.buys(customer()) // has its own already
		r.Clock.Advance(time.Hour)
		for range 3 {
			must(t, r.docs.Backfill(bg))
		}
		r.gapless(invoice.Invoice, 3)
		r.gapless(invoice.CreditNote, 1)
		if first := r.all()[0]; first.Order != late.ID {
			t.Errorf("the first number is of %s", first.Order)
		}
		r.sound()
	})
}

// TestARefundOfAnOldOrderBringsItsInvoice: before the backfill came to it.
func TestARefundOfAnOldOrderBringsItsInvoice(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		r.issuing(false)
		p := customer()
		o := r.buys(p)
		r.issuing(true)
		r.backs(p, o)
		r.gapless(invoice.Invoice, 1)
		r.gapless(invoice.CreditNote, 1)
		must(t, r.docs.Backfill(bg))
		r.gapless(invoice.Invoice, 1)
		r.sound()
	})
}

func TestTheYearOfANumberIsChinas(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		r.buys(customer())
		r.Clock.Advance(time.Date(2026, 12, 31, 16, 0, 0, 0, time.UTC).Sub(r.Clock.Now())) // midnight in China
		r.buys(customer())
		var got []string
		for _, d := range r.all() {
			got = append(got, d.Number())
		}
		if strings.Join(got, " ") != "INV-2026-000001 INV-2027-000001" {
			t.Errorf("got %v", got)
		}
		must(t, r.docs.Backfill(bg))
		r.sound()
	})
}

func TestSettingsThatCannotNumberAreRefused(t *testing.T) {
	t.Parallel()
	for _, s := range []invoice.Settings{
		{Series: "inv"}, {Series: "A-B"}, {Series: "X", CreditSeries: "X"}, {Series: "ABCDEFGHIJKLM"}, {TaxRate: -1}, {TaxRate: 100_01},
	} {
		if _, err := invoice.New(invoice.Deps{Settings: s}); err == nil {
			t.Errorf("%+v is taken", s)
		}
	}
}
