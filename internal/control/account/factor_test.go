package account_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/account/accounttest"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
)

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
		if profile.RecoveryLeft != 9 || !profile.TOTP {
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

func TestStaffWhoLostAFactorOrLeft(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		st := account.Staff{Name: "operator", Password: accounttest.Password, Email: "op@example.org", Permissions: []string{account.PermOrderRead}}
		made, err := r.Account.EnsureStaff(ctx, st)
		must(t, err)
		signIn := func(pw, secret string, d time.Duration) (account.Grant, error) {
			req := login("operator", pw)
			req.Code = r.Code(t, secret, d)
			return r.Account.Login(ctx, req)
		}
		old, err := signIn(accounttest.Password, made.Enrolment.Secret, 0)
		must(t, err)

		const fresh = "a new password 9"
		reset, err := r.Account.ResetStaff(ctx, "operator", fresh)
		must(t, err)
		_, err = r.Account.Authenticate(ctx, old.Token)
		code(t, "the session of before", err, "account.session_ended")
		_, err = signIn(accounttest.Password, reset.Enrolment.Secret, 0)
		code(t, "the password of before", err, "account.wrong_credentials")
		_, err = signIn(fresh, made.Enrolment.Secret, 30*time.Second)
		code(t, "the factor of before", err, "account.wrong_code")
		g, err := signIn(fresh, reset.Enrolment.Secret, 0)
		if err != nil || !g.Principal.Can(account.PermOrderRead) {
			t.Errorf("with the new ones: got %+v, %v", g.Principal, err)
		}

		must(t, r.Account.DisableStaff(ctx, "operator"))
		_, err = r.Account.Authenticate(ctx, g.Token)
		code(t, "a session of who left", err, "account.session_ended")
		_, err = signIn(fresh, reset.Enrolment.Secret, 30*time.Second)
		code(t, "who left", err, "account.wrong_credentials")
		r.Register(t, "alice")
		for _, name := range []string{"alice", "nobody"} {
			code(t, "a customer, or nobody: "+name, r.Account.DisableStaff(ctx, name), "account.staff_not_found")
		}
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
