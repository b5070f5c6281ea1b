package privacy

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
)

// Stocks are the requests that were answered and the holds that ended; the nightly
// run ends them itself.
func (s *Service) Stocks() []retention.Stock {
	return []retention.Stock{
		{Class: class, Tables: []string{"privacy_request", "privacy_mail", "privacy_guardian"}, Items: func(ctx context.Context, until civil.Day) ([]retention.Item, error) {
			return s.ended(ctx, "SELECT id, subject, closed_at FROM privacy_request WHERE closed_at > 0 AND closed_at < $1", until)
		}},
		{Class: class, Tables: []string{"privacy_hold"}, Items: func(ctx context.Context, until civil.Day) ([]retention.Item, error) {
			return s.ended(ctx, `SELECT id, subject, CASE WHEN ended_at > 0 THEN ended_at ELSE until END FROM privacy_hold
				WHERE CASE WHEN ended_at > 0 THEN ended_at ELSE until END < $1`, until)
		}},
	}
}

func (s *Service) ended(ctx context.Context, text string, until civil.Day) ([]retention.Item, error) {
	return db.Select(ctx, s.d.DB, func(r db.Row) (i retention.Item, err error) {
		var at int64
		err = r.Scan(&i.ID, &i.Subject, &at)
		i.From = civil.DayOf(db.FromMicros(at))
		return i, err
	}, text, db.Micros(until.End()))
}
