package vpn_test

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

func prefixes(texts ...string) (all []netip.Prefix) {
	for _, t := range texts {
		all = append(all, netip.MustParsePrefix(t))
	}
	return all
}

// dual gives a server an IPv6 pool.
func dual(n *vpn.NewServer) {
	n.TwoFactor, n.LoginMode = false, vpn.LoginPassword
	n.Pool6 = netip.MustParsePrefix("fd00:9::/64")
	n.LocalSubnets = append(n.LocalSubnets, netip.MustParsePrefix("fd00:172::/48"))
}

func TestIPv6SettingsReachTheNode(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		g := r.gateway(t, "a", alice.Account)
		srv := r.server(t, alice, g.ID, func(n *vpn.NewServer) {
			dual(n)
			n.EnableDNS, n.DNS = true, []netip.Addr{netip.MustParseAddr("fd00:172::53")}
			n.DefaultDomains, n.ClientBypass = []string{"corp.example", "lab.example"}, true
		})
		c, err := r.s.CreateClient(ctx, alice, vpn.NewClient{Server: srv.ID, Name: "router", ClientSettings: vpn.ClientSettings{
			FixedIP6: netip.MustParseAddr("fd00:9::77"), Routes: prefixes("10.50.0.0/24", "fd00:50::/64"),
		}})
		must(t, err)
		got := r.apply(t).Gateways[0].SSLServers[0]
		if got.Pool6 != srv.Pool6 || !slices.Equal(got.DefaultDomains, srv.DefaultDomains) || !got.ClientBypass || got.MobileDPD != 1800 {
			t.Errorf("got %+v of %+v", got, srv.Settings)
		}
		if d := cmp.Diff(prefixes("10.50.0.0/24", "fd00:50::/64"), got.Clients[0].Routes, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); d != "" {
			t.Errorf("routes (-want +got):\n%s", d)
		}
		secret, err := r.s.Secret(ctx, alice, c.ID)
		must(t, err)
		a, err := r.say(srv, source(1), "", nil, "username", "router", "password", secret.Password)
		must(t, err)
		if grant := r.grantOf(t, a); grant.FixedInner6 != c.FixedIP6 || grant.FixedInner.IsValid() {
			t.Errorf("got the grant for %s and %s", grant.FixedInner, grant.FixedInner6)
		}
	})
}

func TestWhatIPv6SettingsAreRefusedFor(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		g := r.gateway(t, "a", alice.Account)
		for name, c := range map[string]struct {
			want   string
			change func(*vpn.Settings)
		}{
			"subnet without a pool":  {"vpn.local_subnets_invalid", func(s *vpn.Settings) { s.Pool6 = netip.Prefix{} }},
			"link-local subnet":      {"vpn.local_subnets_invalid", func(s *vpn.Settings) { s.LocalSubnets = prefixes("fe80::/64") }},
			"multicast subnet":       {"vpn.local_subnets_invalid", func(s *vpn.Settings) { s.LocalSubnets = prefixes("ff00::/16") }},
			"mapped subnet":          {"vpn.local_subnets_invalid", func(s *vpn.Settings) { s.LocalSubnets = prefixes("::ffff:0:0/96") }},
			"IPv4 pool in its place": {"vpn.pool6_invalid", func(s *vpn.Settings) { s.Pool6 = netip.MustParsePrefix("10.10.0.0/24") }},
			"link-local pool":        {"vpn.pool6_invalid", func(s *vpn.Settings) { s.Pool6 = netip.MustParsePrefix("fe80::/64") }},
			"small pool":             {"vpn.pool6_invalid", func(s *vpn.Settings) { s.Pool6 = netip.MustParsePrefix("fd00:9::/120") }},
			"pool with host bits":    {"vpn.pool6_invalid", func(s *vpn.Settings) { s.Pool6 = netip.MustParsePrefix("fd00:9::1/64") }},
			"pool in a subnet":       {"vpn.pool_conflict", func(s *vpn.Settings) { s.Pool6 = netip.MustParsePrefix("fd00:172:0:9::/64") }},
			"pool in the VPC":        {"vpn.pool_conflict", func(s *vpn.Settings) { s.Pool6 = netip.MustParsePrefix("fd00:168::/64") }},
			"MTU that carries none":  {"vpn.setting_invalid", func(s *vpn.Settings) { s.MTU = 1279 }},
			"IPv6 DNS, no pool": {"vpn.dns_invalid", func(s *vpn.Settings) {
				s.LocalSubnets, s.Pool6, s.DNS = prefixes("172.20.0.0/16"), netip.Prefix{}, []netip.Addr{netip.MustParseAddr("fd00::1")}
			}},
			"DNS with a zone":         {"vpn.dns_invalid", func(s *vpn.Settings) { s.DNS = []netip.Addr{netip.MustParseAddr("fe80::1%eth0")} }},
			"domain of no form":       {"vpn.dns_invalid", func(s *vpn.Settings) { s.DefaultDomains = []string{"a b"} }},
			"more domains than taken": {"vpn.dns_invalid", func(s *vpn.Settings) { s.DefaultDomains = []string{"a", "b", "c", "d", "e", "f", "g"} }},
		} {
			in := vpn.NewServer{Gateway: g.ID, Settings: settings()}
			dual(&in)
			c.change(&in.Settings)
			if _, err := r.s.CreateServer(ctx, alice, in); errs.CodeOf(err) != c.want {
				t.Errorf("%s: got %v, want %s", name, err, c.want)
			}
		}
		in := newGateway("b", alice.Account)
		in.Network = "vpc-alice"
		other, err := r.s.Create(ctx, in)
		must(t, err)
		server := vpn.NewServer{Gateway: other.ID, Settings: settings()}
		dual(&server)
		if _, err := r.s.CreateServer(ctx, alice, server); errs.CodeOf(err) != "vpn.network_without_ipv6" {
			t.Errorf("a VPC without IPv6: got %v", err)
		}
	})
}

func TestNetworksBehindClientsStayApart(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		g := r.gateway(t, "a", alice.Account)
		srv := r.server(t, alice, g.ID, dual)
		create := func(name string, routes ...string) (vpn.SSLClient, error) {
			return r.s.CreateClient(ctx, alice, vpn.NewClient{Server: srv.ID, Name: name, ClientSettings: vpn.ClientSettings{Routes: prefixes(routes...)}})
		}
		first, err := create("first", "10.50.0.0/24", "fd00:50::/64")
		must(t, err)
		for route, want := range map[string]string{
			"10.50.0.128/25": "vpn.route_conflict", "10.9.0.0/25": "vpn.route_conflict", "172.20.5.0/24": "vpn.route_conflict", "192.168.7.0/24": "vpn.route_conflict",
			"fd00:50::/60": "vpn.route_conflict", "fd00:9::/80": "vpn.route_conflict", "fd00:168::/64": "vpn.route_conflict",
			"127.0.0.0/8": "vpn.routes_invalid", "169.254.0.0/16": "vpn.routes_invalid", "fe80::/64": "vpn.routes_invalid", "0.0.0.0/0": "vpn.routes_invalid",
			"10.51.0.1/24": "vpn.routes_invalid",
		} {
			if _, err := create("second", route); errs.CodeOf(err) != want {
				t.Errorf("%s: got %v, want %s", route, err, want)
			}
		}
		if _, err := create("second", "10.51.0.0/24", "10.51.0.0/25"); errs.CodeOf(err) != "vpn.route_conflict" {
			t.Errorf("networks of one client over each other: got %v", err)
		}
		second, err := create("second", "10.51.0.0/24")
		must(t, err)
		next := second.ClientSettings
		next.Routes = prefixes("10.50.0.0/16")
		if _, err := r.s.UpdateClient(ctx, alice, second.ID, 0, next); errs.CodeOf(err) != "vpn.route_conflict" {
			t.Errorf("a change over another's network: got %v", err)
		}
		same := first.ClientSettings
		same.Routes = prefixes("10.50.0.0/23") // its own former one does not count
		got, err := r.s.UpdateClient(ctx, alice, first.ID, 0, same)
		if err != nil || len(got.Routes) != 1 || got.Routes[0] != same.Routes[0] {
			t.Errorf("a wider network of its own: got %v, %v", got.Routes, err)
		}
		for name, change := range map[string]func(*vpn.Settings){
			"vpn.route_conflict": func(s *vpn.Settings) { s.LocalSubnets = append(s.LocalSubnets, netip.MustParsePrefix("10.51.0.0/16")) },
			"vpn.fixed_ip_invalid": func(s *vpn.Settings) {
				s.Pool6, s.LocalSubnets = netip.Prefix{}, s.LocalSubnets[:1]
				fixed := second.ClientSettings
				fixed.FixedIP6 = netip.MustParseAddr("fd00:9::5")
				_, err := r.s.UpdateClient(ctx, alice, second.ID, 0, fixed)
				must(t, err)
			},
		} {
			settings := srv.Settings
			settings.LocalSubnets = slices.Clone(settings.LocalSubnets)
			change(&settings)
			if _, err := r.s.UpdateServer(ctx, alice, srv.ID, 0, settings); errs.CodeOf(err) != name {
				t.Errorf("the server changes: got %v, want %s", err, name)
			}
		}
	})
}

func TestFixedIPv6AddressIsOneClients(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		g := r.gateway(t, "a", alice.Account)
		srv := r.server(t, alice, g.ID, dual)
		create := func(name, fixed string) error {
			_, err := r.s.CreateClient(ctx, alice, vpn.NewClient{Server: srv.ID, Name: name, ClientSettings: vpn.ClientSettings{FixedIP6: netip.MustParseAddr(fixed)}})
			return err
		}
		must(t, create("first", "fd00:9::5"))
		for fixed, want := range map[string]string{
			"fd00:9::5": "vpn.fixed_ip_taken", "fd00:9::1": "vpn.fixed_ip_invalid", "fd00:9::": "vpn.fixed_ip_invalid",
			"fd00:8::5": "vpn.fixed_ip_invalid", "10.9.0.7": "vpn.fixed_ip_invalid",
		} {
			if err := create("second", fixed); errs.CodeOf(err) != want {
				t.Errorf("%s: got %v, want %s", fixed, err, want)
			}
		}
		must(t, create("second", "fd00:9:0:0:ffff:ffff:ffff:ffff")) // there is no broadcast
	})
}
