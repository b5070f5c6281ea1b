package fleet_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/fleet"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

var (
	ctx   = context.Background()
	start = time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
)

// source holds one gateway per id, as vpn would.
type source struct{}

func (source) GatewaysOf(_ context.Context, ids []string) ([]gwlink.Gateway, error) {
	var all []gwlink.Gateway
	for _, i := range ids {
		all = append(all, gwlink.Gateway{ID: i, State: gwlink.GatewayActive})
	}
	return all, nil
}

func (source) GrantKeys(context.Context) ([]gwlink.GrantKey, error) {
	return []gwlink.GrantKey{{ID: "k", Public: make([]byte, 32)}}, nil
}

// reads is the read log of the tests.
type reads struct {
	mu  sync.Mutex
	all []vault.Read
}

func (l *reads) RecordRead(_ context.Context, r vault.Read) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, r)
	return fmt.Sprintf("read_%d", len(l.all)), nil
}

func (l *reads) Gate(context.Context, id.Handle, string) error { return nil }

type rig struct {
	s     *fleet.Service
	db    *db.DB
	queue *job.Queue
	clock *clock.Fake
	reads *reads
	seen  *events
	node  fleet.Node
}

// events collects what the module publishes.
type events struct {
	mu       sync.Mutex
	observed []fleet.Observed
	closed   []fleet.SessionClosed
	released []string
	recorded []string
}

// AppendTx keeps the types of leaves.
func (e *events) AppendTx(_ context.Context, tx *db.Tx, leaf audit.Event) error {
	if _, ok := audit.Types[leaf.Type]; !ok {
		return fmt.Errorf("event type %s is not registered", leaf.Type)
	}
	tx.AfterCommit(func() { e.recorded = append(e.recorded, leaf.Type+" by "+leaf.Actor.Class) })
	return nil
}

func each(t *testing.T, fn func(t *testing.T, r rig)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { fn(t, newRig(t, d)) }, job.Migrations(), fleet.Migrations())
}

func newRig(t *testing.T, d *db.DB) rig {
	t.Helper()
	c, log := clock.NewFake(start), slog.New(slog.DiscardHandler)
	kek, err := vault.FileKEK(filepath.Join(t.TempDir(), "kek"))
	must(t, err)
	v, err := vault.New(ctx, vault.Deps{DB: dbtest.SQLite(t, vault.Migrations()), Custodian: kek, Clock: c, Log: log})
	must(t, err)
	r := rig{db: d, queue: job.New(d, c, log), clock: c, reads: &reads{}, seen: &events{}}
	v.Bind(r.reads, r.reads)
	r.s = fleet.New(fleet.Deps{DB: d, Clock: c, Queue: r.queue, Log: log, Audit: r.seen, Vault: v})
	r.s.Bind(source{})
	job.Subscribe(r.queue, fleet.TopicObserved, "test", func(_ context.Context, e fleet.Observed) error {
		r.seen.mu.Lock()
		defer r.seen.mu.Unlock()
		r.seen.observed = append(r.seen.observed, e)
		return nil
	})
	job.Subscribe(r.queue, fleet.TopicSessionClosed, "test", func(_ context.Context, e fleet.SessionClosed) error {
		r.seen.mu.Lock()
		defer r.seen.mu.Unlock()
		r.seen.closed = append(r.seen.closed, e)
		return nil
	})
	job.Subscribe(r.queue, fleet.TopicReleased, "test", func(_ context.Context, e fleet.Released) error {
		r.seen.released = append(r.seen.released, e.Gateway)
		return nil
	})
	r.node, err = r.s.EnsureNode(ctx, spec("one"))
	must(t, err)
	return r
}

func spec(name string) fleet.NodeSpec {
	return fleet.NodeSpec{Name: name, Region: "cn-test", Location: "CN-mainland", Addresses: []netip.Addr{netip.MustParseAddr("203.0.113.5")}}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (r rig) tx(t *testing.T, fn func(tx *db.Tx) error) {
	t.Helper()
	must(t, r.db.InTx(ctx, fn))
}

func (r rig) assign(t *testing.T, gateway string) (a fleet.Assignment) {
	t.Helper()
	r.tx(t, func(tx *db.Tx) (err error) {
		a, err = r.s.AssignTx(ctx, tx, gateway, "cn-test")
		return err
	})
	return a
}

func (r rig) change(t *testing.T, gateway string) (a fleet.Assignment) {
	t.Helper()
	r.tx(t, func(tx *db.Tx) (err error) {
		a, err = r.s.ChangedTx(ctx, tx, gateway)
		return err
	})
	return a
}

func (r rig) report(t *testing.T, rep gwlink.Report) {
	t.Helper()
	rep.Node, rep.Sent, rep.Version = r.node.ID, r.clock.Now(), "test"
	must(t, r.s.Ingest(ctx, r.node.ID, rep))
	must(t, r.queue.Drain(ctx))
}

func opened(session, gateway string) gwlink.SessionOpened {
	return gwlink.SessionOpened{
		Session: session, Gateway: gateway, Server: "sslsrv-a", Client: "sslcli-a", At: start,
		SourceIP: netip.MustParseAddr("198.51.100.9"), Inner: netip.MustParseAddr("10.9.0.2"), Inner6: netip.MustParseAddr("fd00:9::2"),
	}
}

func closed(session string) gwlink.SessionClosed {
	return gwlink.SessionClosed{Session: session, At: start.Add(time.Minute), Reason: gwlink.ReasonUser, BytesIn: 1000, BytesOut: 5000}
}

func TestEnsuringANodeTwiceIsOneNode(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		same, err := r.s.EnsureNode(ctx, spec("one"))
		if err != nil || same.ID != r.node.ID || same.Generation != r.node.Generation {
			t.Errorf("again: got %+v, %v, want the same node and generation", same, err)
		}
		moved := spec("one")
		moved.Addresses = []netip.Addr{netip.MustParseAddr("203.0.113.6")}
		got, err := r.s.EnsureNode(ctx, moved)
		if err != nil || got.ID != r.node.ID || got.Generation <= r.node.Generation {
			t.Errorf("with another address: got %+v, %v, want the same node, a greater generation", got, err)
		}
	})
}

func TestANodeIsFoundByItsKeyAndByNoEmptyKey(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		keyed := spec("two")
		keyed.KeySHA256 = "ab"
		two, err := r.s.EnsureNode(ctx, keyed)
		must(t, err)
		got, err := r.s.NodeByKey(ctx, "ab")
		if err != nil || got.ID != two.ID {
			t.Errorf("got %v, %v, want %s", got.ID, err, two.ID)
		}
		if _, err := r.s.NodeByKey(ctx, ""); !errs.IsNotFound(err) {
			t.Errorf("the empty key: got %v, want NotFound", err)
		}
	})
}

func TestGenerationsGrowWithEachChangeAndDesiredHoldsThem(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		a := r.assign(t, "vpngw-a")
		b := r.change(t, "vpngw-a")
		if b.Generation <= a.Generation || b.Node != r.node.ID {
			t.Errorf("got %d after %d", b.Generation, a.Generation)
		}
		d, err := r.s.Wait(ctx, r.node.ID, a.Generation, time.Second)
		if err != nil || d.Generation < b.Generation || len(d.Gateways) != 1 || len(d.GrantKeys) != 1 {
			t.Errorf("got %+v, %v", d, err)
		}
		if _, err := r.s.Wait(ctx, r.node.ID, d.Generation, time.Millisecond); !errs.IsNotFound(err) {
			t.Errorf("nothing new: got %v, want ErrUnchanged", err)
		}
	})
}

// counting is a source that tells what it was asked for and how often.
type counting struct {
	source
	asked map[string]int
}

func (c counting) GatewaysOf(ctx context.Context, ids []string) ([]gwlink.Gateway, error) {
	all, err := c.source.GatewaysOf(ctx, ids)
	for i, id := range ids {
		c.asked[id]++
		all[i].SessionLimit = c.asked[id]
	}
	return all, err
}

func TestOnlyWhatChangedIsReadAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		c := counting{asked: map[string]int{}}
		r.s.Bind(c)
		for _, g := range []string{"vpngw-a", "vpngw-b", "vpngw-c"} {
			r.assign(t, g)
		}
		limits := func() (all []int) {
			d, err := r.s.Desired(ctx, r.node.ID)
			must(t, err)
			for _, g := range d.Gateways {
				all = append(all, g.SessionLimit)
			}
			return all
		}
		first := limits()
		r.change(t, "vpngw-b")
		second := limits()
		r.tx(t, func(tx *db.Tx) error { return r.s.ReleaseTx(ctx, tx, "vpngw-a") })
		third := limits()
		if !slices.Equal(first, []int{1, 1, 1}) || !slices.Equal(second, []int{1, 2, 1}) || !slices.Equal(third, []int{2, 1}) {
			t.Errorf("got %v, %v, %v: want only the changed one read again, and the released one gone", first, second, third)
		}
	})
}

func TestAWaitingNodeHearsOfAChange(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		a := r.assign(t, "vpngw-a")
		other := fleet.New(fleet.Deps{DB: r.db, Clock: r.clock, Queue: job.New(r.db, r.clock, slog.New(slog.DiscardHandler)), Log: slog.New(slog.DiscardHandler)})
		other.Bind(source{})
		for name, waiter := range map[string]*fleet.Service{"of this process": r.s, "of another process": other} {
			done := make(chan error, 1)
			after := a.Generation
			go func() {
				d, err := waiter.Wait(ctx, r.node.ID, after, 20*time.Second)
				if err == nil && d.Generation <= after {
					err = fmt.Errorf("generation %d after %d", d.Generation, after)
				}
				done <- err
			}()
			begin := time.Now()
			a = r.change(t, "vpngw-a")
			if err := <-done; err != nil {
				t.Errorf("a waiter %s: %v", name, err)
			}
			if took := time.Since(begin); took > 5*time.Second {
				t.Errorf("a waiter %s heard after %v", name, took)
			}
		}
	})
}

func TestANodeAheadOfARestoredDatabaseGetsAGreaterGeneration(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		d, err := r.s.Wait(ctx, r.node.ID, 900, time.Second)
		if err != nil || d.Generation != 901 {
			t.Errorf("got %d, %v, want 901", d.Generation, err)
		}
	})
}

func TestFiftyParallelChangesAreFiftyGenerations(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		before := r.assign(t, "vpngw-a").Generation
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				for {
					err := r.db.InTx(ctx, func(tx *db.Tx) error { _, err := r.s.ChangedTx(ctx, tx, "vpngw-a"); return err })
					if err == nil {
						return
					}
				}
			})
		}
		wg.Wait()
		a, err := r.s.Assignment(ctx, "vpngw-a")
		if err != nil || a.Generation != before+50 {
			t.Errorf("got %d, %v, want %d", a.Generation, err, before+50)
		}
	})
}

func TestAReportMayComeAgainAndInAnyOrder(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		r.assign(t, "vpngw-a")
		orders := map[string][]gwlink.Report{
			"opened, closed": {{Opened: []gwlink.SessionOpened{opened("x", "vpngw-a")}}, {Closed: []gwlink.SessionClosed{closed("x")}}},
			"closed, opened": {{Closed: []gwlink.SessionClosed{closed("x")}}, {Opened: []gwlink.SessionOpened{opened("x", "vpngw-a")}}},
			"both in one":    {{Opened: []gwlink.SessionOpened{opened("x", "vpngw-a")}, Closed: []gwlink.SessionClosed{closed("x")}}},
		}
		for name, reports := range orders {
			session := id.New("ses")
			for range 3 { // each report three times
				for _, rep := range reports {
					rep.Opened, rep.Closed = slices.Clone(rep.Opened), slices.Clone(rep.Closed)
					for i := range rep.Opened {
						rep.Opened[i].Session = session
					}
					for i := range rep.Closed {
						rep.Closed[i].Session = session
					}
					r.report(t, rep)
				}
			}
			got, err := r.s.Session(ctx, []string{"vpngw-a"}, session)
			must(t, err)
			want := fleet.Session{
				ID: session, Client: "sslcli-a", Gateway: "vpngw-a", Start: start, End: start.Add(time.Minute),
				Reason: "user", BytesIn: 1000, BytesOut: 5000,
			}
			if diff := cmp.Diff(want, got, cmp.FilterPath(func(p cmp.Path) bool {
				return p.Last().String() == ".sealedSource" || p.Last().String() == ".sealedInner"
			}, cmp.Ignore()), cmp.AllowUnexported(fleet.Session{}), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
			n := 0
			for _, e := range r.seen.closed {
				if e.Session == session {
					n++
				}
			}
			if n != 1 {
				t.Errorf("%s: published %d times, want once", name, n)
			}
		}
	})
}

func TestANodeReportsOnlyForItsOwnGateways(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		r.assign(t, "vpngw-a")
		two, err := r.s.EnsureNode(ctx, spec("two"))
		must(t, err)
		mine := id.New("ses")
		r.report(t, gwlink.Report{Opened: []gwlink.SessionOpened{opened(mine, "vpngw-a")}})
		foreign := gwlink.Report{
			Node: two.ID, Opened: []gwlink.SessionOpened{opened(id.New("ses"), "vpngw-a")},
			Closed:   []gwlink.SessionClosed{closed(mine)},
			Gateways: []gwlink.ObservedState{{Gateway: "vpngw-a", Generation: 9, State: "failed"}},
		}
		must(t, r.s.Ingest(ctx, two.ID, foreign))
		must(t, r.queue.Drain(ctx))
		all, err := r.s.Sessions(ctx, fleet.Filter{Gateways: []string{"vpngw-a"}, Limit: 10})
		if err != nil || len(all) != 1 || !all[0].End.IsZero() || len(r.seen.observed) != 0 {
			t.Errorf("got %+v, %v, events %v: a foreign node was believed", all, err, r.seen.observed)
		}
		foreign.Node = r.node.ID
		if err := r.s.Ingest(ctx, two.ID, foreign); errs.KindOf(err) != errs.Invalid {
			t.Errorf("a report in another node's name: got %v", err)
		}
	})
}

func TestAnObservationIsPublishedWhenItTellsSomethingNew(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		a := r.assign(t, "vpngw-a")
		say := func(generation uint64, state string) {
			r.report(t, gwlink.Report{Generation: generation, Gateways: []gwlink.ObservedState{{Gateway: "vpngw-a", Generation: generation, State: state}}})
		}
		say(a.Generation, "applied")
		say(a.Generation, "applied")
		say(a.Generation, "failed")
		say(a.Generation-1, "applied") // late
		b := r.change(t, "vpngw-a")
		say(b.Generation, "failed")
		say(b.Generation, "applied")
		say(b.Generation+1, "applied") // generations of other gateways tell nothing about this one
		var got []string
		for _, e := range r.seen.observed {
			got = append(got, fmt.Sprintf("%d %s", e.Generation-a.Generation, e.State))
		}
		if want := []string{"0 applied", "0 failed", "1 failed", "1 applied"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestAReleasedGatewayIsGoneWhenItsNodeSaysSo(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		r.assign(t, "vpngw-a")
		kept := r.assign(t, "vpngw-b")
		r.tx(t, func(tx *db.Tx) error { return r.s.ReleaseTx(ctx, tx, "vpngw-a") })
		d, err := r.s.Desired(ctx, r.node.ID)
		must(t, err)
		if len(d.Gateways) != 1 || d.Gateways[0].ID != "vpngw-b" {
			t.Fatalf("desired: got %+v", d.Gateways)
		}
		other := gwlink.ObservedState{Gateway: "vpngw-b", Generation: d.Generation, State: "applied"}
		still := gwlink.ObservedState{Gateway: "vpngw-a", Generation: d.Generation, State: "failed", Problem: "busy"}
		for _, rep := range []gwlink.Report{
			{Generation: kept.Generation, Gateways: []gwlink.ObservedState{other}},     // before it heard
			{Generation: d.Generation, Gateways: []gwlink.ObservedState{other, still}}, // could not remove it
		} {
			r.report(t, rep)
			if len(r.seen.released) != 0 {
				t.Fatalf("released by %+v", rep)
			}
			if _, err := r.s.Assignment(ctx, "vpngw-a"); err != nil {
				t.Errorf("its assignment: %v", err)
			}
		}
		done := gwlink.Report{Generation: d.Generation, Gateways: []gwlink.ObservedState{other}}
		r.report(t, done)
		r.report(t, done)
		if !slices.Equal(r.seen.released, []string{"vpngw-a"}) {
			t.Errorf("released %v", r.seen.released)
		}
		if _, err := r.s.Assignment(ctx, "vpngw-a"); !errs.IsNotFound(err) {
			t.Errorf("its assignment: got %v", err)
		}
	})
}

func TestADrainingNodeGetsNoNewGatewayAndKeepsItsOwn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		own := r.assign(t, "vpngw-a")
		staff := account.Principal{Subject: "sub_staff", Staff: true}
		n, err := r.s.Drain(ctx, staff, r.node.ID, true)
		must(t, err)
		_, err = r.s.Drain(ctx, staff, r.node.ID, true)
		must(t, err)
		a, aerr := r.s.Assignment(ctx, "vpngw-a")
		if aerr != nil || !n.Draining || !a.Draining || a.Node != own.Node {
			t.Errorf("draining: got %+v, %+v, %v", n, a, aerr)
		}
		assign := func(gateway string) (a fleet.Assignment, err error) {
			err = r.db.InTx(ctx, func(tx *db.Tx) error { a, err = r.s.AssignTx(ctx, tx, gateway, "cn-test"); return err })
			return a, err
		}
		if _, err := assign("vpngw-b"); errs.CodeOf(err) != "fleet.no_node" {
			t.Errorf("a new gateway: got %v", err)
		}
		again, err := r.s.EnsureNode(ctx, spec("one")) // as at each start
		if err != nil || !again.Draining {
			t.Errorf("after a restart: got %+v, %v", again, err)
		}
		two, err := r.s.EnsureNode(ctx, spec("two"))
		must(t, err)
		if b, err := assign("vpngw-b"); err != nil || b.Node != two.ID {
			t.Errorf("with another node: got %+v, %v", b, err)
		}
		n, err = r.s.Drain(ctx, account.Principal{}, r.node.ID, false)
		if err != nil || n.Draining {
			t.Errorf("undone: got %+v, %v", n, err)
		}
		if want := []string{"fleet.node_draining by staff", "fleet.node_drained by system"}; !slices.Equal(r.seen.recorded, want) {
			t.Errorf("recorded %v, want %v", r.seen.recorded, want)
		}
		if _, err := r.s.Drain(ctx, staff, "node_none", true); !errs.IsNotFound(err) {
			t.Errorf("no such node: got %v", err)
		}
	})
}
