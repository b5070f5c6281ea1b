package vpn_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// link is the token of a new link for a client.
func (r rig) link(t *testing.T, client string) string {
	t.Helper()
	v, err := r.s.InviteEnrolment(ctx, alice, client)
	must(t, err)
	head, token, found := strings.Cut(v.URL, "#token=")
	if !found || head != "https://console.test/enrol" || len(token) < 32 || !v.Until.Equal(r.clock.Now().Add(72*time.Hour)) {
		t.Fatalf("got a link %q until %s", v.URL, v.Until)
	}
	return token
}

// TestAPersonSetsTheTokenUp: no seed is made for the client and it cannot sign
// in; by the link its user gets one that the administrator never sees.
func TestAPersonSetsTheTokenUp(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, func(n *vpn.NewServer) { n.LoginMode = vpn.LoginPassword })
		c, err := r.s.CreateClient(ctx, alice, vpn.NewClient{Server: srv.ID, Name: "zhang.san", Enrols: true})
		must(t, err)
		secret, err := r.s.Secret(ctx, alice, c.ID)
		if err != nil || secret.TOTP != "" || c.HasToken {
			t.Fatalf("got a seed %q, %v", secret.TOTP, err)
		}
		password := func() gwlink.LoginAnswer {
			a, err := r.say(srv, source(1), "", nil, "username", c.Name, "password", secret.Password)
			must(t, err)
			return a
		}
		if a := password(); !closed(a) || !strings.Contains(a.Form.Error, "Ask your administrator.") || a.Failed {
			t.Errorf("before the token: got %+v, want an end that says why", a)
		}
		token := r.link(t, c.ID)
		if kept, err := db.Get(ctx, r.db, nil, db.One[string], "SELECT token_hash FROM vpn_enrolment"); err != nil || strings.Contains(kept, token) {
			t.Errorf("the token is kept in the clear, or %v", err)
		}
		first, err := r.s.OpenEnrolment(ctx, token)
		must(t, err)
		shown, err := r.s.OpenEnrolment(ctx, token)
		if err != nil || shown.UserName != c.Name || shown.Server != srv.Name || !strings.HasPrefix(shown.TokenURI, "otpauth://totp/") || shown.TOTP == first.TOTP {
			t.Fatalf("got %+v, %v", shown, err)
		}
		if _, err := r.s.ConfirmEnrolment(ctx, token, code(t, first.TOTP, r.clock.Now())); !errors.Is(err, vpn.ErrEnrolmentCode) {
			t.Errorf("a code of the seed that was shown before: got %v", err)
		}
		codes, err := r.s.ConfirmEnrolment(ctx, token, code(t, shown.TOTP, r.clock.Now()))
		if err != nil || len(codes) != 10 {
			t.Fatalf("got %d codes, %v", len(codes), err)
		}
		for what, err := range map[string]error{
			"opening again":    second(r.s.OpenEnrolment(ctx, token)),
			"confirming again": second(r.s.ConfirmEnrolment(ctx, token, code(t, shown.TOTP, r.clock.Now()))),
		} {
			if !errors.Is(err, vpn.ErrEnrolment) {
				t.Errorf("%s: got %v, want the link to be over", what, err)
			}
		}
		if a, err := r.say(srv, source(1), password().Conversation, nil, "secondary_password", code(t, shown.TOTP, r.clock.Now())); err != nil || a.Outcome == gwlink.OutcomeGranted {
			t.Errorf("the code that confirmed: got %+v, %v, want it spent", a, err)
		}
		r.clock.Advance(time.Minute)
		for _, typed := range []string{code(t, shown.TOTP, r.clock.Now()), codes[0]} {
			if a, err := r.say(srv, source(1), password().Conversation, nil, "secondary_password", typed); err != nil || a.Outcome != gwlink.OutcomeGranted {
				t.Errorf("a code afterwards: got %+v, %v, want granted", a, err)
			}
		}
		if now, err := r.s.Secret(ctx, alice, c.ID); err != nil || now.TOTP != "" {
			t.Errorf("the administrator reads %q, %v", now.TOTP, err)
		}
		if n := r.events(t, "vpn.token_enrolled"); n != 1 {
			t.Errorf("%d enrolments are recorded, want 1", n)
		}
	})
}

// TestALinkEnds: by time, by another link, by wrong codes, by resets, with its
// client and with the client's right to sign in.
func TestALinkEnds(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, nil)
		for i, end := range []struct {
			name string
			f    func(c vpn.SSLClient, token string)
		}{
			{"time", func(vpn.SSLClient, string) { r.clock.Advance(72 * time.Hour) }},
			{"another link", func(c vpn.SSLClient, _ string) { r.link(t, c.ID) }},
			{"a reset", func(c vpn.SSLClient, _ string) {
				_, err := r.s.ResetToken(ctx, alice, c.ID, "", forgotten)
				must(t, err)
			}},
			{"ten wrong codes", func(_ vpn.SSLClient, token string) {
				for range 10 {
					if err := second(r.s.ConfirmEnrolment(ctx, token, "abcdef")); !errors.Is(err, vpn.ErrEnrolmentCode) {
						t.Errorf("a wrong code: got %v", err)
					}
				}
			}},
			{"disabling, and enabling again", func(c vpn.SSLClient, _ string) {
				next := c.ClientSettings
				for _, next.State = range []vpn.ClientState{vpn.ClientDisabled, vpn.ClientEnabled} {
					must(t, second(r.s.UpdateClient(ctx, alice, c.ID, 0, next)))
				}
			}},
			{"a new password", func(c vpn.SSLClient, _ string) { must(t, second(r.s.ResetPassword(ctx, alice, c.ID, forgotten))) }},
			{"a chosen password", func(c vpn.SSLClient, _ string) {
				must(t, second(r.s.SetPassword(ctx, alice, c.ID, "Blue-Kettle-42", forgotten)))
			}},
			{"deletion", func(c vpn.SSLClient, _ string) { must(t, r.s.DeleteClient(ctx, alice, c.ID)) }},
		} {
			c, _ := r.client(t, alice, srv.ID, "c"+string(rune('0'+i)))
			token := r.link(t, c.ID)
			v, err := r.s.OpenEnrolment(ctx, token)
			must(t, err)
			end.f(c, token)
			if err := second(r.s.OpenEnrolment(ctx, token)); !errors.Is(err, vpn.ErrEnrolment) {
				t.Errorf("%s: opening: got %v", end.name, err)
			}
			if err := second(r.s.ConfirmEnrolment(ctx, token, code(t, v.TOTP, r.clock.Now()))); !errors.Is(err, vpn.ErrEnrolment) {
				t.Errorf("%s: confirming: got %v", end.name, err)
			}
		}
		c, _ := r.client(t, alice, srv.ID, "last")
		if err := second(r.s.InviteEnrolment(ctx, mallo, c.ID)); !errs.IsNotFound(err) {
			t.Errorf("a stranger's link: got %v", err)
		}
		if err := second(r.s.ConfirmEnrolment(ctx, r.link(t, c.ID), "123456")); !errors.Is(err, vpn.ErrEnrolment) {
			t.Errorf("confirming what was never opened: got %v", err)
		}
	})
}
