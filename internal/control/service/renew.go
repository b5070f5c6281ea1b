package service

import (
	"context"
	"slices"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

// ErrPeriod says that a period is paid already.
var ErrPeriod = errs.New(errs.Conflict, "service.period_paid")

// renew advances the paid time by a paid line, exactly once: the line has one
// period, and a period has one line. A service that has ended meanwhile is not
// renewed, and the order hears so.
func (s *Service) renew(ctx context.Context, l Line) error {
	terms, err := s.terms(ctx, s.d.DB)
	if err != nil {
		return err
	}
	return s.change(ctx, l.Service, func(tx *db.Tx, v Item) (Item, error) {
		if v.Account != l.Account {
			return v, job.Final(ErrNotFound)
		}
		if _, err := periodOfLine(ctx, tx, l.ID); err == nil || !errs.IsNotFound(err) {
			return v, unlessKnown(err)
		}
		next, p, err := v.renewed(l, terms.of(v.Product).graceEnd(v.PaidThrough), s.d.Clock.Now())
		if err != nil {
			return v, s.renewFailedTx(ctx, tx, v, l, ErrTransition.Code)
		}
		if err := s.openPeriodTx(ctx, tx, p, l.Amount); err != nil {
			return v, err
		}
		fault.Point("service-before-renewed")
		if v.State != next.State {
			if err := s.turnedTx(ctx, tx, next, TopicResumed, Overdue); err != nil {
				return v, err
			}
		}
		told := next
		told.Order, told.Line = l.Order, l.ID
		e := told.changed()
		e.Date = day(next.PaidThrough)
		return next, s.publishTx(ctx, tx, told, TopicRenewed, e)
	})
}

// unlessKnown is errNothing for what was done before.
func unlessKnown(err error) error {
	if err == nil {
		return errNothing
	}
	return err
}

func (s *Service) renewFailedTx(ctx context.Context, tx *db.Tx, v Item, l Line, problem string) error {
	v.Order, v.Line, v.Problem = l.Order, l.ID, problem
	if err := s.tell(ctx, tx, v, TopicRenewFailed); err != nil {
		return err
	}
	return nil
}

// Suspended reports whether the service is suspended for a reason.
func (v Item) Suspended(r Reason) bool { return slices.Contains(v.Reasons, r) }

// graceEnd is until when a late payment goes on from the end of the paid time;
// zero where nothing is suspended for being overdue.
func (t Terms) graceEnd(paidThrough time.Time) time.Time {
	if t.Suspend.Off {
		return time.Time{}
	}
	return paidThrough.Add(t.Suspend.span())
}
