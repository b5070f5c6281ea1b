package order

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
)

// class is the retention class of orders.
const class = "order"

// Keeps fills audit.Things.
func (s *Service) Keeps(ctx context.Context, _ retention.Run, of string, subject id.Handle, began time.Time) (bool, error) {
	if of != class || subject == "" {
		return false, nil
	}
	n, err := db.Get(ctx, s.d.DB, nil, db.One[int64], "SELECT count(*) FROM order_order WHERE subject = $1 AND placed_at <= $2", string(subject), db.Micros(began))
	return n > 0, err
}

// Stocks are the orders that are over: the three years of E-Commerce Law article 31
// begin when the time that an order paid for is over, or with its end where nothing
// was delivered or all was paid back.
func (s *Service) Stocks() []retention.Stock {
	return []retention.Stock{{
		Class: class, Tables: []string{"order_order", "order_line", "order_upgrade"}, Items: s.over, End: s.end,
	}}
}

// Retain fills retention.Keeper.
func (s *Service) Retain(ctx context.Context, run retention.Run) ([]retention.Result, error) {
	return retention.RetainAll(ctx, run, s.Stocks()...)
}

// An order that some lines of failed for good has no end of its own until they are
// settled: what it delivered counts from its payment.
func (s *Service) over(ctx context.Context, until civil.Day) ([]retention.Item, error) {
	type ended struct {
		id                            string
		subject                       id.Handle
		state                         State
		placed, paid, at, starts, has int64
	}
	all, err := db.Select(ctx, s.d.DB, func(r db.Row) (e ended, err error) {
		return e, r.Scan(&e.id, &e.subject, &e.state, &e.placed, &e.paid, &e.at, &e.starts, &e.has)
	}, `SELECT o.id, o.subject, o.state, o.placed_at, o.paid_at, o.ended_at,
		COALESCE((SELECT MAX(l.starts_at) FROM order_line l WHERE l.order_id = o.id AND l.state = 'delivered'), 0),
		COALESCE((SELECT MAX(l.months) FROM order_line l WHERE l.order_id = o.id AND l.state = 'delivered'), 0)
		FROM order_order o WHERE o.placed_at < $1 AND (o.ended_at > 0 OR o.state = 'partially_fulfilled') ORDER BY o.placed_at, o.id`,
		db.Micros(until.End()))
	if err != nil {
		return nil, err
	}
	var items []retention.Item
	for _, e := range all {
		from := civil.DayOf(db.FromMicros(max(e.at, e.paid, e.placed)))
		if !e.state.Terminal() {
			from = civil.DayOf(db.FromMicros(max(e.at, e.paid, e.starts))).AddMonths(int(e.has))
		}
		if !until.Before(from) {
			items = append(items, retention.Item{ID: e.id, Subject: e.subject, From: from})
		}
	}
	return items, nil
}

func (s *Service) end(ctx context.Context, i retention.Item) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		for _, text := range []string{
			"DELETE FROM order_upgrade WHERE order_id = $1",
			"DELETE FROM order_line WHERE order_id = $1",
			"DELETE FROM order_order WHERE id = $1",
		} {
			if _, err := tx.Exec(ctx, text, i.ID); err != nil {
				return err
			}
		}
		return nil
	})
}
