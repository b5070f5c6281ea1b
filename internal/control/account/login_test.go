package account_test

import (
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/account/accounttest"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

func TestLoginTellsNothingAboutNames(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		r.Register(t, "alice")
		_, unknown := r.Account.Login(ctx, login("nobody", accounttest.Password))
		_, wrong := r.Account.Login(ctx, login("alice", "not the password"))
		code(t, "an unknown name", unknown, "account.wrong_credentials")
		code(t, "a wrong password", wrong, "account.wrong_credentials")
		g, err := r.Account.Login(ctx, login(" ALICE ", accounttest.Password))
		must(t, err)
		p, err := r.Account.Authenticate(ctx, g.Token)
		must(t, err)
		if p.UserName != "alice" || p.Staff || p.MFA || p.EmailVerified {
			t.Errorf("got %+v", p)
		}
		for _, bad := range []string{"", "x", g.Token + "x", strings.Repeat("x", 5000)} {
			_, err := r.Account.Authenticate(ctx, bad)
			code(t, "a wrong token", err, "account.session_ended")
		}
	})
}

func TestLoginMakesANewTokenAndSparesNoOldOne(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		r.Register(t, "alice")
		r.Register(t, "mallory")
		planted := r.Login(t, "mallory")
		mine := r.Login(t, "alice")
		if planted.Token == mine.Token {
			t.Error("a session token was reused")
		}
		p, err := r.Account.Authenticate(ctx, planted.Token)
		must(t, err)
		if p.UserName != "mallory" {
			t.Errorf("a planted token became %s's", p.UserName)
		}
		// Proving oneself again changes the token: a copied one ends.
		fresh, err := r.Account.StepUp(ctx, mine.Principal, accounttest.Password, "", accounttest.From)
		must(t, err)
		_, err = r.Account.Authenticate(ctx, mine.Token)
		code(t, "the token before the step-up", err, "account.session_ended")
		_, err = r.Account.Authenticate(ctx, fresh)
		must(t, err)
	})
}

func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		r.Register(t, "alice")
		g := r.Login(t, "alice")
		for range 13 { // in use each hour: the absolute end comes
			r.Clock.Advance(time.Hour)
			if _, err := r.Account.Authenticate(ctx, g.Token); err != nil {
				break
			}
		}
		if at := r.Clock.Now().Sub(g.Principal.StepUpUntil); at < account.UserLife-time.Hour {
			t.Errorf("ended after %v in spite of use", at)
		}
		_, err := r.Account.Authenticate(ctx, g.Token)
		code(t, "after twelve hours", err, "account.session_ended")
		idle := r.Login(t, "alice")
		r.Clock.Advance(account.UserIdle)
		_, err = r.Account.Authenticate(ctx, idle.Token)
		code(t, "after two hours without use", err, "account.session_ended")
		out := r.Login(t, "alice")
		must(t, r.Account.Logout(ctx, out.Principal))
		_, err = r.Account.Authenticate(ctx, out.Token)
		code(t, "after signing out", err, "account.session_ended")
	})
}

func TestAForeignSessionIsNotFound(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		alice, bob := r.Customer(t, "alice"), r.Customer(t, "bob")
		err := r.Account.RevokeSession(ctx, bob, alice.Session)
		if !errs.IsNotFound(err) {
			t.Errorf("got %v, want NotFound", err)
		}
		list, err := r.Account.Sessions(ctx, alice)
		must(t, err)
		if len(list) != 1 || !list[0].Current || list[0].Browser != "Firefox 128" || list[0].OS != "Linux" || list[0].IP != "192.0.2.10" {
			t.Errorf("got %+v", list)
		}
		second := r.Login(t, "alice").Principal
		must(t, r.Account.RevokeSession(ctx, second, alice.Session))
		list, err = r.Account.Sessions(ctx, second)
		must(t, err)
		if len(list) != 1 || list[0].ID != second.Session {
			t.Errorf("got %+v", list)
		}
	})
}

func TestGuessingIsSlowedFromItsSourceOnly(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		r.Register(t, "alice")
		refused := 0
		for range 8 {
			_, err := r.Account.Login(ctx, login("alice", "guess after guess"))
			if errors.Is(err, account.ErrTooMany) {
				refused++
			}
		}
		if refused != 5 {
			t.Errorf("%d of 8 quick guesses were refused, want 5", refused)
		}
		_, err := r.Account.Login(ctx, login("alice", accounttest.Password))
		code(t, "the right password during the pause", err, "account.too_many_attempts")
		elsewhere := login("alice", accounttest.Password)
		elsewhere.Source.IP = netip.MustParseAddr("198.51.100.7")
		if _, err := r.Account.Login(ctx, elsewhere); err != nil {
			t.Errorf("the owner is locked out from elsewhere: %v", err)
		}
		r.Clock.Advance(3 * time.Second)
		if _, err := r.Account.Login(ctx, login("alice", accounttest.Password)); err != nil {
			t.Errorf("after the pause: %v", err)
		}
		entries, _, err := r.Account.LoginLog(ctx, r.Login(t, "alice").Principal, "", 100)
		must(t, err)
		seen := map[string]int{}
		for _, e := range entries {
			seen[e.Outcome]++
		}
		if seen["wrong_password"] != 3 || seen["throttled"] != 6 || seen["ok"] != 3 {
			t.Errorf("login log: got %v", seen)
		}
	})
}

func TestFiftyParallelGuessesCompareThreeAtMost(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		r.Register(t, "alice")
		var compared atomic.Int64
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				_, err := r.Account.Login(ctx, login("alice", "guess after guess"))
				switch {
				case errors.Is(err, account.ErrCredentials):
					compared.Add(1)
				case err == nil:
					t.Error("a wrong password was taken")
				}
			})
		}
		wg.Wait()
		if compared.Load() > 3 {
			t.Errorf("%d of 50 parallel guesses were compared, want 3 at most", compared.Load())
		}
	})
}

func TestStuffingShutsTheSource(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		r.Register(t, "alice")
		var last error
		for i := range 8 {
			req := login("victim"+string(rune('a'+i)), "leaked password 1")
			req.Source.IP = netip.MustParseAddr("2001:db8::" + string(rune('1'+i))) // one /64
			_, last = r.Account.Login(ctx, req)
		}
		code(t, "the eighth name from one network", last, "account.too_many_attempts")
		req := login("alice", accounttest.Password)
		req.Source.IP = netip.MustParseAddr("2001:db8::ffff")
		_, err := r.Account.Login(ctx, req)
		code(t, "a right password in the middle of it", err, "account.too_many_attempts")
		if _, err := r.Account.Login(ctx, login("alice", accounttest.Password)); err != nil {
			t.Errorf("from elsewhere: %v", err)
		}
		leaves, err := r.Audit.Leaves(ctx, audit.Filter{Type: "account.stuffing"})
		must(t, err)
		if len(leaves) != 1 {
			t.Errorf("got %d leaves about stuffing, want 1", len(leaves))
		}
		r.Clock.Advance(time.Hour + time.Second)
		if _, err := r.Account.Login(ctx, req); err != nil {
			t.Errorf("an hour later: %v", err)
		}
	})
}

func TestARememberTokenSeenTwiceEndsItsFamily(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		r.Register(t, "alice")
		req := login("alice", accounttest.Password)
		req.Remember = true
		first, err := r.Account.Login(ctx, req)
		must(t, err)
		apart := r.Login(t, "alice")
		second, err := r.Account.Resume(ctx, first.RememberToken, accounttest.From)
		must(t, err)
		if second.RememberToken == first.RememberToken || second.Token == first.Token {
			t.Error("tokens are not rotated")
		}
		if err := second.Principal.RequireStepUp(r.Clock.Now()); err == nil {
			t.Error("a remembered session is good for sensitive acts")
		}
		_, err = r.Account.Resume(ctx, first.RememberToken, accounttest.From)
		code(t, "a used token", err, "account.session_ended")
		_, err = r.Account.Resume(ctx, second.RememberToken, accounttest.From)
		code(t, "its successor", err, "account.session_ended")
		for _, token := range []string{first.Token, second.Token} {
			_, err := r.Account.Authenticate(ctx, token)
			code(t, "a session of the family", err, "account.session_ended")
		}
		if _, err := r.Account.Authenticate(ctx, apart.Token); err != nil {
			t.Errorf("a session outside the family: %v", err)
		}
		leaves, err := r.Audit.Leaves(ctx, audit.Filter{Type: "account.remember_reuse"})
		must(t, err)
		if len(leaves) != 1 {
			t.Errorf("got %d leaves, want 1", len(leaves))
		}
	})
}

func TestSigningOutEndsTheRememberToken(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		r.Register(t, "alice")
		req := login("alice", accounttest.Password)
		req.Remember = true
		g, err := r.Account.Login(ctx, req)
		must(t, err)
		must(t, r.Account.Logout(ctx, g.Principal))
		_, err = r.Account.Resume(ctx, g.RememberToken, accounttest.From)
		code(t, "after signing out", err, "account.session_ended")
		g, err = r.Account.Login(ctx, req)
		must(t, err)
		r.Clock.Advance(account.RememberLife)
		_, err = r.Account.Resume(ctx, g.RememberToken, accounttest.From)
		code(t, "after thirty days", err, "account.session_ended")
	})
}

// TestARememberedBrowserIsListedUntilItIsForgotten: the session ended, its
// browser may still come back, and its person sees and ends that.
func TestARememberedBrowserIsListedUntilItIsForgotten(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		r.Register(t, "alice")
		req := login("alice", accounttest.Password)
		req.Remember = true
		first, err := r.Account.Login(ctx, req)
		must(t, err)
		end := r.Clock.Now().Add(account.RememberLife)
		for range 3 {
			r.Clock.Advance(4 * 24 * time.Hour)
			must(t, r.Queue.Drain(ctx))
			first, err = r.Account.Resume(ctx, first.RememberToken, accounttest.From)
			must(t, err)
		}
		if got := r.Clock.Now().Add(first.RememberFor); !got.Equal(end) {
			t.Errorf("using it moved its end from %v to %v", end, got)
		}
		r.Clock.Advance(4 * 24 * time.Hour)
		must(t, r.Queue.Drain(ctx))
		now := r.Login(t, "alice").Principal
		list, err := r.Account.Sessions(ctx, now)
		must(t, err)
		if len(list) != 2 || !list[0].Current || !list[0].RememberedUntil.IsZero() || list[1].ID != first.Principal.Session || !list[1].RememberedUntil.Equal(end) {
			t.Fatalf("got %+v", list)
		}
		must(t, r.Account.RevokeSession(ctx, now, list[1].ID))
		_, err = r.Account.Resume(ctx, first.RememberToken, accounttest.From)
		code(t, "after it was ended in the list", err, "account.session_ended")
		if list, err = r.Account.Sessions(ctx, now); err != nil || len(list) != 1 {
			t.Errorf("got %+v, %v", list, err)
		}
	})
}

func TestForgettingABrowserEndsItsFamilyOnly(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		r.Register(t, "alice")
		req := login("alice", accounttest.Password)
		req.Remember = true
		one, err := r.Account.Login(ctx, req)
		must(t, err)
		other, err := r.Account.Login(ctx, req)
		must(t, err)
		for _, token := range []string{one.RememberToken, one.RememberToken, "", "nobody's", strings.Repeat("x", 200)} {
			must(t, r.Account.Forget(ctx, token))
		}
		_, err = r.Account.Resume(ctx, one.RememberToken, accounttest.From)
		code(t, "the forgotten", err, "account.session_ended")
		_, err = r.Account.Authenticate(ctx, one.Token)
		must(t, err)
		_, err = r.Account.Resume(ctx, other.RememberToken, accounttest.From)
		must(t, err)
		leaves, err := r.Audit.Leaves(ctx, audit.Filter{Type: "account.forgotten"})
		must(t, err)
		if len(leaves) != 1 {
			t.Errorf("got %d leaves, want 1", len(leaves))
		}
	})
}

func TestAHashOfOldCostIsReplacedAtSignIn(t *testing.T) {
	t.Parallel()
	r := accounttest.New(t, dbtest.SQLite(t, accounttest.Migrations()...), consent.Mainland, false)
	r.Register(t, "alice")
	dearer, err := account.New(account.Deps{
		DB: r.DB, Clock: r.Clock, Queue: job.New(r.DB, r.Clock, slog.New(slog.DiscardHandler)),
		Log: slog.New(slog.DiscardHandler), Audit: r.Audit, Consent: r.Consent, Age: r.Age, Vault: r.Vault, Memory: 20 << 10,
	})
	must(t, err)
	for range 2 {
		_, err = dearer.Login(ctx, login("alice", accounttest.Password))
		must(t, err)
	}
	hash, err := db.Get(ctx, r.DB, nil, db.One[string], "SELECT password FROM account_person")
	must(t, err)
	if !strings.Contains(hash, "m=20480,") {
		t.Errorf("the hash still has its old cost")
	}
}
