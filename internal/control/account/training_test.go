package account_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/account/accounttest"
)

// Mutant TY-5.1d lets permissions outlive their holder's training.
func TestWhoWasNotTaughtOpensNothingPersonal(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		secrets := map[string]string{}
		for _, name := range []string{"first", "second"} {
			st := account.Staff{Name: name, Password: accounttest.Password, Email: name + "@example.org", Permissions: append(account.RoleDesk.Permissions(), append(account.RoleIdentity.Permissions(), account.PermFleetWrite)...)}
			made, err := r.Account.EnsureStaff(ctx, st)
			must(t, err)
			secrets[name] = made.Enrolment.Secret
		}
		personal := []string{account.PermAccountRead, account.PermRealnameReveal, account.PermOrderRead}
		may := func(name string) (personals, fleet bool) {
			t.Helper()
			req := login(name, accounttest.Password)
			req.Code = r.Code(t, secrets[name], 0)
			g, err := r.Account.Login(ctx, req)
			must(t, err)
			p, err := r.Account.Authenticate(ctx, g.Token)
			must(t, err)
			if !slices.Equal(p.Permissions, g.Principal.Permissions) {
				t.Errorf("%s: the sign-in says %v, the session %v", name, g.Principal.Permissions, p.Permissions)
			}
			n := 0
			for _, perm := range personal {
				if p.Can(perm) {
					n++
				}
			}
			if n != 0 && n != len(personal) {
				t.Errorf("%s may some of %v", name, personal)
			}
			return n > 0, p.Can(account.PermFleetWrite)
		}
		hold := func(when, name string, want bool) {
			t.Helper()
			if got, fleet := may(name); got != want || !fleet {
				t.Errorf("%s, %s: opens personal data: %v, want %v; the fleet: %v", when, name, got, want, fleet)
			}
			r.Clock.Advance(time.Minute) // a code serves once
		}
		hold("at first", "first", true)
		hold("at first", "second", false)
		taught := r.Clock.Now()
		until, err := r.Account.AddTraining(ctx, "second", taught)
		if err != nil || !until.Equal(taught.AddDate(1, 0, 0)) {
			t.Fatalf("got %v, %v", until, err)
		}
		hold("taught", "second", true)
		r.Clock.Advance(30 * 24 * time.Hour)
		hold("after 30 days", "first", false)
		hold("after 30 days", "second", true)
		r.Clock.Advance(until.Sub(r.Clock.Now()))
		hold("after 12 months", "second", false)
		for name, at := range map[string]time.Time{"ahead": r.Clock.Now().Add(time.Hour), "long ago": taught} {
			if _, err := r.Account.AddTraining(ctx, "second", at); !errors.Is(err, account.ErrTraining) {
				t.Errorf("%s: got %v", name, err)
			}
		}
		if _, err := r.Account.AddTraining(ctx, "nobody", taught); !errors.Is(err, account.ErrNoStaff) {
			t.Errorf("of nobody: got %v", err)
		}
	})
}
