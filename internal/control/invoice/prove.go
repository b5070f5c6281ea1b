package invoice

import (
	"context"
	"fmt"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// Prove recomputes what this module promises: numbers without a hole or a double,
// sums of lines, credit notes within their invoices, and that documents and books
// say the same. The error is of reading; what is wrong is in the result, by numbers
// and keys only. A year of which documents were destroyed, its time being over, is
// not held to be whole.
func (s *Service) Prove(ctx context.Context) (problems []string, err error) {
	// One transaction, so that a payment under way is seen whole or not at all.
	err = s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		p := &proof{invoices: map[string]voucher{}, notes: map[string]voucher{}, credited: map[string]int64{}, ended: map[string]bool{}}
		if err := p.read(ctx, tx); err != nil {
			return err
		}
		p.numbers()
		p.documents()
		if err := s.books(ctx, tx, p); err != nil {
			return err
		}
		problems = p.problems
		return nil
	})
	return problems, err
}

type series struct {
	name              string
	year, last, ended int64
}

func (s series) key() string { return fmt.Sprintf("%s-%d", s.name, s.year) }

// proven is a document and the sum of its lines.
type proven struct {
	Document
	lines int64
}

type proof struct {
	series   []series
	all      []proven           // by series, year and number
	ended    map[string]bool    // series and years of which documents were destroyed
	through  int                // the last of those years
	invoices map[string]voucher // by the key of their journal
	notes    map[string]voucher // by the number of their refund
	credited map[string]int64   // by invoice
	problems []string
}

// voucher is an amount and when it was moved.
type voucher struct {
	amount money.Money
	at     time.Time
}

// gone reports whether what is of an instant may have been destroyed.
func (p *proof) gone(at time.Time) bool { return civil.DayOf(at).Year <= p.through }

func (p *proof) problem(format string, args ...any) {
	p.problems = append(p.problems, fmt.Sprintf(format, args...))
}

func (p *proof) read(ctx context.Context, q db.Q) (err error) {
	p.series, err = db.Select(ctx, q, func(r db.Row) (s series, err error) { return s, r.Scan(&s.name, &s.year, &s.last, &s.ended) },
		"SELECT series, year, last, ended_at FROM invoice_series ORDER BY series, year")
	if err != nil {
		return err
	}
	all, err := db.Select(ctx, q, scanDocument, documentColumns+" ORDER BY d.series, d.year, d.number")
	if err != nil {
		return err
	}
	type sum struct {
		document string
		minor    int64
	}
	sums, err := db.Select(ctx, q, func(r db.Row) (s sum, err error) { return s, r.Scan(&s.document, &s.minor) },
		"SELECT document_id, CAST(SUM(amount_minor) AS BIGINT) FROM invoice_line GROUP BY document_id")
	if err != nil {
		return err
	}
	lines := map[string]int64{}
	for _, s := range sums {
		lines[s.document] = s.minor
	}
	for _, d := range all {
		p.all = append(p.all, proven{d, lines[d.ID]})
		delete(lines, d.ID)
	}
	for document := range lines {
		p.problem("lines of a document %s that does not exist", document)
	}
	return nil
}

// numbers holds each series to 1, 2, 3 ... up to its counter.
func (p *proof) numbers() {
	last := map[string]int64{}
	for _, s := range p.series {
		p.ended[s.key()] = s.ended > 0
		if s.ended > 0 {
			p.through = max(p.through, int(s.year))
		}
	}
	for _, d := range p.all {
		key := series{name: d.Series, year: int64(d.Year)}.key()
		if want := last[key] + 1; d.Seq != want && !p.ended[key] {
			p.problem("%s comes where %d was due", d.Number(), want)
		}
		last[key] = d.Seq
	}
	for _, s := range p.series {
		if last[s.key()] != s.last && s.ended == 0 {
			p.problem("%s: the counter is at %d, the last number is %d", s.key(), s.last, last[s.key()])
		}
		delete(last, s.key())
	}
	for key := range last {
		p.problem("%s has numbers and no counter", key)
	}
}

func (p *proof) documents() {
	known := map[string]Document{}
	for _, d := range p.all {
		known[d.ID] = d.Document
		if d.lines != d.Total.Minor {
			p.problem("%s: lines sum to %d, the total is %d", d.Number(), d.lines, d.Total.Minor)
		}
		if d.Kind == Invoice {
			p.invoices[d.Book] = voucher{d.Total, d.PaidAt}
			continue
		}
		p.notes[d.Refund] = voucher{d.Total, d.PaidAt}
		p.credited[d.Invoice] += d.Total.Minor
	}
	for invoice, sum := range p.credited {
		of, ok := known[invoice]
		switch {
		case !ok && p.through == 0:
			p.problem("credit notes of an invoice %s that does not exist", invoice)
		case ok && sum > of.Total.Minor:
			p.problem("%s: %d is credited of %d", of.Number(), sum, of.Total.Minor)
		}
	}
}

// books compares documents with journals, in both directions.
func (s *Service) books(ctx context.Context, tx *db.Tx, p *proof) error {
	from, err := progressIn(ctx, tx)
	if err != nil {
		return err
	}
	sold, returned := map[string]voucher{}, map[string]voucher{}
	for _, kind := range []string{"payment", "wallet_payment", "refund"} {
		all, err := s.d.Ledger.TotalsIn(ctx, tx, kind)
		if err != nil {
			return err
		}
		for _, t := range all {
			no, back := payment.ReturnedBy(t)
			switch {
			case back:
				returned[no] = voucher{t.Moved, t.At}
			case kind != "refund" && !t.Sold.IsZero():
				sold[t.Key] = voucher{t.Sold, t.At}
			}
		}
	}
	p.compare("invoice", "journal", p.invoices, sold, from.done > 0)
	p.compare("credit note", "refund", p.notes, returned, from.done > 0)
	return nil
}

// compare finds what only one of documents and books has, or has another amount of.
// Before all old orders have theirs, documents may be missing.
func (p *proof) compare(document, cause string, documents, books map[string]voucher, all bool) {
	for key, b := range books {
		d, ok := documents[key]
		switch {
		case !ok && all && !p.gone(b.at):
			p.problem("%s %s has no %s", cause, key, document)
		case ok && d.amount != b.amount:
			p.problem("%s %s moved %s, its %s is for %s", cause, key, b.amount, document, d.amount)
		}
	}
	for key, d := range documents {
		if _, ok := books[key]; !ok && !p.gone(d.at) {
			p.problem("%s of a %s %s that is not in the books", document, cause, key)
		}
	}
}

// nightly tells operators of documents that are wrong.
func (s *Service) nightly(ctx context.Context) error {
	problems, err := s.Prove(ctx)
	if err != nil || len(problems) == 0 {
		return err
	}
	s.d.Log.ErrorContext(ctx, "invoices and books differ", "count", len(problems), "problems", problems[:min(len(problems), 20)])
	return nil
}
