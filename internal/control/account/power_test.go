package account_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/account/accounttest"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// staff makes a member of the staff; the result signs in and tells who it is.
func staff(t *testing.T, r accounttest.Rig, name string, permissions ...string) func() account.Principal {
	t.Helper()
	return member(t, r, account.Staff{Name: name, Permissions: permissions})
}

func member(t *testing.T, r accounttest.Rig, st account.Staff) func() account.Principal {
	t.Helper()
	st.Password, st.Email = accounttest.Password, st.Name+"@example.org"
	made, err := r.Account.EnsureStaff(ctx, st)
	must(t, err)
	_, err = r.Account.AddTraining(ctx, st.Name, r.Clock.Now())
	must(t, err)
	return func() account.Principal {
		t.Helper()
		r.Clock.Advance(time.Minute) // a code serves once
		req := login(st.Name, accounttest.Password)
		req.Code = r.Code(t, made.Enrolment.Secret, 0)
		g, err := r.Account.Login(ctx, req)
		must(t, err)
		return g.Principal
	}
}

var oneOf = map[account.Power]string{
	account.System: account.PermFleetWrite, account.Security: account.PermStaffWrite, account.Audit: account.PermAuditRead,
}

// held lists the powers whose permission somebody may use.
func held(p account.Principal) (all []account.Power) {
	for _, power := range []account.Power{account.System, account.Security, account.Audit} {
		if p.Can(oneOf[power]) {
			all = append(all, power)
		}
	}
	return all
}

func TestThePowersExcludeOneAnother(t *testing.T) {
	t.Parallel()
	for _, a := range account.Roles() {
		for _, b := range account.Roles() {
			_, err := account.PowerOf(append(a.Permissions(), b.Permissions()...))
			bound := func(r account.Role) bool {
				return r == account.RoleSystem || r == account.RoleSecurity || r == account.RoleAudit
			}
			refused := a != b && (bound(a) && bound(b) || a == account.RoleAudit || b == account.RoleAudit)
			if errors.Is(err, account.ErrPowers) != refused {
				t.Errorf("%s and %s: got %v, want refused: %v", a, b, err, refused)
			}
		}
	}
	for _, permission := range account.AllPermissions() {
		if !slices.ContainsFunc(account.Roles(), func(r account.Role) bool { return slices.Contains(r.Permissions(), permission) }) {
			t.Errorf("no role has %s", permission)
		}
	}
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		boss, ann := staff(t, r, "boss", account.RoleSecurity.Permissions()...), staff(t, r, "ann", account.RoleDesk.Permissions()...)
		p := boss()
		must(t, r.Account.GiveRole(ctx, p, "ann", account.RoleSystem))
		code(t, "a second power", r.Account.GiveRole(ctx, p, "ann", account.RoleSecurity), "account.powers_exclude")
		code(t, "what an auditor may not", r.Account.GiveRole(ctx, p, "ann", account.RoleAudit), "account.powers_exclude")
		code(t, "to oneself", r.Account.GiveRole(ctx, p, "boss", account.RoleDesk), "account.own_roles")
		code(t, "a role that there is not", r.Account.GiveRole(ctx, p, "ann", "god"), "account.role_unknown")
		code(t, "nobody", r.Account.GiveRole(ctx, p, "eve", account.RoleDesk), "account.staff_not_found")
		_, err := r.Account.EnsureStaff(ctx, account.Staff{Name: "ann", Permissions: []string{account.PermFleetWrite, account.PermAuditVerify}})
		code(t, "by the command", err, "account.powers_exclude")
		if got := held(ann()); !slices.Equal(got, []account.Power{account.System}) {
			t.Errorf("got %v, want the first power", got)
		}
		p = boss()
		must(t, r.Account.TakeRole(ctx, p, "ann", account.RoleSystem))
		must(t, r.Account.TakeRole(ctx, p, "ann", account.RoleDesk))
		must(t, r.Account.GiveRole(ctx, p, "ann", account.RoleAudit))
		if got := ann(); !slices.Equal(held(got), []account.Power{account.Audit}) || got.Can(account.PermPrivacyHandle) {
			t.Errorf("got %v, want an auditor who does nothing else", got.Permissions)
		}
		r.Clock.Advance(account.StepUpLife)
		code(t, "without a fresh proof", r.Account.GiveRole(ctx, p, "ann", account.RoleDesk), "account.step_up_required")
	})
}

func TestFiftyGrantsAtOnceNeverCombine(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		boss, ann := staff(t, r, "boss", account.RoleSecurity.Permissions()...)(), staff(t, r, "ann", account.PermFleetRead)
		roles := []account.Role{account.RoleSystem, account.RoleSecurity, account.RoleAudit}
		var wg sync.WaitGroup
		given := make([]error, 50)
		for i := range given {
			wg.Go(func() { given[i] = r.Account.GiveRole(ctx, boss, "ann", roles[i%len(roles)]) })
		}
		wg.Wait()
		won := map[account.Role]int{}
		for i, err := range given {
			switch {
			case err == nil:
				won[roles[i%len(roles)]]++
			case !errors.Is(err, account.ErrPowers) && !errors.Is(err, account.ErrPowerHeld):
				t.Errorf("grant %d: got %v", i, err)
			}
		}
		if got := held(ann()); len(won) != 1 || len(got) != 1 || won[account.Role(got[0])] == 0 {
			t.Errorf("given %v, held %v: want one power", won, got)
		}
		if _, found, err := r.Account.CombinedPowers(ctx); err != nil || found != 0 {
			t.Errorf("got %d combined, %v", found, err)
		}
	})
}

func TestWhoBeginsAloneHandsPowersOver(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		ada := member(t, r, account.Staff{Name: "ada", Founder: true})
		if got := held(ada()); len(got) != 3 {
			t.Errorf("at first: got %v, want all", got)
		}
		_, err := r.Account.EnsureStaff(ctx, account.Staff{Name: "eve", Password: accounttest.Password, Email: "e@example.org", Founder: true})
		code(t, "a second founder", err, "account.founder_exists")
		staff(t, r, "bob", account.RoleDesk.Permissions()...)
		p := ada()
		must(t, r.Account.GiveRole(ctx, p, "bob", account.RoleSystem))
		if got := held(ada()); !slices.Equal(got, []account.Power{account.Security, account.Audit}) {
			t.Errorf("after one was given: got %v", got)
		}
		staff(t, r, "cid", account.RoleAudit.Permissions()...)
		if got := ada(); !slices.Equal(held(got), []account.Power{account.Security}) || !got.Can(account.PermPrivacyHandle) {
			t.Errorf("after two were given: got %v, want security and what goes with it", got.Permissions)
		}
		if _, found, err := r.Account.CombinedPowers(ctx); err != nil || found != 0 {
			t.Errorf("got %d combined, %v", found, err)
		}
	})
}

func TestTheFoundingEnds(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		ada := member(t, r, account.Staff{Name: "ada", Founder: true})
		r.Clock.Advance(account.FoundingLife - 2*time.Minute)
		if got := held(ada()); len(got) != 3 {
			t.Errorf("a minute before: got %v", got)
		}
		if got := held(ada()); !slices.Equal(got, []account.Power{account.Security}) {
			t.Errorf("at the end: got %v, want what hands the others over", got)
		}
		if _, found, _ := r.Account.CombinedPowers(ctx); found != 1 {
			t.Errorf("got %d combined, want the founder who did not hand over", found)
		}
	})
}

func TestABrokenGlassReplacesAPower(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		boss, ann := staff(t, r, "boss", account.RoleSecurity.Permissions()...), staff(t, r, "ann", account.RoleSystem.Permissions()...)
		staff(t, r, "cid", account.RoleAudit.Permissions()...)
		broke := func(name string, power account.Power, reason string) error {
			_, err := r.Account.BreakGlass(ctx, name, power, reason)
			return err
		}
		code(t, "an auditor", broke("cid", account.System, "fire"), "account.glass_auditor")
		code(t, "to audit", broke("ann", account.Audit, "fire"), "account.glass_auditor")
		code(t, "without a reason", broke("ann", account.Security, " "), "account.reason_needed")
		must(t, broke("ann", account.Security, "boss is in hospital"))
		if got := held(ann()); !slices.Equal(got, []account.Power{account.Security}) {
			t.Errorf("got %v, want security in the place of system", got)
		}
		p := boss()
		code(t, "a role meanwhile", r.Account.GiveRole(ctx, p, "ann", account.RoleDesk), "account.power_held")
		r.Clock.Advance(account.EmergencyLife)
		if got := held(ann()); !slices.Equal(got, []account.Power{account.System}) {
			t.Errorf("after it: got %v, want system again", got)
		}
	})
}

// An account of an older release, or one altered by hand, holds what the row of
// its power says, and evidence finds it.
func TestStoredPermissionsAloneCombineNothing(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		staff(t, r, "boss", account.RoleSecurity.Permissions()...)
		ann := staff(t, r, "ann", account.PermFleetWrite)
		must(t, r.DB.InTx(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, "UPDATE account_person SET permissions = $1 WHERE name = 'ann'", strings.Join(account.AllPermissions(), " "))
			return err
		}))
		if got := held(ann()); !slices.Equal(got, []account.Power{account.System}) {
			t.Errorf("got %v, want the one of the row", got)
		}
		if examined, found, err := r.Account.CombinedPowers(ctx); examined != 2 || found != 1 || err != nil {
			t.Errorf("got %d of %d, %v", found, examined, err)
		}
	})
}
