package vpn_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/platform/idempotency"
)

func TestABatchIsMadeOnceForAKey(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, nil)
		batch := []vpn.NewClient{{Server: srv.ID, Name: "one"}, {Server: srv.ID, Name: "-"}, {Server: srv.ID, Name: "two"}}
		first, err := r.s.CreateClients(ctx, alice, "key-12345678", batch)
		must(t, err)
		if first[0].Err != nil || !errors.Is(first[1].Err, vpn.ErrNameInvalid) || first[2].Err != nil {
			t.Fatalf("got %+v", first)
		}
		again, err := r.s.CreateClients(ctx, alice, "key-12345678", batch)
		must(t, err)
		if again[0].Client.ID != first[0].Client.ID || again[2].Client.ID != first[2].Client.ID || again[0].Err != nil {
			t.Errorf("the same key again: got %+v, want %+v", again, first)
		}
		if other, err := r.s.CreateClients(ctx, alice, "key-87654321", batch); err != nil || !errors.Is(other[0].Err, vpn.ErrNameDuplicate) {
			t.Errorf("another key: got %+v, %v", other, err)
		}
		for _, n := range []int{0, vpn.BatchLimit + 1} {
			if _, err := r.s.CreateClients(ctx, alice, "", make([]vpn.NewClient, n)); !errors.Is(err, vpn.ErrBatch) {
				t.Errorf("%d clients: got %v", n, err)
			}
			if _, err := r.s.CheckClients(ctx, alice, srv.ID, make([]vpn.NewClient, n)); !errors.Is(err, vpn.ErrBatch) {
				t.Errorf("checking %d clients: got %v", n, err)
			}
		}
	})
}

func TestQuotasAreWhatCreationIsHeldTo(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		g := r.gateway(t, "a", alice.Account)
		srv := r.server(t, alice, g.ID, nil)
		c, _ := r.client(t, alice, srv.ID, "one")
		must(t, r.s.DeleteClient(ctx, alice, c.ID))
		r.client(t, alice, srv.ID, "two")
		read := func(who account.ID) (rows []string) {
			all, err := r.s.Quotas(ctx, who)
			must(t, err)
			for _, q := range all {
				rows = append(rows, fmt.Sprintf("%s %s%s %s %d/%d", q.Name, q.Region, q.Resource, q.Label, q.Used, q.Limit))
			}
			return rows
		}
		want := []string{
			"vpn_gateways cn-test  1/30", "ssl_gateways   1/30", "certificates   0/100", "ssl_servers " + g.ID + " gw-a 1/1", "vpn_sessions " + g.ID + " gw-a 0/5",
			"ssl_clients " + srv.ID + " office 1/20", "local_subnets " + srv.ID + " office 1/20", "exclude_routes " + srv.ID + " office 0/100",
			"client_routes " + srv.ID + " office 0/100", "acl_rules " + srv.ID + " office 0/200", "trusted_networks " + srv.ID + " office 0/100",
		}
		if d := cmp.Diff(want, read(alice.Account)); d != "" {
			t.Errorf("alice (-want +got):\n%s", d)
		}
		if d := cmp.Diff([]string{"vpn_gateways cn-test  0/30", "ssl_gateways   0/30", "certificates   0/100"}, read("acc_bob")); d != "" {
			t.Errorf("bob (-want +got):\n%s", d)
		}
		must(t, r.s.Resize(ctx, g.ID, vpn.Limits{SSLBandwidth: 100, SSLConnections: 10}))
		if got := read(alice.Account)[5]; got != "ssl_clients "+srv.ID+" office 1/40" {
			t.Errorf("after an upgrade: got %s", got)
		}
	})
}

// TestRestrictionsAreThoseThatAreEnforced takes each number of a server's
// settings to its edges and beyond.
func TestRestrictionsAreThoseThatAreEnforced(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, nil)
		fields := map[string]func(*vpn.Settings) *int{
			"mtu": func(s *vpn.Settings) *int { return &s.MTU }, "idle_timeout": func(s *vpn.Settings) *int { return &s.IdleTimeout },
			"max_sessions_per_client": func(s *vpn.Settings) *int { return &s.MaxSessionsPerClient }, "dpd": func(s *vpn.Settings) *int { return &s.DPD },
		}
		at := func(change func(*vpn.Settings)) error {
			next := srv.Settings
			change(&next)
			_, err := r.s.UpdateServer(ctx, alice, srv.ID, 0, next)
			return err
		}
		c, _ := r.client(t, alice, srv.ID, "one")
		ca := text(issue(t, nil, nil, asCA("Root")))
		for name, try := range map[string]func(n int64) error{
			"default_domains": func(n int64) error {
				return at(func(s *vpn.Settings) { s.DefaultDomains = repeat(n, "corp.test") })
			},
			"split_dns": func(n int64) error { return at(func(s *vpn.Settings) { s.SplitDNS = repeat(n, "corp.test") }) },
			"groups": func(n int64) error {
				return at(func(s *vpn.Settings) {
					for i := range n {
						s.Groups = append(s.Groups, vpn.Group{Name: fmt.Sprint("g", i), Label: fmt.Sprint("G", i)})
					}
				})
			},
			"group_name": func(n int64) error {
				return at(func(s *vpn.Settings) { s.Groups = []vpn.Group{{Name: strings.Repeat("g", int(n)), Label: "G"}} })
			},
			"group_label": func(n int64) error {
				return at(func(s *vpn.Settings) { s.Groups = []vpn.Group{{Name: "g", Label: strings.Repeat("组", int(n))}} })
			},
			"pool6_prefix": func(n int64) error {
				return at(func(s *vpn.Settings) { s.Pool6 = netip.PrefixFrom(netip.MustParseAddr("fd00:9::"), int(n)) })
			},
			"mtu_with_ipv6": func(n int64) error {
				return at(func(s *vpn.Settings) { s.MTU, s.Pool6 = int(n), prefix("fd00:9::/64") })
			},
			"acl_ports": func(n int64) error {
				return at(func(s *vpn.Settings) {
					s.ACLRules = []vpn.ACLRule{{Protocol: "tcp", Ports: slices.Repeat([]vpn.PortRange{{From: 22, To: 22}}, int(n))}}
				})
			},
			"acl_comment": func(n int64) error {
				return at(func(s *vpn.Settings) {
					s.ACLRules = []vpn.ACLRule{{Protocol: "any", Comment: strings.Repeat("说", int(n))}}
				})
			},
			"traffic_quota": func(n int64) error {
				next := c.ClientSettings
				next.DailyQuota, next.MonthlyQuota = n, n
				_, err := r.s.UpdateClient(ctx, alice, c.ID, 0, next)
				return err
			},
			"certificate_size": func(n int64) error {
				padded := append(bytes.Repeat([]byte("#"), int(n)-len(ca)-1), '\n')
				_, err := r.s.UploadCertificate(ctx, alice, vpn.NewCertificate{Name: fmt.Sprint("ca-", n), Kind: vpn.CertificateClientCA, Certificate: append(padded, ca...)})
				return err
			},
		} {
			i := slices.IndexFunc(r.s.Restrictions(), func(l vpn.Restriction) bool { return l.Name == name })
			if i < 0 {
				t.Errorf("%s is not listed", name)
				continue
			}
			limit := r.s.Restrictions()[i]
			if low := limit.Low; low > 1 || low == 1 && name[:5] == "group" {
				if err := try(low); err != nil {
					t.Errorf("%s %d: got %v", name, low, err)
				}
				if err := try(low - 1); err == nil {
					t.Errorf("%s %d was taken", name, low-1)
				}
			}
			if err := try(limit.High); err != nil {
				t.Errorf("%s %d: got %v", name, limit.High, err)
			}
			if err := try(limit.High + 1); err == nil {
				t.Errorf("%s %d was taken", name, limit.High+1)
			}
		}
		tried := 0
		for _, limit := range r.s.Restrictions() {
			field, ok := fields[limit.Name]
			if limit.Low > limit.High {
				t.Errorf("%+v", limit)
			}
			if !ok {
				continue
			}
			tried++
			for value, fits := range map[int64]bool{limit.Low: true, limit.High: true, limit.Low - 1: false, limit.High + 1: false, 0: limit.Off} {
				next := srv.Settings
				*field(&next) = int(value)
				if _, err := r.s.UpdateServer(ctx, alice, srv.ID, 0, next); (err == nil) != fits {
					t.Errorf("%s %d: got %v, want fits %v", limit.Name, value, err, fits)
				}
			}
		}
		if tried != len(fields) {
			t.Errorf("tried %d of %d", tried, len(fields))
		}
	})
}

func repeat(n int64, domain string) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("d%d.%s", i, domain))
	}
	return all
}

func TestPortsAreThoseThatAreListed(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbOf(t))
	g := r.gateway(t, "a", alice.Account)
	var edges []int
	for _, l := range r.s.Restrictions() {
		if l.Name == "port" {
			edges = append(edges, int(l.Low), int(l.High))
		}
	}
	if d := cmp.Diff([]int{443, 443, 1024, 4499, 4501, 49151}, edges); d != "" {
		t.Error(d)
	}
	for _, port := range edges {
		srv := r.server(t, alice, g.ID, func(n *vpn.NewServer) { n.Port = port })
		must(t, r.s.DeleteServer(ctx, alice, srv.ID))
	}
	for _, port := range []int{1, 442, 444, 1023, 4500, 49152} {
		if _, err := r.s.CreateServer(ctx, alice, vpn.NewServer{Gateway: g.ID, Port: port, Settings: settings()}); !errors.Is(err, vpn.ErrPort) {
			t.Errorf("port %d: got %v, want ErrPort", port, err)
		}
	}
}

// TestWhichChangesEndSessions is section 2.2 and 4.7: only a pool and the factors
// end sessions; a rename, subnets, timers and rates do not.
func TestWhichChangesEndSessions(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		g := r.gateway(t, "a", alice.Account)
		srv := r.server(t, alice, g.ID, func(n *vpn.NewServer) { n.TwoFactor, n.LoginMode = false, vpn.LoginPassword })
		r.apply(t)
		c, secret := r.client(t, alice, srv.ID, "zhang.san")
		closures := func() int {
			d, err := r.fleet.Desired(ctx, r.node.ID)
			must(t, err)
			return len(d.Closures)
		}
		login := func() {
			a, err := r.say(srv, source(1), "", nil, "username", c.Name, "password", secret.Password)
			must(t, err)
			r.opened(t, r.grantOf(t, a), "10.9.0.2")
		}
		change := func(name string, ends bool, do func(*vpn.Settings)) {
			t.Helper()
			login()
			was := closures()
			now, err := r.s.Server(ctx, alice.Account, srv.ID)
			must(t, err)
			next := now.Settings
			do(&next)
			if _, err := r.s.UpdateServer(ctx, alice, srv.ID, now.Version, next); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if got := closures() > was; got != ends {
				t.Errorf("%s ends sessions: got %v, want %v", name, got, ends)
			}
		}
		change("a rename", false, func(s *vpn.Settings) { s.Name = "other" })
		change("more subnets", false, func(s *vpn.Settings) { s.LocalSubnets = append(s.LocalSubnets[:1:1], prefix("172.30.0.0/16")) })
		change("fewer subnets", false, func(s *vpn.Settings) { s.LocalSubnets = s.LocalSubnets[1:] })
		change("timers", false, func(s *vpn.Settings) { s.IdleTimeout, s.DPD, s.Banner = 600, 60, "hi" })
		change("the pool", true, func(s *vpn.Settings) { s.Pool = prefix("10.10.0.0/24") })
		login()
		was := closures()
		_, err := r.s.UpdateGateway(ctx, alice, g.ID, 0, renamed("renamed"))
		must(t, err)
		if _, err := r.s.UpdateGateway(ctx, alice, g.ID, 1, renamed("stale")); !errors.Is(err, vpn.ErrStale) {
			t.Errorf("a rename made from an old version: got %v", err)
		}
		must(t, r.s.Resize(ctx, g.ID, vpn.Limits{SSLBandwidth: 200, SSLConnections: 10}))
		_, err = r.s.UpdateClient(ctx, alice, c.ID, 0, vpn.ClientSettings{UpRate: 1_000_000, DownRate: 1_000_000, State: vpn.ClientEnabled})
		must(t, err)
		if got := closures(); got != was {
			t.Errorf("a rename, an upgrade and rates ended %d sessions", got-was)
		}
	})
}

func TestDeletionIsGuardedAndIDsAreNeverUsedAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		g := r.gateway(t, "a", alice.Account)
		newServer := vpn.NewServer{Key: "server-key-1", Gateway: g.ID, Settings: settings()}
		srv, err := r.s.CreateServer(ctx, alice, newServer)
		must(t, err)
		newClient := vpn.NewClient{Key: "client-key-1", Server: srv.ID, Name: "one"}
		c, err := r.s.CreateClient(ctx, alice, newClient)
		must(t, err)
		if err := r.s.Delete(ctx, g.ID, false); !errors.Is(err, vpn.ErrInUse) {
			t.Errorf("a gateway with a server: got %v", err)
		}
		if err := r.s.DeleteServer(ctx, alice, srv.ID); !errors.Is(err, vpn.ErrInUse) {
			t.Errorf("a server with a client: got %v", err)
		}
		must(t, r.s.DeleteClient(ctx, alice, c.ID))
		if _, err := r.s.CreateClient(ctx, alice, newClient); !errors.Is(err, idempotency.ErrConflict) {
			t.Errorf("the same request after the deletion: got %v", err)
		}
		must(t, r.s.DeleteServer(ctx, alice, srv.ID))
		if _, err := r.s.CreateServer(ctx, alice, newServer); !errors.Is(err, idempotency.ErrConflict) {
			t.Errorf("the same request after the deletion: got %v", err)
		}
		must(t, r.s.Delete(ctx, g.ID, false))
		r.apply(t)
		if again, err := r.s.Create(ctx, newGateway("a", alice.Account)); err != nil || again.ID != g.ID || again.State != vpn.GatewayDeleted {
			t.Errorf("the same gateway's key: got %+v, %v, want the deleted one", again, err)
		}
	})
}
