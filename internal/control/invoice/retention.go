package invoice

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
)

// class is the retention class of documents: they are vouchers of the books.
const class = "accounting"

// Stocks are the documents of years that are over.
func (s *Service) Stocks() []retention.Stock {
	return []retention.Stock{{Class: class, Tables: []string{"invoice_document", "invoice_line"}, Items: s.over, End: s.end}}
}

// Retain fills retention.Keeper.
func (s *Service) Retain(ctx context.Context, run retention.Run) ([]retention.Result, error) {
	return retention.RetainAll(ctx, run, s.Stocks()...)
}

func (s *Service) over(ctx context.Context, until civil.Day) ([]retention.Item, error) {
	all, err := db.Select(ctx, s.d.DB, func(r db.Row) (i retention.Item, err error) {
		var at int64
		err = r.Scan(&i.ID, &i.Subject, &at)
		i.From = civil.Day{Year: civil.DayOf(db.FromMicros(at)).Year, Month: time.December, Day: 31}
		return i, err
	}, "SELECT id, subject, issued_at FROM invoice_document WHERE issued_at < $1 ORDER BY issued_at, id", db.Micros(until.End()))
	if err != nil {
		return nil, err
	}
	var items []retention.Item
	for _, i := range all {
		if !until.Before(i.From) {
			items = append(items, i)
		}
	}
	return items, nil
}

// end destroys a document, and notes of its series and year that it is not whole any
// more.
func (s *Service) end(ctx context.Context, i retention.Item) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE invoice_series SET ended_at = $1 WHERE ended_at = 0 AND EXISTS (SELECT 1 FROM invoice_document d
			WHERE d.id = $2 AND d.series = invoice_series.series AND d.year = invoice_series.year)`, db.Micros(s.d.Clock.Now()), i.ID)
		if err != nil {
			return err
		}
		for _, text := range []string{"DELETE FROM invoice_line WHERE document_id = $1", "DELETE FROM invoice_document WHERE id = $1"} {
			if _, err := tx.Exec(ctx, text, i.ID); err != nil {
				return err
			}
		}
		return nil
	})
}
