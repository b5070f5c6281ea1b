package ticket

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
)

// Stocks are the tickets that were closed.
func (s *Service) Stocks() []retention.Stock {
	return []retention.Stock{{
		Class: class, Tables: []string{"ticket_ticket", "ticket_message", "ticket_note", "ticket_file"}, Items: s.over, End: s.end,
	}}
}

// Retain fills retention.Keeper.
func (s *Service) Retain(ctx context.Context, run retention.Run) ([]retention.Result, error) {
	return retention.RetainAll(ctx, run, s.Stocks()...)
}

func (s *Service) over(ctx context.Context, until civil.Day) ([]retention.Item, error) {
	return db.Select(ctx, s.d.DB, func(r db.Row) (i retention.Item, err error) {
		var at int64
		err = r.Scan(&i.ID, &i.Subject, &at)
		i.From = civil.DayOf(db.FromMicros(at))
		return i, err
	}, "SELECT id, subject, closed_at FROM ticket_ticket WHERE closed_at > 0 AND closed_at < $1 ORDER BY closed_at, id", db.Micros(until.End()))
}

// end destroys the key first: killed after that, the next night finds the rows
// again; the other way round nobody would find the key.
func (s *Service) end(ctx context.Context, i retention.Item) error {
	if err := s.d.Vault.DestroyClass(ctx, i.Subject, keyOf(i.ID)); err != nil {
		return err
	}
	fault.Point("retention-after-ticket-key")
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		for _, text := range []string{
			"DELETE FROM ticket_file WHERE ticket = $1", "DELETE FROM ticket_note WHERE ticket = $1",
			"DELETE FROM ticket_message WHERE ticket = $1", "DELETE FROM ticket_ticket WHERE id = $1",
		} {
			if _, err := tx.Exec(ctx, text, i.ID); err != nil {
				return err
			}
		}
		return nil
	})
}
