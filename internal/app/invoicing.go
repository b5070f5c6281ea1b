package app

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/control/invoice"
	"github.com/skybridge-cloud/skybridge/internal/control/order"
	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/platform/config"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// lateInvoices issues documents for the modules order and payment, which stand
// before the module invoice.
type lateInvoices struct{ m *modules }

// OrderPaidTx fills order.Invoices.
func (l lateInvoices) OrderPaidTx(ctx context.Context, tx *db.Tx, o order.Order) error {
	return l.m.invoice.OrderPaidTx(ctx, tx, o)
}

// RefundedTx fills payment.Invoices.
func (l lateInvoices) RefundedTx(ctx context.Context, tx *db.Tx, r payment.Refund) error {
	return l.m.invoice.RefundedTx(ctx, tx, r)
}

// invoicing is what documents say of the operator, and how they are numbered and
// taxed.
func invoicing(cfg config.Config) invoice.Settings {
	o, i := operator(cfg), cfg.Invoices
	return invoice.Settings{
		Seller: invoice.Seller{Name: o.LegalName, Address: o.Address, Mail: o.Mail, Phone: o.Phone, TaxNo: i.TaxNumber},
		Series: i.Series, CreditSeries: i.CreditSeries, TaxRate: i.TaxRate,
	}
}
