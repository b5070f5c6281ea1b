package vpn_test

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/fleet"
	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

func TestAGatewayComesIntoBeingOnceForAKey(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		g, err := r.s.Create(ctx, newGateway("k", alice.Account))
		if err != nil || g.State != vpn.GatewayCreating || !strings.HasPrefix(g.ID, "vpngw-") {
			t.Fatalf("got %+v, %v", g, err)
		}
		again, err := r.s.Create(ctx, newGateway("k", alice.Account))
		if err != nil || again.ID != g.ID {
			t.Errorf("the same key: got %s, %v, want %s", again.ID, err, g.ID)
		}
		d := r.apply(t)
		if len(d.Gateways) != 1 || d.Gateways[0].UpRate != 100_000_000 || d.Gateways[0].SessionLimit != 5 || d.Gateways[0].Network != "vpc-demo" {
			t.Errorf("desired: %+v", d.Gateways)
		}
		g, err = r.s.Gateway(ctx, alice.Account, g.ID)
		if err != nil || g.State != vpn.GatewayActive || len(g.Addresses) != 1 {
			t.Errorf("applied: got %+v, %v", g, err)
		}
	})
}

func TestWhatAGatewayIsRefusedFor(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		r.gateway(t, "first", alice.Account)
		for want, change := range map[string]func(*vpn.NewGateway){
			"vpn.name_invalid":      func(g *vpn.NewGateway) { g.Name = "-x" },
			"vpn.name_duplicate":    func(g *vpn.NewGateway) { g.Name = "gw-first" },
			"vpn.limits_invalid":    func(g *vpn.NewGateway) { g.SSLBandwidth = 0 },
			"vpn.network_not_found": func(g *vpn.NewGateway) { g.Network = "vpc-none" },
			"fleet.no_node":         func(g *vpn.NewGateway) { g.Region, g.Network = "cn-empty", "vpc-empty" },
		} {
			in := newGateway("x", alice.Account)
			change(&in)
			if _, err := r.s.Create(ctx, in); errs.CodeOf(err) != want && !(want == "fleet.no_node" && errs.CodeOf(err) == "vpn.network_not_found") {
				t.Errorf("got %v, want %s", err, want)
			}
		}
		foreign := newGateway("y", mallo.Account)
		foreign.Network = "vpc-alice"
		if _, err := r.s.Create(ctx, foreign); !errors.Is(err, vpn.ErrNetworkNotFound) {
			t.Errorf("another account's network: got %v", err)
		}
		same := newGateway("z", mallo.Account)
		same.Name = "gw-first"
		if _, err := r.s.Create(ctx, same); err != nil {
			t.Errorf("the same name in another account: got %v, want none", err)
		}
	})
}

func TestForeignIDsAreNotFoundEverywhere(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		g := r.gateway(t, "a", alice.Account)
		r.gateway(t, "m", mallo.Account)
		srv := r.server(t, alice, g.ID, func(n *vpn.NewServer) { n.TwoFactor, n.LoginMode = false, vpn.LoginPassword })
		c, secret := r.client(t, alice, srv.ID, "zhang.san")
		a, err := r.say(srv, source(1), "", nil, "username", c.Name, "password", secret.Password)
		must(t, err)
		grant := r.grantOf(t, a)
		r.opened(t, grant, "10.9.0.2")
		for name, call := range map[string]func(p account.Principal) error{
			"Gateway": func(p account.Principal) error { _, err := r.s.Gateway(ctx, p.Account, g.ID); return err },
			"Rename": func(p account.Principal) error {
				_, err := r.s.UpdateGateway(ctx, p, g.ID, 0, renamed("other"))
				return err
			},
			"Traffic": func(p account.Principal) error { _, err := r.s.Traffic(ctx, p.Account, g.ID, start); return err },
			"Online":  func(p account.Principal) error { _, err := r.s.Online(ctx, p.Account, g.ID); return err },
			"Sessions": func(p account.Principal) error {
				_, _, err := r.s.Sessions(ctx, p, vpn.SessionFilter{Gateway: g.ID})
				return err
			},
			"Sessions of a server": func(p account.Principal) error {
				_, _, err := r.s.Sessions(ctx, p, vpn.SessionFilter{Server: srv.ID})
				return err
			},
			"CreateServer": func(p account.Principal) error {
				_, err := r.s.CreateServer(ctx, p, vpn.NewServer{Gateway: g.ID, Settings: settings()})
				if errors.Is(err, vpn.ErrQuota) {
					return nil // its owner is let through to the quota
				}
				return err
			},
			"Server": func(p account.Principal) error { _, err := r.s.Server(ctx, p.Account, srv.ID); return err },
			"UpdateServer": func(p account.Principal) error {
				_, err := r.s.UpdateServer(ctx, p, srv.ID, 0, srv.Settings)
				return err
			},
			"CreateClient": func(p account.Principal) error {
				_, err := r.s.CreateClient(ctx, p, vpn.NewClient{Server: srv.ID, Name: "new-" + string(p.Account)[4:]})
				return err
			},
			"Client": func(p account.Principal) error { _, err := r.s.Client(ctx, p.Account, c.ID); return err },
			"UpdateClient": func(p account.Principal) error {
				_, err := r.s.UpdateClient(ctx, p, c.ID, 0, c.ClientSettings)
				return err
			},
			"Secret":        func(p account.Principal) error { _, err := r.s.Secret(ctx, p, c.ID); return err },
			"Bundle":        func(p account.Principal) error { _, err := r.s.Bundle(ctx, p, c.ID); return err },
			"ResetPassword": func(p account.Principal) error { _, err := r.s.ResetPassword(ctx, p, c.ID, forgotten); return err },
			"SetPassword": func(p account.Principal) error {
				_, err := r.s.SetPassword(ctx, p, c.ID, "Correct-Horse-9", forgotten)
				return err
			},
			"ResetToken":        func(p account.Principal) error { _, err := r.s.ResetToken(ctx, p, c.ID, "", forgotten); return err },
			"DisconnectSession": func(p account.Principal) error { return r.s.DisconnectSession(ctx, p, grant.Session) },
			"Disconnect":        func(p account.Principal) error { return r.s.Disconnect(ctx, p, c.ID) },
			"Usage":             func(p account.Principal) error { _, err := r.s.Usage(ctx, p.Account, c.ID); return err },
		} {
			if err := call(mallo); !errs.IsNotFound(err) {
				t.Errorf("%s by another account: got %v, want NotFound", name, err)
			}
			if err := call(alice); err != nil {
				t.Errorf("%s by its owner: got %v", name, err)
			}
		}
		if err := r.s.DeleteClient(ctx, mallo, c.ID); !errs.IsNotFound(err) {
			t.Errorf("DeleteClient: got %v", err)
		}
		if err := r.s.DeleteServer(ctx, mallo, srv.ID); !errs.IsNotFound(err) {
			t.Errorf("DeleteServer: got %v", err)
		}
		gateways, _, err := r.s.Gateways(ctx, mallo.Account, vpn.Page{})
		if err != nil || len(gateways) != 1 || gateways[0].ID == g.ID {
			t.Errorf("list of gateways: got %+v, %v", gateways, err)
		}
		servers, _, err := r.s.Servers(ctx, mallo.Account, g.ID, vpn.Page{})
		clients, _, err2 := r.s.Clients(ctx, mallo.Account, vpn.ClientFilter{Server: srv.ID}, vpn.Page{})
		sessions, _, err3 := r.s.Sessions(ctx, mallo, vpn.SessionFilter{})
		if errors.Join(err, err2, err3) != nil || len(servers)+len(clients)+len(sessions) != 0 {
			t.Errorf("lists of another account's things: got %v %v %v, %v", servers, clients, sessions, errors.Join(err, err2, err3))
		}
	})
}

func TestParallelCreationsStopAtTheLimit(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		in := newGateway("a", alice.Account)
		in.SSLConnections = 5 // 20 clients
		g, err := r.s.Create(ctx, in)
		must(t, err)
		srv := r.server(t, alice, g.ID, nil)
		var wg sync.WaitGroup
		var mu sync.Mutex
		made, refused, other := 0, 0, []error{}
		for i := range 50 {
			wg.Go(func() {
				_, err := r.s.CreateClient(ctx, alice, vpn.NewClient{Server: srv.ID, Name: fmt.Sprintf("client-%02d", i)})
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					made++
				case errors.Is(err, vpn.ErrQuota):
					refused++
				default:
					other = append(other, err)
				}
			})
		}
		wg.Wait()
		n, err := db.Get(ctx, r.db, nil, db.One[int64], "SELECT count(*) FROM vpn_client")
		must(t, err)
		if n > 20 || int64(made) != n {
			t.Fatalf("got %d clients, %d said made, limit 20", n, made)
		}
		// A transaction that lost too often against others may give up; that is
		// not a client more, and a repeat finds the free place.
		for i := 0; n < 20; n++ {
			i++
			if _, err := r.s.CreateClient(ctx, alice, vpn.NewClient{Server: srv.ID, Name: fmt.Sprintf("again-%02d", i)}); err != nil {
				t.Fatalf("a free place was refused: %v", err)
			}
		}
		if _, err := r.s.CreateClient(ctx, alice, vpn.NewClient{Server: srv.ID, Name: "one-more"}); !errors.Is(err, vpn.ErrQuota) {
			t.Errorf("number 21: got %v, want ErrQuota (%d refused, %d gave up)", err, refused, len(other))
		}
	})
}

func TestServerSettingsAreHeldToTheTable(t *testing.T) {
	t.Parallel()
	prefix := netip.MustParsePrefix
	each(t, func(t *testing.T, r rig) {
		g := r.gateway(t, "a", alice.Account)
		for _, c := range []struct {
			want   string
			change func(*vpn.NewServer)
		}{
			{"vpn.port_invalid", func(n *vpn.NewServer) { n.Port = 4500 }},
			{"vpn.port_invalid", func(n *vpn.NewServer) { n.Port = 80 }},
			{"vpn.name_invalid", func(n *vpn.NewServer) { n.Name = "x" }},
			{"vpn.local_subnets_invalid", func(n *vpn.NewServer) {
				n.LocalSubnets = nil
				for i := range 21 {
					n.LocalSubnets = append(n.LocalSubnets, prefix(fmt.Sprintf("172.20.%d.0/24", i)))
				}
			}},
			{"vpn.local_subnets_invalid", func(n *vpn.NewServer) { n.LocalSubnets = []netip.Prefix{prefix("10.1.2.3/16")} }},
			{"vpn.local_subnets_invalid", func(n *vpn.NewServer) { n.LocalSubnets = []netip.Prefix{prefix("0.0.0.0/0")} }},
			{"vpn.local_subnets_invalid", func(n *vpn.NewServer) { n.LocalSubnets = []netip.Prefix{prefix("127.0.0.0/8")} }},
			{"vpn.local_subnets_invalid", func(n *vpn.NewServer) { n.LocalSubnets = []netip.Prefix{prefix("169.254.169.254/32")} }},
			{"vpn.dns_invalid", func(n *vpn.NewServer) { n.SplitDNS = []string{"a.example\r\nX-CSTP-DNS: 192.0.2.1"} }},
			{"vpn.pool_invalid", func(n *vpn.NewServer) { n.Pool = prefix("10.9.0.0/30") }},
			{"vpn.pool_invalid", func(n *vpn.NewServer) { n.Pool = prefix("10.0.0.0/8") }},
			{"vpn.pool_conflict", func(n *vpn.NewServer) { n.Pool = prefix("172.20.1.0/24") }},   // a local subnet
			{"vpn.pool_conflict", func(n *vpn.NewServer) { n.Pool = prefix("192.168.50.0/24") }}, // the VPC
			{"vpn.pool_conflict", func(n *vpn.NewServer) { n.Pool = prefix("127.0.1.0/24") }},    // loopback
			{"vpn.pool_conflict", func(n *vpn.NewServer) { n.Pool = prefix("169.254.10.0/24") }}, // link-local
			{"vpn.pool_conflict", func(n *vpn.NewServer) { n.Pool = prefix("239.1.1.0/24") }},    // multicast
			{"vpn.dns_invalid", func(n *vpn.NewServer) { n.EnableDNS = true }},
			{"vpn.setting_invalid", func(n *vpn.NewServer) { n.MTU = 100 }},
			{"vpn.setting_invalid", func(n *vpn.NewServer) { n.TLSMin = "1.1" }},
			{"vpn.setting_invalid", func(n *vpn.NewServer) { n.MaxSessionsPerClient = 11 }},
			{"vpn.setting_invalid", func(n *vpn.NewServer) { n.Banner = "two\r\nlines" }},
		} {
			in := vpn.NewServer{Gateway: g.ID, Settings: settings()}
			c.change(&in)
			if _, err := r.s.CreateServer(ctx, alice, in); errs.CodeOf(err) != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
		}
		small := newGateway("b", alice.Account)
		small.SSLConnections = 50
		g2, err := r.s.Create(ctx, small)
		must(t, err)
		in := vpn.NewServer{Gateway: g2.ID, Settings: settings()}
		in.Pool = prefix("10.9.0.0/27") // 29 usable
		if _, err := r.s.CreateServer(ctx, alice, in); errs.CodeOf(err) != "vpn.pool_too_small" {
			t.Errorf("29 addresses for 50 connections: got %v", err)
		}
		r.server(t, alice, g.ID, nil)
		if _, err := r.s.CreateServer(ctx, alice, vpn.NewServer{Gateway: g.ID, Settings: settings()}); !errors.Is(err, vpn.ErrQuota) {
			t.Errorf("a second server: got %v, want ErrQuota", err)
		}
	})
}

func TestANodeCertifiesItsOwnKey(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		g := r.gateway(t, "a", alice.Account)
		srv := r.server(t, alice, g.ID, nil)
		csr := newCSR(t)
		answer, err := r.s.CertifyServer(ctx, r.node.ID, gwlink.CertificateRequest{Server: srv.ID, CSR: csr})
		must(t, err)
		leaf, err := x509.ParseCertificate(answer.Chain[0])
		must(t, err)
		roots := x509.NewCertPool()
		ca, err := x509.ParseCertificate(srv.CA)
		must(t, err)
		roots.AddCert(ca)
		for _, host := range []string{srv.ID + ".vpn.test", "203.0.113.5"} {
			if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: host, CurrentTime: r.clock.Now()}); err != nil {
				t.Errorf("for %s: %v", host, err)
			}
		}
		again, err := r.s.CertifyServer(ctx, r.node.ID, gwlink.CertificateRequest{Server: srv.ID, CSR: csr})
		if err != nil || !bytes.Equal(again.Chain[0], answer.Chain[0]) {
			t.Errorf("the same key again: another certificate (%v)", err)
		}
		other, err := r.s.CertifyServer(ctx, r.node.ID, gwlink.CertificateRequest{Server: srv.ID, CSR: newCSR(t)})
		if err != nil || bytes.Equal(other.Chain[0], answer.Chain[0]) {
			t.Errorf("another key: the same certificate (%v)", err)
		}
		d := r.apply(t)
		if got := d.Gateways[0].SSLServers[0]; len(got.Chain) != 2 || !bytes.Equal(got.Chain[0], other.Chain[0]) || !slices.Equal(got.ServerNames, []string{srv.ID + ".vpn.test"}) {
			t.Errorf("desired: chain of %d, names %v", len(got.Chain), got.ServerNames)
		}
		srv, err = r.s.Server(ctx, alice.Account, srv.ID)
		if err != nil || srv.State != vpn.ServerActive || !strings.HasPrefix(srv.PinSHA256, "pin-sha256:") {
			t.Errorf("got state %s, pin %q, %v", srv.State, srv.PinSHA256, err)
		}
		if _, err := r.s.CertifyServer(ctx, "node_other", gwlink.CertificateRequest{Server: srv.ID, CSR: csr}); !errs.IsNotFound(err) {
			t.Errorf("a foreign node: got %v", err)
		}
		csr[len(csr)-1] ^= 1
		if _, err := r.s.CertifyServer(ctx, r.node.ID, gwlink.CertificateRequest{Server: srv.ID, CSR: csr}); !errors.Is(err, vpn.ErrCSR) {
			t.Errorf("a CSR with a broken signature: got %v", err)
		}
	})
}

func TestServersAndClientsAreMadeOnceForAKey(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		g := r.gateway(t, "k", alice.Account)
		in := vpn.NewServer{Key: "first", Gateway: g.ID, Settings: settings()}
		srv, err := r.s.CreateServer(ctx, alice, in)
		must(t, err)
		again, err := r.s.CreateServer(ctx, alice, in)
		if err != nil || again.ID != srv.ID || !bytes.Equal(again.CA, srv.CA) {
			t.Errorf("server again: got %s, %v, want %s", again.ID, err, srv.ID)
		}
		in.Name = "another"
		if _, err := r.s.CreateServer(ctx, alice, in); errs.CodeOf(err) != "api.idempotency_conflict" {
			t.Errorf("another server with the key: got %v", err)
		}
		c, err := r.s.CreateClient(ctx, alice, vpn.NewClient{Key: "first", Server: srv.ID, Name: "laptop"})
		must(t, err)
		same, err := r.s.CreateClient(ctx, alice, vpn.NewClient{Key: "first", Server: srv.ID, Name: "laptop"})
		if err != nil || same.ID != c.ID || same.Serial != c.Serial {
			t.Errorf("client again: got %s, %v, want %s", same.ID, err, c.ID)
		}
		if other, err := r.s.CreateClient(ctx, alice, vpn.NewClient{Key: "second", Server: srv.ID, Name: "phone"}); err != nil || other.ID == c.ID {
			t.Errorf("another key: got %s, %v", other.ID, err)
		}
	})
}

// TestAServerShowsWhatItsNodeCouldNotDo: a server is in error while its node
// cannot apply the gateway, also after a change of its settings, and active
// again by itself.
func TestAServerShowsWhatItsNodeCouldNotDo(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		g := r.gateway(t, "a", alice.Account)
		srv := r.server(t, alice, g.ID, nil)
		state := func(want vpn.ServerState) {
			t.Helper()
			if got, err := r.s.Server(ctx, alice.Account, srv.ID); err != nil || got.State != want {
				t.Errorf("got %s, %v, want %s", got.State, err, want)
			}
		}
		report := func(what string) {
			t.Helper()
			d, err := r.fleet.Desired(ctx, r.node.ID)
			must(t, err)
			must(t, r.fleet.Ingest(ctx, r.node.ID, gwlink.Report{Node: r.node.ID, Generation: d.Generation, Version: "test", Gateways: []gwlink.ObservedState{
				{Gateway: g.ID, Generation: d.Generation, State: what, Problem: "listening on tcp 443: address in use"},
			}}))
			must(t, r.queue.Drain(ctx))
		}
		_, err := r.s.CertifyServer(ctx, r.node.ID, gwlink.CertificateRequest{Server: srv.ID, CSR: newCSR(t)})
		must(t, err)
		report("applied")
		state(vpn.ServerActive)
		report("failed")
		state(vpn.ServerError)
		next := srv.Settings
		next.Banner = "Welcome"
		_, err = r.s.UpdateServer(ctx, alice, srv.ID, 0, next)
		must(t, err)
		state(vpn.ServerUpdating)
		report("failed")
		state(vpn.ServerError)
		report("applied")
		state(vpn.ServerActive)
	})
}

// TestAServersNameIsTheOnlyOneOfItsRegion: on whichever gateway, when it is made
// and when it is renamed; other accounts and regions are no matter.
func TestAServersNameIsTheOnlyOneOfItsRegion(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d, func(c *vpn.Config) {
			c.Networks = append(c.Networks, vpn.Network{ID: "vpc-far", Region: "cn-far", Prefixes: []netip.Prefix{prefix("192.168.0.0/16")}})
		})
		_, err := r.fleet.EnsureNode(ctx, fleet.NodeSpec{Name: "far", Region: "cn-far", Location: "CN-mainland", Addresses: []netip.Addr{netip.MustParseAddr("203.0.113.6")}})
		must(t, err)
		in := newGateway("far", alice.Account)
		in.Region, in.Network = "cn-far", "vpc-far"
		far, err := r.s.Create(ctx, in)
		must(t, err)
		r.server(t, alice, far.ID, nil)
		r.server(t, mallo, r.gateway(t, "hers", mallo.Account).ID, nil)
		r.server(t, alice, r.gateway(t, "one", alice.Account).ID, nil)
		two := vpn.NewServer{Gateway: r.gateway(t, "two", alice.Account).ID, Settings: settings()}
		two.Pool = prefix("10.10.0.0/24")
		if _, err := r.s.CreateServer(ctx, alice, two); !errors.Is(err, vpn.ErrNameDuplicate) {
			t.Errorf("creating: got %v", err)
		}
		two.Name = "branch"
		srv, err := r.s.CreateServer(ctx, alice, two)
		must(t, err)
		next := srv.Settings
		next.Name = "office"
		if _, err := r.s.UpdateServer(ctx, alice, srv.ID, 0, next); !errors.Is(err, vpn.ErrNameDuplicate) {
			t.Errorf("renaming: got %v", err)
		}
		next.Name = "branch"
		_, err = r.s.UpdateServer(ctx, alice, srv.ID, 0, next)
		must(t, err)
	}, sets...)
}

// TestAServerThatNeverRanShowsThatItsNodeCannotRunIt: before its certificate it
// is creating, with it in error, though it never was active.
func TestAServerThatNeverRanShowsThatItsNodeCannotRunIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		g := r.gateway(t, "a", alice.Account)
		srv := r.server(t, alice, g.ID, nil)
		failed := func(want vpn.ServerState) {
			t.Helper()
			d, err := r.fleet.Desired(ctx, r.node.ID)
			must(t, err)
			must(t, r.fleet.Ingest(ctx, r.node.ID, gwlink.Report{Node: r.node.ID, Generation: d.Generation, Version: "test", Gateways: []gwlink.ObservedState{
				{Gateway: g.ID, Generation: d.Generation, State: "failed", Problem: "listening on tcp 443: address in use"},
			}}))
			must(t, r.queue.Drain(ctx))
			if got, err := r.s.Server(ctx, alice.Account, srv.ID); err != nil || got.State != want {
				t.Errorf("got %s, %v, want %s", got.State, err, want)
			}
		}
		failed(vpn.ServerCreating)
		_, err := r.s.CertifyServer(ctx, r.node.ID, gwlink.CertificateRequest{Server: srv.ID, CSR: newCSR(t)})
		must(t, err)
		failed(vpn.ServerError)
	})
}

func TestPortsOfTheInstallationAreRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t, sets...), func(c *vpn.Config) { c.ReservedPorts = []int{8443} })
	g := r.gateway(t, "a", alice.Account)
	for port, want := range map[int]error{8443: vpn.ErrPortConflict, 4500: vpn.ErrPort, 8444: nil} {
		_, err := r.s.CreateServer(ctx, alice, vpn.NewServer{Gateway: g.ID, Port: port, Settings: settings()})
		if !errors.Is(err, want) {
			t.Errorf("port %d: got %v, want %v", port, err, want)
		}
	}
}
