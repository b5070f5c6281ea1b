package ownvpn_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/fleet"
	"github.com/skybridge-cloud/skybridge/internal/control/realname"
	"github.com/skybridge-cloud/skybridge/internal/control/service"
	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/password"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
	"github.com/skybridge-cloud/skybridge/internal/provider/ownvpn"
)

var (
	ctx   = context.Background()
	start = time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
)

const owner account.ID = "acc_alice"

// ports are the modules that stand elsewhere: a paid order of one line for each
// name, in a region that needs no real name.
type ports struct{ names []string }

func (p ports) OrderLines(_ context.Context, order string) ([]service.Line, error) {
	var all []service.Line
	for i, n := range p.names {
		all = append(all, service.Line{
			ID: fmt.Sprintf("orl_%d", i), Order: order, Account: owner, Subject: "sub_alice", Kind: "new",
			Product: "vpn-gateway", Region: "hk-1", Months: 1, Options: map[string]string{"ssl_bandwidth": "100", "ssl_connections": "5"},
			Configuration: map[string]string{"name": n, "network": "vpc-demo"},
		})
	}
	return all, nil
}

func (ports) RequiresRealName(context.Context, string) (bool, error) { return false, nil }
func (ports) Require(context.Context, account.ID) (realname.Verified, error) {
	return realname.Verified{}, realname.ErrRequired
}
func (ports) Gate(context.Context, id.Handle, string) error { return nil }

type rig struct {
	vpn     *vpn.Service
	fleet   *fleet.Service
	service *service.Service
	own     *ownvpn.Provider
	queue   *job.Queue
	db      *db.DB
	node    fleet.Node
}

func newRig(t *testing.T, d *db.DB, p ports) rig {
	t.Helper()
	c, log := clock.NewFake(start), slog.New(slog.DiscardHandler)
	kek, err := vault.FileKEK(filepath.Join(t.TempDir(), "kek"))
	must(t, err)
	v, err := vault.New(ctx, vault.Deps{DB: dbtest.SQLite(t, vault.Migrations()), Custodian: kek, Clock: c, Log: log})
	must(t, err)
	r := rig{db: d, queue: job.New(d, c, log)}
	a := audit.New(audit.Deps{DB: d, Vault: v, Clock: c, Log: log, Origin: "test.example/log"})
	v.Bind(a, p)
	r.fleet = fleet.New(fleet.Deps{DB: d, Clock: c, Queue: r.queue, Log: log, Audit: a, Vault: v})
	r.vpn = vpn.New(vpn.Deps{
		DB: d, Clock: c, Queue: r.queue, Log: log, Audit: a, Fleet: r.fleet, Vault: v, System: v,
		Password: password.NewHasherAt(1, 64), Config: vpn.Config{BaseDomain: "vpn.test", Networks: []vpn.Network{{ID: "vpc-demo", Region: "hk-1"}}},
	})
	r.own = ownvpn.New(r.vpn)
	r.service = service.New(service.Deps{
		DB: d, Clock: c, Queue: r.queue, Log: log, Audit: a, Orders: p, RealName: p, Regions: p,
		Providers: map[string]service.Provider{"vpn-gateway": r.own},
	})
	r.own.Watch(r.queue, r.service.Observe)
	r.node, err = r.fleet.EnsureNode(ctx, fleet.NodeSpec{Name: "one", Region: "hk-1", Location: "HK", Addresses: []netip.Addr{netip.MustParseAddr("203.0.113.5")}})
	must(t, err)
	return r
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func each(t *testing.T, names []string, fn func(t *testing.T, r rig)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { fn(t, newRig(t, d, ports{names})) },
		job.Migrations(), audit.Migrations(), fleet.Migrations(), vpn.Migrations(), service.Migrations())
}

func (r rig) paid(t *testing.T) {
	t.Helper()
	must(t, r.db.InTx(ctx, func(tx *db.Tx) error {
		return r.queue.PublishTx(ctx, tx, "order.paid", map[string]string{"Order": "ord_1"})
	}))
	must(t, r.queue.Drain(ctx))
}

// apply is the node reporting that it runs what it should.
func (r rig) apply(t *testing.T) {
	t.Helper()
	d, err := r.fleet.Desired(ctx, r.node.ID)
	must(t, err)
	rep := gwlink.Report{Node: r.node.ID, Generation: d.Generation}
	for _, g := range d.Gateways {
		rep.Gateways = append(rep.Gateways, gwlink.ObservedState{Gateway: g.ID, Generation: d.Generation, State: "applied"})
	}
	must(t, r.fleet.Ingest(ctx, r.node.ID, rep))
	must(t, r.queue.Drain(ctx))
}

func (r rig) items(t *testing.T) []service.Item {
	t.Helper()
	all, err := r.service.Items(ctx, owner, "", 10)
	must(t, err)
	return all
}

func TestFromThePaidOrderToTheRunningGatewayAndBack(t *testing.T) {
	t.Parallel()
	each(t, []string{"office"}, func(t *testing.T, r rig) {
		r.paid(t)
		if v := r.items(t); len(v) != 1 || v[0].State != service.Provisioning {
			t.Fatalf("before the node has applied it: got %+v", v)
		}
		r.apply(t)
		v := r.items(t)[0]
		g, err := r.vpn.Gateway(ctx, owner, v.Resource)
		if err != nil || v.State != service.Active || g.State != vpn.GatewayActive || g.Name != "office" || g.SSLBandwidth != 100 || g.SSLConnections != 5 {
			t.Fatalf("applied: got %+v, %+v, %v", v, g, err)
		}
		must(t, r.service.Suspend(ctx, v.ID, service.Abuse))
		must(t, r.queue.Drain(ctx))
		if g, err := r.vpn.Gateway(ctx, owner, v.Resource); err != nil || g.State != vpn.GatewayFrozen {
			t.Errorf("suspended: got %s, %v", g.State, err)
		}
		must(t, r.service.Resume(ctx, v.ID, service.Abuse))
		must(t, r.queue.Drain(ctx))
		r.apply(t)
		if g, err := r.vpn.Gateway(ctx, owner, v.Resource); err != nil || g.State != vpn.GatewayActive {
			t.Errorf("resumed: got %s, %v", g.State, err)
		}
		must(t, r.service.Terminate(ctx, v.ID))
		must(t, r.queue.Drain(ctx))
		if v := r.items(t)[0]; v.State != service.Terminating {
			t.Errorf("before the node has removed it: got %s", v.State)
		}
		r.apply(t)
		if v := r.items(t)[0]; v.State != service.Terminated {
			t.Errorf("terminated: got %s", v.State)
		}
	})
}

func TestACustomerReleasesAGateway(t *testing.T) {
	t.Parallel()
	alice := account.Principal{Account: owner, Subject: "sub_alice"}
	each(t, []string{"office"}, func(t *testing.T, r rig) {
		r.paid(t)
		if err := r.service.Release(ctx, alice, r.items(t)[0].Resource, true); !errors.Is(err, service.ErrTransition) {
			t.Errorf("while it is made: got %v", err)
		}
		r.apply(t)
		v := r.items(t)[0]
		settings := vpn.DefaultSettings()
		settings.Name, settings.LocalSubnets, settings.Pool = "office", []netip.Prefix{netip.MustParsePrefix("10.1.0.0/24")}, netip.MustParsePrefix("10.9.0.0/24")
		_, err := r.vpn.CreateServer(ctx, alice, vpn.NewServer{Gateway: v.Resource, Settings: settings})
		must(t, err)
		if err := r.service.Release(ctx, account.Principal{Account: "acc_other"}, v.Resource, true); !errors.Is(err, service.ErrNotFound) {
			t.Errorf("another's: got %v", err)
		}
		if err := r.service.Release(ctx, alice, v.Resource, false); !errors.Is(err, vpn.ErrInUse) || r.items(t)[0].State != service.Active {
			t.Errorf("in use: got %v, %s", err, r.items(t)[0].State)
		}
		must(t, r.service.Release(ctx, alice, v.Resource, true))
		must(t, r.service.Release(ctx, alice, v.Resource, true))
		must(t, r.queue.Drain(ctx))
		if g, err := r.vpn.Gateway(ctx, owner, v.Resource); err != nil || g.State != vpn.GatewayDeleting {
			t.Errorf("before the node has removed it: got %s, %v", g.State, err)
		}
		r.apply(t)
		if _, err := r.vpn.Gateway(ctx, owner, v.Resource); !errors.Is(err, vpn.ErrGatewayNotFound) || r.items(t)[0].State != service.Terminated {
			t.Errorf("gone: got %v, %s", err, r.items(t)[0].State)
		}
		if err := r.vpn.Resize(ctx, v.Resource, vpn.Limits{SSLBandwidth: 200, SSLConnections: 10}); !errors.Is(err, vpn.ErrState) {
			t.Errorf("an upgrade that comes late: got %v", err)
		}
	})
}

func TestAnUpgradeIsInForceWhenTheNodeSaysSo(t *testing.T) {
	t.Parallel()
	each(t, []string{"office"}, func(t *testing.T, r rig) {
		r.paid(t)
		r.apply(t)
		v := r.items(t)[0]
		more := map[string]string{"ssl_bandwidth": "200", "ssl_connections": "10"}
		must(t, r.own.Resize(ctx, "any", v.Resource, more))
		st, err := r.own.Get(ctx, v.Key())
		if err != nil || st.State != service.Running || !st.Changing {
			t.Errorf("before the node has applied it: got %+v, %v", st, err)
		}
		d, err := r.fleet.Desired(ctx, r.node.ID)
		if err != nil || d.Gateways[0].UpRate != 200_000_000 || d.Gateways[0].SessionLimit != 10 || len(d.Closures) != 0 {
			t.Errorf("desired: got %+v, %v", d, err)
		}
		r.apply(t)
		must(t, r.own.Resize(ctx, "late", v.Resource, map[string]string{"ssl_bandwidth": "100", "ssl_connections": "5"}))
		st, err = r.own.Get(ctx, v.Key())
		g, gerr := r.vpn.Gateway(ctx, owner, v.Resource)
		if err != nil || gerr != nil || st.Changing || g.SSLBandwidth != 200 || g.SSLConnections != 10 {
			t.Errorf("applied: got %+v, %+v, %v, %v", st, g, err, gerr)
		}
		for bandwidth, want := range map[string]error{"100": vpn.ErrLimits, "200": nil, "1000": nil, "many": ownvpn.ErrOption} {
			err := r.own.CheckUpgrade(ctx, owner, v.Resource, map[string]string{"ssl_bandwidth": bandwidth, "ssl_connections": "10"})
			if !errors.Is(err, want) {
				t.Errorf("%s: got %v, want %v", bandwidth, err, want)
			}
		}
		if err := r.own.CheckUpgrade(ctx, "acc_other", v.Resource, more); !errors.Is(err, vpn.ErrGatewayNotFound) {
			t.Errorf("another's: got %v", err)
		}
	})
}

func TestTwoPaidLinesOfOneNameAreTwoGateways(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("长", vpn.MaxName) // whose addition has no room
	for _, name := range []string{"office", long} {
		twoOfOneName(t, name)
	}
}

func twoOfOneName(t *testing.T, name string) {
	t.Helper()
	each(t, []string{name, name}, func(t *testing.T, r rig) {
		r.paid(t)
		r.paid(t)
		r.apply(t)
		all := r.items(t)
		if len(all) != 2 || all[0].State != service.Active || all[1].State != service.Active || all[0].Resource == all[1].Resource {
			t.Errorf("got %+v", all)
		}
	})
}

func TestWhatCannotBeMadeIsSaidBeforeTheOrder(t *testing.T) {
	t.Parallel()
	each(t, []string{"office"}, func(t *testing.T, r rig) {
		r.paid(t)
		spec := func(name, network, bandwidth string) service.Spec {
			return service.Spec{
				Account: owner, Product: "vpn-gateway", Region: "hk-1", Options: map[string]string{"ssl_bandwidth": bandwidth, "ssl_connections": "5"},
				Configuration: map[string]string{"name": name, "network": network},
			}
		}
		for _, c := range []struct {
			spec service.Spec
			want error
		}{
			{spec("other", "vpc-demo", "100"), nil},
			{spec("office", "vpc-demo", "100"), vpn.ErrNameDuplicate},
			{spec("other", "vpc-none", "100"), vpn.ErrNetworkNotFound},
			{spec("other", "vpc-demo", "many"), ownvpn.ErrOption},
			{spec("other", "vpc-demo", "5000"), vpn.ErrLimits},
			{spec("-", "vpc-demo", "100"), vpn.ErrNameInvalid},
		} {
			if err := r.own.Check(ctx, c.spec); !errors.Is(err, c.want) {
				t.Errorf("%v: got %v, want %v", c.spec.Configuration, err, c.want)
			}
		}
	})
}
