package vpn_test

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
)

var twoGroups = []vpn.Group{{Name: "staff", Label: "Staff"}, {Name: "ops", Label: "Operations"}}

func inGroups(names ...string) vpn.ClientSettings { return vpn.ClientSettings{Groups: names} }

// choose is say with a group.
func (r rig) choose(t *testing.T, srv vpn.SSLServer, group, conversation string, certificate []byte, fields map[string]string) gwlink.LoginAnswer {
	t.Helper()
	a, err := r.s.Login(ctx, r.node.ID, gwlink.LoginRequest{
		Gateway: srv.Gateway, Server: srv.ID, Conversation: conversation, SourceIP: netip.MustParseAddr(source(1)),
		Group: group, Fields: fields, PeerCertificate: certificate,
	})
	must(t, err)
	return a
}

func TestOnlyMembersSignInToAGroup(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, func(n *vpn.NewServer) {
			n.TwoFactor, n.LoginMode, n.Groups = false, vpn.LoginPassword, twoGroups
		})
		c, err := r.s.CreateClient(ctx, alice, vpn.NewClient{Server: srv.ID, Name: "zhang.san", ClientSettings: inGroups("ops")})
		must(t, err)
		secret, err := r.s.Secret(ctx, alice, c.ID)
		must(t, err)
		for asked, chosen := range map[string]string{"": "staff", "ops": "ops", "nothing": ""} {
			a := r.choose(t, srv, asked, "", nil, nil)
			if a.Form == nil || a.Form.Group != chosen || len(a.Form.Groups) != 2 || a.Form.Groups[1].Label != "Operations" {
				t.Errorf("form for %q: got %+v", asked, a.Form)
			}
		}
		login := map[string]string{"username": c.Name, "password": secret.Password}
		for asked, want := range map[string]gwlink.Outcome{"": gwlink.OutcomeForm, "staff": gwlink.OutcomeForm, "nothing": gwlink.OutcomeForm, "ops": gwlink.OutcomeGranted} {
			a := r.choose(t, srv, asked, "", nil, login)
			if a.Outcome != want || (want == gwlink.OutcomeForm && a.Form.Error == "") {
				t.Errorf("login to %q: got %s %+v", asked, a.Outcome, a.Form)
			}
		}
		d, err := r.fleet.Desired(ctx, r.node.ID)
		must(t, err)
		if got := d.Gateways[0].SSLServers[0].Groups; !slices.Equal(got, []gwlink.Group{{Name: "staff", Label: "Staff"}, {Name: "ops", Label: "Operations"}}) {
			t.Errorf("the node has %v", got)
		}
	})
}

func TestTheGroupOfTheFirstFormHoldsToTheEnd(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, func(n *vpn.NewServer) { n.LoginMode, n.Groups = vpn.LoginPassword, twoGroups })
		c, err := r.s.CreateClient(ctx, alice, vpn.NewClient{Server: srv.ID, Name: "zhang.san", ClientSettings: inGroups("ops")})
		must(t, err)
		secret, err := r.s.Secret(ctx, alice, c.ID)
		must(t, err)
		a := r.choose(t, srv, "ops", "", nil, map[string]string{"username": c.Name, "password": secret.Password})
		a = r.choose(t, srv, "", a.Conversation, nil, map[string]string{"secondary_password": "000000"})
		a = r.choose(t, srv, "staff", a.Conversation, nil, map[string]string{"secondary_password": code(t, secret.TOTP, r.clock.Now())})
		if a.Outcome != gwlink.OutcomeGranted {
			t.Errorf("got %s %+v", a.Outcome, a.Form)
		}
	})
}

func TestACertificateFindsItsGroup(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, func(n *vpn.NewServer) {
			n.TwoFactor, n.LoginMode, n.Groups = false, vpn.LoginCertificate, twoGroups
		})
		member, err := r.s.CreateClient(ctx, alice, vpn.NewClient{Server: srv.ID, Name: "zhang.san", ClientSettings: inGroups("ops")})
		must(t, err)
		stranger, _ := r.client(t, alice, srv.ID, "li.si")
		for _, v := range []struct {
			group   string
			client  vpn.SSLClient
			granted bool
		}{{"", member, true}, {"ops", member, true}, {"staff", member, false}, {"", stranger, false}, {"ops", stranger, false}} {
			a := r.choose(t, srv, v.group, "", v.client.Certificate, nil)
			if (a.Outcome == gwlink.OutcomeGranted) != v.granted || (!v.granted && !closed(a)) {
				t.Errorf("%s to %q: got %s %+v", v.client.Name, v.group, a.Outcome, a.Form)
			}
		}
	})
}

func TestGroupsOfServersAndClients(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, func(n *vpn.NewServer) { n.Groups = twoGroups })
		for name, groups := range map[string][]vpn.Group{
			"a path of ours": {{Name: "auth", Label: "x"}}, "no name": {{Label: "x"}}, "no label": {{Name: "x"}}, "capital": {{Name: "Ops", Label: "x"}},
			"slash": {{Name: "a/b", Label: "x"}}, "twice": {{Name: "x", Label: "a"}, {Name: "x", Label: "b"}},
			"labels alike": {{Name: "x", Label: "Ops"}, {Name: "y", Label: "ops"}}, "line": {{Name: "x", Label: "a\nb"}}, "blank": {{Name: "x", Label: " a"}},
		} {
			next := srv.Settings
			next.Groups = groups
			if _, err := r.s.UpdateServer(ctx, alice, srv.ID, 0, next); !errors.Is(err, vpn.ErrGroups) {
				t.Errorf("%s: got %v", name, err)
			}
		}
		for _, names := range [][]string{{"nothing"}, {"ops", "ops"}} {
			_, err := r.s.CreateClient(ctx, alice, vpn.NewClient{Server: srv.ID, Name: "x-1", ClientSettings: inGroups(names...)})
			if !errors.Is(err, vpn.ErrGroupUnknown) {
				t.Errorf("%v: got %v", names, err)
			}
		}
		c, err := r.s.CreateClient(ctx, alice, vpn.NewClient{Server: srv.ID, Name: "zhang.san", ClientSettings: inGroups("ops", "staff")})
		must(t, err)
		next := srv.Settings
		next.Groups = twoGroups[:1]
		_, err = r.s.UpdateServer(ctx, alice, srv.ID, 0, next)
		must(t, err)
		next.Groups = twoGroups // a group of the same name again has no members
		_, err = r.s.UpdateServer(ctx, alice, srv.ID, 0, next)
		must(t, err)
		if c, err = r.s.Client(ctx, alice.Account, c.ID); err != nil || !slices.Equal(c.Groups, []string{"staff"}) {
			t.Errorf("got %v, %v", c.Groups, err)
		}
	})
}

// TestTheFirstGroupsEndSessions: nobody is a member yet, and nobody could sign
// in any more. The last one that goes ends none: all may sign in again.
func TestTheFirstGroupsEndSessions(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		m := r.metered(t, 0, 0)
		change := func(groups ...vpn.Group) {
			now, err := r.s.Server(ctx, alice.Account, m.srv.ID)
			must(t, err)
			now.Groups = groups
			_, err = r.s.UpdateServer(ctx, alice, m.srv.ID, 0, now.Settings)
			must(t, err)
		}
		change(twoGroups...)
		if m.closes(t) == "" {
			t.Error("a session of nobody's group goes on")
		}
		member := m.c.ClientSettings
		member.Groups = []string{"ops"}
		_, err := r.s.UpdateClient(ctx, alice, m.c.ID, 0, member)
		must(t, err)
		a := r.choose(t, m.srv, "ops", "", nil, map[string]string{"username": m.c.Name, "password": m.pw})
		g := m.grantOf(t, a)
		m.session = g.Session
		m.opened(t, g, "10.9.0.3")
		change()
		if got := m.closes(t); got != "" {
			t.Errorf("without groups a member's session ends: %s", got)
		}
	})
}

// TestAFullGatewayLocksNobodyOut: nothing was wrong with these tries.
func TestAFullGatewayLocksNobodyOut(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		g := r.gateway(t, "a", alice.Account)
		srv := r.server(t, alice, g.ID, func(n *vpn.NewServer) { n.TwoFactor, n.LoginMode = false, vpn.LoginPassword })
		var last vpn.SSLClient
		var secret vpn.Secret
		for i := range g.SSLConnections + 1 {
			last, secret = r.client(t, alice, srv.ID, fmt.Sprintf("person.%d", i))
			a, err := r.say(srv, source(i+1), "", nil, "username", last.Name, "password", secret.Password)
			if want := i < g.SSLConnections; err != nil || (a.Outcome == gwlink.OutcomeGranted) != want {
				t.Fatalf("%d: got %s, %v", i, a.Outcome, err)
			}
		}
		again := func() gwlink.LoginAnswer {
			a, err := r.say(srv, source(9), "", nil, "username", last.Name, "password", secret.Password)
			must(t, err)
			return a
		}
		for range 8 {
			again()
		}
		must(t, r.s.Resize(ctx, g.ID, vpn.Limits{SSLBandwidth: 100, SSLConnections: 10}))
		if a := again(); a.Outcome != gwlink.OutcomeGranted {
			t.Errorf("with room again: got %s %q", a.Outcome, a.Reason)
		}
	})
}
