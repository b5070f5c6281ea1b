package invoice

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/control/order"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
)

// progress is how far the backfill is.
type progress struct {
	after string
	done  int64
}

const oldOrders = "orders"

func progressIn(ctx context.Context, q db.Q) (progress, error) {
	p, err := db.Get(ctx, q, ErrNotFound, func(r db.Row) (p progress, err error) { return p, r.Scan(&p.after, &p.done) },
		"SELECT after, done_at FROM invoice_backfill WHERE kind = $1", oldOrders)
	if errs.IsNotFound(err) {
		return progress{}, nil
	}
	return p, err
}

// Backfill issues the documents of orders that were paid before there were any, by
// order of their ids, dated the day on which it does so: numbers count in the order
// of issue, and a document is not dated back. Each order is a transaction, with how
// far it is; stopped anywhere it goes on there, and once it is done it does nothing.
func (s *Service) Backfill(ctx context.Context) error {
	for {
		done, err := s.backfillSome(ctx)
		if err != nil || done {
			return err
		}
	}
}

func (s *Service) backfillSome(ctx context.Context) (done bool, err error) {
	p, err := progressIn(ctx, s.d.DB)
	if err != nil || p.done > 0 {
		return true, err
	}
	all, err := s.d.Orders.PaidAfter(ctx, s.d.DB, p.after, 100)
	if err != nil {
		return false, err
	}
	for _, o := range all {
		if err := s.backfillOrder(ctx, o); err != nil {
			return false, err
		}
		fault.Point("invoice-after-backfill")
	}
	if len(all) > 0 {
		return false, nil
	}
	return true, s.d.DB.InTx(ctx, func(tx *db.Tx) error { return saveProgress(ctx, tx, p.after, db.Micros(s.d.Clock.Now())) })
}

func (s *Service) backfillOrder(ctx context.Context, o order.Order) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		if _, err := s.invoiceTx(ctx, tx, o); err != nil {
			return err
		}
		refunds, err := s.d.Payments.SettledIn(ctx, tx, o.ID)
		if err != nil {
			return err
		}
		for _, r := range refunds {
			if err := s.RefundedTx(ctx, tx, r); err != nil {
				return err
			}
		}
		return saveProgress(ctx, tx, o.ID, 0)
	})
}

func saveProgress(ctx context.Context, tx *db.Tx, after string, done int64) error {
	_, err := tx.Exec(ctx, `INSERT INTO invoice_backfill (kind, after, done_at) VALUES ($1, $2, $3)
		ON CONFLICT (kind) DO UPDATE SET after = excluded.after, done_at = excluded.done_at`, oldOrders, after, done)
	return err
}
