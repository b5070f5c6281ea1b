package erasure

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
)

// Stocks are the records of erasures that are done; Retain ends them, after what
// the erasures left to the law.
func (s *Service) Stocks() []retention.Stock {
	return []retention.Stock{{Class: class, Tables: []string{"erasure_case"}, Items: func(ctx context.Context, until civil.Day) ([]retention.Item, error) {
		return db.Select(ctx, s.d.DB, func(r db.Row) (i retention.Item, err error) {
			var at int64
			err = r.Scan(&i.ID, &i.Subject, &at)
			i.From = civil.DayOf(db.FromMicros(at))
			return i, err
		}, "SELECT id, subject, complete_at FROM erasure_case WHERE step = 'done' AND complete_at < $1", db.Micros(until.End()))
	}}}
}

// Unfinished tells when each erasure was asked for that is not done.
func (s *Service) Unfinished(ctx context.Context) ([]time.Time, error) {
	return db.Select(ctx, s.d.DB, func(r db.Row) (time.Time, error) {
		var at int64
		err := r.Scan(&at)
		return db.FromMicros(at), err
	}, "SELECT asked_at FROM erasure_case WHERE step <> 'done'")
}
