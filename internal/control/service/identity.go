package service

import (
	"context"
	"errors"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/control/realname"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

// Identity is why a service may be provisioned: the buyer's verified identity,
// or a region that needs none. The zero Identity allows nothing.
type Identity struct {
	verified realname.Verified
	exempt   string // region
}

func (i Identity) covers(v Item) bool {
	if i.exempt != "" {
		return i.exempt == v.Region
	}
	return i.verified.ID() != "" && i.verified.Account() == v.Account
}

// ErrIdentity refuses to provision without a fitting Identity.
var ErrIdentity = errs.New(errs.Forbidden, "service.identity_required")

func (s *Service) identify(ctx context.Context, v Item) (Identity, error) {
	required, err := s.d.Regions.RequiresRealName(ctx, v.Region)
	if err != nil {
		return Identity{}, err
	}
	if !required {
		return Identity{exempt: v.Region}, nil
	}
	verified, err := s.d.RealName.Require(ctx, v.Account)
	return Identity{verified: verified}, err
}

// onConsent follows a consent to real-name verification: what the person was
// told happens on withdrawal (purposes.yaml) happens here. Any accepted text may
// be what a provisioning waited for.
func (s *Service) onConsent(ctx context.Context, e consent.Changed) error {
	return s.identityChanged(ctx, e.Subject)
}

// onIdentity follows a decision, such as a revocation by staff.
func (s *Service) onIdentity(ctx context.Context, e realname.DecidedEvent) error {
	return s.identityChanged(ctx, id.Handle(e.Subject))
}

// identityChanged makes the services that a person bought agree with whether
// the person is identified now. It may be repeated, and in any order.
func (s *Service) identityChanged(ctx context.Context, subject id.Handle) error {
	all, err := ofSubject(ctx, s.d.DB, subject)
	if err != nil {
		return err
	}
	var failures []error
	for _, v := range all {
		failures = append(failures, s.reidentify(ctx, v))
	}
	return errors.Join(failures...)
}

func (s *Service) reidentify(ctx context.Context, v Item) error {
	_, err := s.identify(ctx, v)
	switch {
	case v.State == Provisioning:
		return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
			return s.d.Queue.EnqueueTx(ctx, tx, job.Job{Kind: "service.provision", Payload: named{v.ID}, Key: v.Key()})
		})
	case err == nil:
		return s.Resume(ctx, v.ID, NoRealName)
	case errors.Is(err, consent.ErrRenewalNeeded):
		return nil // the identity stands; the new text is asked for at the next visit
	case errs.KindOf(err) == errs.Forbidden:
		return s.Suspend(ctx, v.ID, NoRealName)
	}
	return err
}

// IdentityNeeded reports whether an account has a service, or waits for one, in a
// region that asks for a real name, and else when the last was over; zero: never.
// One that ended before its time was over at once. It fills realname.Needs.
func (s *Service) IdentityNeeded(ctx context.Context, owner account.ID) (still bool, last time.Time, err error) {
	all, err := db.Select(ctx, s.d.DB, scan, columns+" WHERE account = $1", string(owner))
	if err != nil {
		return true, time.Time{}, err
	}
	now := s.d.Clock.Now()
	for _, v := range all {
		required, err := s.d.Regions.RequiresRealName(ctx, v.Region)
		switch {
		case err != nil:
			return true, time.Time{}, err
		case !required:
			continue
		case v.State != Terminated && v.State != Cancelled:
			return true, time.Time{}, nil
		}
		if v.PaidThrough.After(last) && v.PaidThrough.Before(now) {
			last = v.PaidThrough
		}
	}
	return false, last, nil
}
