package service

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/control/realname"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations returns the module's schema.
func Migrations() db.Migrations {
	sub, err := fs.Sub(files, "migrations")
	if err != nil {
		panic(err)
	}
	return db.Migrations{Module: "service", Files: sub}
}

// Deps is what the module needs.
type Deps struct {
	DB        *db.DB
	Clock     clock.Clock
	Queue     *job.Queue
	Log       *slog.Logger
	Audit     Audit
	Orders    OrderLines
	RealName  RealName
	Regions   Regions
	Providers map[string]Provider // by product
	Holds     Holds               // nil: no law keeps anything (tests)
	Books     Books               // nil: nothing is earned (tests)
	AutoRenew bool                // there is a wallet that renewals can be paid from
}

// Service is the service module; the thing that was bought is an Item.
type Service struct {
	d Deps
}

// New makes the module and registers its jobs.
func New(d Deps) *Service {
	s := &Service{d: d}
	job.Subscribe(d.Queue, topicOrderPaid, "service", s.onPaid)
	job.Subscribe(d.Queue, consent.TopicChanged, "service", s.onConsent)
	job.Subscribe(d.Queue, realname.TopicDecided, "service", s.onIdentity)
	job.On(d.Queue, "service.provision", s.onProvision)
	job.On(d.Queue, "service.apply", s.onApply)
	job.On(d.Queue, "service.change", s.onChange)
	d.Queue.Every("service.reconcile", time.Minute, s.reconcile)
	d.Queue.Every("service.days", daysEvery, s.days)
	d.Queue.Every("service.earn", time.Hour, s.earn)
	d.Queue.Every("service.prove", 24*time.Hour, s.nightly)
	return s
}

// Key is the idempotency key of the service's creation at its provider.
func (v Item) Key() string { return fmt.Sprintf("svc:%s:create:%d", v.ID, v.Attempt) }

type named struct{ Service string }

// onPaid makes one service for each line of a paid order. The unique pair of
// order and line makes a repeated event harmless.
func (s *Service) onPaid(ctx context.Context, e orderPaid) error {
	lines, err := s.d.Orders.OrderLines(ctx, e.Order)
	if errs.IsNotFound(err) {
		return job.Final(err)
	}
	if err != nil {
		return err
	}
	for _, l := range lines {
		begin := s.begin
		switch l.Kind {
		case "new":
		case "upgrade":
			begin = s.beginChange
		case "renew":
			begin = s.renew
		default:
			continue
		}
		if err := begin(ctx, l); err != nil {
			return err
		}
		fault.Point("service-after-begin")
	}
	return nil
}

func (s *Service) begin(ctx context.Context, l Line) error {
	v := Item{
		ID: id.New("svc"), Account: l.Account, Subject: l.Subject, Order: l.Order, Line: l.ID, Product: l.Product, Region: l.Region,
		Options: l.Options, Configuration: l.Configuration, Months: l.Months, State: Pending, Attempt: 1, Version: 1, CreatedAt: s.d.Clock.Now(), Paid: l.Amount,
	}
	var err error
	if v.State, err = v.State.next(OrderPaid); err != nil {
		return err
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		fresh, err := insert(ctx, tx, v)
		if err != nil || !fresh {
			return err
		}
		if err := s.d.Queue.EnqueueTx(ctx, tx, job.Job{Kind: "service.provision", Payload: named{v.ID}, Key: v.Key()}); err != nil {
			return err
		}
		return s.record(ctx, tx, v, "service.ordered")
	})
}

func (s *Service) record(ctx context.Context, tx *db.Tx, v Item, kind string) error {
	detail := map[string]string{"service": v.ID, "order": v.Order, "line": v.Line, "resource": v.Resource, "problem": v.Problem}
	return s.d.Audit.AppendTx(ctx, tx, audit.Event{Type: kind, Subject: v.Subject, Account: string(v.Account), Actor: audit.Actor{Class: "job"}, Detail: detail})
}

// onProvision asks who the buyer is where the law wants to know, then
// provisions.
func (s *Service) onProvision(ctx context.Context, n named) error {
	v, err := byID(ctx, s.d.DB, n.Service)
	if err != nil {
		return err
	}
	if v.State != Provisioning {
		return nil
	}
	who, err := s.identify(ctx, v)
	switch {
	case errors.Is(err, consent.ErrRenewalNeeded):
		s.d.Log.InfoContext(ctx, "provisioning waits for the buyer to accept a new version", "service", v.ID)
		return nil // onConsent goes on; reconcile asks again as well
	case errs.KindOf(err) == errs.Forbidden:
		return s.failed(ctx, v.ID, errs.CodeOf(err))
	case err != nil:
		return err
	}
	return s.Provision(ctx, v, who)
}

// Provision asks the provider for the thing. It asks what became of the key
// first, so that an unknown outcome is never repeated blindly. It may be
// called again at any time.
func (s *Service) Provision(ctx context.Context, v Item, who Identity) error {
	if !who.covers(v) {
		return s.failed(ctx, v.ID, ErrIdentity.Code)
	}
	p, ok := s.d.Providers[v.Product]
	if !ok {
		return s.failed(ctx, v.ID, ErrNoProvider.Code)
	}
	st, err := p.Get(ctx, v.Key())
	if errs.IsNotFound(err) {
		fault.Point("service-before-create")
		st, err = p.Create(ctx, v.Key(), Spec{
			Account: v.Account, Subject: v.Subject, Product: v.Product, Region: v.Region,
			Options: v.Options, Configuration: v.Configuration,
		})
		fault.Point("service-after-create")
	}
	if final(err) {
		s.d.Log.WarnContext(ctx, "provisioning failed finally", "service", v.ID, "error", err)
		return s.failed(ctx, v.ID, errs.CodeOf(err))
	}
	if err != nil {
		return err
	}
	return s.settle(ctx, v.ID, st)
}

// final reports whether repeating a provider's call cannot help.
func final(err error) bool {
	if err == nil {
		return false
	}
	switch errs.KindOf(err) {
	case errs.Invalid, errs.Unprocessable, errs.Forbidden, errs.NotFound, errs.Gone, errs.Conflict:
		return true
	}
	return false
}

// Observe asks the provider what became of a key, after it said that something
// changed. Keys of others are ignored.
func (s *Service) Observe(ctx context.Context, key string) error {
	v, err := byKey(ctx, s.d.DB, key)
	if errs.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	p, ok := s.d.Providers[v.Product]
	if !ok {
		return ErrNoProvider
	}
	st, err := p.Get(ctx, key)
	if errs.IsNotFound(err) {
		return nil // not created yet: the job of the creation will
	}
	if err != nil {
		return err
	}
	return s.settle(ctx, v.ID, st)
}

// settle takes the provider's word.
func (s *Service) settle(ctx context.Context, service string, st Status) error {
	switch st.State {
	case Running, Stopped:
		if err := s.delivered(ctx, service, st); err != nil || st.Changing {
			return err
		}
		return s.inForce(ctx, service)
	case Broken:
		return s.failed(ctx, service, st.Problem)
	case Gone:
		return s.gone(ctx, service)
	}
	return s.creating(ctx, service, st)
}

// change reads a service, lets fn decide and writes, in one transaction. An fn
// that returns errNothing leaves everything as it is.
func (s *Service) change(ctx context.Context, service string, fn func(tx *db.Tx, v Item) (Item, error)) error {
	err := s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		v, err := byID(ctx, tx, service)
		if err != nil {
			return err
		}
		next, err := fn(tx, v)
		if err != nil {
			return err
		}
		return save(ctx, tx, next)
	})
	if errors.Is(err, errNothing) {
		return nil
	}
	return err
}

var errNothing = errors.New("nothing to change")

func (s *Service) creating(ctx context.Context, service string, st Status) error {
	return s.change(ctx, service, func(_ *db.Tx, v Item) (Item, error) {
		if v.State != Provisioning || v.Resource == st.Resource {
			return v, errNothing
		}
		v.Resource = st.Resource
		return v, nil
	})
}

func (s *Service) delivered(ctx context.Context, service string, st Status) error {
	return s.change(ctx, service, func(tx *db.Tx, v Item) (Item, error) {
		if v.State != Provisioning {
			return v, errNothing
		}
		next, err := v.deliver(st.Resource, s.d.Clock.Now())
		if err != nil {
			return v, err
		}
		fault.Point("service-before-delivered")
		if err := s.openPeriodTx(ctx, tx, next.firstPeriod(), next.Paid); err != nil {
			return v, err
		}
		return next, s.tell(ctx, tx, next, TopicActive)
	})
}

func (s *Service) failed(ctx context.Context, service, problem string) error {
	return s.change(ctx, service, func(tx *db.Tx, v Item) (Item, error) {
		if v.State != Provisioning {
			return v, errNothing
		}
		next, err := v.fail(problem)
		if err != nil {
			return v, err
		}
		return next, s.tell(ctx, tx, next, TopicProvisionFailed)
	})
}

func (s *Service) gone(ctx context.Context, service string) error {
	return s.change(ctx, service, func(tx *db.Tx, v Item) (Item, error) {
		if v.State != Terminating {
			return v, errNothing
		}
		to, err := v.State.next(ProviderGone)
		if err != nil {
			return v, err
		}
		v.State, v.NextDue = to, time.Time{}
		if err := cutEarningsTx(ctx, tx, v.ID, s.d.Clock.Now()); err != nil {
			return v, err
		}
		return v, s.tell(ctx, tx, v, TopicTerminated)
	})
}

// tell publishes what a service came to and writes it into the log. Topics and
// event types have the same names.
func (s *Service) tell(ctx context.Context, tx *db.Tx, v Item, topic string) error {
	return s.publishTx(ctx, tx, v, topic, v.changed())
}

func (v Item) changed() Changed {
	return Changed{Service: v.ID, Account: string(v.Account), Order: v.Order, Line: v.Line, Resource: v.Resource, Problem: v.Problem}
}

func (s *Service) publishTx(ctx context.Context, tx *db.Tx, v Item, topic string, e Changed) error {
	if err := s.d.Queue.PublishTx(ctx, tx, topic, e); err != nil {
		return err
	}
	return s.record(ctx, tx, v, topic)
}

// Items lists an account's services by id, after cursor.
func (s *Service) Items(ctx context.Context, owner account.ID, cursor string, limit int) ([]Item, error) {
	return db.Select(ctx, s.d.DB, scan, columns+" WHERE account = $1 AND id > $2 ORDER BY id LIMIT $3", string(owner), cursor, int64(limit))
}

// Item returns one service of an account.
func (s *Service) Item(ctx context.Context, owner account.ID, service string) (Item, error) {
	return forOwner(ctx, s.d.DB, owner, service)
}

// ByResource returns the service that an account's resource belongs to.
func (s *Service) ByResource(ctx context.Context, owner account.ID, resource string) (Item, error) {
	return db.Get(ctx, s.d.DB, ErrNotFound, scan, columns+" WHERE resource = $1 AND account = $2", resource, string(owner))
}
