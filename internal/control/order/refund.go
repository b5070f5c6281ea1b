package order

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

const (
	topicRefunding = "order.refunding"
	topicRefunded  = "order.refunded"
)

// Refundable reports whether the order is one that money may go back of: paid,
// and not being delivered at this moment.
func (o Order) Refundable() bool {
	return o.State == Completed || o.State == PartiallyFulfilled || o.State == NeedsAttention
}

// BeginRefundTx notes in the caller's transaction that the whole total is on its
// way back; an order of which that is noted already stays as it is.
// ErrTransition for one that money cannot go back of.
func (s *Service) BeginRefundTx(ctx context.Context, tx *db.Tx, orderID string) error {
	o, err := lockOrder(ctx, tx, orderID)
	if err != nil || o.State == Refunding {
		return err
	}
	event := RefundFull
	if o.State == NeedsAttention {
		event = Refund
	}
	next, err := o.Apply(event, s.d.Clock.Now())
	if err != nil {
		return err
	}
	_, err = s.moveTx(ctx, tx, o, next, topicRefunding, system)
	return err
}

// EndRefundTx notes how it ended. An order that is not being refunded stays.
func (s *Service) EndRefundTx(ctx context.Context, tx *db.Tx, orderID string, ok bool) error {
	o, err := lockOrder(ctx, tx, orderID)
	if err != nil || o.State != Refunding {
		return err
	}
	event, topic := RefundOK, topicRefunded
	if !ok {
		event, topic = RefundFailed, topicAttention
	}
	next, err := o.Apply(event, s.d.Clock.Now())
	if err != nil {
		return err
	}
	_, err = s.moveTx(ctx, tx, o, next, topic, system)
	return err
}

// KeepTx notes that a refund that failed was given up: what was delivered whole
// is a completed order again.
func (s *Service) KeepTx(ctx context.Context, tx *db.Tx, orderID string) error {
	o, err := lockOrder(ctx, tx, orderID)
	if err != nil || o.State != NeedsAttention {
		return err
	}
	for _, l := range o.Lines {
		if l.State != LineDelivered {
			return nil
		}
	}
	next, err := o.Apply(Resolve, s.d.Clock.Now())
	if err != nil {
		return err
	}
	_, err = s.moveTx(ctx, tx, o, next, topicCompleted, system)
	return err
}

// SettleFailedTx notes that the lines that could not be delivered were paid back.
func (s *Service) SettleFailedTx(ctx context.Context, tx *db.Tx, orderID string) error {
	o, err := lockOrder(ctx, tx, orderID)
	if err != nil {
		return err
	}
	for i, l := range o.Lines {
		if l.State != LineFailed {
			continue
		}
		l.State = LineRefunded
		o.Lines[i] = l
		if err := updateLine(ctx, tx, l); err != nil {
			return err
		}
	}
	if o.State != PartiallyFulfilled {
		return nil
	}
	next, err := o.settleLines(s.d.Clock.Now())
	if err != nil {
		return err
	}
	_, err = s.moveTx(ctx, tx, o, next, topicCompleted, system)
	return err
}

// Changed reports whether anything that the order bought was upgraded or renewed
// since, by an order that is paid, read by q.
func (s *Service) Changed(ctx context.Context, q db.Q, o Order) (bool, error) {
	for _, l := range o.Lines {
		if l.Service == "" {
			continue
		}
		n, err := db.Get(ctx, q, nil, db.One[int64], `SELECT count(*) FROM order_line l JOIN order_order o ON o.id = l.order_id
			WHERE l.service_id = $1 AND o.id <> $2 AND o.state NOT IN ('draft', 'pending_payment', 'cancelled', 'expired', 'refunded')`, l.Service, o.ID)
		if err != nil || n > 0 {
			return n > 0, err
		}
	}
	return false, nil
}
