package order

import (
	"context"
	"errors"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/service"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

// expire ends the time to pay of an order that still waits; other states stay.
func (s *Service) expire(ctx context.Context, orderID string) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		o, err := lockOrder(ctx, tx, orderID)
		if err != nil || o.State != PendingPayment {
			return err
		}
		now := s.d.Clock.Now()
		if now.Before(o.ExpiresAt) {
			return nil // it was given longer, and a job for then
		}
		next, err := o.Expire(now)
		if err != nil {
			return err
		}
		_, err = s.moveTx(ctx, tx, o, next, TopicExpired, system)
		return err
	})
}

// ExtendTx gives an order that waits for payment until a later time, because money
// is on its way that takes longer. An earlier time changes nothing.
func (s *Service) ExtendTx(ctx context.Context, tx *db.Tx, orderID string, until time.Time) (Order, error) {
	o, err := lockOrder(ctx, tx, orderID)
	if err != nil || !until.After(o.ExpiresAt) {
		return o, err
	}
	if !o.Payable() {
		return o, ErrTransition.With("state", string(o.State)).With("event", "extend")
	}
	err = tx.ExecOne(ctx, db.ErrRetry, "UPDATE order_order SET expires_at = $1, version = version + 1 WHERE id = $2 AND version = $3",
		db.Micros(until), o.ID, o.Version)
	if err != nil {
		return o, err
	}
	o.ExpiresAt, o.Version = until, o.Version+1
	return o, s.d.Queue.EnqueueTx(ctx, tx, job.Job{Kind: jobExpire, Payload: Changed{o.ID, o.Account}, RunAt: until})
}

// start notes that delivery of a paid order has begun.
func (s *Service) start(ctx context.Context, orderID string) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		o, err := lockOrder(ctx, tx, orderID)
		if err != nil || o.State != Paid {
			return err
		}
		next, err := o.Apply(Start, s.d.Clock.Now())
		if err != nil {
			return err
		}
		_, err = s.moveTx(ctx, tx, o, next, "", system)
		return err
	})
}

// deliver takes what became of a line from the module service.
func (s *Service) deliver(ctx context.Context, c service.Changed) error {
	err := s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		return s.MarkFulfilledTx(ctx, tx, c.Order, c.Line, c.Service, c.Problem)
	})
	if errors.Is(err, ErrNotFound) {
		return nil // a service that no order made
	}
	return err
}

// RetryDelivery has the lines that failed made again, for staff with
// order.retry, after what was wrong is mended. It returns the order as it is
// now; ErrTransition if no line has failed. Doing it twice does it once.
func (s *Service) RetryDelivery(ctx context.Context, p account.Principal, orderID string) (Order, error) {
	if !p.Can(account.PermOrderRetry) {
		return Order{}, ErrNotOwner
	}
	o, err := getOrder(ctx, s.d.DB, orderID)
	if err != nil {
		return o, err
	}
	if o.State == Refunding || o.State == Refunded {
		return o, ErrTransition.With("state", string(o.State)).With("event", string(Retry))
	}
	tried := 0
	for _, l := range o.Lines {
		if l.State != LineFailed || l.Service == "" || o.Kind != KindNew {
			continue
		}
		if err := s.d.Services.RetryProvision(ctx, p, l.Service); err != nil && !errors.Is(err, service.ErrTransition) {
			return o, err
		}
		tried++
	}
	if tried == 0 {
		return o, ErrTransition.With("state", string(o.State)).With("event", string(Retry))
	}
	return o, nil
}

// MarkFulfilledTx records the outcome of a line: the service that delivers it,
// or the code of a final problem. A repeated outcome changes nothing.
func (s *Service) MarkFulfilledTx(ctx context.Context, tx *db.Tx, orderID, line, serviceID, problem string) error {
	o, err := lockOrder(ctx, tx, orderID)
	if err != nil {
		return err
	}
	next, err := o.Deliver(line, serviceID, problem, s.d.Clock.Now())
	if err != nil {
		return err
	}
	for i, l := range next.Lines {
		if l.State == o.Lines[i].State && l.Service == o.Lines[i].Service {
			continue
		}
		if err := updateLine(ctx, tx, l); err != nil {
			return err
		}
	}
	if next.State == o.State {
		return nil
	}
	topic := ""
	switch next.State {
	case Completed:
		topic = topicCompleted
	case NeedsAttention, PartiallyFulfilled:
		topic = topicAttention
		s.d.Log.WarnContext(ctx, "order needs attention", "order", o.ID, "state", string(next.State))
	}
	_, err = s.moveTx(ctx, tx, o, next, topic, system)
	return err
}

const (
	topicCompleted = "order.completed"
	topicAttention = "order.needs_attention"
)

// OrderLines fills the port of the module service: the lines of a paid order.
// ErrNotFound for one that is not paid (yet, or any more).
func (s *Service) OrderLines(ctx context.Context, orderID string) ([]service.Line, error) {
	o, err := getOrder(ctx, s.d.DB, orderID)
	if err != nil {
		return nil, err
	}
	switch o.State {
	case Paid, Fulfilling, Completed, PartiallyFulfilled, NeedsAttention:
	default:
		return nil, ErrNotFound
	}
	var lines []service.Line
	for _, l := range o.Lines {
		lines = append(lines, service.Line{
			ID: l.ID, Order: o.ID, Account: o.Account, Subject: o.Subject, Kind: string(o.Kind),
			Product: l.Product, Region: l.Region, Options: l.Options, Configuration: l.Configuration, Months: l.Months, Service: l.Service,
			Amount: l.Amount, PaidAt: o.PaidAt, Shares: l.Shares,
		})
	}
	return lines, nil
}
