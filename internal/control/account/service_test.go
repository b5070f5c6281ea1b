package account_test

import (
	"context"
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
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

var ctx = context.Background()

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func code(t *testing.T, what string, err error, want string) {
	t.Helper()
	if err == nil || errs.CodeOf(err) != want {
		t.Errorf("%s: got %v, want %s", what, err, want)
	}
}

func count(t *testing.T, d *db.DB, text string, args ...any) int64 {
	t.Helper()
	n, err := db.Get(ctx, d, nil, db.One[int64], text, args...)
	must(t, err)
	return n
}

func registration(token string) account.Registration {
	return account.Registration{Name: "Alice", Password: accounttest.Password, Email: "alice@example.org", ConsentToken: token, Adult: true, Source: accounttest.From}
}

func login(name, pw string) account.LoginRequest {
	return account.LoginRequest{Name: name, Password: pw, Source: accounttest.From}
}

func TestRegistrationIsAnActAndThreeFields(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		_, err := r.Account.Register(ctx, registration(""))
		code(t, "without an act", err, "account.consent_required")
		p, err := r.Consent.Prompt(ctx, "", consent.PlatformPolicy, "en")
		must(t, err)
		minor := registration(p.Token)
		minor.Adult = false
		_, err = r.Account.Register(ctx, minor)
		code(t, "without the statement of adulthood", err, "consent.adult_statement_required")
		if n := count(t, r.DB, "SELECT COUNT(*) FROM account_person"); n != 0 {
			t.Fatalf("%d people without an act", n)
		}
		got, err := r.Account.Register(ctx, registration(p.Token))
		must(t, err)
		if err := r.Consent.Gate(ctx, got.Subject, consent.PlatformPolicy); err != nil {
			t.Errorf("the act is not recorded: %v", err)
		}
		again := registration(p.Token)
		again.Name = "bob"
		_, err = r.Account.Register(ctx, again)
		code(t, "with a used token", err, "consent.token_invalid")
		fresh, err := r.Consent.Prompt(ctx, "", consent.PlatformPolicy, "en")
		must(t, err)
		taken := registration(fresh.Token)
		taken.Name = "ALICE"
		_, err = r.Account.Register(ctx, taken)
		code(t, "a name that is taken", err, "account.name_taken")
		taken.Name = "bob"
		if _, err = r.Account.Register(ctx, taken); err != nil {
			t.Errorf("a refused registration used the act up: %v", err)
		}
		leaves, err := r.Audit.Leaves(ctx, audit.Filter{Type: "account.registered"})
		must(t, err)
		if len(leaves) != 2 {
			t.Errorf("got %d leaves, want 2", len(leaves))
		}
	})
}

func TestInHongKongRegistrationNeedsASecondAct(t *testing.T) {
	t.Parallel()
	r := accounttest.New(t, dbtest.SQLite(t, accounttest.Migrations()...), consent.HongKong, false)
	policy, err := r.Consent.Prompt(ctx, "", consent.PlatformPolicy, "zh-CN")
	must(t, err)
	_, err = r.Account.Register(ctx, registration(policy.Token))
	code(t, "without the transfer abroad", err, "account.consent_required")
	abroad, err := r.Consent.Prompt(ctx, "", consent.CrossborderHome, "zh-CN")
	must(t, err)
	reg := registration(policy.Token)
	reg.CrossborderToken = abroad.Token
	got, err := r.Account.Register(ctx, reg)
	must(t, err)
	if err := r.Consent.Gate(ctx, got.Subject, consent.CrossborderHome); err != nil {
		t.Error(err)
	}
}

func TestBadFieldsAreRefused(t *testing.T) {
	t.Parallel()
	r := accounttest.New(t, dbtest.SQLite(t, accounttest.Migrations()...), consent.Mainland, false)
	for _, c := range []struct {
		change func(*account.Registration)
		want   string
	}{
		{func(g *account.Registration) { g.Name = "a" }, "account.name_invalid"},
		{func(g *account.Registration) { g.Name = "1alice" }, "account.name_invalid"},
		{func(g *account.Registration) { g.Name = "ali\nce" }, "account.name_invalid"},
		{func(g *account.Registration) { g.Email = "alice" }, "account.email_invalid"},
		{func(g *account.Registration) { g.Email = "a@example.org\r\nBcc: x@example.org" }, "account.email_invalid"},
		{func(g *account.Registration) { g.Email = "Alice <a@example.org>" }, "account.email_invalid"},
		{func(g *account.Registration) { g.Password = "short 1" }, "account.password_too_short"},
		{func(g *account.Registration) { g.Password = strings.Repeat("long ", 300) }, "account.password_too_long"},
		{func(g *account.Registration) { g.Password = "Password12345" }, "account.password_common"},
		{func(g *account.Registration) { g.Password = "ababababababab" }, "account.password_common"},
		{func(g *account.Registration) { g.Name, g.Password = "wonderland", "wonderland-1" }, "account.password_similar"},
		{func(g *account.Registration) { g.Email, g.Password = "rabbit.hole@example.org", "rabbit.hole99" }, "account.password_similar"},
	} {
		g := registration("x")
		c.change(&g)
		_, err := r.Account.Register(ctx, g)
		code(t, c.want, err, c.want)
	}
}

func TestEqualPasswordsHashDifferentlyAndNothingIsInClear(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		r.Register(t, "alice")
		r.Register(t, "bob")
		hashes, err := db.Select(ctx, r.DB, db.One[string], "SELECT password FROM account_person")
		must(t, err)
		if len(hashes) != 2 || hashes[0] == hashes[1] || !strings.HasPrefix(hashes[0], "$argon2id$") {
			t.Errorf("got %d hashes, equal or in another form", len(hashes))
		}
		emails, err := db.Select(ctx, r.DB, db.One[[]byte], "SELECT email FROM account_person")
		must(t, err)
		for _, e := range emails {
			if strings.Contains(string(e), "example.org") {
				t.Error("an address is stored in clear")
			}
		}
	})
}

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
		for range 8 { // in use each 23 hours: the absolute end comes
			r.Clock.Advance(23 * time.Hour)
			if _, err := r.Account.Authenticate(ctx, g.Token); err != nil {
				break
			}
		}
		if at := r.Clock.Now().Sub(g.Principal.StepUpUntil); at < account.UserLife-24*time.Hour {
			t.Errorf("ended after %v in spite of use", at)
		}
		_, err := r.Account.Authenticate(ctx, g.Token)
		code(t, "after seven days", err, "account.session_ended")
		idle := r.Login(t, "alice")
		r.Clock.Advance(account.UserIdle)
		_, err = r.Account.Authenticate(ctx, idle.Token)
		code(t, "after a day without use", err, "account.session_ended")
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

func enrol(t *testing.T, r accounttest.Rig, p account.Principal) (secret string, c account.Confirmed) {
	t.Helper()
	e, err := r.Account.EnrolTOTP(ctx, p)
	must(t, err)
	c, err = r.Account.ConfirmTOTP(ctx, p, r.Code(t, e.Secret, 0))
	must(t, err)
	return e.Secret, c
}

func TestACodeOpensOnceEvenFromTwoConnections(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		p := r.Customer(t, "alice")
		secret, _ := enrol(t, r, p)
		_, err := r.Account.Login(ctx, login("alice", accounttest.Password))
		code(t, "without a code", err, "account.code_required")
		replay := login("alice", accounttest.Password)
		replay.Code = r.Code(t, secret, 0)
		_, err = r.Account.Login(ctx, replay)
		code(t, "the code of the confirmation again", err, "account.wrong_code")
		r.Clock.Advance(31 * time.Second)
		req := login("alice", accounttest.Password)
		req.Code = r.Code(t, secret, 0)
		var ok atomic.Int64
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if _, err := r.Account.Login(ctx, req); err == nil {
					ok.Add(1)
				}
			})
		}
		wg.Wait()
		if ok.Load() != 1 {
			t.Errorf("one code opened %d sessions at once", ok.Load())
		}
		r.Clock.Advance(30 * time.Second)
		req.Code = r.Code(t, secret, -30*time.Second) // the step that was used
		_, err = r.Account.Login(ctx, req)
		code(t, "a used step within the skew", err, "account.wrong_code")
		req.Code = r.Code(t, secret, 30*time.Second)
		g, err := r.Account.Login(ctx, req)
		must(t, err)
		if !g.Principal.MFA {
			t.Error("the session does not count as two-factor")
		}
	})
}

func TestFiftyParallelWrongCodesCompareFiveAtMost(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		p := r.Customer(t, "alice")
		secret, confirmed := enrol(t, r, p)
		p, err := r.Account.Authenticate(ctx, confirmed.Token)
		must(t, err)
		r.Clock.Advance(time.Minute)
		wrong := r.Code(t, secret, time.Hour)
		var compared atomic.Int64
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				_, err := r.Account.StepUp(ctx, p, "", wrong, accounttest.From)
				if errors.Is(err, account.ErrCode) {
					compared.Add(1)
				}
			})
		}
		wg.Wait()
		if compared.Load() > 5 {
			t.Errorf("%d of 50 wrong codes were compared, want 5 at most", compared.Load())
		}
		_, err = r.Account.StepUp(ctx, p, "", r.Code(t, secret, 0), accounttest.From)
		code(t, "the right code after them", err, "account.too_many_attempts")
		r.Clock.Advance(16 * time.Minute)
		_, err = r.Account.StepUp(ctx, p, "", r.Code(t, secret, 0), accounttest.From)
		must(t, err)
	})
}

func TestARecoveryCodeWorksOnce(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		_, c := enrol(t, r, r.Customer(t, "alice"))
		if len(c.RecoveryCodes) != 10 {
			t.Fatalf("got %d codes", len(c.RecoveryCodes))
		}
		req := login("alice", accounttest.Password)
		req.Code = " " + strings.ToUpper(c.RecoveryCodes[3])
		g, err := r.Account.Login(ctx, req)
		must(t, err)
		_, err = r.Account.Login(ctx, req)
		code(t, "again", err, "account.wrong_code")
		profile, err := r.Account.Profile(ctx, g.Principal)
		must(t, err)
		if profile.RecoveryLeft != 9 || !profile.TOTP || profile.Email != "alice@example.org" {
			t.Errorf("got %+v", profile)
		}
	})
}

func TestTurningTheFactorOnAndOffEndsOtherSessions(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		p := r.Customer(t, "alice")
		other := r.Login(t, "alice")
		secret, c := enrol(t, r, p)
		_, err := r.Account.Authenticate(ctx, other.Token)
		code(t, "another session", err, "account.session_ended")
		p, err = r.Account.Authenticate(ctx, c.Token)
		must(t, err)
		_, err = r.Account.EnrolTOTP(ctx, p)
		code(t, "enrolling over it", err, "account.totp_already_on")
		r.Clock.Advance(time.Minute)
		_, err = r.Account.DisableTOTP(ctx, p, "wrong password x", r.Code(t, secret, 0), accounttest.From)
		code(t, "without the password", err, "account.wrong_password")
		_, err = r.Account.DisableTOTP(ctx, p, accounttest.Password, "000000", accounttest.From)
		code(t, "without the code", err, "account.wrong_code")
		_, err = r.Account.DisableTOTP(ctx, p, accounttest.Password, r.Code(t, secret, 0), accounttest.From)
		must(t, err)
		r.Login(t, "alice")
	})
}

func TestEnrolmentNeedsAFreshProof(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		r.Register(t, "alice")
		g := r.Login(t, "alice")
		r.Clock.Advance(11 * time.Minute)
		_, err := r.Account.EnrolTOTP(ctx, g.Principal)
		code(t, "eleven minutes after signing in", err, "account.step_up_required")
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

func TestAPasswordChangeEndsOtherSessions(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		p := r.Customer(t, "alice")
		other := r.Login(t, "alice")
		_, err := r.Account.ChangePassword(ctx, p, "wrong password x", "wide rivers run 9 miles", accounttest.From)
		code(t, "with a wrong password", err, "account.wrong_password")
		_, err = r.Account.ChangePassword(ctx, p, accounttest.Password, "password1234", accounttest.From)
		code(t, "to a common one", err, "account.password_common")
		token, err := r.Account.ChangePassword(ctx, p, accounttest.Password, "wide rivers run 9 miles", accounttest.From)
		must(t, err)
		_, err = r.Account.Authenticate(ctx, other.Token)
		code(t, "another session", err, "account.session_ended")
		_, err = r.Account.Authenticate(ctx, token)
		must(t, err)
		_, err = r.Account.Login(ctx, login("alice", accounttest.Password))
		code(t, "the old password", err, "account.wrong_credentials")
		_, err = r.Account.Login(ctx, login("alice", "wide rivers run 9 miles"))
		must(t, err)
	})
}

func TestAResetIsMailedToVerifiedAddressesOnly(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		var asked []account.Event
		job.Subscribe(r.Queue, account.TopicResetAsked, "test", func(_ context.Context, e account.Event) error {
			asked = append(asked, e)
			return nil
		})
		got := r.Register(t, "alice")
		reset := func(email string) {
			t.Helper()
			must(t, r.Account.AskReset(ctx, email, accounttest.From)) // the same answer for all
			must(t, r.Queue.Drain(ctx))
		}
		reset("alice@example.org")
		reset("nobody@example.org")
		if len(asked) != 0 {
			t.Fatalf("a reset for an address that nobody verified: %v", asked)
		}
		token, err := r.Account.IssueVerification(ctx, got.Subject)
		must(t, err)
		must(t, r.Account.VerifyEmail(ctx, token, accounttest.From))
		code(t, "a verification token twice", r.Account.VerifyEmail(ctx, token, accounttest.From), "account.token_invalid")
		reset("Alice@Example.org")
		if len(asked) != 1 || asked[0].Subject != got.Subject {
			t.Fatalf("got %v", asked)
		}
		old := r.Login(t, "alice")
		token, err = r.Account.IssueReset(ctx, got.Subject)
		must(t, err)
		code(t, "a weak password", r.Account.ConfirmReset(ctx, token, "short", accounttest.From), "account.password_too_short")
		must(t, r.Account.ConfirmReset(ctx, token, "wide rivers run 9 miles", accounttest.From))
		code(t, "a reset token twice", r.Account.ConfirmReset(ctx, token, "wide rivers run 8 miles", accounttest.From), "account.token_invalid")
		_, err = r.Account.Authenticate(ctx, old.Token)
		code(t, "a session from before", err, "account.session_ended")
		token, err = r.Account.IssueReset(ctx, got.Subject)
		must(t, err)
		code(t, "a reset token for verification", r.Account.VerifyEmail(ctx, token, accounttest.From), "account.token_invalid")
		r.Clock.Advance(account.ResetLife)
		code(t, "too late", r.Account.ConfirmReset(ctx, token, "wide rivers run 7 miles", accounttest.From), "account.token_invalid")
	})
}

func TestAnAddressIsVerifiedByOneAccount(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		alice := r.Register(t, "alice")
		p, err := r.Consent.Prompt(ctx, "", consent.PlatformPolicy, "en")
		must(t, err)
		twin := registration(p.Token)
		twin.Name, twin.Email = "twin", "ALICE@example.org"
		second, err := r.Account.Register(ctx, twin) // tells nothing about the address
		must(t, err)
		for i, who := range []account.Registered{alice, second} {
			token, err := r.Account.IssueVerification(ctx, who.Subject)
			must(t, err)
			err = r.Account.VerifyEmail(ctx, token, accounttest.From)
			if i == 0 {
				must(t, err)
			} else {
				code(t, "the second account", err, "account.email_in_use")
			}
		}
	})
}

func TestStaffNeedTwoFactors(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		st := account.Staff{Name: "operator", Password: accounttest.Password, Email: "op@example.org", Permissions: []string{"order.view"}}
		made, err := r.Account.EnsureStaff(ctx, st)
		must(t, err)
		_, err = r.Account.Login(ctx, login("operator", accounttest.Password))
		code(t, "by password alone", err, "account.code_required")
		req := login("operator", accounttest.Password)
		req.Code, req.Remember = r.Code(t, made.Enrolment.Secret, 0), true
		g, err := r.Account.Login(ctx, req)
		must(t, err)
		if !g.Principal.Can("order.view") || g.Principal.Can("order.refund") || g.RememberToken != "" {
			t.Errorf("got %+v", g.Principal)
		}
		again, err := r.Account.EnsureStaff(ctx, st)
		must(t, err)
		if again.Subject != made.Subject || again.Enrolment != nil {
			t.Error("a second start made a second operator")
		}
		_, err = r.Account.DisableTOTP(ctx, g.Principal, accounttest.Password, "000000", accounttest.From)
		code(t, "turning it off", err, "account.staff_totp_required")
		r.Clock.Advance(account.StaffIdle)
		_, err = r.Account.Authenticate(ctx, g.Token)
		code(t, "after half an hour", err, "account.session_ended")
		r.Register(t, "alice")
		st.Name = "alice"
		_, err = r.Account.EnsureStaff(ctx, st)
		code(t, "a customer's name", err, "account.name_taken")
	})
}

func TestInTheDemoStaffEnrolAtFirstLogin(t *testing.T) {
	t.Parallel()
	r := accounttest.New(t, dbtest.SQLite(t, accounttest.Migrations()...), consent.Mainland, true)
	_, err := r.Account.EnsureStaff(ctx, account.Staff{Name: "operator", Password: accounttest.Password, Email: "op@example.org", Permissions: []string{"order.view"}})
	must(t, err)
	g := r.Login(t, "operator")
	if !g.EnrolTOTP || g.Principal.Can("order.view") {
		t.Errorf("staff may act before the second factor: %+v", g.Principal)
	}
	_, c := enrol(t, r, g.Principal)
	p, err := r.Account.Authenticate(ctx, c.Token)
	must(t, err)
	if !p.Can("order.view") || !p.MFA {
		t.Errorf("got %+v", p)
	}
}

func TestTheAccessLogKeepsFiveThings(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		p := r.Customer(t, "alice")
		src := accounttest.From
		r.Account.RecordAccess(p.Subject, src, "/api/v1/orders?name=secret")
		src.UserAgent = "my name is Zhang San 13800138000"
		r.Account.RecordAccess(p.Subject, src, "/console")
		r.Account.RecordAccess("", src, "/anonymous")
		must(t, r.Account.FlushAccess(ctx))
		first, next, err := r.Account.AccessLog(ctx, p, "", 1)
		must(t, err)
		if len(first) != 1 || next == "" || first[0].Page != "/console" || first[0].Browser != "other" || first[0].OS != "other" {
			t.Errorf("got %+v, cursor %q", first, next)
		}
		rest, next, err := r.Account.AccessLog(ctx, p, next, 1)
		must(t, err)
		want := account.AccessEntry{At: r.Clock.Now(), IP: "192.0.2.10", Browser: "Firefox 128", OS: "Linux", Page: "/api/v1/orders"}
		if len(rest) != 1 || next != "" || rest[0] != want {
			t.Errorf("got %+v, cursor %q, want %+v", rest, next, want)
		}
		if n := count(t, r.DB, "SELECT COUNT(*) FROM account_access"); n != 2 {
			t.Errorf("got %d rows, want 2", n)
		}
	})
}

func TestReadingAnAddressIsAReadEvent(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		p := r.Customer(t, "alice")
		before := count(t, r.DB, "SELECT COUNT(*) FROM audit_read WHERE handle = $1", string(p.Subject))
		c, err := r.Account.Contact(ctx, p.Subject, "security", "notify.deliver")
		must(t, err)
		if c.Email != "alice@example.org" || c.Name != "alice" || c.Locale != "en" {
			t.Errorf("got %+v", c)
		}
		_, err = r.Account.Contact(ctx, p.Subject, "marketing", "notify.deliver")
		code(t, "for another purpose", err, "consent.gate_closed")
		if after := count(t, r.DB, "SELECT COUNT(*) FROM audit_read WHERE handle = $1", string(p.Subject)); after != before+1 {
			t.Errorf("got %d read events, want one", after-before)
		}
	})
}

func TestEveryColumnIsDescribed(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		live, err := r.DB.Schema(ctx)
		must(t, err)
		for name := range live {
			if !strings.HasPrefix(name, "account_") || strings.HasSuffix(name, "_schema") {
				delete(live, name)
			}
		}
		if err := holding.Verify(account.Holdings(), live); err != nil {
			t.Error(err)
		}
	})
}

func TestOneSourceMakesFiveAccountsAnHour(t *testing.T) {
	t.Parallel()
	r := accounttest.New(t, dbtest.SQLite(t, accounttest.Migrations()...), consent.Mainland, false)
	for _, name := range []string{"anna", "bert", "carl", "dora", "emil"} {
		r.Register(t, name)
	}
	p, err := r.Consent.Prompt(ctx, "", consent.PlatformPolicy, "en")
	must(t, err)
	g := registration(p.Token)
	_, err = r.Account.Register(ctx, g)
	code(t, "the sixth", err, "account.too_many_attempts")
	g.Source.IP = netip.MustParseAddr("198.51.100.7")
	if _, err := r.Account.Register(ctx, g); err != nil {
		t.Errorf("from elsewhere: %v", err)
	}
}

func TestLogsGoAfterSixCalendarMonths(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		p := r.Customer(t, "alice")
		r.Account.RecordAccess(p.Subject, accounttest.From, "/orders")
		must(t, r.Account.FlushAccess(ctx))
		lines := func() int64 {
			return count(t, r.DB, "SELECT (SELECT COUNT(*) FROM account_login) + (SELECT COUNT(*) FROM account_access)")
		}
		r.Clock.Advance(time.Date(2027, 5, 22, 23, 59, 0, 0, time.UTC).Sub(r.Clock.Now()))
		must(t, r.Account.Retain(ctx))
		if n := lines(); n != 2 {
			t.Errorf("on the last day: %d lines, want 2", n)
		}
		entries, _, err := r.Account.LoginLog(ctx, p, "", 10)
		must(t, err)
		if len(entries) != 1 || entries[0].IP != "192.0.2.10" {
			t.Errorf("on the last day: got %+v", entries)
		}
		r.Clock.Advance(2 * time.Minute)
		must(t, r.Account.Retain(ctx))
		if n := lines(); n != 0 {
			t.Errorf("a day later: %d lines, want none", n)
		}
	})
}

func TestAHashOfOldCostIsReplacedAtSignIn(t *testing.T) {
	t.Parallel()
	r := accounttest.New(t, dbtest.SQLite(t, accounttest.Migrations()...), consent.Mainland, false)
	r.Register(t, "alice")
	dearer, err := account.New(account.Deps{DB: r.DB, Clock: r.Clock, Queue: job.New(r.DB, r.Clock, slog.New(slog.DiscardHandler)),
		Log: slog.New(slog.DiscardHandler), Audit: r.Audit, Consent: r.Consent, Vault: r.Vault, Memory: 20 << 10})
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
