package vpn_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/fleet"
	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/password"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

var (
	ctx   = context.Background()
	start = time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	alice = account.Principal{Account: "acc_alice", Subject: "sub_alice"}
	mallo = account.Principal{Account: "acc_mallory", Subject: "sub_mallory"}
)

type open struct{}

func (open) Gate(context.Context, id.Handle, string) error { return nil }

type rig struct {
	unread unread
	s      *vpn.Service
	fleet  *fleet.Service
	db     *db.DB
	queue  *job.Queue
	clock  *clock.Fake
	audit  *audit.Service
	node   fleet.Node
	vault  *watched
}

// watched is the vault with what a test wants to know of it.
type watched struct {
	*vault.Vault
	mu     sync.Mutex
	calls  []string // of Seal, Begin and Open
	before func()   // the next Begin, once; nil = nothing
}

func (w *watched) note(call string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = append(w.calls, call)
}

// since empties the list and returns it.
func (w *watched) since() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	calls := w.calls
	w.calls = nil
	return calls
}

func (w *watched) Seal(ctx context.Context, ref vault.Ref, plain []byte) ([]byte, error) {
	w.note("seal " + ref.Field())
	return w.Vault.Seal(ctx, ref, plain)
}

func (w *watched) Begin(ctx context.Context, r vault.Read) (vault.Ticket, error) {
	w.mu.Lock()
	before := w.before
	w.before = nil
	w.mu.Unlock()
	if before != nil {
		before()
	}
	w.note("begin " + strings.Join(r.Fields, " "))
	return w.Vault.Begin(ctx, r)
}

func (w *watched) Open(ctx context.Context, t vault.Ticket, ref vault.Ref, sealed []byte) ([]byte, error) {
	w.note("open " + ref.Field())
	return w.Vault.Open(ctx, t, ref, sealed)
}

var sets = []db.Migrations{job.Migrations(), audit.Migrations(), fleet.Migrations(), vpn.Migrations()}

func each(t *testing.T, fn func(t *testing.T, r rig)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { fn(t, newRig(t, d)) }, sets...)
}

// unread are notices of persons, by handle.
type unread map[id.Handle]int

func (u unread) Unread(_ context.Context, _ db.Q, subject id.Handle) (int, error) {
	return u[subject], nil
}

func newRig(t *testing.T, d *db.DB, change ...func(*vpn.Config)) rig {
	t.Helper()
	cfg := vpn.Config{BaseDomain: "vpn.test", URL: "https://console.test", SecretTTL: vpn.DefaultSecretTTL, Networks: []vpn.Network{
		{ID: "vpc-demo", Name: "demo", Region: "cn-test", Prefixes: []netip.Prefix{netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("fd00:168::/64")}},
		{ID: "vpc-alice", Name: "hers", Region: "cn-test", Accounts: []account.ID{alice.Account}},
	}}
	for _, f := range change {
		f(&cfg)
	}
	c, log := clock.NewFake(start), slog.New(slog.DiscardHandler)
	kek, err := vault.FileKEK(filepath.Join(t.TempDir(), "kek"))
	must(t, err)
	v, err := vault.New(ctx, vault.Deps{DB: dbtest.SQLite(t, vault.Migrations()), Custodian: kek, Clock: c, Log: log})
	must(t, err)
	r := rig{unread: unread{}, db: d, queue: job.New(d, c, log), clock: c, vault: &watched{Vault: v}}
	r.audit = audit.New(audit.Deps{DB: d, Vault: v, Clock: c, Log: log, Origin: "test.example/log"})
	v.Bind(r.audit, open{})
	r.fleet = fleet.New(fleet.Deps{DB: d, Clock: c, Queue: r.queue, Log: log, Audit: r.audit, Vault: v})
	r.s = vpn.New(vpn.Deps{
		DB: d, Clock: c, Queue: r.queue, Log: log, Audit: r.audit, Fleet: r.fleet, Vault: r.vault, System: v,
		Password: password.NewHasherAt(2, 64), Config: cfg, Notices: r.unread,
	})
	r.node, err = r.fleet.EnsureNode(ctx, fleet.NodeSpec{
		Name: "one", Region: "cn-test", Location: "CN-mainland",
		Addresses: []netip.Addr{netip.MustParseAddr("203.0.113.5")},
	})
	must(t, err)
	return r
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newGateway(key string, owner account.ID) vpn.NewGateway {
	return vpn.NewGateway{
		Key: key, Account: owner, Subject: "sub_x", Name: "gw-" + key, Region: "cn-test", Network: "vpc-demo",
		Limits: vpn.Limits{SSLBandwidth: 100, SSLConnections: 5},
	}
}

// gateway makes a gateway and has the node apply it.
// forgotten is why most tests replace a password or a token.
var forgotten = vpn.Reset{Reason: "forgotten"}

func (r rig) gateway(t *testing.T, key string, owner account.ID) vpn.Gateway {
	t.Helper()
	g, err := r.s.Create(ctx, newGateway(key, owner))
	must(t, err)
	r.apply(t)
	g, err = r.s.Gateway(ctx, owner, g.ID)
	must(t, err)
	return g
}

// apply is the node reporting that it runs its newest desired state.
func (r rig) apply(t *testing.T) gwlink.Desired {
	t.Helper()
	d, err := r.fleet.Desired(ctx, r.node.ID)
	must(t, err)
	rep := gwlink.Report{Node: r.node.ID, Generation: d.Generation, Version: "test"}
	for _, g := range d.Gateways {
		rep.Gateways = append(rep.Gateways, gwlink.ObservedState{Gateway: g.ID, Generation: d.Generation, State: "applied"})
	}
	must(t, r.fleet.Ingest(ctx, r.node.ID, rep))
	must(t, r.queue.Drain(ctx))
	return d
}

func settings() vpn.Settings {
	c := vpn.DefaultSettings()
	c.Name = "office"
	c.LocalSubnets = []netip.Prefix{netip.MustParsePrefix("172.20.0.0/16")}
	c.Pool = netip.MustParsePrefix("10.9.0.0/24")
	return c
}

// server makes an SSL server; change may alter what is asked for.
func (r rig) server(t *testing.T, p account.Principal, gateway string, change func(*vpn.NewServer)) vpn.SSLServer {
	t.Helper()
	in := vpn.NewServer{Gateway: gateway, Settings: settings()}
	if change != nil {
		change(&in)
	}
	srv, err := r.s.CreateServer(ctx, p, in)
	must(t, err)
	return srv
}

func (r rig) client(t *testing.T, p account.Principal, server, name string) (vpn.SSLClient, vpn.Secret) {
	t.Helper()
	c, err := r.s.CreateClient(ctx, p, vpn.NewClient{Server: server, Name: name})
	must(t, err)
	secret, err := r.s.Secret(ctx, p, c.ID)
	must(t, err)
	return c, secret
}

func newCSR(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	must(t, err)
	return der
}

func code(t *testing.T, seed string, at time.Time) string {
	t.Helper()
	c, err := totp.GenerateCodeCustom(seed, at, totp.ValidateOpts{Period: 30, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	must(t, err)
	return c
}

// say sends one round of a login from a source address.
func (r rig) say(srv vpn.SSLServer, source, conversation string, certificate []byte, fields ...string) (gwlink.LoginAnswer, error) {
	req := gwlink.LoginRequest{
		Gateway: srv.Gateway, Server: srv.ID, Conversation: conversation, SourceIP: netip.MustParseAddr(source),
		PeerCertificate: certificate, Fields: map[string]string{},
	}
	for i := 0; i+1 < len(fields); i += 2 {
		req.Fields[fields[i]] = fields[i+1]
	}
	return r.s.Login(ctx, r.node.ID, req)
}

func (r rig) grantOf(t *testing.T, a gwlink.LoginAnswer) gwlink.Grant {
	t.Helper()
	keys, err := r.s.GrantKeys(ctx)
	must(t, err)
	g, err := gwlink.VerifyGrant(keys, a.Grant, r.clock.Now())
	if err != nil {
		t.Fatalf("answer %s %q: %v", a.Outcome, a.Reason, err)
	}
	return g
}

// opened reports the session of a grant as the node does.
func (r rig) opened(t *testing.T, g gwlink.Grant, inner string) {
	t.Helper()
	must(t, r.fleet.Ingest(ctx, r.node.ID, gwlink.Report{Node: r.node.ID, Opened: []gwlink.SessionOpened{{
		Session: g.Session, Gateway: g.Gateway,
		Server: g.Server, Client: g.Client, SourceIP: netip.MustParseAddr("198.51.100.9"), Inner: netip.MustParseAddr(inner), At: r.clock.Now(),
	}}}))
	must(t, r.queue.Drain(ctx))
}

func prefix(text string) netip.Prefix { return netip.MustParsePrefix(text) }

func source(n int) string { return fmt.Sprintf("198.51.100.%d", n%200+1) }
