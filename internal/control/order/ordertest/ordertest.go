// Package ordertest builds a shop for tests of orders and of what comes after
// them: a seeded catalogue, the order module, a queue and a clock that stands.
//
// It is for tests only. Its gates open and shut by hand and its log keeps
// leaves in memory; everything else is real.
package ordertest

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/catalog"
	"github.com/skybridge-cloud/skybridge/internal/control/order"
	"github.com/skybridge-cloud/skybridge/internal/control/realname"
	"github.com/skybridge-cloud/skybridge/internal/control/service"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

// Start is where the clock stands at first.
var Start = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// Sets are the migrations that a shop needs.
func Sets() []db.Migrations {
	return []db.Migrations{job.Migrations(), catalog.Migrations(), order.Migrations()}
}

// Shop is a shop with one customer type: whoever comes.
type Shop struct {
	T       testing.TB
	DB      *db.DB
	Clock   *clock.Fake
	Queue   *job.Queue
	Log     *Leaves
	Catalog *catalog.Service
	Orders  *order.Service
	Consent *Gate
	Real    *RealName
	Goods   *Goods
	Has     map[string]service.Item // by resource
	Retried []string                // services
	Paid    map[string][]service.Period
	Wallet  *Wallet
	OnPaid  func(ctx context.Context, tx *db.Tx, o order.Order) error // of order.Invoices; nil: nothing
}

// OrderPaidTx does what OnPaid says.
func (s *Shop) OrderPaidTx(ctx context.Context, tx *db.Tx, o order.Order) error {
	if s.OnPaid == nil {
		return nil
	}
	return s.OnPaid(ctx, tx, o)
}

// RetryProvision notes what is to be made again.
func (s *Shop) RetryProvision(_ context.Context, _ account.Principal, failed string) error {
	s.Retried = append(s.Retried, failed)
	return nil
}

// Owned answers with what the test put into Has.
func (s *Shop) Owned(_ context.Context, _ db.Q, owner account.ID, resource string) (service.Item, error) {
	if item, ok := s.Has[resource]; ok && item.Account == owner {
		return item, nil
	}
	return service.Item{}, service.ErrNotFound
}

// Periods answers with the one period of what Has has, or what Paid says.
func (s *Shop) Periods(_ context.Context, _ db.Q, serviceID string) ([]service.Period, error) {
	if all, ok := s.Paid[serviceID]; ok {
		return all, nil
	}
	for _, v := range s.Has {
		if v.ID == serviceID {
			return []service.Period{{Service: v.ID, Start: v.DeliveredAt, End: v.PaidThrough, Months: v.Months, Order: v.Order, Line: v.Line}}, nil
		}
	}
	return nil, nil
}

// New opens a shop on d.
func New(t testing.TB, d *db.DB) *Shop {
	t.Helper()
	s := &Shop{T: t, DB: d, Clock: clock.NewFake(Start), Log: &Leaves{}, Consent: &Gate{}, Real: &RealName{}, Goods: &Goods{}, Has: map[string]service.Item{}, Paid: map[string][]service.Period{}, Wallet: &Wallet{}}
	s.Queue = job.New(d, s.Clock, slog.New(slog.DiscardHandler))
	s.Catalog = catalog.New(catalog.Deps{DB: d, Clock: s.Clock})
	if err := s.Catalog.Seed(context.Background(), Demo(t)); err != nil {
		t.Fatal(err)
	}
	s.Orders = order.New(order.Deps{
		DB: d, Clock: s.Clock, Queue: s.Queue, Log: slog.New(slog.DiscardHandler), Audit: s.Log,
		Catalog: s.Catalog, Consent: s.Consent, RealName: s.Real, Goods: map[string]order.Goods{catalog.VPNGateway: s.Goods},
		Services: s, Wallet: s.Wallet, Invoices: s,
	})
	return s
}

// Demo returns the demonstration's catalogue.
func Demo(t testing.TB) catalog.File {
	t.Helper()
	f, err := catalog.Demo()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Customer returns a new customer's principal.
func Customer() account.Principal {
	return account.Principal{Account: account.ID(id.New("acc")), Subject: id.NewHandle(), Session: id.New("ses")}
}

// Request is a valid request for a small VPN gateway in a region.
func Request(region string) order.QuoteRequest {
	return order.QuoteRequest{
		Kind: order.KindNew, Product: catalog.VPNGateway, Region: region, Cycle: 1, Count: 1,
		Options: map[string]string{catalog.OptionSSLBandwidth: "5", catalog.OptionSSLConnections: "5"},
	}
}

// PlaceRequest quotes and returns the request that places the quoted order.
func (s *Shop) PlaceRequest(r order.QuoteRequest) order.PlaceRequest {
	s.T.Helper()
	q, err := s.Orders.Quote(context.Background(), r)
	if err != nil {
		s.T.Fatal(err)
	}
	return order.PlaceRequest{
		QuoteRequest: r, QuoteHash: q.Hash, IdempotencyKey: id.Random(10),
		Configuration: map[string]string{order.ConfigName: "office", order.ConfigNetwork: "net-1"},
	}
}

// Place places an order for a small VPN gateway in Hong Kong.
func (s *Shop) Place(p account.Principal) order.Order {
	s.T.Helper()
	o, err := s.Orders.Place(context.Background(), p, s.PlaceRequest(Request("hk-1")))
	if err != nil {
		s.T.Fatal(err)
	}
	return o
}

// Order reads an order.
func (s *Shop) Order(orderID string) order.Order {
	s.T.Helper()
	o, err := s.Orders.GetIn(context.Background(), s.DB, orderID)
	if err != nil {
		s.T.Fatal(err)
	}
	return o
}

// Settle runs all jobs that are due.
func (s *Shop) Settle() {
	s.T.Helper()
	if err := s.Queue.Drain(context.Background()); err != nil {
		s.T.Fatal(err)
	}
}

// Wallet answers with what the test put into Err, and notes what it paid.
type Wallet struct {
	Err error
	Pay func(o order.Order) error
}

// PayFromWallet pays by Pay.
func (w *Wallet) PayFromWallet(_ context.Context, o order.Order) error {
	if w.Err != nil {
		return w.Err
	}
	return w.Pay(o)
}

// Gate is a consent gate; nil opens.
type Gate struct {
	mu  sync.Mutex
	err error
}

// Shut makes the gate answer err; nil opens it.
func (g *Gate) Shut(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.err = err
}

// Gate answers for every person and purpose.
func (g *Gate) Gate(context.Context, id.Handle, string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.err
}

// Goods refuse lines of one name.
type Goods struct{ Refused string }

// ErrName is what Goods refuse with.
var ErrName = errs.New(errs.Unprocessable, "goods.name_invalid")

// Check refuses the refused name.
func (g *Goods) Check(_ context.Context, spec service.Spec) error {
	if g.Refused != "" && spec.Configuration[order.ConfigName] == g.Refused {
		return ErrName
	}
	return nil
}

// CheckUpgrade refuses a resource of the refused name.
func (g *Goods) CheckUpgrade(_ context.Context, _ account.ID, resource string, _ map[string]string) error {
	if g.Refused != "" && resource == g.Refused {
		return ErrName
	}
	return nil
}

// RealName knows who is verified: nobody at first.
type RealName struct {
	mu       sync.Mutex
	verified map[account.ID]bool
	asked    int
}

// Verify makes an account verified.
func (r *RealName) Verify(owner account.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.verified == nil {
		r.verified = map[account.ID]bool{}
	}
	r.verified[owner] = true
}

// Asked counts questions.
func (r *RealName) Asked() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked
}

// Require answers realname.ErrRequired for who is not verified. The proof it
// returns is empty: only realname can make one.
func (r *RealName) Require(_ context.Context, owner account.ID) (realname.Verified, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	if !r.verified[owner] {
		return realname.Verified{}, realname.ErrRequired
	}
	return realname.Verified{}, nil
}

// Leaves keeps the leaves of committed transactions.
type Leaves struct {
	mu  sync.Mutex
	all []audit.Event
}

// AppendTx keeps the leaf if the transaction commits.
func (l *Leaves) AppendTx(_ context.Context, tx *db.Tx, e audit.Event) error {
	tx.AfterCommit(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.all = append(l.all, e)
	})
	return nil
}

// Count counts the leaves of a type.
func (l *Leaves) Count(kind string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, e := range l.all {
		if e.Type == kind {
			n++
		}
	}
	return n
}
