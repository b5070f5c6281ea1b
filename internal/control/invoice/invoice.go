// Package invoice issues the documents of sales: an invoice in the transaction in
// which an order is paid, a credit note in the one in which a refund is paid back.
//
//	order paid ──────▶ invoice ──────────────────▶ refunded in part ──▶ refunded
//	refund paid back ──────▶ credit note ─────────────┴───────────────────┘
//
// A document is a snapshot: seller, buyer, lines with the names that the things
// were sold by, amounts, tax. Nothing of it is changed later; what was credited of
// an invoice is the sum of its credit notes. PDF, CSV and bills are made of
// documents only.
//
// Invariants, proven each night: the numbers of a series are 1, 2, 3 ... in each
// year of the zone of the books, whatever stopped in between; an order has one
// invoice at most and a refund one credit note; credit notes never exceed their
// invoice; each document is for what one journal of the books moved, and each such
// journal has its document, so that invoices less credit notes are what was sold
// less what went back.
//
// It is not a fapiao, which the tax office issues, and it decides on no money: order
// and payment do.
package invoice

import (
	"fmt"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// Errors.
var (
	ErrNotFound  = errs.New(errs.NotFound, "invoice.not_found")
	ErrStaffOnly = errs.New(errs.Forbidden, "invoice.staff_only")
	ErrFilter    = errs.New(errs.Invalid, "invoice.filter_invalid")
	ErrMonth     = errs.New(errs.Invalid, "invoice.month_invalid")
	ErrExceeds   = errs.New(errs.Internal, "invoice.credit_exceeds")
)

// Kind is what a document is.
type Kind string

// Kinds.
const (
	Invoice    Kind = "invoice"
	CreditNote Kind = "credit_note"
)

// State is how much of an invoice went back. A credit note is always issued.
type State string

// States of the machine above.
const (
	Issued            State = "issued"
	PartiallyRefunded State = "partially_refunded"
	Refunded          State = "refunded"
)

// Seller is who sells, as documents print it.
type Seller struct {
	Name    string `json:"name"` // legal name
	Address string `json:"address,omitempty"`
	Mail    string `json:"mail,omitempty"`
	Phone   string `json:"phone,omitempty"`
	TaxNo   string `json:"tax_no,omitempty"` // the unified social credit code, or what the tax office gave
}

// Document is an invoice or a credit note.
type Document struct {
	ID        string // inv_... or crn_...
	Kind      Kind
	Series    string
	Year      int // in the zone of the books
	Seq       int64
	Account   account.ID // the buyer
	Subject   id.Handle
	Order     string
	OrderKind string
	Refund    string // of a credit note
	Invoice   string // that a credit note is of
	Seller    Seller
	Total     money.Money // positive for both kinds
	Tax       money.Money // contained in the total; of a rate of 0 zero
	TaxRate   int64       // in hundredths of a per cent
	Book      string      // key of the journal that paid; of a credit note empty
	PaidAt    time.Time   // of a credit note: when the money was back
	IssuedAt  time.Time
	Lines     []Line      // not in lists
	Credited  money.Money // of an invoice: by all its credit notes
}

// Line is one line of a document.
type Line struct {
	Number    int    // from 1
	OrderLine string // orl_...
	Kind      string // "recurring", "setup"
	Product   string
	Region    string
	Names     Names
	Options   map[string]string
	Months    int
	Amount    money.Money // positive
}

// Names are what a line was sold as, by language tag.
type Names struct {
	Product map[string]string `json:"product"`
	Region  map[string]string `json:"region"`
}

// Number is what a document is called by people: "INV-2026-000017".
func (d Document) Number() string { return fmt.Sprintf("%s-%d-%06d", d.Series, d.Year, d.Seq) }

// Net is the total without tax.
func (d Document) Net() money.Money { return money.New(d.Total.Minor-d.Tax.Minor, d.Total.Cur) }

// Percent prints the rate of tax, "6%"; empty where none is shown.
func (d Document) Percent() string {
	if d.TaxRate == 0 {
		return ""
	}
	return percent(d.TaxRate)
}

// State is how much of an invoice went back.
func (d Document) State() State {
	switch {
	case d.Credited.Minor == 0:
		return Issued
	case d.Credited.Minor < d.Total.Minor:
		return PartiallyRefunded
	}
	return Refunded
}

// tax is what of a total is tax at a rate that the total contains, rounded half to
// even.
func tax(total money.Money, rate int64) (money.Money, error) {
	minor, err := money.MulDiv(total.Minor, rate, 10_000+rate)
	return money.New(minor, total.Cur), err
}
