package invoice

import (
	"context"
	"encoding/json"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// nextNumber counts a series on. The row is locked until the transaction ends.
func nextNumber(ctx context.Context, tx *db.Tx, series string, year int) (int64, error) {
	return db.Get(ctx, tx, db.ErrRetry, db.One[int64], `INSERT INTO invoice_series (series, year, last, ended_at) VALUES ($1, $2, 1, 0)
		ON CONFLICT (series, year) DO UPDATE SET last = invoice_series.last + 1 RETURNING last`, series, int64(year))
}

func insertDocument(ctx context.Context, tx *db.Tx, d Document) error {
	_, err := tx.Exec(ctx, `INSERT INTO invoice_document (id, kind, series, year, number, account_id, subject, order_id, order_kind, refund_no,
		invoice_id, currency, total_minor, tax_minor, tax_rate, seller, book_key, paid_at, issued_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`,
		d.ID, string(d.Kind), d.Series, int64(d.Year), d.Seq, string(d.Account), string(d.Subject), d.Order, d.OrderKind, d.Refund,
		d.Invoice, string(d.Total.Cur), d.Total.Minor, d.Tax.Minor, d.TaxRate, text(d.Seller), d.Book, db.Micros(d.PaidAt), db.Micros(d.IssuedAt))
	if err != nil {
		return err
	}
	for _, l := range d.Lines {
		_, err := tx.Exec(ctx, `INSERT INTO invoice_line (document_id, number, line_id, kind, product, region, names, options, months, amount_minor)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			d.ID, int64(l.Number), l.OrderLine, l.Kind, l.Product, l.Region, text(l.Names), text(l.Options), int64(l.Months), l.Amount.Minor)
		if err != nil {
			return err
		}
	}
	return nil
}

const documentColumns = `SELECT d.id, d.kind, d.series, d.year, d.number, d.account_id, d.subject, d.order_id, d.order_kind, d.refund_no, d.invoice_id,
	d.currency, d.total_minor, d.tax_minor, d.tax_rate, d.seller, d.book_key, d.paid_at, d.issued_at,
	CAST(COALESCE((SELECT SUM(c.total_minor) FROM invoice_document c WHERE c.kind = 'credit_note' AND c.order_id = d.order_id AND d.kind = 'invoice'), 0) AS BIGINT)
	FROM invoice_document d`

func scanDocument(r db.Row) (d Document, err error) {
	var year, paid, issued int64
	var seller string
	var cur money.Currency
	err = r.Scan(&d.ID, &d.Kind, &d.Series, &year, &d.Seq, &d.Account, &d.Subject, &d.Order, &d.OrderKind, &d.Refund, &d.Invoice,
		&cur, &d.Total.Minor, &d.Tax.Minor, &d.TaxRate, &seller, &d.Book, &paid, &issued, &d.Credited.Minor)
	if err != nil {
		return d, err
	}
	d.Year, d.PaidAt, d.IssuedAt = int(year), db.FromMicros(paid), db.FromMicros(issued)
	d.Total.Cur, d.Tax.Cur, d.Credited.Cur = cur, cur, cur
	return d, json.Unmarshal([]byte(seller), &d.Seller)
}

func getDocument(ctx context.Context, q db.Q, document string) (Document, error) {
	d, err := db.Get(ctx, q, ErrNotFound, scanDocument, documentColumns+" WHERE d.id = $1", document)
	if err != nil {
		return d, err
	}
	return withLines(ctx, q, d)
}

func documentOf(ctx context.Context, q db.Q, kind Kind, orderID, refund string) (Document, error) {
	d, err := db.Get(ctx, q, ErrNotFound, scanDocument, documentColumns+" WHERE d.kind = $1 AND d.order_id = $2 AND d.refund_no = $3",
		string(kind), orderID, refund)
	if err != nil {
		return d, err
	}
	return withLines(ctx, q, d)
}

// creditedOf sums the credit notes of an invoice.
func creditedOf(ctx context.Context, q db.Q, invoice string) (total, tax int64, err error) {
	type sums struct{ total, tax int64 }
	s, err := db.Get(ctx, q, nil, func(r db.Row) (s sums, err error) { return s, r.Scan(&s.total, &s.tax) },
		`SELECT CAST(COALESCE(SUM(total_minor), 0) AS BIGINT), CAST(COALESCE(SUM(tax_minor), 0) AS BIGINT) FROM invoice_document
		WHERE kind = 'credit_note' AND invoice_id = $1`, invoice)
	return s.total, s.tax, err
}

func withLines(ctx context.Context, q db.Q, d Document) (Document, error) {
	all, err := lines(ctx, q, " WHERE l.document_id = $1", d.ID)
	d.Lines = all[d.ID]
	return d, err
}

// lines returns lines of documents by document, each in its order.
func lines(ctx context.Context, q db.Q, where string, args ...any) (map[string][]Line, error) {
	type of struct {
		document string
		Line
	}
	all, err := db.Select(ctx, q, func(r db.Row) (l of, err error) {
		var number, months int64
		var names, options string
		if err = r.Scan(&l.document, &number, &l.OrderLine, &l.Kind, &l.Product, &l.Region, &names, &options, &months, &l.Amount.Minor, &l.Amount.Cur); err != nil {
			return l, err
		}
		l.Number, l.Months = int(number), int(months)
		if err := json.Unmarshal([]byte(names), &l.Names); err != nil {
			return l, err
		}
		return l, json.Unmarshal([]byte(options), &l.Options)
	}, `SELECT l.document_id, l.number, l.line_id, l.kind, l.product, l.region, l.names, l.options, l.months, l.amount_minor, d.currency
		FROM invoice_line l JOIN invoice_document d ON d.id = l.document_id`+where+" ORDER BY l.document_id, l.number", args...)
	found := map[string][]Line{}
	for _, l := range all {
		found[l.document] = append(found[l.document], l.Line)
	}
	return found, err
}

// list returns documents newest first, without their lines. An empty filter is
// none.
func list(ctx context.Context, q db.Q, f Filter, before string, limit int) ([]Document, error) {
	var at int64
	if before != "" {
		d, err := getDocument(ctx, q, before)
		if err != nil {
			return nil, err
		}
		at = db.Micros(d.IssuedAt)
	}
	return db.Select(ctx, q, scanDocument, documentColumns+` WHERE ($1 = '' OR d.account_id = $1) AND ($2 = '' OR d.kind = $2)
		AND ($3 = '' OR d.order_id = $3) AND ($4 = 0 OR d.issued_at >= $4) AND ($5 = 0 OR d.issued_at < $5)
		AND ($6 = '' OR d.issued_at < $7 OR (d.issued_at = $7 AND d.id < $6))
		AND ($8 = '' OR (d.series = $8 AND d.year = $9 AND d.number = $10))
		ORDER BY d.issued_at DESC, d.id DESC LIMIT $11`,
		string(f.Account), string(f.Kind), f.Order, db.Micros(f.From), db.Micros(f.Until), before, at, f.number.series, int64(f.number.year), f.number.seq,
		int64(limit))
}

// issuedIn returns an account's documents of a time, oldest first.
func issuedIn(ctx context.Context, q db.Q, owner account.ID, from, until int64) ([]Document, error) {
	all, err := db.Select(ctx, q, scanDocument, documentColumns+` WHERE d.account_id = $1 AND d.issued_at >= $2 AND d.issued_at < $3
		ORDER BY d.issued_at, d.kind DESC, d.year, d.number`, string(owner), from, until)
	if err != nil {
		return nil, err
	}
	of, err := lines(ctx, q, " WHERE d.account_id = $1 AND d.issued_at >= $2 AND d.issued_at < $3", string(owner), from, until)
	for i, d := range all {
		all[i].Lines = of[d.ID]
	}
	return all, err
}

func text(v any) string {
	raw, err := json.Marshal(v) // keys of maps are sorted
	if err != nil {
		panic(err) // strings only
	}
	return string(raw)
}
