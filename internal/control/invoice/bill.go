package invoice

import (
	"bytes"
	"context"
	"encoding/csv"
	"slices"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
	"github.com/skybridge-cloud/skybridge/internal/platform/spreadsheet"
)

// BillRow is a line of a document in a bill. Amounts of credit notes are below zero.
type BillRow struct {
	Document  string
	Number    string
	Kind      Kind
	IssuedAt  time.Time
	Order     string
	OrderKind string
	Resource  string // vpngw-...; empty: nothing was delivered, or the order is not kept any more
	Line      Line
	Amount    money.Money
}

// BillSum is what a month, an order or a resource came to.
type BillSum struct {
	Key      string // "2026-11", ord_..., vpngw-...; of rows without a resource empty
	Rows     int
	Charged  money.Money
	Credited money.Money // below zero, or zero
	Total    money.Money
}

// Bill is what an account was charged and credited in a month of the zone of the
// books.
type Bill struct {
	Month string // "2026-11"
	Rows  []BillRow
	Sum   BillSum
}

// Months sums the months in which an account has documents, newest first.
func (s *Service) Months(ctx context.Context, owner account.ID) ([]BillSum, error) {
	all, err := issuedIn(ctx, s.d.DB, owner, 0, db.Micros(s.d.Clock.Now())+1)
	if err != nil {
		return nil, err
	}
	sums := map[string]*BillSum{}
	var keys []string
	for _, d := range all {
		key := month(d.IssuedAt)
		if sums[key] == nil {
			sums[key] = newSum(key, d.Total.Cur)
			keys = append(keys, key)
		}
		sums[key].add(signed(d, d.Total), len(d.Lines))
	}
	slices.Sort(keys)
	slices.Reverse(keys)
	out := make([]BillSum, len(keys))
	for i, key := range keys {
		out[i] = *sums[key]
	}
	return out, nil
}

// Bill returns the bill of a month, "2026-11", rows oldest first; ErrMonth.
func (s *Service) Bill(ctx context.Context, owner account.ID, of string) (Bill, error) {
	first, err := civil.ParseDay(of + "-01")
	if err != nil {
		return Bill{}, ErrMonth
	}
	all, err := issuedIn(ctx, s.d.DB, owner, db.Micros(first.Start()), db.Micros(first.AddMonths(1).Start()))
	if err != nil {
		return Bill{}, err
	}
	b := Bill{Month: of, Sum: *newSum(of, money.CNY)}
	for _, d := range all {
		resources, err := s.resources(ctx, d)
		if err != nil {
			return b, err
		}
		for _, l := range d.Lines {
			amount := signed(d, l.Amount)
			b.Rows = append(b.Rows, BillRow{d.ID, d.Number(), d.Kind, d.IssuedAt, d.Order, d.OrderKind, resources[l.OrderLine], l, amount})
			b.Sum.Charged.Cur, b.Sum.Credited.Cur, b.Sum.Total.Cur = amount.Cur, amount.Cur, amount.Cur
			b.Sum.add(amount, 1)
		}
	}
	return b, nil
}

// By sums a bill by a key of its rows, in the order of their first rows.
func (b Bill) By(key func(BillRow) string) (sums []BillSum) {
	for _, r := range b.Rows {
		i := slices.IndexFunc(sums, func(s BillSum) bool { return s.Key == key(r) })
		if i < 0 {
			i, sums = len(sums), append(sums, *newSum(key(r), r.Amount.Cur))
		}
		sums[i].add(r.Amount, 1)
	}
	return sums
}

// ByOrder is a key for By.
func ByOrder(r BillRow) string { return r.Order }

// ByResource is a key for By.
func ByResource(r BillRow) string { return r.Resource }

func newSum(key string, cur money.Currency) *BillSum {
	zero := money.New(0, cur)
	return &BillSum{Key: key, Charged: zero, Credited: zero, Total: zero}
}

func (s *BillSum) add(m money.Money, rows int) {
	s.Rows += rows
	s.Total.Minor += m.Minor
	if m.Minor < 0 {
		s.Credited.Minor += m.Minor
	} else {
		s.Charged.Minor += m.Minor
	}
}

func signed(d Document, m money.Money) money.Money {
	if d.Kind == CreditNote {
		m.Minor = -m.Minor
	}
	return m
}

func month(at time.Time) string { return civil.DayOf(at).String()[:len("2006-01")] }

// resources are what became of a document's lines, by line.
func (s *Service) resources(ctx context.Context, d Document) (map[string]string, error) {
	o, err := s.d.Orders.Get(ctx, d.Account, d.Order)
	if errs.IsNotFound(err) { // kept for less long than its documents
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for _, l := range o.Lines {
		all[l.ID] = l.Resource
		if l.Resource != "" || l.Service == "" || s.d.Services == nil {
			continue
		}
		v, err := s.d.Services.Item(ctx, d.Account, l.Service)
		if err != nil && !errs.IsNotFound(err) {
			return nil, err
		}
		all[l.ID] = v.Resource
	}
	return all, nil
}

// CSV prints a bill in a language, as spreadsheets read it: UTF-8 with its mark,
// lines ended by CR LF (RFC 4180), no cell that would run as a formula.
func (b Bill) CSV(language string) ([]byte, error) {
	s := speaking(language)
	var out bytes.Buffer
	out.WriteString("\uFEFF")
	w := csv.NewWriter(&out)
	w.UseCRLF = true
	var head []string
	for _, key := range []string{"date", "number", "kind", "for", "order", "resource", "product", "region", "configuration", "time", "amount", "currency"} {
		head = append(head, s.say(key, ""))
	}
	if err := w.Write(head); err != nil {
		return nil, err
	}
	for _, r := range b.Rows {
		product, region, options := r.Line.What(string(s))
		cells := []string{
			civil.DayOf(r.IssuedAt).String(), r.Number, s.say(string(r.Kind), ""), s.say(r.OrderKind, ""), r.Order, r.Resource,
			product, region, options, s.months(r.Line.Months),
		}
		for i, c := range cells {
			cells[i] = spreadsheet.Cell(c)
		}
		// An amount is a number, also one below zero: it is written by us, and a program adds it up.
		if err := w.Write(append(cells, r.Amount.String(), string(r.Amount.Cur))); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return out.Bytes(), w.Error()
}
