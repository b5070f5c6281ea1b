package age

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
)

// readClass is the class of what was asked about minors, and by whom it was approved.
const readClass = "disclosure"

// Retain deletes the questions about readings of minors when the floor after them is
// over. It fills retention.Keeper.
func (s *Service) Retain(ctx context.Context, run retention.Run) ([]retention.Result, error) {
	type asked struct {
		subject     id.Handle
		rows, first int64
	}
	end := db.Micros(retention.LastPast(readClass, run.Today()).End())
	all, err := db.Select(ctx, s.d.DB, func(r db.Row) (a asked, err error) { return a, r.Scan(&a.subject, &a.rows, &a.first) },
		"SELECT subject, count(*), min(asked_at) FROM age_read WHERE asked_at < $1 GROUP BY subject", end)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	sum := retention.Result{Class: readClass}
	for _, a := range all {
		sum.Examined += a.rows
		if run.Overdue(readClass, civil.DayOf(db.FromMicros(a.first))) {
			sum.Overdue += a.rows
		}
		if run.Held(readClass, a.subject) {
			sum.Held += a.rows
			continue
		}
		err := s.d.DB.InTx(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, "DELETE FROM age_read WHERE subject = $1 AND asked_at < $2", string(a.subject), end)
			return err
		})
		if err != nil {
			return nil, err
		}
		sum.Destroyed += a.rows
	}
	return []retention.Result{sum}, nil
}
