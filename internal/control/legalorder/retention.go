package legalorder

import (
	"context"
	"errors"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
)

const class = "legal_order"

// Keeps fills audit.Things.
func (s *Service) Keeps(ctx context.Context, _ retention.Run, of string, subject id.Handle, began time.Time) (bool, error) {
	if of != class || subject != "" {
		return false, nil // entries about orders are about nobody
	}
	n, err := db.Get(ctx, s.d.DB, nil, db.One[int64], "SELECT count(*) FROM legalorder_order WHERE entered_at <= $1", db.Micros(began))
	return n > 0, err
}

// Retain deletes orders whose floor is over, counted from the day of their end,
// with the keys of what was sealed for them. It fills retention.Keeper.
func (s *Service) Retain(ctx context.Context, run retention.Run) ([]retention.Result, error) {
	all, err := db.Select(ctx, s.d.DB, scan, "SELECT "+columns+" FROM legalorder_order ORDER BY id")
	if err != nil {
		return nil, err
	}
	sum := retention.Result{Class: class}
	for _, o := range all {
		day := civil.DayOf(o.Expires)
		if run.Today().Before(retention.MayGo(class, day)) {
			continue
		}
		if o, err = with(ctx, s.d.DB, o); err != nil {
			return nil, err
		}
		sum.Examined++
		if run.Overdue(class, day) {
			sum.Overdue++
		}
		if held(run, o.Scope.Subjects) {
			sum.Held++
			continue
		}
		if err := s.remove(ctx, o.ID); err != nil {
			return nil, err
		}
		sum.Destroyed++
	}
	return []retention.Result{sum}, nil
}

func held(run retention.Run, subjects []id.Handle) bool {
	for _, h := range subjects {
		if run.Held(class, h) {
			return true
		}
	}
	return false
}

func (s *Service) remove(ctx context.Context, order string) error {
	err := errors.Join(s.d.Vault.DestroySystem(ctx, scanName(order)), s.d.Vault.DestroySystem(ctx, packageName(order)),
		s.d.Audit.Forget(ctx, class, "", order))
	if err != nil {
		return err
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		for _, statement := range []string{
			"DELETE FROM legalorder_approval WHERE order_id = $1", "DELETE FROM legalorder_subject WHERE order_id = $1",
			"DELETE FROM legalorder_order WHERE id = $1",
		} {
			if _, err := tx.Exec(ctx, statement, order); err != nil {
				return err
			}
		}
		return nil
	})
}
