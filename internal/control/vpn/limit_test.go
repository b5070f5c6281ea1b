package vpn_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
)

// plainServer is one that a password opens.
func (r rig) plainServer(t *testing.T) vpn.SSLServer {
	t.Helper()
	return r.server(t, alice, r.gateway(t, "a", alice.Account).ID, func(n *vpn.NewServer) { n.TwoFactor, n.LoginMode = false, vpn.LoginPassword })
}

// login signs a client in by its password; the node reports the session.
func (r rig) login(t *testing.T, srv vpn.SSLServer, c vpn.SSLClient, secret vpn.Secret) gwlink.Grant {
	t.Helper()
	a, err := r.say(srv, source(1), "", nil, "username", c.Name, "password", secret.Password)
	must(t, err)
	return r.grantOf(t, a)
}

func (r rig) wanted(t *testing.T) gwlink.Desired {
	t.Helper()
	d, err := r.fleet.Desired(ctx, r.node.ID)
	must(t, err)
	return d
}

// update changes settings of a client as they are now.
func (r rig) update(t *testing.T, client string, change func(*vpn.ClientSettings)) {
	t.Helper()
	c, err := r.s.Client(ctx, alice.Account, client)
	must(t, err)
	change(&c.ClientSettings)
	_, err = r.s.UpdateClient(ctx, alice, client, 0, c.ClientSettings)
	must(t, err)
}

func TestTheNodeLearnsOfAChangedExpiry(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.plainServer(t)
		c, _ := r.client(t, alice, srv.ID, "zhang.san")
		before := r.wanted(t)
		if got := before.Gateways[0].SSLServers[0].Clients[0].Expires; !got.IsZero() {
			t.Errorf("without an expiry: got %v", got)
		}
		for _, ends := range []time.Time{start.Add(time.Hour), start.Add(-time.Hour)} {
			r.update(t, c.ID, func(v *vpn.ClientSettings) { v.ExpiresAt = ends })
			d := r.wanted(t)
			if got := d.Gateways[0].SSLServers[0].Clients[0].Expires; !got.Equal(ends) || d.Generation <= before.Generation {
				t.Errorf("got %v in generation %d, want %v", got, d.Generation, ends)
			}
		}
	})
}

// TestAnExemptClientNeedsItsCodeOnceTheExemptionIsGone: its session ends, and
// without a seed it is told why it cannot come back.
func TestAnExemptClientNeedsItsCodeOnceTheExemptionIsGone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, func(n *vpn.NewServer) { n.LoginMode = vpn.LoginPassword })
		c, err := r.s.CreateClient(ctx, alice, vpn.NewClient{Server: srv.ID, Name: "router", ClientSettings: vpn.ClientSettings{TwoFactorExempt: true}})
		must(t, err)
		secret, err := r.s.Secret(ctx, alice, c.ID)
		must(t, err)
		if c.HasToken {
			t.Error("an exempt client has a seed")
		}
		g := r.login(t, srv, c, secret)
		r.update(t, c.ID, func(v *vpn.ClientSettings) { v.UpRate = 1_000_000 })
		if all := r.wanted(t).Closures; len(all) != 0 {
			t.Errorf("a rate closed %v", all)
		}
		r.update(t, c.ID, func(v *vpn.ClientSettings) { v.TwoFactorExempt = false })
		if all := r.wanted(t).Closures; len(all) != 1 || all[0].Session != g.Session || all[0].Reason != gwlink.ReasonAdministrator {
			t.Errorf("got closures %v, want %s", all, g.Session)
		}
		a, err := r.say(srv, source(1), "", nil, "username", c.Name, "password", secret.Password)
		if err != nil || a.Form == nil || len(a.Form.Fields) != 0 || a.Form.Error != "The second factor is not set up. Ask your administrator." {
			t.Errorf("got %s %+v, %v, want a form without a field that says why", a.Outcome, a.Form, err)
		}
	})
}

// TestFewerSessionsEndTheOldest: whether the node has reported them or not, and
// of nobody else.
func TestFewerSessionsEndTheOldest(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		in := newGateway("a", alice.Account)
		in.SSLConnections = 10
		g, err := r.s.Create(ctx, in)
		must(t, err)
		r.apply(t)
		srv := r.server(t, alice, g.ID, func(n *vpn.NewServer) { n.TwoFactor, n.LoginMode = false, vpn.LoginPassword })
		next := srv.Settings
		next.MaxSessionsPerClient = 3
		_, err = r.s.UpdateServer(ctx, alice, srv.ID, 0, next)
		must(t, err)
		own, ownSecret := r.client(t, alice, srv.ID, "zhang.san") // with a limit of its own
		other, otherSecret := r.client(t, alice, srv.ID, "li.si") // with the server's
		r.update(t, own.ID, func(v *vpn.ClientSettings) { v.MaxSessions = 4 })
		r.login(t, srv, own, ownSecret) // never opened
		r.clock.Advance(2 * time.Minute)
		var hers, his []string
		for i := range 3 {
			r.clock.Advance(time.Second)
			a, b := r.login(t, srv, own, ownSecret), r.login(t, srv, other, otherSecret)
			hers, his = append(hers, a.Session), append(his, b.Session)
			if i < 2 { // the last are not reported yet
				r.opened(t, a, "10.9.0.2")
				r.opened(t, b, "10.9.0.3")
			}
		}
		closed := func(what string, want ...string) {
			t.Helper()
			var got []string
			for _, c := range r.wanted(t).Closures {
				got = append(got, c.Session)
				if c.Reason != gwlink.ReasonReplaced {
					t.Errorf("%s: closed for %s", what, c.Reason)
				}
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("%s: got %v closed, want %v", what, got, want)
			}
		}
		r.update(t, own.ID, func(v *vpn.ClientSettings) { v.MaxSessions = 3 })
		closed("as many as there are")
		r.update(t, own.ID, func(v *vpn.ClientSettings) { v.MaxSessions = 2 })
		closed("the client's limit", hers[0])
		next.MaxSessionsPerClient = 1
		_, err = r.s.UpdateServer(ctx, alice, srv.ID, 0, next)
		must(t, err)
		closed("the server's limit", hers[0], his[0], his[1])
		r.update(t, own.ID, func(v *vpn.ClientSettings) { v.MaxSessions = 0 })
		closed("the server's in the place of its own", hers[0], hers[1], his[0], his[1])
	})
}

// TestInAFrozenGatewayNothingIsMadeOrChanged: one rule for all of it. What takes
// away goes on, and after the thaw all is as it was.
func TestInAFrozenGatewayNothingIsMadeOrChanged(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.plainServer(t)
		c, _ := r.client(t, alice, srv.ID, "zhang.san")
		bare := r.gateway(t, "bare", alice.Account)
		in := vpn.NewServer{Gateway: bare.ID, Settings: settings()}
		in.Name, in.Pool = "branch", prefix("10.10.0.0/24")
		name := "other"
		acts := map[string]func() error{
			"create server": func() error { _, err := r.s.CreateServer(ctx, alice, in); return err },
			"update server": func() error { _, err := r.s.UpdateServer(ctx, alice, srv.ID, 0, srv.Settings); return err },
			"create client": func() error {
				_, err := r.s.CreateClient(ctx, alice, vpn.NewClient{Server: srv.ID, Name: "li.si"})
				return err
			},
			"update client": func() error { _, err := r.s.UpdateClient(ctx, alice, c.ID, 0, c.ClientSettings); return err },
			"update gateway": func() error {
				_, err := r.s.UpdateGateway(ctx, alice, srv.Gateway, 0, vpn.GatewayChange{Name: &name})
				return err
			},
		}
		for _, gateway := range []string{srv.Gateway, bare.ID} {
			must(t, r.s.Freeze(ctx, gateway, true))
		}
		r.apply(t)
		for what, act := range acts {
			if err := act(); !errors.Is(err, vpn.ErrState) {
				t.Errorf("%s: got %v", what, err)
			}
		}
		_, err := r.s.ResetPassword(ctx, alice, c.ID, forgotten)
		must(t, err)
		for _, gateway := range []string{srv.Gateway, bare.ID} {
			must(t, r.s.Freeze(ctx, gateway, false))
		}
		for what, act := range acts {
			if err := act(); err != nil {
				t.Errorf("%s after the thaw: got %v", what, err)
			}
		}
		must(t, r.s.Freeze(ctx, srv.Gateway, true))
		must(t, r.s.DeleteClient(ctx, alice, c.ID))
	})
}

// TestAGrantTellsOfUnreadNotices: by number alone, and those of its own person.
func TestAGrantTellsOfUnreadNotices(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		srv := r.plainServer(t)
		c, secret := r.client(t, alice, srv.ID, "zhang.san")
		r.unread["sub_somebody_else"] = 7
		if g := r.login(t, srv, c, secret); g.Notices != 0 {
			t.Errorf("got %d notices of somebody else", g.Notices)
		}
		r.unread[c.Subject] = 2
		if g := r.login(t, srv, c, secret); g.Notices != 2 {
			t.Errorf("got %d notices, want 2", g.Notices)
		}
	})
}
