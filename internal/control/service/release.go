package service

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

// ErrNoRelease says that only staff can end a service of this product.
var ErrNoRelease = errs.New(errs.Unprocessable, "service.no_release")

// Release ends a service for good on the customer's word. Nothing is paid back:
// refunds are another matter. Without force a thing in use is refused. A service
// that is being released already stays as it is.
func (s *Service) Release(ctx context.Context, p account.Principal, resource string, force bool) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		v, err := s.Owned(ctx, tx, p.Account, resource)
		if err != nil || v.State == Terminating {
			return err
		}
		releaser, ok := s.d.Providers[v.Product].(Releaser)
		if !ok {
			return ErrNoRelease
		}
		if v.Locked {
			return ErrTransition
		}
		if v, err = v.terminate(); err != nil {
			return err
		}
		if err := releaser.ReleaseTx(ctx, tx, resource, force); err != nil {
			return err
		}
		if err := save(ctx, tx, v); err != nil {
			return err
		}
		if err := s.d.Queue.EnqueueTx(ctx, tx, job.Job{Kind: "service.apply", Payload: named{v.ID}}); err != nil {
			return err
		}
		if err := s.d.Queue.PublishTx(ctx, tx, TopicTerminating, v.changed()); err != nil {
			return err
		}
		return s.d.Audit.AppendTx(ctx, tx, audit.Event{
			Type: TopicTerminating, Subject: p.Subject, Account: string(p.Account),
			Actor:  audit.Actor{Class: "self", Handle: p.Subject, Session: p.Session},
			Detail: map[string]string{"service": v.ID, "order": v.Order, "line": v.Line, "resource": v.Resource},
		})
	})
}
