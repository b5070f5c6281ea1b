package legalorder

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// Approve adds an approver; the second makes the order ready. ErrSamePerson for
// who entered it, approved it already or is whom it is about.
func (s *Service) Approve(ctx context.Context, p account.Principal, order string) (Order, error) {
	return s.decide(ctx, p, order, "legalorder.approved", func(tx *db.Tx, o *Order) error {
		n, err := tx.Exec(ctx, "INSERT INTO legalorder_approval (order_id, approver, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
			o.ID, string(p.Subject), db.Micros(s.d.Clock.Now()))
		if err != nil {
			return err
		}
		if n == 0 && !mutant.Off("LT-3d") {
			return ErrSamePerson
		}
		o.Approvers = append(o.Approvers, p.Subject)
		if len(o.Approvers) >= approvers {
			o.State = Approved
		}
		return nil
	})
}

// Refuse ends an order that nobody will carry out.
func (s *Service) Refuse(ctx context.Context, p account.Principal, order string) (Order, error) {
	return s.decide(ctx, p, order, "legalorder.refused", func(_ *db.Tx, o *Order) error {
		o.State, o.EndedBy, o.EndedAt = Refused, p.Subject, s.d.Clock.Now()
		return nil
	})
}

// decide changes an order that waits for approvers.
func (s *Service) decide(ctx context.Context, p account.Principal, order, kind string, change func(*db.Tx, *Order) error) (o Order, err error) {
	err = s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		if o, err = load(ctx, tx, order); err != nil {
			return err
		}
		switch {
		case o.State != Entered:
			return ErrState.With("state", o.State)
		case !o.live(s.d.Clock.Now()):
			return ErrEnded
		case (o.EnteredBy == p.Subject || o.about(p.Subject)) && !mutant.Off("LT-3d"):
			return ErrSamePerson
		}
		if err := change(tx, &o); err != nil {
			return err
		}
		if err := update(ctx, tx, o); err != nil {
			return err
		}
		return s.leaf(ctx, tx, kind, p, o)
	})
	return o, err
}

// approved loads an order that may be carried out now.
func (s *Service) approved(ctx context.Context, order string) (Order, error) {
	o, err := load(ctx, s.d.DB, order)
	if err != nil {
		return o, err
	}
	return o, o.ready(s)
}

// ready says why an order may not be carried out; it asks the approvals again,
// not the state alone.
func (o Order) ready(s *Service) error {
	if mutant.Off("LT-3d") {
		return nil
	}
	different := map[id.Handle]bool{}
	for _, a := range o.Approvers {
		different[a] = a != o.EnteredBy && !o.about(a)
	}
	count := 0
	for _, ok := range different {
		if ok {
			count++
		}
	}
	switch {
	case o.State == Executed || o.State == Refused:
		return ErrState.With("state", o.State)
	case o.State != Approved || count < approvers:
		return ErrNotApproved
	case !o.live(s.d.Clock.Now()):
		return ErrEnded
	}
	return o.lawfulAbroad(s.d.Home)
}
