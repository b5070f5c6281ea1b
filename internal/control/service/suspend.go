package service

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

// Suspend stops a service for a reason, keeping its data. Reasons add up; the
// same one twice changes nothing.
func (s *Service) Suspend(ctx context.Context, service string, r Reason) error {
	return s.change(ctx, service, func(tx *db.Tx, v Item) (Item, error) {
		next, err := v.suspend(r)
		if err != nil {
			return v, err
		}
		return s.applied(ctx, tx, v, next, TopicSuspended, r)
	})
}

// Resume takes a reason away; the service runs again when none is left.
func (s *Service) Resume(ctx context.Context, service string, r Reason) error {
	return s.change(ctx, service, func(tx *db.Tx, v Item) (Item, error) {
		next, err := v.resume(r)
		if err != nil {
			return v, err
		}
		return s.applied(ctx, tx, v, next, TopicResumed, r)
	})
}

// applied enqueues what the provider has to do after a change of reasons.
func (s *Service) applied(ctx context.Context, tx *db.Tx, old, next Item, topic string, r Reason) (Item, error) {
	if len(next.Reasons) == len(old.Reasons) {
		return old, errNothing
	}
	if next.State == old.State {
		return next, nil
	}
	return next, s.turnedTx(ctx, tx, next, topic, r)
}

// turnedTx has the provider follow a state that changed, and tells of it.
func (s *Service) turnedTx(ctx context.Context, tx *db.Tx, v Item, topic string, r Reason) error {
	if err := s.d.Queue.EnqueueTx(ctx, tx, job.Job{Kind: "service.apply", Payload: named{v.ID}}); err != nil {
		return err
	}
	e := v.changed()
	e.Reason, e.At = string(r), s.d.Clock.Now().UnixMicro()
	return s.publishTx(ctx, tx, v, topic, e)
}

// Terminate ends a service for good. A locked one is refused. One that was ended
// for being overdue, and whose data are kept for a while, loses them now.
func (s *Service) Terminate(ctx context.Context, service string) error {
	return s.change(ctx, service, func(tx *db.Tx, v Item) (Item, error) {
		if v.Locked {
			return v, ErrTransition
		}
		if v.State == Terminating && !v.DataUntil.IsZero() {
			v.DataUntil, v.NextDue = time.Time{}, time.Time{}
			return v, s.d.Queue.EnqueueTx(ctx, tx, job.Job{Kind: "service.apply", Payload: named{v.ID}})
		}
		next, err := v.terminate()
		if err != nil {
			return v, err
		}
		return next, s.turnedTx(ctx, tx, next, TopicTerminating, "")
	})
}

// RetryProvision lets staff try a failed creation again, with a new key;
// ErrTransition if none has failed. The module order asks who may.
func (s *Service) RetryProvision(ctx context.Context, by account.Principal, service string) error {
	return s.change(ctx, service, func(tx *db.Tx, v Item) (Item, error) {
		to, err := v.State.next(Retry)
		if err != nil {
			return v, err
		}
		v.State, v.Problem, v.Attempt = to, "", v.Attempt+1
		err = s.d.Audit.AppendTx(ctx, tx, audit.Event{
			Type: "service.retried", Subject: v.Subject, Account: string(v.Account),
			Actor:  audit.Actor{Class: "staff", Handle: by.Subject, Session: by.Session},
			Detail: map[string]string{"service": v.ID, "order": v.Order, "line": v.Line},
		})
		if err != nil {
			return v, err
		}
		return v, s.d.Queue.EnqueueTx(ctx, tx, job.Job{Kind: "service.provision", Payload: named{v.ID}, Key: v.Key()})
	})
}

// onApply brings the provider to the state of the service, whatever it is by
// now; it may run any number of times.
func (s *Service) onApply(ctx context.Context, n named) error {
	v, err := byID(ctx, s.d.DB, n.Service)
	if err != nil {
		return err
	}
	p, ok := s.d.Providers[v.Product]
	if !ok {
		return job.Final(ErrNoProvider)
	}
	switch v.State {
	case Active, Suspended:
		return p.Suspend(ctx, v.Key(), v.Resource, v.State == Suspended)
	case Terminating:
		if s.d.Clock.Now().Before(v.DataUntil) {
			return p.Suspend(ctx, v.Key(), v.Resource, true)
		}
		if err := p.Terminate(ctx, v.Key(), v.Resource); err != nil && !errs.IsNotFound(err) {
			return err
		}
		return s.Observe(ctx, v.Key())
	}
	return nil
}

// reconcile asks after everything that is under way, for the case that a word
// of the provider was lost.
func (s *Service) reconcile(ctx context.Context) error {
	for _, state := range []State{Provisioning, Terminating} {
		all, err := inState(ctx, s.d.DB, state)
		if err != nil {
			return err
		}
		for _, v := range all {
			if err := s.askAfter(ctx, v); err != nil {
				s.d.Log.WarnContext(ctx, "asking after a service", "service", v.ID, "error", err)
			}
		}
	}
	return s.reconcileChanges(ctx)
}

// stuck is how long a creation may take before it is tried here too: its job
// gives up after some thirty errors, the paid service must not.
const stuck = time.Hour

func (s *Service) askAfter(ctx context.Context, v Item) error {
	if v.State == Provisioning && s.d.Clock.Now().Sub(v.CreatedAt) > stuck {
		return s.onProvision(ctx, named{v.ID})
	}
	return s.Observe(ctx, v.Key())
}
