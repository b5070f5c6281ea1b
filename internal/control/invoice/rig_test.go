package invoice_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/invoice"
	"github.com/skybridge-cloud/skybridge/internal/control/order"
	"github.com/skybridge-cloud/skybridge/internal/control/order/ordertest"
	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/control/payment/paymenttest"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

var bg = context.Background()

func sets() []db.Migrations { return append(paymenttest.Sets(), invoice.Migrations()) }

// rig is a shop that takes money and issues documents.
type rig struct {
	*paymenttest.Shop
	docs *invoice.Service
}

func each(t *testing.T, fn func(t *testing.T, r *rig)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { fn(t, newRig(t, d)) }, sets()...)
}

var settings = invoice.Settings{
	Seller:  invoice.Seller{Name: "示例云科技有限公司", Address: "上海市示例路 1 号", Mail: "bills@example.org", TaxNo: "91310000MA1FL00000"},
	TaxRate: 6_00,
}

func newRig(t testing.TB, d *db.DB) *rig {
	t.Helper()
	r := &rig{Shop: paymenttest.New(t, d)}
	r.docs = r.issuer(settings, r.Queue)
	r.issuing(true)
	return r
}

func (r *rig) issuer(s invoice.Settings, q *job.Queue) *invoice.Service {
	docs, err := invoice.New(invoice.Deps{
		DB: r.DB, Clock: r.Clock, Queue: q, Log: slog.New(slog.DiscardHandler), Audit: r.Log,
		Catalog: r.Catalog, Ledger: r.Books, Orders: r.Orders, Payments: r.Pay, Settings: s,
	})
	must(r.T, err)
	return docs
}

// issuing turns the documents on, or off as they were before there were any.
func (r *rig) issuing(on bool) {
	r.OnPaid, r.OnRefunded = nil, nil
	if on {
		r.OnPaid, r.OnRefunded = r.docs.OrderPaidTx, r.docs.RefundedTx
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// notify delivers a notice until it is acknowledged, as providers do.
func (r *rig) notify(f payment.Fact) {
	for {
		a, err := r.Pay.HandleNotify(bg, paymenttest.Token, paymenttest.Raw(f))
		if err != nil {
			r.T.Errorf("notify: %v", err)
			return
		}
		if a.Status == 200 {
			return
		}
	}
}

// buys is a customer with a completed order.
func (r *rig) buys(p account.Principal) order.Order {
	r.T.Helper()
	o, a := r.Started(p)
	r.notify(paymenttest.Paid(a, "T-"+a.No))
	r.Settle()
	line := o.Lines[0]
	must(r.T, r.DB.InTx(bg, func(tx *db.Tx) error { return r.Orders.MarkFulfilledTx(bg, tx, o.ID, line.ID, "svc_"+o.ID, "") }))
	r.Ends.Periods[line.ID] = [2]time.Time{r.Clock.Now(), r.Clock.Now().AddDate(0, 1, 0)}
	r.Ends.Earning[line.ID] = line.Amount.Minor
	return r.Order(o.ID)
}

// backs has an order refunded, by a person where one is needed.
func (r *rig) backs(p account.Principal, o order.Order) payment.Refund {
	r.T.Helper()
	f, err := r.Pay.AskRefund(bg, p, o.ID, payment.ToOriginal)
	must(r.T, err)
	if f.Phase == payment.PhaseReview {
		_, err = r.Pay.Approve(bg, r.desk(), f.No)
		must(r.T, err)
	}
	r.Settle()
	return f
}

func (r *rig) desk() account.Principal {
	return account.Principal{
		Subject: id.NewHandle(), Staff: true, StepUpUntil: r.Clock.Now().Add(time.Hour),
		Permissions: []string{account.PermRefundHandle, account.PermPaymentRead, account.PermPaymentSettle},
	}
}

// all are the documents, oldest first.
func (r *rig) all() []invoice.Document {
	r.T.Helper()
	var docs []invoice.Document
	for before := ""; ; {
		page, err := r.docs.ListAll(bg, r.desk(), invoice.Filter{}, before, 100)
		must(r.T, err)
		if len(page) == 0 {
			return docs
		}
		for _, d := range page {
			whole, err := r.docs.GetAny(bg, r.desk(), d.ID)
			must(r.T, err)
			docs, before = append([]invoice.Document{whole}, docs...), d.ID
		}
	}
}

// sound holds numbers, documents and books to each other.
func (r *rig) sound() {
	r.T.Helper()
	problems, err := r.docs.Prove(bg)
	if err != nil || len(problems) > 0 {
		r.T.Errorf("the proof: %v, %v", problems, err)
	}
}

// gapless holds the numbers of a series to 1, 2, 3 ... n.
func (r *rig) gapless(kind invoice.Kind, n int) {
	r.T.Helper()
	seen := map[string]bool{}
	for _, d := range r.all() {
		if d.Kind == kind {
			seen[d.Number()] = true
		}
	}
	name := map[invoice.Kind]string{invoice.Invoice: "INV", invoice.CreditNote: "CN"}[kind]
	for i := 1; i <= n; i++ {
		if number := fmt.Sprintf("%s-2026-%06d", name, i); !seen[number] {
			r.T.Errorf("%s is missing", number)
		}
	}
	if len(seen) != n {
		r.T.Errorf("%s: got %d numbers, want %d", kind, len(seen), n)
	}
}

func is(err error, want *errs.Error) bool { return errors.Is(err, want) }

var customer = ordertest.Customer
