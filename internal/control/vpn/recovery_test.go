package vpn_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// TestRecoveryCodesOpenOnceEach: in place of the token's code, also typed without
// hyphens and in capitals, also when two logins race; not after they are used
// up, replaced or reset.
func TestRecoveryCodesOpenOnceEach(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, func(n *vpn.NewServer) { n.LoginMode = vpn.LoginPassword })
		c, secret := r.client(t, alice, srv.ID, "zhang.san")
		challenge := func() gwlink.LoginAnswer {
			t.Helper()
			a, err := r.say(srv, source(1), "", nil, "username", c.Name, "password", secret.Password)
			must(t, err)
			if a.Conversation == "" {
				t.Fatalf("no challenge: %+v", a)
			}
			return a
		}
		enters := func(code string) bool {
			t.Helper()
			r.clock.Advance(16 * time.Minute) // failures are forgotten
			a, err := r.say(srv, source(1), challenge().Conversation, nil, "secondary_password", code)
			must(t, err)
			if a.Outcome != gwlink.OutcomeGranted && !a.Failed {
				t.Errorf("a code that is refused: got %+v, want it counted as a failure", a)
			}
			return a.Outcome == gwlink.OutcomeGranted
		}
		left := func() int {
			t.Helper()
			now, err := r.s.Client(ctx, alice.Account, c.ID)
			must(t, err)
			return now.Status.Recovery
		}
		codes, err := r.s.RecoveryCodes(ctx, alice, c.ID)
		if err != nil || len(codes) != 10 || left() != 10 {
			t.Fatalf("got %d codes, %d left, %v", len(codes), left(), err)
		}
		kept, err := db.Select(ctx, r.db, db.One[string], "SELECT code_hash FROM vpn_recovery")
		if err != nil || strings.Contains(strings.Join(kept, " "), strings.ReplaceAll(codes[0], "-", "")) {
			t.Errorf("codes are kept in the clear, or %v", err)
		}
		if !enters(codes[0]) || enters(codes[0]) || left() != 9 {
			t.Errorf("the first code: not in once, or twice; %d left", left())
		}
		if !enters(strings.ToUpper(strings.ReplaceAll(codes[1], "-", ""))) || !enters(" "+codes[2]+" ") {
			t.Error("a code in another spelling was refused")
		}
		if enters("aaaa-aaaa-aaaa-aaaa") {
			t.Error("a code of nobody's let in")
		}
		var granted atomic.Int64
		talks := []string{challenge().Conversation, challenge().Conversation, challenge().Conversation}
		var wg sync.WaitGroup
		for _, talk := range talks {
			wg.Go(func() {
				if a, err := r.say(srv, source(1), talk, nil, "secondary_password", codes[3]); err == nil && a.Outcome == gwlink.OutcomeGranted {
					granted.Add(1)
				}
			})
		}
		wg.Wait()
		if granted.Load() != 1 || left() != 6 {
			t.Errorf("one code in three logins at once: %d were let in, %d left, want 1 and 6", granted.Load(), left())
		}
		if n := r.events(t, "vpn.recovery_code_used"); n != 4 {
			t.Errorf("%d uses are recorded, want 4", n)
		}
		next, err := r.s.RecoveryCodes(ctx, alice, c.ID)
		must(t, err)
		if enters(codes[4]) || !enters(next[0]) || left() != 9 {
			t.Error("after new codes: an old one let in, or a new one did not")
		}
		_, err = r.s.ResetToken(ctx, alice, c.ID, "", forgotten)
		must(t, err)
		if enters(next[1]) || left() != 0 {
			t.Error("after the token was reset a code of before let in")
		}
	})
}

func TestRecoveryCodesAreTheOwnersToMake(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, func(n *vpn.NewServer) { n.TwoFactor = false })
		c, _ := r.client(t, alice, srv.ID, "router")
		if _, err := r.s.RecoveryCodes(ctx, alice, c.ID); !errors.Is(err, vpn.ErrNoToken) {
			t.Errorf("without a token: got %v", err)
		}
		if _, err := r.s.RecoveryCodes(ctx, mallo, c.ID); !errs.IsNotFound(err) {
			t.Errorf("a stranger: got %v", err)
		}
	})
}
