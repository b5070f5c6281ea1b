package vpn_test

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
)

func renamed(name string) vpn.GatewayChange { return vpn.GatewayChange{Name: &name} }

func subnets(texts ...string) vpn.GatewayChange {
	var all []netip.Prefix
	for _, t := range texts {
		all = append(all, prefix(t))
	}
	return vpn.GatewayChange{LocalSubnets: &all}
}

func moved(network string) vpn.GatewayChange { return vpn.GatewayChange{Network: &network} }

// reached is what the node is told that clients reach.
func (r rig) reached(t *testing.T) string {
	t.Helper()
	d := r.apply(t)
	if len(d.Closures) != 0 {
		t.Errorf("sessions are to end: %+v", d.Closures)
	}
	return fmt.Sprint(d.Gateways[0].Network, d.Gateways[0].SSLServers[0].LocalSubnets)
}

// TestAServerFollowsItsGatewaysSubnets while a session is up, and the session
// stays.
func TestAServerFollowsItsGatewaysSubnets(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d, func(c *vpn.Config) {
			c.Networks = append(c.Networks, vpn.Network{ID: "vpc-two", Region: "cn-test", Prefixes: []netip.Prefix{prefix("10.20.0.0/16")}})
		})
		g := r.gateway(t, "a", alice.Account)
		srv := r.server(t, alice, g.ID, func(n *vpn.NewServer) { n.TwoFactor, n.LoginMode, n.LocalSubnets = false, vpn.LoginPassword, nil })
		c, secret := r.client(t, alice, srv.ID, "zhang.san")
		a, err := r.say(srv, source(1), "", nil, "username", c.Name, "password", secret.Password)
		must(t, err)
		r.opened(t, r.grantOf(t, a), "10.9.0.2")
		if got, want := r.reached(t), "vpc-demo[192.168.0.0/16]"; got != want {
			t.Errorf("without subnets: got %s, want %s", got, want)
		}
		for _, c := range []struct {
			change vpn.GatewayChange
			want   string
		}{
			{subnets("192.168.7.0/24", "192.168.9.0/24", "fd00:168::/65"), "vpc-demo[192.168.7.0/24 192.168.9.0/24]"}, // no IPv6 pool
			{subnets("192.168.7.0/24"), "vpc-demo[192.168.7.0/24]"},
			{renamed("other"), "vpc-demo[192.168.7.0/24]"},
			{moved("vpc-two"), "vpc-two[10.20.0.0/16]"},
			{subnets("10.20.4.0/24"), "vpc-two[10.20.4.0/24]"},
			{subnets(), "vpc-two[10.20.0.0/16]"},
		} {
			g, err = r.s.UpdateGateway(ctx, alice, g.ID, g.Version, c.change)
			must(t, err)
			if got := r.reached(t); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			g, err = r.s.Gateway(ctx, alice.Account, g.ID)
			must(t, err)
			if g.State != vpn.GatewayActive {
				t.Errorf("applied: got %s", g.State)
			}
		}
		if n := r.events(t, "vpn.gateway_changed"); n != 6 {
			t.Errorf("got %d events, want 6", n)
		}
	}, sets...)
}

func TestChangesOfAGatewayThatAreRefused(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d, func(c *vpn.Config) {
			for name, p := range map[string]string{"vpc-pool": "10.9.0.0/16", "vpc-behind": "10.30.0.0/16"} {
				c.Networks = append(c.Networks, vpn.Network{ID: name, Region: "cn-test", Prefixes: []netip.Prefix{prefix(p)}})
			}
			c.Networks = append(c.Networks, vpn.Network{ID: "vpc-far", Region: "elsewhere"})
		})
		g := r.gateway(t, "a", alice.Account)
		srv := r.server(t, alice, g.ID, func(n *vpn.NewServer) { n.LocalSubnets = append(n.LocalSubnets, prefix("192.168.7.0/24")) })
		_, err := r.s.CreateClient(ctx, alice, vpn.NewClient{Server: srv.ID, Name: "router", ClientSettings: vpn.ClientSettings{State: vpn.ClientEnabled, Routes: []netip.Prefix{prefix("10.30.1.0/24")}}})
		must(t, err)
		many := make([]string, 51)
		for i := range many {
			many[i] = fmt.Sprintf("192.168.%d.0/24", i)
		}
		for name, c := range map[string]struct {
			change vpn.GatewayChange
			want   error
		}{
			"outside of the VPC":         {subnets("172.20.0.0/16"), vpn.ErrGatewaySubnets},
			"larger than the VPC":        {subnets("192.0.0.0/8"), vpn.ErrGatewaySubnets},
			"not canonical":              {subnets("192.168.7.1/24"), vpn.ErrGatewaySubnets},
			"one in another":             {subnets("192.168.7.0/24", "192.168.0.0/20"), vpn.ErrGatewaySubnets},
			"51":                         {subnets(many...), vpn.ErrGatewaySubnets},
			"without what a server has":  {subnets("192.168.8.0/24"), vpn.ErrSubnetInUse},
			"a VPC that nobody has":      {moved("vpc-none"), vpn.ErrNetworkNotFound},
			"a VPC of another region":    {moved("vpc-far"), vpn.ErrNetworkNotFound},
			"a VPC over the pool":        {moved("vpc-pool"), vpn.ErrPoolConflict},
			"a VPC over a client's nets": {moved("vpc-behind"), vpn.ErrRouteConflict},
		} {
			if _, err := r.s.UpdateGateway(ctx, alice, g.ID, 0, c.change); !errors.Is(err, c.want) {
				t.Errorf("%s: got %v, want %v", name, err, c.want)
			}
		}
		if got, err := r.s.Gateway(ctx, alice.Account, g.ID); err != nil || got.Version != g.Version || got.State != vpn.GatewayActive {
			t.Errorf("after refusals: got %+v, %v", got, err)
		}
		_, err = r.s.UpdateGateway(ctx, alice, g.ID, 0, subnets("192.168.7.0/24", "192.168.8.0/24"))
		must(t, err)
		next := srv.Settings
		next.LocalSubnets = []netip.Prefix{prefix("192.168.9.0/24")}
		if _, err := r.s.UpdateServer(ctx, alice, srv.ID, 0, next); !errors.Is(err, vpn.ErrSubnetInUse) {
			t.Errorf("a server's subnet outside of the gateway's: got %v", err)
		}
		next.LocalSubnets = slices.Concat([]netip.Prefix{prefix("192.168.8.128/25")}, srv.LocalSubnets[:1])
		if _, err := r.s.UpdateServer(ctx, alice, srv.ID, 0, next); err != nil {
			t.Errorf("a part of the gateway's, and one behind the VPC: got %v", err)
		}
	}, sets...)
}

// TestAGatewayWithoutSSLGetsItByAnUpgrade, and takes a server only then.
func TestAGatewayWithoutSSLGetsItByAnUpgrade(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		in := newGateway("a", alice.Account)
		in.Limits = vpn.Limits{}
		g, err := r.s.Create(ctx, in)
		must(t, err)
		r.apply(t)
		ask := vpn.NewServer{Gateway: g.ID, Settings: settings()}
		if _, err := r.s.CreateServer(ctx, alice, ask); !errors.Is(err, vpn.ErrServiceMissing) {
			t.Errorf("without the service: got %v", err)
		}
		quotas, err := r.s.Quotas(ctx, alice.Account)
		if i := slices.IndexFunc(quotas, func(q vpn.Quota) bool { return q.Name == "ssl_servers" }); err != nil || quotas[i].Limit != 0 {
			t.Errorf("got %+v, %v, want no server allowed", quotas, err)
		}
		for _, half := range []vpn.Limits{{SSLBandwidth: 10}, {SSLConnections: 10}} {
			if err := r.s.CheckResize(ctx, alice.Account, g.ID, half); !errors.Is(err, vpn.ErrLimits) {
				t.Errorf("half a service %+v: got %v", half, err)
			}
		}
		to := vpn.Limits{SSLBandwidth: 10, SSLConnections: 5}
		must(t, r.s.CheckResize(ctx, alice.Account, g.ID, to))
		must(t, r.s.Resize(ctx, g.ID, to))
		r.apply(t)
		if _, err := r.s.CreateServer(ctx, alice, ask); err != nil {
			t.Errorf("with the service: got %v", err)
		}
		if err := r.s.CheckResize(ctx, alice.Account, g.ID, vpn.Limits{}); !errors.Is(err, vpn.ErrLimits) {
			t.Errorf("taking it away: got %v", err)
		}
	})
}
