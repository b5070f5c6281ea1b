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

// Stocks are services that are over, counted from the end of what was paid for, and
// paid changes of any service, counted from their own end. What was paid for ends
// within 36 months, so that nothing living rests on a change that goes.
func (s *Service) Stocks() []retention.Stock {
	return []retention.Stock{
		{Class: class, Tables: []string{"service_change"}, Items: s.overChanges, End: s.endChange},
		{Class: class, Tables: []string{"service_item", "service_change"}, Items: s.overItems, End: s.endItem},
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
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "DELETE FROM service_change WHERE line = $1 AND ended_at > 0", i.ID)
		return err
	})
}

func (s *Service) overItems(ctx context.Context, until civil.Day) ([]retention.Item, error) {
	return db.Select(ctx, s.d.DB, scanOver, `SELECT id, subject, since FROM (
		SELECT id, subject, CASE WHEN paid_through > created_at THEN paid_through ELSE created_at END AS since
		FROM service_item WHERE state IN ('terminated', 'cancelled')) over WHERE since < $1 ORDER BY since, id`, db.Micros(until.End()))
}

func (s *Service) endItem(ctx context.Context, i retention.Item) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, "DELETE FROM service_change WHERE service = $1", i.ID); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "DELETE FROM service_item WHERE id = $1 AND state IN ('terminated', 'cancelled')", i.ID)
		return err
	})
}
