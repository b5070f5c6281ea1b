package service

import (
	"context"
	"strconv"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// Errors of what a customer or staff ask for.
var (
	ErrStaffOnly   = errs.New(errs.Forbidden, "service.staff_only")
	ErrReason      = errs.New(errs.Unprocessable, "service.reason_invalid")
	ErrNoAutoRenew = errs.New(errs.Unprocessable, "service.auto_renew_unavailable")
)

// SetAutoRenew has renewals paid from the wallet, or not. It is off until the
// customer chooses it. ErrNoAutoRenew where there is no wallet.
func (s *Service) SetAutoRenew(ctx context.Context, p account.Principal, service string, on bool) (Item, error) {
	return s.choose(ctx, p, service, choice{"service.auto_renew", !on || s.d.AutoRenew, ErrNoAutoRenew}, on, func(v *Item) *bool { return &v.AutoRenew })
}

// SetCancelAtEnd ends the service when its paid time is over, or not.
func (s *Service) SetCancelAtEnd(ctx context.Context, p account.Principal, service string, on bool) (Item, error) {
	return s.choose(ctx, p, service, choice{kind: "service.cancel_at_end", offered: true}, on, func(v *Item) *bool { return &v.CancelAtEnd })
}

// choice is a switch: what its leaf is called, and whether it can be set so here.
type choice struct {
	kind    string
	offered bool
	refusal error
}

// choose sets a switch of the customer's. Setting it as it is changes nothing.
func (s *Service) choose(ctx context.Context, p account.Principal, service string, c choice, on bool, which func(*Item) *bool) (chosen Item, err error) {
	err = s.change(ctx, service, func(tx *db.Tx, v Item) (Item, error) {
		if v.Account != p.Account {
			return v, ErrNotFound
		}
		if v.State != Active && v.State != Suspended {
			return v, ErrTransition.With("state", string(v.State)).With("event", c.kind)
		}
		if !c.offered {
			return v, c.refusal
		}
		chosen = v
		if *which(&v) == on {
			return v, errNothing
		}
		*which(&v) = on
		v.NextDue = s.d.Clock.Now()
		chosen = v
		return v, s.d.Audit.AppendTx(ctx, tx, audit.Event{
			Type: c.kind, Subject: v.Subject, Account: string(v.Account), Actor: audit.Actor{Class: "self", Handle: p.Subject, Session: p.Session},
			Detail: map[string]string{"service": v.ID, "on": strconv.FormatBool(on)},
		})
	})
	return chosen, err
}

// SetLocked keeps a service from being terminated, or no more; for staff with
// account.PermServiceWrite.
func (s *Service) SetLocked(ctx context.Context, p account.Principal, service string, on bool) (Item, error) {
	return s.byStaff(ctx, p, service, "service.locked", map[string]string{"on": strconv.FormatBool(on)}, func(_ *db.Tx, v Item) (Item, error) {
		if v.Locked == on {
			return v, errNothing
		}
		v.Locked = on
		return v, nil
	})
}

// SuspendBy stops a service on the word of staff: for abuse, or admin for any
// other cause. ErrReason for another reason: those have their own ways.
func (s *Service) SuspendBy(ctx context.Context, p account.Principal, service string, r Reason) (Item, error) {
	if r != Abuse && r != Admin {
		return Item{}, ErrReason
	}
	return s.byStaff(ctx, p, service, "service.suspended_by_staff", map[string]string{"reason": string(r)}, func(tx *db.Tx, v Item) (Item, error) {
		next, err := v.suspend(r)
		if err != nil {
			return v, err
		}
		return s.applied(ctx, tx, v, next, TopicSuspended, r)
	})
}

// ResumeBy takes away a reason that staff gave.
func (s *Service) ResumeBy(ctx context.Context, p account.Principal, service string, r Reason) (Item, error) {
	if r != Abuse && r != Admin {
		return Item{}, ErrReason
	}
	return s.byStaff(ctx, p, service, "service.resumed_by_staff", map[string]string{"reason": string(r)}, func(tx *db.Tx, v Item) (Item, error) {
		next, err := v.resume(r)
		if err != nil {
			return v, err
		}
		return s.applied(ctx, tx, v, next, TopicResumed, r)
	})
}

func (s *Service) byStaff(ctx context.Context, p account.Principal, service, kind string, detail map[string]string, fn func(*db.Tx, Item) (Item, error)) (Item, error) {
	if !p.Can(account.PermServiceWrite) {
		return Item{}, ErrStaffOnly
	}
	err := s.change(ctx, service, func(tx *db.Tx, v Item) (Item, error) {
		next, err := fn(tx, v)
		if err != nil {
			return v, err
		}
		next.NextDue = s.d.Clock.Now()
		detail["service"] = v.ID
		return next, s.d.Audit.AppendTx(ctx, tx, audit.Event{Type: kind, Subject: v.Subject, Account: string(v.Account), Actor: staff(p), Detail: detail})
	})
	if err != nil {
		return Item{}, err
	}
	return byID(ctx, s.d.DB, service)
}

func staff(p account.Principal) audit.Actor {
	return audit.Actor{Class: "staff", Handle: p.Subject, Session: p.Session}
}

// Watch is what staff look for among services.
type Watch string

// What staff look for.
const (
	WatchDue       Watch = "due"       // the paid time ends within seven days
	WatchOverdue   Watch = "overdue"   // the paid time is over
	WatchSuspended Watch = "suspended" // for whatever reason
	WatchLocked    Watch = "locked"
	WatchEnding    Watch = "ending" // terminated, and not gone
)

// Watched lists services for staff with account.PermOrderRead, by
// number, after the service with id cursor.
func (s *Service) Watched(ctx context.Context, p account.Principal, w Watch, cursor string, limit int) ([]Item, error) {
	if !p.Can(account.PermOrderRead) {
		return nil, ErrStaffOnly
	}
	now := s.d.Clock.Now()
	soon := db.Micros(now.Add(7 * 24 * time.Hour))
	const live = " WHERE id > $1 AND state IN ('active', 'suspended')"
	switch w {
	case WatchDue:
		return db.Select(ctx, s.d.DB, scan, columns+live+" AND paid_through > $3 AND paid_through <= $4 ORDER BY id LIMIT $2", cursor, int64(limit), db.Micros(now), soon)
	case WatchOverdue:
		return db.Select(ctx, s.d.DB, scan, columns+live+" AND paid_through <= $3 ORDER BY id LIMIT $2", cursor, int64(limit), db.Micros(now))
	case WatchSuspended:
		return db.Select(ctx, s.d.DB, scan, columns+" WHERE id > $1 AND state = 'suspended' ORDER BY id LIMIT $2", cursor, int64(limit))
	case WatchLocked:
		return db.Select(ctx, s.d.DB, scan, columns+" WHERE id > $1 AND locked > 0 ORDER BY id LIMIT $2", cursor, int64(limit))
	case WatchEnding:
		return db.Select(ctx, s.d.DB, scan, columns+" WHERE id > $1 AND state = 'terminating' ORDER BY id LIMIT $2", cursor, int64(limit))
	}
	return db.Select(ctx, s.d.DB, scan, columns+" WHERE id > $1 ORDER BY id LIMIT $2", cursor, int64(limit))
}
