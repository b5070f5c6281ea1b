// Package agent runs one gateway node: it makes kernel, listeners and sessions
// equal to what control desires, and reports what is.
//
//	Desired (long poll, or a file) ──▶ sealed on disk ──▶ netcfg ──▶ sslvpn.Apply
//	sessions opened, closed, live ──▶ sealed on disk ──▶ Report (every 2 s)
//
// It decides nothing about people and holds no credential of theirs: logins are
// forwarded. With control away tunnels and cookie reconnects go on, new logins
// are answered with 503.
//
// Stand-alone: with Config.DesiredFile and Config.UsersFile there is no control
// at all. That is for tests, benchmarks and trying out; nothing is reported and
// passwords are checked here, against bcrypt hashes.
//
// Invariants: what was applied last is on disk, so that a restart or kill -9
// brings back networks, sessions, addresses and cookies; a closed session is
// reported until control has taken it; state files are sealed with a key of the
// node; what cannot be done is reported as a problem and tried again, and never
// ends Run.
package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/sslvpn"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/netio"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/metric"
)

// Config tells a node who it is and where. NodeID, StateDir and one of Control
// and DesiredFile are required.
type Config struct {
	NodeID   string
	StateDir string             // for sealed state; made with mode 0700
	Networks map[string]Network // VPCs by the name that gateways use
	Listen   []netip.Addr       // local addresses of SSL servers; default 0.0.0.0
	Logger   *slog.Logger       // default slog.Default()
	Version  string             // of this build, for reports
	Queues   int                // of a gateway's tunnel device; default 1 per two CPUs
	Metrics  string             // loopback address that answers scrapes; empty = none

	MaxBanScore int // points at which a source's logins are refused; 0 = never

	// Control is the path of a unix socket, or an https URL with the TLS files.
	Control  string
	CAFile   string // PEM; control's issuer
	CertFile string // PEM; this node's certificate
	KeyFile  string // PEM

	// DesiredFile and UsersFile make a stand-alone gateway: a gwlink.Desired as
	// JSON, read again when it changes, and a Users as JSON.
	DesiredFile string
	UsersFile   string
}

// Network is a VPC as this node reaches it. Exactly one of Bridge and
// Interface is given.
type Network struct {
	Bridge    string       // bridge in the node's namespace: gateways join it by veth
	Interface string       // interface or VLAN: gateways share it by macvlan
	Address   netip.Prefix // of the first gateway in this VPC
	// Last ends the range of addresses for gateways that begins with Address;
	// without it there is room for one gateway.
	Last   netip.Addr
	Router netip.Addr // next hop out of the VPC, optional
	// Address6 is the IPv6 address of the first gateway, optional; a gateway that
	// is n addresses behind the first one in Address is so here too.
	Address6   netip.Prefix
	Router6    netip.Addr
	Masquerade bool // hosts of the VPC see the gateway's address, not the clients'
}

func (c *Config) setDefaults() error {
	if c.NodeID == "" || c.StateDir == "" {
		return errors.New("agent: node id and state directory are required")
	}
	if (c.Control == "") == (c.DesiredFile == "") {
		return errors.New("agent: exactly one of control and desired file is required")
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if len(c.Listen) == 0 {
		c.Listen = []netip.Addr{netip.IPv4Unspecified()}
	}
	if c.Queues == 0 {
		c.Queues = defaultQueues()
	}
	return nil
}

// agent is the running node.
type agent struct {
	cfg   Config
	log   *slog.Logger
	store *store
	link  link
	svc   *sslvpn.Service
	rep   *reporter
	rec   *reconciler
}

// link is the way to control, or what stands in for it.
type link interface {
	sslvpn.Authenticator
	// desired waits for a Desired newer than the one of generation after.
	desired(ctx context.Context, after uint64) (gwlink.Desired, error)
	report(ctx context.Context, r gwlink.Report) error
	certificate(ctx context.Context, r gwlink.CertificateRequest) ([][]byte, error)
	deliverKey(ctx context.Context, r gwlink.KeyRequest) (gwlink.KeyAnswer, error)
}

// errUnchanged says that there is no newer Desired yet.
var errUnchanged = errors.New("desired state unchanged")

// Run runs the node until ctx ends. It returns an error only for a
// configuration or a state directory that cannot be used.
func Run(ctx context.Context, cfg Config) error {
	if err := cfg.setDefaults(); err != nil {
		return err
	}
	a, err := newAgent(cfg)
	if err != nil {
		return err
	}
	defer a.close()
	if err := netio.ShortTurns(); err != nil {
		a.log.Info("the kernel gives turns of its own length", "error", err) // packets flow, and wait longer
	}
	a.restore(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { a.rep.run(ctx, a.snapshot) })
	wg.Go(func() { a.follow(ctx) })
	if cfg.Metrics != "" {
		wg.Go(func() {
			if err := metric.Serve(ctx, cfg.Metrics, a.metrics(), nil); err != nil {
				a.log.Error("showing metrics", "error", err) // packets flow without
			}
		})
	}
	wg.Wait()
	return nil
}

func newAgent(cfg Config) (*agent, error) {
	st, err := openStore(cfg.StateDir)
	if err != nil {
		return nil, err
	}
	l, err := newLink(cfg, st)
	if err != nil {
		return nil, err
	}
	a := &agent{cfg: cfg, log: cfg.Logger, store: st, link: l}
	a.rep = newReporter(cfg, st, l)
	a.svc = sslvpn.New(sslvpn.Config{Auth: l, Sink: a.rep, Clock: clock.System{}, Log: cfg.Logger, Listen: cfg.Listen, MaxBanScore: cfg.MaxBanScore})
	a.rec = newReconciler(cfg, st, l, a.svc, a.rep)
	return a, nil
}

func newLink(cfg Config, st *store) (link, error) {
	if cfg.DesiredFile != "" {
		return newStandalone(cfg, st)
	}
	return newControl(cfg)
}

// close leaves namespaces in place for the next process; clients come back to
// it because they are not told to stay away.
func (a *agent) close() {
	a.rec.closeNetworks()
	if err := a.svc.Close(); err != nil {
		a.log.Debug("closing listeners", "error", err)
	}
	a.rep.saveCounters(a.svc.Records())
}

// restore applies the Desired of the last run, before control is heard.
func (a *agent) restore(ctx context.Context) {
	var d gwlink.Desired
	if err := a.store.load("desired", &d); err != nil {
		if !errors.Is(err, errNoState) {
			a.log.Error("reading the last desired state", "error", err)
		}
		return
	}
	a.rec.pending = a.rep.restored()
	a.rec.apply(ctx, d)
}

// follow applies what control desires, and tries again what failed. The first
// question of a process is for any generation: the kept one may be of a control
// that was restored since.
func (a *agent) follow(ctx context.Context) {
	wait, after := time.Second, uint64(0)
	for ctx.Err() == nil {
		if !a.rec.loaded() {
			a.rec.pending = a.rep.restored()
		}
		poll, cancel := context.WithTimeout(ctx, a.rec.patience())
		d, err := a.link.desired(poll, after)
		cancel()
		switch {
		case err == nil:
			wait = time.Second
			fault.Point("gateway-after-desired")
			if err := a.store.save("desired", d); err != nil {
				a.log.Error("keeping the desired state", "error", err)
			}
			fault.Point("gateway-after-keep")
			a.rec.apply(ctx, d)
			after = d.Generation
			fault.Point("gateway-after-apply")
		case errors.Is(err, errUnchanged), errors.Is(err, context.DeadlineExceeded):
			wait = time.Second
			a.rec.retry(ctx)
		case ctx.Err() == nil:
			a.log.Warn("asking for the desired state", "error", err)
			sleep(ctx, wait)
			wait = min(2*wait, 10*time.Second)
			a.rec.retry(ctx)
		}
	}
}

// snapshot is what the reporter adds to what it holds itself.
func (a *agent) snapshot() snapshot {
	return snapshot{generation: a.rec.generation(), gateways: a.rec.observed(), live: a.svc.Live(), records: a.svc.Records}
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
