package vpn_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

func rule(change func(*vpn.ACLRule)) []vpn.ACLRule {
	r := vpn.ACLRule{Allow: true, Protocol: "tcp", Destination: netip.MustParsePrefix("172.20.1.0/24"), Ports: []vpn.PortRange{{From: 22, To: 22}, {From: 8000, To: 8099}}, Comment: "办公"}
	if change != nil {
		change(&r)
	}
	return []vpn.ACLRule{r}
}

func TestAccessListsAreHeldToTheTable(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		g := r.gateway(t, "a", alice.Account)
		hundred := make([]vpn.ACLRule, vpn.MaxACLRules)
		for i := range hundred {
			hundred[i] = rule(nil)[0]
		}
		for name, c := range map[string]struct {
			want   string
			change func(*vpn.Settings)
		}{
			"host bits": {"vpn.acl_invalid", func(c *vpn.Settings) {
				c.ACLRules = rule(func(r *vpn.ACLRule) { r.Destination = netip.MustParsePrefix("172.20.1.1/24") })
			}},
			"ports of icmp":     {"vpn.acl_invalid", func(c *vpn.Settings) { c.ACLRules = rule(func(r *vpn.ACLRule) { r.Protocol = "icmp" }) }},
			"ports of any":      {"vpn.acl_invalid", func(c *vpn.Settings) { c.ACLRules = rule(func(r *vpn.ACLRule) { r.Protocol = "any" }) }},
			"another protocol":  {"vpn.acl_invalid", func(c *vpn.Settings) { c.ACLRules = rule(func(r *vpn.ACLRule) { r.Protocol = "sctp" }) }},
			"port 0":            {"vpn.acl_invalid", func(c *vpn.Settings) { c.ACLRules = rule(func(r *vpn.ACLRule) { r.Ports[0].From = 0 }) }},
			"a range backwards": {"vpn.acl_invalid", func(c *vpn.Settings) { c.ACLRules = rule(func(r *vpn.ACLRule) { r.Ports[1].To = 7999 }) }},
			"a long comment": {"vpn.acl_invalid", func(c *vpn.Settings) {
				c.ACLRules = rule(func(r *vpn.ACLRule) { r.Comment = strings.Repeat("字", 101) })
			}},
			"too many":          {"vpn.acl_invalid", func(c *vpn.Settings) { c.ACLRules = append(hundred, hundred[0]) }},
			"trusted host bits": {"vpn.trusted_networks_invalid", func(c *vpn.Settings) { c.TrustedNetworks = []netip.Prefix{netip.MustParsePrefix("192.0.2.1/24")} }},
			"mapped source": {"vpn.trusted_networks_invalid", func(c *vpn.Settings) {
				c.TrustedNetworks = []netip.Prefix{netip.MustParsePrefix("::ffff:203.0.113.0/120")}
			}},
			"mapped destination": {"vpn.acl_invalid", func(c *vpn.Settings) {
				c.ACLRules = rule(func(r *vpn.ACLRule) { r.Destination = netip.MustParsePrefix("::ffff:172.20.1.0/120") })
			}},
			"all that is well": {"", func(c *vpn.Settings) {
				c.ACLRules, c.TrustedNetworks = hundred, []netip.Prefix{netip.MustParsePrefix("2001:db8::/32")}
			}},
		} {
			in := vpn.NewServer{Gateway: g.ID, Settings: settings()}
			c.change(&in.Settings)
			if _, err := r.s.CreateServer(ctx, alice, in); errs.CodeOf(err) != c.want && !(c.want == "" && err == nil) {
				t.Errorf("%s: got %v, want %q", name, err, c.want)
			} else if err == nil {
				all, _, err := r.s.Servers(ctx, alice.Account, "", vpn.Page{})
				must(t, err)
				must(t, r.s.DeleteServer(ctx, alice, all[0].ID))
			}
		}
	})
}

// TestAnAccessListReachesTheNode: as it was set, in its order, and a change of
// it ends no session.
func TestAnAccessListReachesTheNode(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, func(n *vpn.NewServer) { n.TwoFactor, n.LoginMode = false, vpn.LoginPassword })
		if w := r.apply(t).Gateways[0].SSLServers[0]; len(w.ACL) != 0 || w.ACLDeny {
			t.Errorf("without a list: got %+v, deny %v", w.ACL, w.ACLDeny)
		}
		c, secret := r.client(t, alice, srv.ID, "zhang.san")
		a, err := r.say(srv, source(1), "", nil, "username", c.Name, "password", secret.Password)
		must(t, err)
		r.opened(t, r.grantOf(t, a), "10.9.0.2")
		now, err := r.s.Server(ctx, alice.Account, srv.ID)
		must(t, err)
		now.ACLRules, now.ACLDefaultAllow = append(rule(nil), vpn.ACLRule{Protocol: vpn.ProtocolAny}), false
		_, err = r.s.UpdateServer(ctx, alice, srv.ID, now.Version, now.Settings)
		must(t, err)
		d := r.apply(t)
		want := []gwlink.ACLRule{
			{Allow: true, Protocol: "tcp", Destination: netip.MustParsePrefix("172.20.1.0/24"), Ports: []gwlink.PortRange{{From: 22, To: 22}, {From: 8000, To: 8099}}},
			{},
		}
		if w := d.Gateways[0].SSLServers[0]; !w.ACLDeny || cmp.Diff(want, w.ACL, cmpopts.EquateComparable(netip.Prefix{})) != "" {
			t.Errorf("got %+v, deny %v", w.ACL, w.ACLDeny)
		}
		if len(d.Closures) != 0 {
			t.Errorf("got %v closed by a change of the list", d.Closures)
		}
	})
}

func TestLoginsFromUntrustedNetworksAreRefusedWithAReason(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, func(n *vpn.NewServer) {
			n.TwoFactor, n.LoginMode = false, vpn.LoginPassword
			n.TrustedNetworks = []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("2001:db8::/32")}
		})
		c, secret := r.client(t, alice, srv.ID, "zhang.san")
		for from, want := range map[string]gwlink.Outcome{
			"198.51.100.7": gwlink.OutcomeGranted, "::ffff:198.51.100.8": gwlink.OutcomeGranted, "2001:db8::5": gwlink.OutcomeGranted,
			"192.0.2.1": gwlink.OutcomeUnavailable, "2001:db9::5": gwlink.OutcomeUnavailable,
		} {
			a, err := r.say(srv, from, "", nil, "username", c.Name, "password", secret.Password)
			must(t, err)
			if a.Outcome != want || (want == gwlink.OutcomeUnavailable) != (a.Reason != "") {
				t.Errorf("%s: got %s %q, want %s", from, a.Outcome, a.Reason, want)
			}
		}
		if a, err := r.say(srv, "192.0.2.1", "", nil); err != nil || a.Outcome != gwlink.OutcomeUnavailable {
			t.Errorf("the first round: got %s, %v", a.Outcome, err)
		}
	})
}
