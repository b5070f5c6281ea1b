package consent

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
)

// class is the retention class of acts.
const class = "consent"

// Keeps fills audit.Things.
func (s *Service) Keeps(ctx context.Context, _ retention.Run, of string, subject id.Handle, began time.Time) (bool, error) {
	if of != class || subject == "" {
		return false, nil
	}
	n, err := db.Get(ctx, s.d.DB, nil, db.One[int64], "SELECT count(*) FROM consent_event WHERE subject = $1 AND at <= $2", string(subject), db.Micros(began))
	return n > 0, err
}

// Stocks are the acts whose purpose has ended: with the next act of the same
// series, or by refusing or withdrawing. A grant that is in force never goes.
func (s *Service) Stocks() []retention.Stock {
	return []retention.Stock{{Class: class, Tables: []string{"consent_event"}, Items: s.over, End: s.end}}
}

// Retain fills retention.Keeper.
func (s *Service) Retain(ctx context.Context, run retention.Run) ([]retention.Result, error) {
	return retention.RetainAll(ctx, run, s.Stocks()...)
}

func (s *Service) over(ctx context.Context, until civil.Day) ([]retention.Item, error) {
	return db.Select(ctx, s.d.DB, func(r db.Row) (i retention.Item, err error) {
		var from int64
		err = r.Scan(&i.ID, &i.Subject, &from)
		i.From = civil.DayOf(db.FromMicros(from))
		return i, err
	}, `SELECT id, subject, ended FROM (
		SELECT e.id, e.subject, e.seq, COALESCE((SELECT MIN(n.at) FROM consent_event n WHERE n.subject = e.subject AND n.purpose = e.purpose AND n.seq > e.seq),
			CASE WHEN e.decision <> 'grant' THEN e.at ELSE 0 END) AS ended FROM consent_event e) over
		WHERE ended > 0 AND ended < $1 ORDER BY ended, seq`, db.Micros(until.End()))
}

// end deletes the oldest act of a series only: a withdrawal that went before what it
// withdrew would open the gate again.
func (s *Service) end(ctx context.Context, i retention.Item) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(ctx, `DELETE FROM consent_event WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM consent_event o
			WHERE o.subject = consent_event.subject AND o.purpose = consent_event.purpose AND o.seq < consent_event.seq)`, i.ID)
		if err != nil || n == 1 {
			return err
		}
		left, err := db.Get(ctx, tx, nil, db.One[int64], "SELECT count(*) FROM consent_event WHERE id = $1", i.ID)
		if err == nil && left > 0 {
			return retention.ErrLater
		}
		return err
	})
}
