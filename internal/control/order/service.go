package order

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/catalog"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/control/service"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations returns the module's tables.
func Migrations() db.Migrations {
	sub, err := fs.Sub(files, "migrations")
	if err != nil {
		panic(err)
	}
	return db.Migrations{Module: "order", Files: sub}
}

// Deps is what the module needs.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	Queue    *job.Queue
	Log      *slog.Logger
	Audit    Audit
	Catalog  *catalog.Service
	Consent  Consent
	RealName RealName
	Goods    map[string]Goods // by product; a product without is not checked
	Services Services
	Wallet   Wallet // nil: renewals are not paid of themselves
	Invoices Invoices
}

// Service quotes, places and follows orders.
type Service struct{ d Deps }

// jobExpire is the kind of the job that ends an order's time to pay.
const jobExpire = "order.expire"

// New returns the module and registers its jobs: expiry, start after payment
// and the outcomes that the module service publishes.
func New(d Deps) *Service {
	s := &Service{d}
	job.On(d.Queue, jobExpire, func(ctx context.Context, c Changed) error { return s.expire(ctx, c.Order) })
	job.Subscribe(d.Queue, TopicPaid, "order.start", func(ctx context.Context, c Changed) error { return s.start(ctx, c.Order) })
	job.Subscribe(d.Queue, service.TopicActive, "order.delivered", func(ctx context.Context, c service.Changed) error {
		return s.deliver(ctx, c)
	})
	job.Subscribe(d.Queue, service.TopicUpgraded, "order.upgraded", s.deliver)
	job.Subscribe(d.Queue, service.TopicRenewed, "order.renewed", s.deliver)
	job.Subscribe(d.Queue, service.TopicTerminating, "order.void", s.onEnding)
	job.Subscribe(d.Queue, service.TopicRenewalDue, "order.renewal", s.onRenewalDue)
	job.Subscribe(d.Queue, service.TopicPaymentDue, "order.payment", s.onPaymentDue)
	for _, topic := range []string{service.TopicProvisionFailed, service.TopicUpgradeFailed, service.TopicRenewFailed} {
		job.Subscribe(d.Queue, topic, "order.failed", func(ctx context.Context, c service.Changed) error {
			if c.Problem == "" {
				c.Problem = topic
			}
			return s.deliver(ctx, c)
		})
	}
	return s
}

// Place makes an order that waits for payment; a total of 0 is paid at once.
// The same key with the same request returns the first order, with another
// request ErrKeyReused. *StaleQuote if the price is not the quoted one; the
// errors of the gates: consent.gate_closed, realname.required.
func (s *Service) Place(ctx context.Context, p account.Principal, r PlaceRequest) (Order, error) {
	if err := r.check(); err != nil {
		return Order{}, err
	}
	if r.Kind != KindNew {
		r.Owner = p.Account
	}
	digest := r.digest()
	if o, err := s.replay(ctx, s.d.DB, p.Account, r.IdempotencyKey, digest); err == nil || !errs.IsNotFound(err) {
		return o, err
	}
	// The gates read outside of the transaction: they have their own.
	if err := s.admit(ctx, p, r); err != nil {
		return Order{}, err
	}
	var placed Order
	err := s.d.DB.InTx(ctx, func(tx *db.Tx) (err error) {
		placed, err = s.placeTx(ctx, tx, p, r, digest)
		fault.Point("order-before-commit")
		return err
	})
	fault.Point("order-after-place")
	return placed, err
}

// admit asks the gates, and who makes the product.
func (s *Service) admit(ctx context.Context, p account.Principal, r PlaceRequest) error {
	if r.Kind == KindUpgrade || r.Kind == KindRenew {
		q, err := s.Quote(ctx, r.QuoteRequest)
		if err != nil {
			return err
		}
		if err := s.gates(ctx, p, q.Request); err != nil {
			return err
		}
		goods, ok := s.d.Goods[q.Request.Product]
		if !ok || r.Kind == KindRenew {
			return nil
		}
		return goods.CheckUpgrade(ctx, p.Account, r.Resource, q.Request.Options)
	}
	if err := s.gates(ctx, p, r.QuoteRequest); err != nil {
		return err
	}
	return s.canBeMade(ctx, p, r)
}

func (s *Service) gates(ctx context.Context, p account.Principal, r QuoteRequest) error {
	if err := s.d.Consent.Gate(ctx, p.Subject, consent.PlatformPolicy); err != nil {
		return err
	}
	required, err := s.d.Catalog.RequiresRealName(ctx, r.Region)
	if err != nil {
		return err
	}
	if !required {
		return nil
	}
	_, err = s.d.RealName.Require(ctx, p.Account)
	return err
}

// canBeMade asks who makes the product about each line.
func (s *Service) canBeMade(ctx context.Context, p account.Principal, r PlaceRequest) error {
	goods, ok := s.d.Goods[r.Product]
	if !ok {
		return nil
	}
	for n := 1; n <= min(r.Count, MaxCount); n++ {
		err := goods.Check(ctx, service.Spec{
			Account: p.Account, Subject: p.Subject, Product: r.Product, Region: r.Region,
			Options: r.Options, Configuration: lineConfiguration(r.Configuration, n, r.Count),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) placeTx(ctx context.Context, tx *db.Tx, p account.Principal, r PlaceRequest, digest string) (Order, error) {
	o, err := s.replay(ctx, tx, p.Account, r.IdempotencyKey, digest)
	if err == nil || !errs.IsNotFound(err) {
		return o, err
	}
	now := s.d.Clock.Now()
	q, err := s.requote(ctx, tx, r.QuoteRequest, r.QuoteHash, now)
	if err != nil {
		return Order{}, err
	}
	open, err := countOpen(ctx, tx, p.Account)
	if err != nil {
		return Order{}, err
	}
	if open >= MaxOpen {
		return Order{}, ErrTooMany.With("max", MaxOpen)
	}
	o, err = draft(p, q, r.Configuration).Apply(Submit, now)
	if err != nil {
		return Order{}, err
	}
	o.PlacedAt, o.ExpiresAt, o.Version = now, now.Add(o.Kind.timeToPay()), 1
	if o.Kind != KindNew {
		if err := s.supersedeTx(ctx, tx, q.Rest.service, o.Kind); err != nil {
			return Order{}, err
		}
		if err := claimUpgradeTx(ctx, tx, q.Rest.service, o.ID); err != nil {
			return Order{}, err
		}
	}
	fresh, err := insertOrder(ctx, tx, o, r.IdempotencyKey, digest)
	if err != nil {
		return Order{}, err
	}
	if !fresh { // a concurrent transaction took the key
		return s.replay(ctx, tx, p.Account, r.IdempotencyKey, digest)
	}
	err = s.openTx(ctx, tx, &o, self(p))
	return o, err
}

// settleFreeTx makes an order paid for which nothing is due.
func (s *Service) settleFreeTx(ctx context.Context, tx *db.Tx, o Order) (Order, error) {
	next, err := o.Apply(NothingDue, o.PlacedAt)
	if err != nil {
		return o, err
	}
	next.PaidAt = o.PlacedAt
	return s.moveTx(ctx, tx, o, next, TopicPaid, system)
}

// draft makes the order of a quote.
func draft(p account.Principal, q Quote, configuration map[string]string) Order {
	o := Order{
		ID: id.New("ord"), Account: p.Account, Subject: p.Subject, Kind: q.Request.Kind, State: Draft,
		Total: q.Total, Catalogue: q.Catalogue, QuoteHash: q.Hash,
	}
	for _, l := range q.Lines {
		o.Lines = append(o.Lines, Line{
			ID: id.New("orl"), Number: l.Number, Kind: l.Kind, Product: q.Request.Product,
			Region: q.Request.Region, Options: q.Request.Options, Months: q.Request.Cycle, Amount: l.Amount,
			Configuration: lineConfiguration(configuration, l.Number, len(q.Lines)), State: LineWaiting,
			Resource: q.Request.Resource, Service: q.Rest.service, Value: q.Rest.value, StartsAt: q.Rest.From,
			EndsAt: q.Rest.Until, Shares: q.Rest.shares,
		})
	}
	return o
}

// replay returns the order that the key made, if the request is the same.
func (s *Service) replay(ctx context.Context, q db.Q, owner account.ID, key, digest string) (Order, error) {
	orderID, was, err := getByKey(ctx, q, owner, key)
	if err != nil {
		return Order{}, err
	}
	if was != digest {
		return Order{}, ErrKeyReused
	}
	return getOrder(ctx, q, orderID)
}

// Get returns an order of the account; ErrNotFound for another's.
func (s *Service) Get(ctx context.Context, owner account.ID, orderID string) (Order, error) {
	o, err := getOrder(ctx, s.d.DB, orderID)
	if err == nil && o.Account != owner {
		return Order{}, ErrNotFound
	}
	return o, err
}

// GetIn returns any order, read by q: for modules that act in a transaction.
func (s *Service) GetIn(ctx context.Context, q db.Q, orderID string) (Order, error) {
	return getOrder(ctx, q, orderID)
}

// List returns an account's orders, newest first, at most limit (1..100),
// older than the order with id before (empty = from the newest).
func (s *Service) List(ctx context.Context, owner account.ID, before string, limit int) ([]Order, error) {
	return listOrders(ctx, s.d.DB, string(owner), before, limit)
}

// ListAll is List over all accounts, for staff with the permission order.read.
func (s *Service) ListAll(ctx context.Context, p account.Principal, before string, limit int) ([]Order, error) {
	if !p.Can("order.read") {
		return nil, ErrNotOwner
	}
	return listOrders(ctx, s.d.DB, "", before, limit)
}

// Cancel cancels an order of the account that waits for payment. Cancelling a
// cancelled order returns it; ErrTransition in another state.
func (s *Service) Cancel(ctx context.Context, p account.Principal, orderID string) (Order, error) {
	var out Order
	err := s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		o, err := lockOrder(ctx, tx, orderID)
		if err != nil {
			return err
		}
		if o.Account != p.Account {
			return ErrNotFound
		}
		if out = o; o.State == Cancelled {
			return nil
		}
		next, err := o.Apply(UserCancel, s.d.Clock.Now())
		if err != nil {
			return err
		}
		out, err = s.moveTx(ctx, tx, o, next, TopicCancelled, self(p))
		return err
	})
	return out, err
}

// MarkPaidTx makes an order paid in the caller's transaction; ErrTransition if
// it does not wait for payment, ErrAmount if the receipt is not for its total.
func (s *Service) MarkPaidTx(ctx context.Context, tx *db.Tx, orderID string, r Receipt) (Order, error) {
	o, err := lockOrder(ctx, tx, orderID)
	if err != nil {
		return Order{}, err
	}
	next, err := o.Pay(r)
	if err != nil {
		return Order{}, err
	}
	if next, err = s.moveTx(ctx, tx, o, next, TopicPaid, system); err != nil || s.d.Invoices == nil {
		return next, err
	}
	return next, s.d.Invoices.OrderPaidTx(ctx, tx, next)
}

// PaidAfter returns the orders that money has paid, in the order of their ids,
// those after an id (empty = from the first), at most limit, read by q: for a
// module that goes over all of them.
func (s *Service) PaidAfter(ctx context.Context, q db.Q, after string, limit int) ([]Order, error) {
	return paidAfter(ctx, q, after, limit)
}

// LockTx reads an order and keeps others from changing it until the caller's
// transaction ends.
func (s *Service) LockTx(ctx context.Context, tx *db.Tx, orderID string) (Order, error) {
	return lockOrder(ctx, tx, orderID)
}

var system = audit.Actor{Class: "system"}

func self(p account.Principal) audit.Actor {
	return audit.Actor{Class: "self", Handle: p.Subject, Session: p.Session}
}

// moveTx writes the change of an order's state with its leaf and its event.
func (s *Service) moveTx(ctx context.Context, tx *db.Tx, was, next Order, topic string, by audit.Actor) (Order, error) {
	next.Version = was.Version + 1
	if err := updateOrder(ctx, tx, was, next); err != nil {
		return was, err
	}
	if topic == "" {
		return next, nil
	}
	return next, s.tellTx(ctx, tx, next, topic, by)
}

func (s *Service) tellTx(ctx context.Context, tx *db.Tx, o Order, topic string, by audit.Actor) error {
	err := s.d.Audit.AppendTx(ctx, tx, audit.Event{
		Type: topic, Subject: o.Subject, Account: string(o.Account), Actor: by,
		Detail: map[string]string{"order": o.ID, "state": string(o.State), "quote": o.QuoteHash, "receipt": o.Receipt},
	})
	if err != nil {
		return err
	}
	return s.d.Queue.PublishTx(ctx, tx, topic, Changed{o.ID, o.Account})
}
