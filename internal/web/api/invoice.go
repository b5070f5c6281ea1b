package api

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/invoice"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/web/request"
)

// Invoice is an invoice or a credit note. Amounts are positive in both.
type Invoice struct {
	ID         string    `json:"id"`
	Kind       string    `json:"kind" enum:"invoice,credit_note"`
	Number     string    `json:"number" example:"INV-2026-000017"`
	State      string    `json:"state" enum:"issued,partially_refunded,refunded"`
	Order      string    `json:"order"`
	OrderKind  string    `json:"order_kind" enum:"new,renew,upgrade"`
	Refund     string    `json:"refund,omitempty" doc:"That a credit note is for"`
	Of         string    `json:"invoice,omitempty" doc:"That a credit note is of"`
	Total      Money     `json:"total"`
	Net        Money     `json:"net" doc:"Without tax"`
	Tax        Money     `json:"tax" doc:"Contained in the total"`
	TaxPercent string    `json:"tax_percent,omitempty" example:"6%"`
	Credited   Money     `json:"credited" doc:"Of an invoice: by its credit notes"`
	PaidAt     time.Time `json:"paid_at" doc:"Of a credit note: when the money was back"`
	IssuedAt   time.Time `json:"issued_at"`
}

// InvoiceDetail is a document with what it prints.
type InvoiceDetail struct {
	Invoice
	Seller  Seller        `json:"seller"`
	Account string        `json:"account" doc:"The buyer"`
	Lines   []InvoiceLine `json:"lines" nullable:"false"`
	Credits []Invoice     `json:"credit_notes" nullable:"false" doc:"Of an invoice, newest first"`
}

// Seller is who sold, as it was then.
type Seller struct {
	LegalName string `json:"legal_name"`
	Address   string `json:"address,omitempty"`
	Mail      string `json:"mail,omitempty"`
	Phone     string `json:"phone,omitempty"`
	TaxNumber string `json:"tax_number,omitempty"`
}

// InvoiceLine is one thing that was sold, with the names that it was sold by.
type InvoiceLine struct {
	Product     string            `json:"product"`
	ProductName string            `json:"product_name"`
	Region      string            `json:"region"`
	RegionName  string            `json:"region_name"`
	Options     map[string]string `json:"options"`
	Chosen      string            `json:"chosen" doc:"The options in words"`
	Months      int               `json:"months"`
	Amount      Money             `json:"amount"`
}

// StaffInvoice is a document in the list of all.
type StaffInvoice struct {
	Invoice
	Account string `json:"account"`
}

// BillSum is what a month, an order or a resource came to.
type BillSum struct {
	Month    string `json:"month,omitempty" example:"2026-11"`
	Order    string `json:"order,omitempty"`
	Resource string `json:"resource,omitempty" doc:"Absent: of nothing that was delivered"`
	Count    int    `json:"count" doc:"Lines"`
	Charged  Money  `json:"charged"`
	Credited Money  `json:"credited" doc:"Below zero"`
	Total    Money  `json:"total"`
}

// Bill is what a month came to.
type Bill struct {
	BillSum
	Orders    []BillSum `json:"orders" nullable:"false"`
	Resources []BillSum `json:"resources" nullable:"false"`
	Lines     []BillRow `json:"lines" nullable:"false" doc:"Oldest first"`
}

// BillRow is a line of a document. What a credit note gives back is below zero.
type BillRow struct {
	InvoiceLine
	Document  string    `json:"id"`
	Number    string    `json:"number"`
	Kind      string    `json:"kind" enum:"invoice,credit_note"`
	Order     string    `json:"order"`
	OrderKind string    `json:"order_kind" enum:"new,renew,upgrade"`
	Resource  string    `json:"resource,omitempty"`
	IssuedAt  time.Time `json:"issued_at"`
}

// In is the language of names and papers.
type In struct {
	Language string `query:"language" enum:"zh-CN,en" doc:"Of names and papers; else that of the browser"`
}

func (i In) or(ctx context.Context) string {
	if i.Language != "" {
		return i.Language
	}
	return string(request.From(ctx).Language)
}

type documentID struct {
	ID string `path:"id" maxLength:"40"`
	In
}

type billMonth struct {
	Month string `query:"month" required:"true" maxLength:"7" example:"2026-11"`
	In
}

// Invoices registers the operations of invoices, credit notes and bills.
func Invoices(a *API, s *invoice.Service) {
	const tag = "Invoices"
	Get(a, "/invoices", Operation{ID: "list-invoices", Summary: "Your invoices and credit notes, newest first", Tag: tag, Access: Customer},
		func(ctx context.Context, in *struct {
			Page
			Kind  string `query:"kind" enum:"invoice,credit_note"`
			Order string `query:"order" maxLength:"40"`
		},
		) (*Body[List[Invoice]], error) {
			limit := min(in.Limit, 100)
			all, err := s.List(ctx, Who(ctx).Account, invoice.Filter{Kind: invoice.Kind(in.Kind), Order: in.Order}, in.Cursor, limit)
			return &Body[List[Invoice]]{List[Invoice]{Items(all, toInvoice), nextCursor(all, limit, documentOf)}}, err
		})
	Get(a, "/invoices/{id}", Operation{ID: "get-invoice", Summary: "An invoice or credit note", Tag: tag, Access: Customer},
		func(ctx context.Context, in *documentID) (*Body[InvoiceDetail], error) {
			d, err := s.Get(ctx, Who(ctx).Account, in.ID)
			return invoiceDetail(ctx, s, in.or(ctx), d, err)
		})
	Get(a, "/invoices/{id}/pdf", Operation{ID: "get-invoice-pdf", Summary: "An invoice or credit note as PDF", Tag: tag, Access: Customer},
		func(ctx context.Context, in *documentID) (*file, error) {
			d, err := s.Get(ctx, Who(ctx).Account, in.ID)
			return invoicePDF(ctx, s, in.or(ctx), d, err)
		})
	Get(a, "/bills", Operation{ID: "list-bills", Summary: "What each month came to, newest first", Tag: tag, Access: Customer},
		func(ctx context.Context, _ *struct{}) (*Body[List[BillSum]], error) {
			all, err := s.Months(ctx, Who(ctx).Account)
			return &Body[List[BillSum]]{List[BillSum]{Items: Items(all, func(m invoice.BillSum) BillSum {
				b := toBillSum(m)
				b.Month = m.Key
				return b
			})}}, err
		})
	Get(a, "/bills/month", Operation{ID: "get-bill", Summary: "The bill of a month: its lines, and what orders and resources came to", Tag: tag, Access: Customer},
		func(ctx context.Context, in *billMonth) (*Body[Bill], error) {
			b, err := s.Bill(ctx, Who(ctx).Account, in.Month)
			return &Body[Bill]{toBill(b, in.or(ctx))}, err
		})
	Get(a, "/bills/export", Operation{
		ID: "export-bill", Summary: "The bill of a month as CSV", Tag: tag, Access: Customer,
		Detail: "Cells that a spreadsheet would run as a formula begin with an apostrophe.",
	},
		func(ctx context.Context, in *billMonth) (*file, error) {
			b, err := s.Bill(ctx, Who(ctx).Account, in.Month)
			if err != nil {
				return nil, err
			}
			raw, err := b.CSV(in.or(ctx))
			return &file{"no-store", "text/csv; charset=utf-8", `attachment; filename="bill-` + b.Month + `.csv"`, raw}, err
		})
	staffInvoices(a, s)
}

func staffInvoices(a *API, s *invoice.Service) {
	read := Staff(account.PermPaymentRead)
	Get(a, "/admin/invoices", Operation{ID: "admin-list-invoices", Summary: "All invoices and credit notes, newest first", Tag: "Staff", Access: read},
		func(ctx context.Context, in *struct {
			Page
			Kind    string `query:"kind" enum:"invoice,credit_note"`
			Account string `query:"account" maxLength:"40"`
			Order   string `query:"order" maxLength:"40"`
			Number  string `query:"number" maxLength:"40" example:"INV-2026-000017"`
			From    string `query:"from" maxLength:"10" doc:"First day of issue, in China"`
			To      string `query:"to" maxLength:"10" doc:"Last day"`
		},
		) (*Body[List[StaffInvoice]], error) {
			f := invoice.Filter{Kind: invoice.Kind(in.Kind), Account: account.ID(in.Account), Order: in.Order, Number: in.Number}
			if in.From != "" {
				day, err := civil.ParseDay(in.From)
				if err != nil {
					return nil, errSpan
				}
				f.From = day.Start()
			}
			if in.To != "" {
				day, err := civil.ParseDay(in.To)
				if err != nil {
					return nil, errSpan
				}
				f.Until = day.End()
			}
			limit := min(in.Limit, 100)
			all, err := s.ListAll(ctx, Who(ctx), f, in.Cursor, limit)
			return &Body[List[StaffInvoice]]{List[StaffInvoice]{Items(all, func(d invoice.Document) StaffInvoice {
				return StaffInvoice{toInvoice(d), string(d.Account)}
			}), nextCursor(all, limit, documentOf)}}, err
		})
	Get(a, "/admin/invoices/{id}", Operation{ID: "admin-get-invoice", Summary: "An invoice or credit note", Tag: "Staff", Access: read},
		func(ctx context.Context, in *documentID) (*Body[InvoiceDetail], error) {
			d, err := s.GetAny(ctx, Who(ctx), in.ID)
			return invoiceDetail(ctx, s, in.or(ctx), d, err)
		})
	Get(a, "/admin/invoices/{id}/pdf", Operation{ID: "admin-get-invoice-pdf", Summary: "An invoice or credit note as PDF", Tag: "Staff", Access: read},
		func(ctx context.Context, in *documentID) (*file, error) {
			d, err := s.GetAny(ctx, Who(ctx), in.ID)
			return invoicePDF(ctx, s, in.or(ctx), d, err)
		})
}

func documentOf(d invoice.Document) string { return d.ID }

func invoiceDetail(ctx context.Context, s *invoice.Service, language string, d invoice.Document, err error) (*Body[InvoiceDetail], error) {
	if err != nil {
		return nil, err
	}
	var credits []invoice.Document
	if d.Kind == invoice.Invoice {
		if credits, err = s.Credits(ctx, d); err != nil {
			return nil, err
		}
	}
	return &Body[InvoiceDetail]{InvoiceDetail{
		Invoice: toInvoice(d), Account: string(d.Account),
		Seller: Seller{d.Seller.Name, d.Seller.Address, d.Seller.Mail, d.Seller.Phone, d.Seller.TaxNo},
		Lines:  Items(d.Lines, func(l invoice.Line) InvoiceLine { return toInvoiceLine(l, language) }), Credits: Items(credits, toInvoice),
	}}, nil
}

func invoicePDF(ctx context.Context, s *invoice.Service, language string, d invoice.Document, err error) (*file, error) {
	if err != nil {
		return nil, err
	}
	raw, err := s.PDF(ctx, d, language)
	return &file{"no-store", "application/pdf", `attachment; filename="` + d.Number() + `.pdf"`, raw}, err
}

func toInvoice(d invoice.Document) Invoice {
	return Invoice{
		ID: d.ID, Kind: string(d.Kind), Number: d.Number(), State: string(d.State()), Order: d.Order, OrderKind: d.OrderKind, Refund: d.Refund,
		Of: d.Invoice, Total: toMoney(d.Total), Net: toMoney(d.Net()), Tax: toMoney(d.Tax), TaxPercent: d.Percent(), Credited: toMoney(d.Credited),
		PaidAt: d.PaidAt.UTC(), IssuedAt: d.IssuedAt.UTC(),
	}
}

func toInvoiceLine(l invoice.Line, language string) InvoiceLine {
	product, region, chosen := l.What(language)
	return InvoiceLine{l.Product, product, l.Region, region, l.Options, chosen, l.Months, toMoney(l.Amount)}
}

func toBillSum(b invoice.BillSum) BillSum {
	return BillSum{Count: b.Rows, Charged: toMoney(b.Charged), Credited: toMoney(b.Credited), Total: toMoney(b.Total)}
}

func toBill(b invoice.Bill, language string) Bill {
	out := Bill{BillSum: toBillSum(b.Sum)}
	out.Month = b.Month
	out.Orders = Items(b.By(invoice.ByOrder), func(m invoice.BillSum) BillSum {
		s := toBillSum(m)
		s.Order = m.Key
		return s
	})
	out.Resources = Items(b.By(invoice.ByResource), func(m invoice.BillSum) BillSum {
		s := toBillSum(m)
		s.Resource = m.Key
		return s
	})
	out.Lines = Items(b.Rows, func(r invoice.BillRow) BillRow {
		l := toInvoiceLine(r.Line, language)
		l.Amount = toMoney(r.Amount)
		return BillRow{l, r.Document, r.Number, string(r.Kind), r.Order, r.OrderKind, r.Resource, r.IssuedAt.UTC()}
	})
	return out
}
