package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"sync"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/fleet"
	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/dataplane/sslvpn"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/password"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// hashesAtOnce is how the service is assembled, see internal/app.
const hashesAtOnce = 4

// plane is the part of the control plane that decides about logins: the real
// modules on SQLite, with argon2id as it is set for everybody. It is reached by
// calls, not over gwlink.
type plane struct {
	s      *vpn.Service
	fleet  *fleet.Service
	node   string
	server vpn.SSLServer
	users  []credentials
	close  func() error

	mu     sync.Mutex
	events gwlink.Report // not told yet
}

type credentials struct{ name, password string }

type anyGate struct{}

func (anyGate) Gate(context.Context, id.Handle, string) error { return nil }

// newPlane makes a control plane with one gateway, one server that takes a
// password alone, and n users.
func newPlane(ctx context.Context, n int) (*plane, error) {
	dir, err := os.MkdirTemp("", "load")
	if err != nil {
		return nil, err
	}
	p := &plane{close: func() error { return os.RemoveAll(dir) }}
	if err := p.assemble(ctx, dir); err != nil {
		return nil, errors.Join(err, p.close())
	}
	if err := p.furnish(ctx, n); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

func (p *plane) assemble(ctx context.Context, dir string) error {
	c, log := clock.System{}, slog.New(slog.DiscardHandler)
	kek, err := vault.FileKEK(filepath.Join(dir, "kek"))
	if err != nil {
		return err
	}
	keys, err := open(ctx, filepath.Join(dir, "keys.db"), vault.Migrations())
	if err != nil {
		return err
	}
	v, err := vault.New(ctx, vault.Deps{DB: keys, Custodian: kek, Clock: c, Log: log})
	if err != nil {
		return err
	}
	d, err := open(ctx, filepath.Join(dir, "main.db"), job.Migrations(), audit.Migrations(), fleet.Migrations(), vpn.Migrations())
	if err != nil {
		return err
	}
	queue := job.New(d, c, log)
	book := audit.New(audit.Deps{DB: d, Vault: v, Clock: c, Log: log, Origin: "bench.example/log"})
	v.Bind(book, anyGate{})
	p.fleet = fleet.New(fleet.Deps{DB: d, Clock: c, Queue: queue, Log: log, Vault: v})
	p.s = vpn.New(vpn.Deps{
		DB: d, Clock: c, Queue: queue, Log: log, Audit: book, Fleet: p.fleet, Vault: v, System: v, Password: password.NewHasher(hashesAtOnce),
		Config: vpn.Config{BaseDomain: "vpn.bench", SecretTTL: vpn.DefaultSecretTTL, Networks: []vpn.Network{{
			ID: "vpc", Name: "bench", Region: "here", Prefixes: []netip.Prefix{netip.MustParsePrefix("10.77.0.0/24")},
		}}},
	})
	node, err := p.fleet.EnsureNode(ctx, fleet.NodeSpec{Name: "one", Region: "here", Location: "CN-mainland", Addresses: []netip.Addr{netip.MustParseAddr("127.0.0.1")}})
	if err != nil {
		return err
	}
	p.node = node.ID
	return nil
}

func open(ctx context.Context, file string, sets ...db.Migrations) (*db.DB, error) {
	d, err := db.Open(ctx, file)
	if err != nil {
		return nil, err
	}
	return d, d.Migrate(ctx, sets...)
}

func (p *plane) furnish(ctx context.Context, n int) error {
	who := account.Principal{Account: "acc_bench", Subject: "sub_bench"}
	g, err := p.s.Create(ctx, vpn.NewGateway{
		Key: "bench", Account: who.Account, Subject: "sub_bench", Name: "bench", Region: "here", Network: "vpc",
		Limits: vpn.Limits{SSLBandwidth: 1000, SSLConnections: 1000},
	})
	if err != nil {
		return fmt.Errorf("making a gateway: %w", err)
	}
	d, err := p.fleet.Desired(ctx, p.node)
	if err != nil {
		return err
	}
	applied := gwlink.Report{Node: p.node, Generation: d.Generation, Gateways: []gwlink.ObservedState{{Gateway: g.ID, Generation: d.Generation, State: "applied"}}}
	if err := p.fleet.Ingest(ctx, p.node, applied); err != nil {
		return err
	}
	set := vpn.DefaultSettings()
	set.Name, set.LoginMode, set.TwoFactor = "bench", vpn.LoginPassword, false
	set.LocalSubnets, set.Pool = []netip.Prefix{netip.MustParsePrefix("10.77.0.0/24")}, netip.MustParsePrefix("10.64.0.0/16")
	if p.server, err = p.s.CreateServer(ctx, who, vpn.NewServer{Gateway: g.ID, Settings: set}); err != nil {
		return fmt.Errorf("making a server: %w", err)
	}
	for i := range n {
		c, err := p.s.CreateClient(ctx, who, vpn.NewClient{Server: p.server.ID, Name: user(i)})
		if err != nil {
			return fmt.Errorf("making a client: %w", err)
		}
		secret, err := p.s.Secret(ctx, who, c.ID)
		if err != nil {
			return fmt.Errorf("reading a secret: %w", err)
		}
		p.users = append(p.users, credentials{c.Name, secret.Password})
	}
	return nil
}

// Login implements sslvpn.Authenticator.
func (p *plane) Login(ctx context.Context, r gwlink.LoginRequest) (gwlink.LoginAnswer, error) {
	return p.s.Login(ctx, p.node, r)
}

// Opened implements sslvpn.Sink; tell brings it to the control plane.
func (p *plane) Opened(r sslvpn.Record) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.events.Opened = append(p.events.Opened, gwlink.SessionOpened{
		Session: r.Session, Gateway: r.Gateway, Server: r.Server, Client: r.Client, SourceIP: r.SourceIP, Inner: r.Inner, At: r.OpenedAt,
	})
	return nil
}

// Closed implements sslvpn.Sink.
func (p *plane) Closed(c gwlink.SessionClosed) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.events.Closed = append(p.events.Closed, c)
}

// tell reports what happened since the last time, as a node does every two
// seconds.
func (p *plane) tell(ctx context.Context) error {
	p.mu.Lock()
	r := p.events
	p.events = gwlink.Report{}
	p.mu.Unlock()
	r.Node = p.node
	return p.fleet.Ingest(ctx, p.node, r)
}
