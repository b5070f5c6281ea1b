package invoice

import (
	"context"
	"fmt"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/catalog"
	"github.com/skybridge-cloud/skybridge/internal/control/order"
	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// OrderPaidTx fills order.Invoices: it issues the invoice of an order that money
// has paid, once.
func (s *Service) OrderPaidTx(ctx context.Context, tx *db.Tx, o order.Order) error {
	_, err := s.invoiceTx(ctx, tx, o)
	return err
}

// invoiceTx issues the invoice of an order, or returns the one that it has.
func (s *Service) invoiceTx(ctx context.Context, tx *db.Tx, o order.Order) (Document, error) {
	d, err := documentOf(ctx, tx, Invoice, o.ID, "")
	if err == nil || !errs.IsNotFound(err) {
		return d, err
	}
	d = Document{
		ID: id.New("inv"), Kind: Invoice, Series: s.d.Settings.Series, Account: o.Account, Subject: o.Subject, Order: o.ID, OrderKind: string(o.Kind),
		Seller: s.d.Settings.Seller, Total: o.Total, TaxRate: s.d.Settings.TaxRate, Book: payment.SoldBy(o), PaidAt: o.PaidAt,
	}
	if d.Tax, err = tax(d.Total, d.TaxRate); err != nil {
		return d, err
	}
	for _, l := range o.Lines {
		if l.Amount.IsZero() {
			continue
		}
		if err := s.addLine(ctx, tx, &d, o.Catalogue, l, l.Amount); err != nil {
			return d, err
		}
	}
	return s.issueTx(ctx, tx, d)
}

// RefundedTx fills payment.Invoices: it issues the credit note of a refund that is
// paid back, once. An order that was paid before there were invoices gets its own
// first.
func (s *Service) RefundedTx(ctx context.Context, tx *db.Tx, r payment.Refund) error {
	if r.Order == "" {
		return nil // money that paid nothing goes back without a document
	}
	_, err := documentOf(ctx, tx, CreditNote, r.Order, r.No)
	if err == nil || !errs.IsNotFound(err) {
		return err
	}
	o, err := s.d.Orders.GetIn(ctx, tx, r.Order)
	if err != nil {
		return err
	}
	of, err := s.invoiceTx(ctx, tx, o)
	if err != nil {
		return err
	}
	d := Document{
		ID: id.New("crn"), Kind: CreditNote, Series: s.d.Settings.CreditSeries, Account: of.Account, Subject: of.Subject, Order: o.ID,
		OrderKind: of.OrderKind, Refund: r.No, Invoice: of.ID, Seller: of.Seller, Total: r.Amount, TaxRate: of.TaxRate, PaidAt: r.SettledAt,
	}
	if d.Tax, err = s.taxBack(ctx, tx, of, r.Amount); err != nil {
		return err
	}
	parts, err := r.Parts(o)
	if err != nil {
		return err
	}
	for _, p := range parts {
		if p.Amount.IsZero() {
			continue
		}
		if err := s.addLine(ctx, tx, &d, o.Catalogue, p.Line, p.Amount); err != nil {
			return err
		}
	}
	_, err = s.issueTx(ctx, tx, d)
	return err
}

// taxBack is the tax of a credit note. The last one takes what is left, so that the
// taxes of all of them sum to that of the invoice.
func (s *Service) taxBack(ctx context.Context, tx *db.Tx, of Document, amount money.Money) (money.Money, error) {
	credited, taxed, err := creditedOf(ctx, tx, of.ID)
	if err != nil {
		return money.Money{}, err
	}
	switch left := of.Total.Minor - credited; {
	case amount.Cur != of.Total.Cur || amount.Minor > left:
		return money.Money{}, fmt.Errorf("%w: %s of %d left of %s", ErrExceeds, amount, left, of.ID)
	case amount.Minor == left:
		return money.New(of.Tax.Minor-taxed, amount.Cur), nil
	}
	t, err := tax(amount, of.TaxRate)
	t.Minor = min(t.Minor, of.Tax.Minor-taxed)
	return t, err
}

func (s *Service) addLine(ctx context.Context, tx *db.Tx, d *Document, version int64, l order.Line, amount money.Money) error {
	product, region, err := s.d.Catalog.NamesIn(ctx, tx, version, l.Product, l.Region)
	if errs.IsNotFound(err) { // a name that is missing is no reason to refuse money
		product, region, err = unnamed(l.Product), unnamed(l.Region), nil
	}
	if err != nil {
		return fmt.Errorf("what %s was sold as: %w", l.ID, err)
	}
	d.Lines = append(d.Lines, Line{
		Number: len(d.Lines) + 1, OrderLine: l.ID, Kind: string(l.Kind), Product: l.Product, Region: l.Region,
		Names: Names{product, region}, Options: l.Options, Months: l.Months, Amount: amount,
	})
	return nil
}

func unnamed(id string) catalog.Text {
	t := catalog.Text{}
	for _, l := range languages {
		t[l] = id
	}
	return t
}

// issueTx gives a document its number and keeps it. The number is the counter's
// next, taken in the same transaction: one that comes to nothing takes none.
func (s *Service) issueTx(ctx context.Context, tx *db.Tx, d Document) (Document, error) {
	d.IssuedAt = s.d.Clock.Now()
	d.Year = civil.DayOf(d.IssuedAt).Year
	var err error
	if d.Seq, err = nextNumber(ctx, tx, d.Series, d.Year); err != nil {
		return d, err
	}
	fault.Point("invoice-after-number")
	if err := insertDocument(ctx, tx, d); err != nil {
		return d, err
	}
	fault.Point("invoice-after-document")
	detail := map[string]string{"order": d.Order, "number": d.Number()}
	if d.Refund != "" {
		detail["refund"] = d.Refund
	}
	return d, s.d.Audit.AppendTx(ctx, tx, audit.Event{
		Type: string(d.Kind) + ".issued", Subject: d.Subject, Account: string(d.Account), Actor: audit.Actor{Class: "system"}, Detail: detail,
	})
}
