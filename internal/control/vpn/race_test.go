package vpn_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// atOnce runs all and returns what each returned.
func atOnce(all ...func() error) []error {
	got := make([]error, len(all))
	begin := make(chan struct{})
	var wg sync.WaitGroup
	for i, f := range all {
		wg.Go(func() { <-begin; got[i] = f() })
	}
	close(begin)
	wg.Wait()
	return got
}

// TestTwoConfirmOneLink: one of them binds the token and gets its recovery codes,
// which are the ones that are kept.
func TestTwoConfirmOneLink(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, func(n *vpn.NewServer) { n.LoginMode = vpn.LoginPassword })
		c, secret := r.client(t, alice, srv.ID, "zhang.san")
		token := r.link(t, c.ID)
		shown, err := r.s.OpenEnrolment(ctx, token)
		must(t, err)
		var codes [3][]string
		confirm := func(i int) func() error {
			return func() (err error) {
				codes[i], err = r.s.ConfirmEnrolment(ctx, token, code(t, shown.TOTP, r.clock.Now()))
				return err
			}
		}
		winner := -1
		for i, err := range atOnce(confirm(0), confirm(1), confirm(2)) {
			switch {
			case err == nil && winner < 0:
				winner = i
			case err == nil:
				t.Error("the link was confirmed twice")
			case !errors.Is(err, vpn.ErrEnrolment) || codes[i] != nil:
				t.Errorf("who came later: got %d codes, %v", len(codes[i]), err)
			}
		}
		if winner < 0 {
			t.Fatal("nobody confirmed the link")
		}
		if n := r.events(t, "vpn.token_enrolled"); n != 1 {
			t.Errorf("%d enrolments are recorded, want 1", n)
		}
		a, err := r.say(srv, source(1), "", nil, "username", c.Name, "password", secret.Password)
		must(t, err)
		if a, err = r.say(srv, source(1), a.Conversation, nil, "secondary_password", codes[winner][0]); err != nil || a.Outcome != gwlink.OutcomeGranted {
			t.Errorf("a recovery code of who confirmed: got %+v, %v", a, err)
		}
	})
}

// TestConfirmingAgainstAReset: whichever comes last, one token is left, and no
// recovery code of a token that is gone.
func TestConfirmingAgainstAReset(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, func(n *vpn.NewServer) { n.LoginMode = vpn.LoginPassword })
		for i := range 8 {
			c, secret := r.client(t, alice, srv.ID, "c"+string(rune('0'+i)))
			token := r.link(t, c.ID)
			shown, err := r.s.OpenEnrolment(ctx, token)
			must(t, err)
			got := atOnce(
				func() error { return second(r.s.ConfirmEnrolment(ctx, token, code(t, shown.TOTP, r.clock.Now()))) },
				func() error { return second(r.s.ResetToken(ctx, alice, c.ID, "", forgotten)) },
			)
			if got[1] != nil || got[0] != nil && !errors.Is(got[0], vpn.ErrEnrolment) {
				t.Fatalf("got %v, want the reset done, and the link confirmed or over", got)
			}
			// A reset ends the link, so that whatever confirmed came before it.
			now, err := r.s.Secret(ctx, alice, c.ID)
			must(t, err)
			r.clock.Advance(time.Minute)
			for seed, in := range map[string]bool{shown.TOTP: false, secret.TOTP: false, now.TOTP: true} {
				a, err := r.say(srv, source(i), "", nil, "username", c.Name, "password", secret.Password)
				must(t, err)
				a, err = r.say(srv, source(i), a.Conversation, nil, "secondary_password", code(t, seed, r.clock.Now()))
				if err != nil || (a.Outcome == gwlink.OutcomeGranted) != in {
					t.Errorf("a code: got %s, %v, want granted %v", a.Outcome, err, in)
				}
			}
			if n, err := db.Get(ctx, r.db, nil, db.One[int64], "SELECT count(*) FROM vpn_recovery WHERE client = $1", c.ID); err != nil || n != 0 {
				t.Errorf("%d recovery codes are left, %v", n, err)
			}
			must(t, r.s.Disconnect(ctx, alice, c.ID))
			must(t, r.s.DeleteClient(ctx, alice, c.ID))
		}
	})
}

// TestTwoLoginsWithOneRecoveryCode, from two places: one is let in, the other
// fails like with a wrong code.
func TestTwoLoginsWithOneRecoveryCode(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, func(n *vpn.NewServer) { n.LoginMode = vpn.LoginPassword })
		c, secret := r.client(t, alice, srv.ID, "zhang.san")
		codes, err := r.s.RecoveryCodes(ctx, alice, c.ID)
		must(t, err)
		for _, typed := range codes[:4] {
			var answers [2]gwlink.LoginAnswer
			login := func(i int) func() error {
				a, err := r.say(srv, source(i), "", nil, "username", c.Name, "password", secret.Password)
				must(t, err)
				return func() (err error) {
					answers[i], err = r.say(srv, source(i), a.Conversation, nil, "secondary_password", typed)
					return err
				}
			}
			for _, err := range atOnce(login(0), login(1)) {
				must(t, err)
			}
			in, out := answers[0], answers[1]
			if out.Outcome == gwlink.OutcomeGranted {
				in, out = out, in
			}
			if in.Outcome != gwlink.OutcomeGranted || out.Outcome != gwlink.OutcomeForm || !out.Failed || out.Form.Error != "Login failed." {
				t.Errorf("got %+v and %+v, want one let in and one asked again", in, out)
			}
			r.clock.Advance(16 * time.Minute)
		}
		if n := r.events(t, "vpn.recovery_code_used"); n != 4 {
			t.Errorf("%d uses are recorded, want 4", n)
		}
	})
}
