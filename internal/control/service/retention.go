package service

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
)

// class is the retention class of what was bought.
const class = "order"

// Keeps fills audit.Things.
func (s *Service) Keeps(ctx context.Context, _ retention.Run, of string, subject id.Handle, began time.Time) (bool, error) {
	if of != class || subject == "" {
		return false, nil
	}
	n, err := db.Get(ctx, s.d.DB, nil, db.One[int64], "SELECT count(*) FROM service_item WHERE subject = $1 AND created_at <= $2 AND state IN ('terminated', 'cancelled')",
		string(subject), db.Micros(began))
	return n > 0, err
}

// Stocks are services that are over, counted from the end of what was paid for; and
// paid changes and periods of any service, counted from their own end. What was paid
// for ends within 36 months, so that nothing living rests on a change that goes, and
// the end of a service is counted from its anchor, not from its periods.
func (s *Service) Stocks() []retention.Stock {
	return []retention.Stock{
		{Class: class, Tables: []string{"service_change"}, Items: s.overChanges, End: s.endChange},
		{Class: class, Tables: []string{"service_period"}, Items: s.overPeriods, End: s.endPeriod},
		{Class: class, Tables: []string{"service_earning"}, Items: s.overEarnings, End: s.endEarning},
		{Class: class, Tables: []string{"service_item", "service_change", "service_period", "service_earning"}, Items: s.overItems, End: s.endItem},
	}
}

// Retain fills retention.Keeper.
func (s *Service) Retain(ctx context.Context, run retention.Run) ([]retention.Result, error) {
	return retention.RetainAll(ctx, run, s.Stocks()...)
}

func scanOver(r db.Row) (i retention.Item, err error) {
	var from int64
	err = r.Scan(&i.ID, &i.Subject, &from)
	i.From = civil.DayOf(db.FromMicros(from))
	return i, err
}

func (s *Service) overChanges(ctx context.Context, until civil.Day) ([]retention.Item, error) {
	return db.Select(ctx, s.d.DB, scanOver, `SELECT c.line, COALESCE((SELECT i.subject FROM service_item i WHERE i.id = c.service), ''), c.ended_at
		FROM service_change c WHERE c.ended_at > 0 AND c.ended_at < $1 ORDER BY c.ended_at, c.line`, db.Micros(until.End()))
}

func (s *Service) endChange(ctx context.Context, i retention.Item) error {
	return s.delete(ctx, i.ID, "DELETE FROM service_change WHERE line = $1 AND ended_at > 0")
}

func (s *Service) overPeriods(ctx context.Context, until civil.Day) ([]retention.Item, error) {
	return db.Select(ctx, s.d.DB, scanOver, `SELECT p.line, COALESCE((SELECT i.subject FROM service_item i WHERE i.id = p.service), ''), p.period_end
		FROM service_period p WHERE p.period_end < $1 ORDER BY p.period_end, p.line`, db.Micros(until.End()))
}

func (s *Service) endPeriod(ctx context.Context, i retention.Item) error {
	return s.delete(ctx, i.ID, "DELETE FROM service_period WHERE line = $1")
}

// overEarnings are of lines of which everything is earned.
func (s *Service) overEarnings(ctx context.Context, until civil.Day) ([]retention.Item, error) {
	return db.Select(ctx, s.d.DB, scanOver, `SELECT e.line, COALESCE(MAX(i.subject), ''), MAX(e.period_end)
		FROM service_earning e LEFT JOIN service_item i ON i.id = e.service
		GROUP BY e.line HAVING MAX(e.period_end) < $1 AND MIN(e.earned_at) > 0 ORDER BY MAX(e.period_end), e.line`, db.Micros(until.End()))
}

func (s *Service) endEarning(ctx context.Context, i retention.Item) error {
	return s.delete(ctx, i.ID, "DELETE FROM service_earning WHERE line = $1")
}

func (s *Service) overItems(ctx context.Context, until civil.Day) ([]retention.Item, error) {
	return db.Select(ctx, s.d.DB, scanOver, `SELECT id, subject, since FROM (
		SELECT id, subject, CASE WHEN paid_through > created_at THEN paid_through ELSE created_at END AS since
		FROM service_item WHERE state IN ('terminated', 'cancelled')) over WHERE since < $1 ORDER BY since, id`, db.Micros(until.End()))
}

func (s *Service) endItem(ctx context.Context, i retention.Item) error {
	return s.delete(ctx, i.ID, "DELETE FROM service_change WHERE service = $1", "DELETE FROM service_period WHERE service = $1",
		"DELETE FROM service_earning WHERE service = $1", "DELETE FROM service_item WHERE id = $1 AND state IN ('terminated', 'cancelled')")
}

// delete does all that name one thing.
func (s *Service) delete(ctx context.Context, what string, texts ...string) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		for _, text := range texts {
			if _, err := tx.Exec(ctx, text, what); err != nil {
				return err
			}
		}
		return nil
	})
}
