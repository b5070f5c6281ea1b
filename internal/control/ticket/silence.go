package ticket

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// silence tells people once that an answer waits for them, resolves what stays
// silent, and closes what was resolved: one ticket a transaction, so that none
// keeps the others.
func (s *Service) silence(ctx context.Context) error {
	now := s.d.Clock.Now()
	all, err := db.Select(ctx, s.d.DB, scan, columns+" WHERE state IN ('awaiting_customer', 'resolved') AND changed_at <= $1 ORDER BY changed_at, id LIMIT 2000",
		db.Micros(now.Add(-min(remindAfter, closeAfter))))
	if err != nil {
		return err
	}
	var failed []error
	for _, t := range all {
		err := s.d.DB.InTx(ctx, func(tx *db.Tx) error { return s.silentTx(ctx, tx, t.ID, now) })
		if err != nil && errs.KindOf(err) != errs.Conflict {
			failed = append(failed, fmt.Errorf("ticket %s: %w", t.ID, err))
		}
	}
	return errors.Join(failed...)
}

func (s *Service) silentTx(ctx context.Context, tx *db.Tx, ticket string, now time.Time) error {
	t, err := byID(ctx, tx, ticket)
	if err != nil {
		return err
	}
	silent, nobody := now.Sub(t.ChangedAt), account.Principal{}
	switch {
	case t.State == Resolved && silent >= closeAfter:
		_, err := s.moveTx(ctx, tx, nobody, t, MoveClose)
		return err
	case t.State == Awaiting && silent >= resolveAfter:
		if t, err = s.moveTx(ctx, tx, nobody, t, MoveResolve); err != nil {
			return err
		}
		return s.publishTx(ctx, tx, TopicResolved, t)
	case t.State == Awaiting && silent >= remindAfter && t.reminded.IsZero():
		t.reminded = now
		if err := updateTx(ctx, tx, t); err != nil {
			return err
		}
		return s.publishTx(ctx, tx, TopicWaiting, t)
	}
	return nil
}
