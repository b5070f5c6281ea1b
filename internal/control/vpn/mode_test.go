package vpn_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
)

func TestACertificateAloneIsALogin(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, func(n *vpn.NewServer) { n.TwoFactor, n.LoginMode = false, vpn.LoginCertificate })
		c, secret := r.client(t, alice, srv.ID, "zhang.san")
		gone, _ := r.client(t, alice, srv.ID, "li.si")
		must(t, r.s.DeleteClient(ctx, alice, gone.ID))
		for range 7 { // logins that succeed lock nothing
			a, err := r.say(srv, source(1), "", c.Certificate)
			if err != nil || a.Outcome != gwlink.OutcomeGranted {
				t.Fatalf("got %+v, %v, want granted", a, err)
			}
			if g := r.grantOf(t, a); g.Client != c.ID || g.Serial != c.Serial {
				t.Errorf("got %+v", g)
			}
		}
		for name, der := range map[string][]byte{"none": nil, "revoked": gone.Certificate} {
			if a, err := r.say(srv, source(1), "", der); err != nil || !closed(a) {
				t.Errorf("%s: got %+v, %v", name, a, err)
			}
			if a, err := r.say(srv, source(1), "", der, "username", c.Name, "password", secret.Password); err != nil || !closed(a) {
				t.Errorf("%s, with a password: got %+v, %v", name, a, err)
			}
		}
		next := c.ClientSettings
		next.State = vpn.ClientDisabled
		_, err := r.s.UpdateClient(ctx, alice, c.ID, 0, next)
		must(t, err)
		if a, err := r.say(srv, source(1), "", c.Certificate); err != nil || !closed(a) {
			t.Errorf("disabled: got %+v, %v", a, err)
		}
	})
}

func TestARenewedCertificateAloneIsALogin(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, func(n *vpn.NewServer) {
			n.TwoFactor, n.LoginMode, n.Groups = false, vpn.LoginCertificate, []vpn.Group{{Name: "staff", Label: "Staff"}}
		})
		c, _ := r.client(t, alice, srv.ID, "zhang.san")
		in := func(der []byte) bool {
			a, err := r.say(srv, source(1), "", der)
			must(t, err)
			return a.Outcome == gwlink.OutcomeGranted
		}
		if in(c.Certificate) {
			t.Error("a client of no group signed in")
		}
		member := c.ClientSettings
		member.Groups = []string{"staff"}
		_, err := r.s.UpdateClient(ctx, alice, c.ID, 0, member)
		must(t, err)
		next, err := r.s.ReissueCertificate(ctx, alice, c.ID, vpn.Reissue{})
		must(t, err)
		if !in(c.Certificate) || !in(next.Certificate) {
			t.Error("the former or the new certificate does not open during the overlap")
		}
		_, err = r.s.ReissueCertificate(ctx, alice, c.ID, vpn.Reissue{Revoke: true})
		must(t, err)
		if in(c.Certificate) || in(next.Certificate) {
			t.Error("a revoked certificate opens")
		}
	})
}

func TestACertificateAndACode(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, func(n *vpn.NewServer) { n.LoginMode = vpn.LoginCertificate })
		c, secret := r.client(t, alice, srv.ID, "zhang.san")
		a, err := r.say(srv, source(1), "", c.Certificate)
		if err != nil || a.Outcome != gwlink.OutcomeForm || a.Form.ID != "challenge" {
			t.Fatalf("got %+v, %v", a, err)
		}
		a, err = r.say(srv, source(1), a.Conversation, c.Certificate, "username", "li.si", "secondary_password", "000000")
		if err != nil || a.Outcome != gwlink.OutcomeForm || a.Form.Error == "" {
			t.Fatalf("a wrong code: got %+v, %v", a, err)
		}
		r.clock.Advance(time.Minute)
		a, err = r.say(srv, source(1), a.Conversation, c.Certificate, "secondary_password", code(t, secret.TOTP, r.clock.Now()))
		if err != nil || a.Outcome != gwlink.OutcomeGranted {
			t.Errorf("got %+v, %v", a, err)
		}
		if a, err := r.say(srv, source(1), "vcv_of_before", c.Certificate); err != nil || !closed(a) || !strings.Contains(a.Form.Error, "Start again.") {
			t.Errorf("a conversation that is over: got %+v, %v", a, err)
		}
	})
}

func TestAskingForMoreEndsSessions(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, func(n *vpn.NewServer) { n.TwoFactor, n.LoginMode = false, vpn.LoginPassword })
		c, secret := r.client(t, alice, srv.ID, "zhang.san")
		ended := func() int {
			d, err := r.fleet.Desired(ctx, r.node.ID)
			must(t, err)
			return len(d.Closures)
		}
		_, err := r.say(srv, source(1), "", nil, "username", c.Name, "password", secret.Password)
		must(t, err)
		before := 0
		for _, step := range []struct {
			mode vpn.LoginMode
			ends bool
		}{
			{vpn.LoginPasswordCertificate, true},
			{vpn.LoginCertificate, false},
			{vpn.LoginPassword, true},
		} {
			next := srv.Settings
			next.LoginMode = step.mode
			_, err := r.s.UpdateServer(ctx, alice, srv.ID, 0, next)
			must(t, err)
			if got := ended(); (got > before) != step.ends {
				t.Errorf("to %s: %d closures after %d", step.mode, got, before)
			}
			before = ended()
			_, err = r.say(srv, source(1), "", c.Certificate, "username", c.Name, "password", secret.Password)
			must(t, err)
		}
		next := srv.Settings
		next.LoginMode = "nothing"
		if _, err := r.s.UpdateServer(ctx, alice, srv.ID, 0, next); !errors.Is(err, vpn.ErrSetting) {
			t.Errorf("an unknown mode: got %v", err)
		}
	})
}
