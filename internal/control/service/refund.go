package service

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// PaidBy returns the time that an order line has paid, read by q; ErrNotFound
// before it is delivered.
func (s *Service) PaidBy(ctx context.Context, q db.Q, line string) (from, until time.Time, err error) {
	p, err := db.Get(ctx, q, ErrNotFound, scanPeriod, periodColumns+" WHERE line = $1", line)
	return p.Start, p.End, err
}

// HoldRefund stops a service while the money for it is on its way back. One that
// could not be made, or is over, stays as it is; one that is being made is
// ErrTransition: ask again when it is known what became of it.
func (s *Service) HoldRefund(ctx context.Context, service string) error {
	v, err := byID(ctx, s.d.DB, service)
	if err != nil {
		return err
	}
	switch v.State {
	case Active, Suspended:
		return s.Suspend(ctx, service, RefundPending)
	case Pending, Provisioning:
		return ErrTransition.With("state", string(v.State)).With("event", string(Refund))
	}
	return nil
}

// EndRefund ends a service whose money is back.
func (s *Service) EndRefund(ctx context.Context, service string) error {
	v, err := byID(ctx, s.d.DB, service)
	if err != nil {
		return err
	}
	switch v.State {
	case Active, Suspended:
		return s.Terminate(ctx, service)
	case ProvisionFailed:
		return s.change(ctx, service, func(tx *db.Tx, v Item) (Item, error) {
			to, err := v.State.next(Refund)
			if err != nil {
				return v, err
			}
			v.State = to
			return v, s.record(ctx, tx, v, "service.cancelled")
		})
	}
	return nil
}

// DropRefund lets a service run again whose money stays. One that is over stays.
func (s *Service) DropRefund(ctx context.Context, service string) error {
	v, err := byID(ctx, s.d.DB, service)
	if err != nil || v.State != Suspended {
		return err
	}
	return s.Resume(ctx, service, RefundPending)
}
