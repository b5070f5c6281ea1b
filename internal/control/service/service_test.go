package service_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/control/realname"
	"github.com/skybridge-cloud/skybridge/internal/control/service"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

var (
	ctx   = context.Background()
	start = time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
)

const owner account.ID = "acc_alice"

// upstream is a provider with a memory: what a key made stays made. fail is
// returned by the next calls, before or after the thing was made.
type upstream struct {
	mu     sync.Mutex
	made   map[string]service.ProviderState
	calls  map[string]int
	before []error
	after  []error

	resized  map[string]map[string]string // by key
	changing bool
}

func take(errs *[]error) error {
	if len(*errs) == 0 {
		return nil
	}
	err := (*errs)[0]
	*errs = (*errs)[1:]
	return err
}

func (u *upstream) Create(_ context.Context, key string, spec service.Spec) (service.Status, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.calls["create"]++
	if err := take(&u.before); err != nil {
		return service.Status{}, err
	}
	if spec.Options["ssl_bandwidth"] == "" {
		return service.Status{}, errs.New(errs.Unprocessable, "service.option_invalid")
	}
	if _, ok := u.made[key]; !ok {
		u.made[key] = service.Creating
	}
	if err := take(&u.after); err != nil {
		return service.Status{}, err
	}
	return service.Status{Resource: "res-" + key, State: u.made[key]}, nil
}

func (u *upstream) Get(_ context.Context, key string) (service.Status, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	st, ok := u.made[key]
	if !ok {
		return service.Status{}, errs.New(errs.NotFound, "upstream.absent")
	}
	return service.Status{Resource: "res-" + key, State: st, Problem: "upstream.problem", Changing: u.changing}, nil
}

func (u *upstream) Suspend(_ context.Context, key, _ string, on bool) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.calls[fmt.Sprintf("suspend %v", on)]++
	return nil
}

func (u *upstream) Terminate(_ context.Context, key, _ string) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.calls["terminate"]++
	u.made[key] = service.Gone
	return nil
}

func (u *upstream) set(st service.ProviderState) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for k := range u.made {
		u.made[k] = st
	}
}

// rules fills the other ports: the region "cn" wants a verified identity,
// which nobody has here; only realname can make one.
type rules struct {
	lines  []service.Line
	more   *[]service.Line // of the order ord_2
	events *[]string
	law    *law
}

// law may become stricter, and an identity may be taken away.
type law struct {
	everywhere bool  // all regions want a verified identity
	identity   error // of Require
	keeps      bool  // what people have is kept
}

func (l *law) Keeps(context.Context, id.Handle) (bool, error) { return l.keeps, nil }

func (r rules) OrderLines(_ context.Context, id string) ([]service.Line, error) {
	if id == "ord_2" {
		return *r.more, nil
	}
	if id != "ord_1" {
		return nil, errs.New(errs.NotFound, "order.not_found")
	}
	return r.lines, nil
}

func (r rules) RequiresRealName(_ context.Context, region string) (bool, error) {
	if region == "unknown" {
		return false, errors.New("catalogue away")
	}
	return region != "hk" || r.law.everywhere, nil
}

func (r rules) Require(context.Context, account.ID) (realname.Verified, error) {
	return realname.Verified{}, r.law.identity
}

func (r rules) AppendTx(_ context.Context, tx *db.Tx, e audit.Event) error {
	if _, ok := audit.Types[e.Type]; !ok {
		return fmt.Errorf("event type %s is not registered", e.Type)
	}
	tx.AfterCommit(func() { *r.events = append(*r.events, e.Type) })
	return nil
}

type rig struct {
	s        *service.Service
	up       *upstream
	queue    *job.Queue
	db       *db.DB
	clock    *clock.Fake
	recorded *[]string
	told     *[]string
	law      *law
	more     *[]service.Line
}

// topics are all that this module publishes.
var topics = []string{
	service.TopicActive, service.TopicProvisionFailed, service.TopicSuspended, service.TopicResumed, service.TopicTerminated, service.TopicUpgraded,
	service.TopicUpgradeFailed, service.TopicTerminating, service.TopicRenewed, service.TopicRenewFailed, service.TopicRenewalDue,
	service.TopicPaymentDue, service.TopicExpiring, service.TopicOverdue, service.TopicFinalNotice,
}

func each(t *testing.T, region string, fn func(t *testing.T, r rig)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c, log := clock.NewFake(start), slog.New(slog.DiscardHandler)
		r := rig{
			up:    &upstream{made: map[string]service.ProviderState{}, calls: map[string]int{}, resized: map[string]map[string]string{}},
			queue: job.New(d, c, log), db: d, clock: c,
			recorded: &[]string{}, told: &[]string{}, more: &[]service.Line{}, law: &law{identity: realname.ErrRequired},
		}
		lines := []service.Line{{
			ID: "orl_1", Order: "ord_1", Account: owner, Subject: "sub_alice", Kind: "new", Product: "vpn-gateway", Region: region,
			Options: map[string]string{"ssl_bandwidth": "100"}, Configuration: map[string]string{"name": "gw"}, Months: 1,
			Amount: money.New(3100, money.CNY),
		}}
		ports := rules{lines, r.more, r.recorded, r.law}
		r.s = service.New(service.Deps{
			DB: d, Clock: c, Queue: r.queue, Log: log, Audit: ports, Orders: ports, RealName: ports, Regions: ports,
			Providers: map[string]service.Provider{"vpn-gateway": r.up}, Holds: r.law, AutoRenew: true,
			Books: ledger.New(ledger.Deps{DB: d, Clock: c, Log: log}),
		})
		for _, topic := range topics {
			job.Subscribe(r.queue, topic, "test", func(_ context.Context, e service.Changed) error {
				*r.told = append(*r.told, topic+" "+e.Line+" "+e.Problem)
				return nil
			})
		}
		fn(t, r)
	}, job.Migrations(), ledger.Migrations(), service.Migrations())
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (r rig) paid(t *testing.T) {
	t.Helper()
	must(t, r.db.InTx(ctx, func(tx *db.Tx) error {
		return r.queue.PublishTx(ctx, tx, "order.paid", map[string]string{"Order": "ord_1", "Account": string(owner)})
	}))
}

// run runs all jobs; errors of the provider are expected and repeated.
func (r rig) run(t *testing.T) {
	t.Helper()
	for range 20 {
		if err := r.queue.Drain(ctx); err == nil {
			return
		}
		r.clock.Advance(2 * time.Hour)
	}
	t.Fatal("jobs never came to an end")
}

func (r rig) item(t *testing.T) service.Item {
	t.Helper()
	all, err := r.s.Items(ctx, owner, "", 10)
	must(t, err)
	if len(all) != 1 {
		t.Fatalf("got %d services, want 1", len(all))
	}
	return all[0]
}

// active brings a service into being.
func (r rig) active(t *testing.T) service.Item {
	t.Helper()
	r.paid(t)
	r.run(t)
	r.up.set(service.Running)
	must(t, r.s.Observe(ctx, r.item(t).Key()))
	r.run(t)
	return r.item(t)
}

func TestAPaidLineIsProvisionedOnceAndItsPeriodStartsAtDelivery(t *testing.T) {
	t.Parallel()
	each(t, "hk", func(t *testing.T, r rig) {
		for range 3 { // the event may come again
			r.paid(t)
			r.run(t)
		}
		v := r.item(t)
		if v.State != service.Provisioning || v.Resource == "" || !v.PaidThrough.IsZero() || r.up.calls["create"] != 1 {
			t.Fatalf("paid: got %+v after %d creations", v, r.up.calls["create"])
		}
		if want := "svc:" + v.ID + ":create:1"; v.Key() != want || r.up.made[want] == "" {
			t.Errorf("got key %s, made %v", v.Key(), r.up.made)
		}
		r.clock.Advance(time.Hour)
		r.up.set(service.Running)
		must(t, r.s.Observe(ctx, v.Key()))
		must(t, r.s.Observe(ctx, v.Key()))
		r.run(t)
		v = r.item(t)
		if v.State != service.Active || !v.DeliveredAt.Equal(start.Add(time.Hour)) || !v.PaidThrough.Equal(start.Add(time.Hour).AddDate(0, 1, 0)) {
			t.Errorf("delivered: got %+v", v)
		}
		if !slices.Equal(*r.told, []string{"service.active orl_1 "}) {
			t.Errorf("told %v", *r.told)
		}
	})
}

// heard lets the module hear of a consent of the buyer.
func (r rig) heard(t *testing.T, identity error) {
	t.Helper()
	r.law.identity = identity
	must(t, r.db.InTx(ctx, func(tx *db.Tx) error {
		return r.queue.PublishTx(ctx, tx, consent.TopicChanged, consent.Changed{Subject: "sub_alice", Purpose: consent.RealName})
	}))
	r.run(t)
}

func TestAServiceFollowsTheIdentityOfItsBuyer(t *testing.T) {
	t.Parallel()
	each(t, "hk", func(t *testing.T, r rig) {
		r.active(t)
		r.heard(t, consent.ErrGateClosed)
		if v := r.item(t); v.State != service.Active {
			t.Errorf("where no identity is wanted: got %s", v.State)
		}
		r.law.everywhere = true
		for range 2 {
			r.heard(t, consent.ErrGateClosed) // withdrawn
		}
		if v := r.item(t); v.State != service.Suspended || !slices.Equal(v.Reasons, []service.Reason{service.NoRealName}) || r.up.calls["suspend true"] != 1 {
			t.Errorf("withdrawn: got %s for %v after %v", v.State, v.Reasons, r.up.calls)
		}
		r.heard(t, consent.ErrRenewalNeeded)
		if v := r.item(t); v.State != service.Suspended {
			t.Errorf("a new version to be accepted proves nothing: got %s", v.State)
		}
		r.heard(t, nil) // given again
		if v := r.item(t); v.State != service.Active || r.up.calls["suspend false"] != 1 {
			t.Errorf("given again: got %s after %v", v.State, r.up.calls)
		}
		r.heard(t, consent.ErrRenewalNeeded)
		if v := r.item(t); v.State != service.Active {
			t.Errorf("a new version to be accepted ends nothing: got %s", v.State)
		}
		must(t, r.db.InTx(ctx, func(tx *db.Tx) error {
			r.law.identity = realname.ErrRequired
			return r.queue.PublishTx(ctx, tx, realname.TopicDecided, realname.DecidedEvent{Account: string(owner), Subject: "sub_alice", State: "revoked"})
		}))
		r.run(t)
		if v := r.item(t); v.State != service.Suspended {
			t.Errorf("revoked by staff: got %s", v.State)
		}
	})
}

// TestAPaidServiceWaitsForANewVersionToBeAccepted: a major version that comes
// into force between payment and delivery fails no order.
func TestAPaidServiceWaitsForANewVersionToBeAccepted(t *testing.T) {
	t.Parallel()
	each(t, "cn", func(t *testing.T, r rig) {
		r.law.identity = consent.ErrRenewalNeeded
		r.paid(t)
		r.run(t)
		if v := r.item(t); v.State != service.Provisioning || v.Problem != "" || r.up.calls["create"] != 0 {
			t.Errorf("waiting: got %+v after %v", v, r.up.calls)
		}
		r.heard(t, realname.ErrRequired)
		if v := r.item(t); v.State != service.ProvisionFailed {
			t.Errorf("heard, and still not identified: got %s", v.State)
		}
	})
}

func TestAnUnknownOutcomeIsAskedForBeforeItIsRepeated(t *testing.T) {
	t.Parallel()
	each(t, "hk", func(t *testing.T, r rig) {
		r.up.before = []error{errors.New("connection refused")}
		r.up.after = []error{errors.New("timeout after it was made")}
		r.paid(t)
		r.run(t)
		if v := r.item(t); v.State != service.Provisioning || v.Resource == "" || r.up.calls["create"] != 2 || len(r.up.made) != 1 {
			t.Errorf("got %+v, %d creations, %d things", v, r.up.calls["create"], len(r.up.made))
		}
	})
}

func TestAFinalErrorFailsAndStaffMayRetryWithANewKey(t *testing.T) {
	t.Parallel()
	each(t, "hk", func(t *testing.T, r rig) {
		r.up.before = []error{errs.New(errs.Unprocessable, "vpn.network_not_found")}
		r.paid(t)
		r.run(t)
		v := r.item(t)
		if v.State != service.ProvisionFailed || v.Problem != "vpn.network_not_found" || !slices.Equal(*r.told, []string{"service.provision_failed orl_1 vpn.network_not_found"}) {
			t.Fatalf("got %+v, told %v", v, *r.told)
		}
		must(t, r.s.RetryProvision(ctx, account.Principal{Staff: true, Subject: "sub_ada"}, v.ID))
		r.run(t)
		if again := r.item(t); again.State != service.Provisioning || again.Attempt != 2 || again.Key() == v.Key() {
			t.Errorf("retried: got %+v", again)
		}
		if err := r.s.RetryProvision(ctx, account.Principal{Staff: true, Subject: "sub_ada"}, v.ID); !errors.Is(err, service.ErrTransition) {
			t.Errorf("retrying what is under way: got %v", err)
		}
	})
}

func TestNothingIsProvisionedInAMainlandRegionWithoutIdentity(t *testing.T) {
	t.Parallel()
	each(t, "cn-bj", func(t *testing.T, r rig) {
		r.paid(t)
		r.run(t)
		v := r.item(t)
		if v.State != service.ProvisionFailed || v.Problem != "realname.required" || len(r.up.made) != 0 {
			t.Errorf("got %+v, made %v", v, r.up.made)
		}
	})
	each(t, "cn-sh", func(t *testing.T, r rig) {
		r.paid(t)
		_ = r.queue.Drain(ctx)
		v := r.item(t)
		must(t, r.db.InTx(ctx, func(tx *db.Tx) error { // as if it were still under way
			_, err := tx.Exec(ctx, "UPDATE service_item SET state = 'provisioning' WHERE id = $1", v.ID)
			return err
		}))
		must(t, r.s.Provision(ctx, r.item(t), service.Identity{}))
		if got := r.item(t); got.State != service.ProvisionFailed || len(r.up.made) != 0 {
			t.Errorf("the zero identity: got %+v, made %v", got, r.up.made)
		}
	})
}

func TestARuleThatCannotBeAskedOpensNothing(t *testing.T) {
	t.Parallel()
	each(t, "unknown", func(t *testing.T, r rig) {
		r.paid(t)
		if err := r.queue.Drain(ctx); err == nil {
			t.Error("provisioned although nobody knows whether it may be")
		}
		if v := r.item(t); v.State != service.Provisioning || len(r.up.made) != 0 {
			t.Errorf("got %+v, made %v", v, r.up.made)
		}
	})
}

func TestReasonsAddUpAndTheLastOneOpens(t *testing.T) {
	t.Parallel()
	each(t, "hk", func(t *testing.T, r rig) {
		v := r.active(t)
		step := func(name string, err error, want service.State, reasons int) {
			t.Helper()
			r.run(t)
			got := r.item(t)
			if err != nil || got.State != want || len(got.Reasons) != reasons {
				t.Errorf("%s: got %s with %v, %v, want %s", name, got.State, got.Reasons, err, want)
			}
		}
		step("abuse", r.s.Suspend(ctx, v.ID, service.Abuse), service.Suspended, 1)
		step("abuse again", r.s.Suspend(ctx, v.ID, service.Abuse), service.Suspended, 1)
		step("overdue too", r.s.Suspend(ctx, v.ID, service.Overdue), service.Suspended, 2)
		step("paid", r.s.Resume(ctx, v.ID, service.Overdue), service.Suspended, 1)
		step("what it has not", r.s.Resume(ctx, v.ID, service.Overdue), service.Suspended, 1)
		step("cleared", r.s.Resume(ctx, v.ID, service.Abuse), service.Active, 0)
		if r.up.calls["suspend true"] != 1 || r.up.calls["suspend false"] != 1 {
			t.Errorf("the provider heard %v", r.up.calls)
		}
	})
}

func TestAnOverduePeriodIsSuspendedAfterGrace(t *testing.T) {
	t.Parallel()
	each(t, "hk", func(t *testing.T, r rig) {
		v := r.active(t)
		r.clock.Advance(v.PaidThrough.Sub(r.clock.Now()) + time.Hour)
		must(t, service.Day(ctx, r.s))
		if got := r.item(t); got.State != service.Active || got.OverdueSince.IsZero() {
			t.Errorf("an hour over: got %s, overdue since %v", got.State, got.OverdueSince)
		}
		r.clock.Advance(3 * 24 * time.Hour)
		must(t, service.Day(ctx, r.s))
		must(t, service.Day(ctx, r.s))
		if got := r.item(t); got.State != service.Suspended || !slices.Equal(got.Reasons, []service.Reason{service.Overdue}) {
			t.Errorf("after grace: got %s with %v", got.State, got.Reasons)
		}
	})
}

func TestTerminationIsConfirmedByTheProvider(t *testing.T) {
	t.Parallel()
	each(t, "hk", func(t *testing.T, r rig) {
		v := r.active(t)
		must(t, r.s.Terminate(ctx, v.ID))
		if got := r.item(t); got.State != service.Terminating {
			t.Errorf("asked: got %s", got.State)
		}
		r.run(t)
		if got := r.item(t); got.State != service.Terminated || r.up.calls["terminate"] != 1 {
			t.Errorf("gone: got %s, heard %v", got.State, r.up.calls)
		}
		if err := r.s.Terminate(ctx, v.ID); !errors.Is(err, service.ErrTransition) {
			t.Errorf("again: got %v", err)
		}
	})
}

func TestALostWordOfTheProviderIsFoundByAsking(t *testing.T) {
	t.Parallel()
	each(t, "hk", func(t *testing.T, r rig) {
		r.paid(t)
		r.run(t)
		r.up.set(service.Running) // and nobody says so
		must(t, service.Reconcile(ctx, r.s))
		if v := r.item(t); v.State != service.Active {
			t.Errorf("got %s", v.State)
		}
	})
}

func TestAPaidServiceOutlivesItsJob(t *testing.T) {
	t.Parallel()
	each(t, "hk", func(t *testing.T, r rig) {
		for range 60 {
			r.up.before = append(r.up.before, errors.New("no node in this region"))
		}
		r.paid(t)
		for range 50 {
			if err := r.queue.Drain(ctx); err == nil {
				break // the job is dead
			}
			r.clock.Advance(2 * time.Hour)
		}
		r.up.before = nil
		must(t, service.Reconcile(ctx, r.s))
		if v := r.item(t); v.State != service.Provisioning || v.Resource == "" || len(r.up.made) != 1 {
			t.Errorf("got %+v, made %v", v, r.up.made)
		}
	})
}

func TestServicesOfOthersAreNotFound(t *testing.T) {
	t.Parallel()
	each(t, "hk", func(t *testing.T, r rig) {
		v := r.active(t)
		if _, err := r.s.Item(ctx, "acc_mallory", v.ID); !errs.IsNotFound(err) {
			t.Errorf("Item: got %v", err)
		}
		if _, err := r.s.ByResource(ctx, "acc_mallory", v.Resource); !errs.IsNotFound(err) {
			t.Errorf("ByResource: got %v", err)
		}
		if all, err := r.s.Items(ctx, "acc_mallory", "", 10); err != nil || len(all) != 0 {
			t.Errorf("Items: got %v, %v", all, err)
		}
		if mine, err := r.s.ByResource(ctx, owner, v.Resource); err != nil || mine.ID != v.ID {
			t.Errorf("its owner: got %s, %v", mine.ID, err)
		}
	})
}

func TestEveryStateIsReachedAndOnlyTheTerminalOnesAreDeadEnds(t *testing.T) {
	t.Parallel()
	reached := map[service.State]bool{service.Pending: true}
	exits := map[service.State]bool{}
	for range service.Transitions {
		for _, tr := range service.Transitions {
			exits[tr.From] = true
			if reached[tr.From] {
				reached[tr.To] = true
			}
		}
	}
	for _, s := range []service.State{
		service.Pending, service.Cancelled, service.Provisioning, service.ProvisionFailed, service.Active,
		service.Suspended, service.Terminating, service.Terminated,
	} {
		if !reached[s] {
			t.Errorf("%s is never reached", s)
		}
		terminal := s == service.Cancelled || s == service.Terminated
		if exits[s] == terminal {
			t.Errorf("%s has exits: %v", s, exits[s])
		}
	}
}

func TestMonthsAreCalendarMonthsOfBilling(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from string
		n    int
		want string
	}{
		{"2026-01-31T10:00:00+08:00", 1, "2026-02-28T10:00:00+08:00"},
		{"2027-12-31T10:00:00+08:00", 2, "2028-02-29T10:00:00+08:00"},
		{"2026-11-22T10:00:00+08:00", 12, "2027-11-22T10:00:00+08:00"},
		{"2026-10-31T23:30:00+00:00", 1, "2026-11-30T23:30:00+00:00"}, // 1 November in China
	} {
		from, err := time.Parse(time.RFC3339, c.from)
		must(t, err)
		want, err := time.Parse(time.RFC3339, c.want)
		must(t, err)
		if got := service.AddMonths(from, c.n); !got.Equal(want) {
			t.Errorf("%s + %d months: got %s, want %s", c.from, c.n, got, want.UTC())
		}
	}
}
