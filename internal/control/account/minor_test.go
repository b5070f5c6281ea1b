package account_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/account/accounttest"
	"github.com/skybridge-cloud/skybridge/internal/control/age"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

var (
	staffOne = age.By{Handle: "sub_one", Session: "ses_one"}
	staffTwo = age.By{Handle: "sub_two", Session: "ses_two"}
)

const digest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func profiles(t *testing.T, fn func(t *testing.T, r accounttest.Rig, profile string)) {
	t.Helper()
	for _, profile := range []string{consent.Mainland, consent.HongKong} {
		t.Run(profile, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) { fn(t, accounttest.New(t, d, profile, false), profile) }, accounttest.Migrations()...)
		})
	}
}

// enter is what a person of a band hands in.
func enter(t *testing.T, r accounttest.Rig, name string, b age.Band) account.Registration {
	t.Helper()
	in := account.Registration{Name: name, Password: accounttest.Password, Email: name + "@example.org", Channel: "console", Source: accounttest.From}
	in.Adult = b == age.Adult
	if !in.Adult {
		in.Band = b
	}
	p, err := r.Consent.Prompt(ctx, "", consent.PlatformPolicy, "en")
	must(t, err)
	in.ConsentToken = p.Token
	if r.Age.Profile() == consent.HongKong {
		p, err := r.Consent.Prompt(ctx, "", consent.CrossborderHome, "en")
		must(t, err)
		in.CrossborderToken = p.Token
	}
	return in
}

func rows(t *testing.T, r accounttest.Rig, table string) int64 {
	t.Helper()
	n, err := db.Get(ctx, r.DB, nil, db.One[int64], "SELECT count(*) FROM "+table)
	must(t, err)
	return n
}

// Each group of ages, in both profiles: who may register, and whether the account
// waits for something.
func TestEachAgeGroupRegistersByItsProfile(t *testing.T) {
	t.Parallel()
	profiles(t, func(t *testing.T, r accounttest.Rig, profile string) {
		for _, c := range []struct {
			band               age.Band
			mainland, hongkong string // code of the refusal, or gate: and that of the gate
		}{
			{age.Adult, "gate:internal", "gate:internal"},
			{age.Youth, "gate:internal", "gate:age.guardian_needed"},
			{age.Fifteen, "gate:internal", "age.too_young"},
			{age.Child, "age.child", "age.too_young"},
			{"older", "age.band", "age.band"},
		} {
			want := map[string]string{consent.Mainland: c.mainland, consent.HongKong: c.hongkong}[profile]
			before := rows(t, r, "account_person") + rows(t, r, "consent_event") + rows(t, r, "age_event") + rows(t, r, "account_attempt") + rows(t, r, "consent_token")
			got, err := r.Account.Register(ctx, enter(t, r, "p"+map[age.Band]string{age.Adult: "adult", age.Youth: "youth", age.Fifteen: "fifteen", age.Child: "child", "older": "older"}[c.band], c.band))
			if len(want) < 5 || want[:5] != "gate:" {
				code(t, string(c.band), err, want)
				after := rows(t, r, "account_person") + rows(t, r, "consent_event") + rows(t, r, "age_event") + rows(t, r, "account_attempt") + rows(t, r, "consent_token")
				if before != after {
					t.Errorf("%s: a refused registration left %d rows", c.band, after-before)
				}
				continue
			}
			must(t, err)
			err = r.Consent.Gate(ctx, got.Subject, consent.PlatformPolicy)
			if want == "gate:internal" {
				must(t, err)
			} else {
				code(t, string(c.band), err, want[5:])
			}
			standing, err := r.Age.StandingOf(ctx, got.Subject)
			must(t, err)
			if (standing.Band == c.band) != c.band.Minor() || standing.Band == age.Adult {
				t.Errorf("%s: stored %q", c.band, standing.Band)
			}
		}
	})
}

func TestARegistrationStatesExactlyOneAge(t *testing.T) {
	t.Parallel()
	r := accounttest.New(t, dbtest.SQLite(t, accounttest.Migrations()...), consent.Mainland, false)
	none, both := enter(t, r, "none", age.Adult), enter(t, r, "both", age.Youth)
	none.Adult, both.Adult = false, true
	for _, in := range []account.Registration{none, both} {
		_, err := r.Account.Register(ctx, in)
		code(t, in.Name, err, "consent.adult_statement_required")
	}
}

// Who stated nothing is a minor: what rests on an act stays shut.
func TestWithoutAStatementNothingIsOpen(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		r.Grant(t, "sub_x", "ses_x", consent.RealName)
		code(t, "no statement", r.Consent.Gate(ctx, "sub_x", consent.RealName), "age.unstated")
		must(t, r.Consent.Gate(ctx, "sub_x", "security")) // rests on the contract
		r.Grant(t, "sub_x", "ses_x", consent.PlatformPolicy)
		must(t, r.Consent.Gate(ctx, "sub_x", consent.RealName))
	})
}

// An account of somebody of 16 or 17 in Hong Kong opens when two of the staff saw
// the same signed document.
func TestAWrittenConsentTakesTwoOfTheStaff(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := accounttest.New(t, d, consent.HongKong, false)
		got, err := r.Account.Register(ctx, enter(t, r, "youth", age.Youth))
		must(t, err)
		acc := string(got.Account)
		shut := func(what string) {
			t.Helper()
			code(t, what, r.Consent.Gate(ctx, got.Subject, consent.PlatformPolicy), "age.guardian_needed")
		}
		see := func(by age.By, document, want string) {
			t.Helper()
			_, err := r.Age.SeeWritten(ctx, by, acc, document)
			code(t, "seeing", err, want)
			shut("after " + want)
		}
		see(staffOne, "no digest", "age.digest")
		see(age.By{Handle: got.Subject}, digest, "age.same_person")
		done, err := r.Age.SeeWritten(ctx, staffOne, acc, digest)
		if err != nil || done {
			t.Fatalf("the first: %v, %v", done, err)
		}
		shut("after the first")
		see(staffOne, digest, "age.same_person")
		see(staffTwo, digest[1:]+"f", "age.digest")
		if w, err := r.Age.Waiting(ctx); err != nil || len(w) != 1 || w[0].SeenBy != staffOne.Handle {
			t.Errorf("waiting: %+v, %v", w, err)
		}
		done, err = r.Age.SeeWritten(ctx, staffTwo, acc, digest)
		if err != nil || !done {
			t.Fatalf("the second: %v, %v", done, err)
		}
		must(t, r.Consent.Gate(ctx, got.Subject, consent.PlatformPolicy))
		_, err = r.Age.SeeWritten(ctx, staffOne, "acc_unknown", digest)
		code(t, "an unknown account", err, "age.not_found")
		if report, err := r.Audit.Verify(ctx); err != nil || len(report.Problems) > 0 {
			t.Errorf("the log: %v, %v", report.Problems, err)
		}
	}, accounttest.Migrations()...)
}

// child opens the account of a child from a guardian's session.
func child(t *testing.T, r accounttest.Rig, guardian account.Principal, name string) (account.Registered, error) {
	t.Helper()
	in := account.Registration{Name: name, Password: accounttest.Password, Email: name + "@example.org", Source: accounttest.From}
	for purpose, token := range map[string]*string{consent.PlatformPolicy: &in.ConsentToken, consent.ChildRules: &in.ChildRulesToken} {
		p, err := r.Consent.Prompt(ctx, guardian.Session, purpose, "en")
		must(t, err)
		*token = p.Token
	}
	return r.Account.RegisterChild(ctx, guardian, in)
}

// A guardian opens a child's account, having read the rules for children.
func TestAGuardianOpensAChildsAccount(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		r.Register(t, "parent")
		parent := r.Login(t, "parent").Principal
		_, err := child(t, r, parent, "kid")
		code(t, "an address that nobody confirmed", err, "account.guardian_unverified")
		parent.EmailVerified = true
		got, err := child(t, r, parent, "kid")
		must(t, err)
		must(t, r.Consent.Gate(ctx, got.Subject, consent.PlatformPolicy))
		all, err := r.Age.Children(ctx, parent.Subject)
		if err != nil || len(all) != 1 || all[0].Subject != got.Subject || all[0].Account != string(got.Account) {
			t.Errorf("children: %+v, %v", all, err)
		}
		records, err := r.Consent.Records(ctx, got.Subject)
		must(t, err)
		kinds := map[string]string{}
		for _, rec := range records {
			kinds[rec.Purpose] = rec.Kind + " " + rec.Channel
		}
		if len(records) != 2 || kinds[consent.ChildRules] != "guardian guardian" || kinds[consent.PlatformPolicy] != "plain guardian" {
			t.Errorf("acts: %v", kinds)
		}
		// The child is no guardian, and neither is a minor.
		kid := r.Login(t, "kid").Principal
		kid.EmailVerified = true
		_, err = child(t, r, kid, "grandkid")
		code(t, "a child as guardian", err, "age.guardian_needed")

		// A stranger erases nobody; the guardian does, without asking anybody.
		code(t, "a stranger", r.Age.EraseChild(ctx, age.By{Handle: "sub_x"}, string(got.Account)), "age.not_found")
		must(t, r.Age.EraseChild(ctx, age.By{Handle: parent.Subject}, string(got.Account)))
		if len(r.Eraser.Opened) != 1 || r.Eraser.Opened[0] != got.Subject {
			t.Errorf("erased: %v", r.Eraser.Opened)
		}
	})
}

func TestHongKongHasNoChildren(t *testing.T) {
	t.Parallel()
	r := accounttest.New(t, dbtest.SQLite(t, accounttest.Migrations()...), consent.HongKong, false)
	if _, err := r.Consent.Prompt(ctx, "ses_x", consent.ChildRules, "en"); !errors.Is(err, consent.ErrNotFound) {
		t.Errorf("the rules for children: %v", err)
	}
	_, err := r.Account.Register(ctx, enter(t, r, "parent", age.Adult))
	must(t, err)
	p := r.Login(t, "parent").Principal
	p.EmailVerified = true
	_, err = r.Account.RegisterChild(ctx, p, account.Registration{Name: "kid", Password: accounttest.Password, Email: "kid@example.org", Source: accounttest.From})
	code(t, "a child", err, "age.not_in_profile")
	if rows(t, r, "account_person") != 1 {
		t.Error("the child is stored")
	}
}

// An identity number tells more than a statement, and never less.
func TestAnIdentityNumberOpensTheScreenOrTheErasure(t *testing.T) {
	t.Parallel()
	profiles(t, func(t *testing.T, r accounttest.Rig, profile string) {
		today := civil.DayOf(r.Clock.Now())
		born := func(years int) civil.Day {
			return civil.Day{Year: today.Year - years, Month: today.Month, Day: today.Day - 1}
		}
		for _, c := range []struct {
			years              int
			mainland, hongkong string // codes of Learn, then of the gate
		}{
			{19, "internal internal", "internal internal"},
			{18, "internal internal", "internal internal"},
			{17, "internal age.screen_needed", "internal age.guardian_needed"},
			{16, "internal age.screen_needed", "internal age.guardian_needed"},
			{15, "internal age.screen_needed", "age.too_young age.erasing"},
			{14, "age.too_young age.guardian_needed", "age.too_young age.erasing"},
			{13, "age.too_young age.guardian_needed", "age.too_young age.erasing"},
		} {
			want := map[string]string{consent.Mainland: c.mainland, consent.HongKong: c.hongkong}[profile]
			r.Clock.Advance(30 * time.Minute) // the limit of sign-ups
			got, err := r.Account.Register(ctx, enter(t, r, "adult"+string(rune('a'+c.years)), age.Adult))
			must(t, err)
			erased := len(r.Eraser.Opened)
			_, err = r.Age.Learn(ctx, got.Subject, string(got.Account), born(c.years))
			learned, gate := errs.CodeOf(err), errs.CodeOf(r.Consent.Gate(ctx, got.Subject, consent.PlatformPolicy))
			if learned+" "+gate != want {
				t.Errorf("%d: got %s %s, want %s", c.years, learned, gate, want)
			}
			if young := learned == "age.too_young"; young != (len(r.Eraser.Opened) == erased+1) {
				t.Errorf("%d: erasures %v", c.years, r.Eraser.Opened)
			}
		}
	})
}

// The screen, read with a guardian, opens what a number had shut; a statement of
// adulthood does not.
func TestTheScreenOpensWhatANumberShut(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		got := r.Register(t, "alice")
		today := civil.DayOf(r.Clock.Now())
		_, err := r.Age.Learn(ctx, got.Subject, string(got.Account), civil.Day{Year: today.Year - 16, Month: 1, Day: 1})
		must(t, err)
		code(t, "before", r.Consent.Gate(ctx, got.Subject, consent.PlatformPolicy), "age.screen_needed")
		r.Grant(t, got.Subject, "ses_x", consent.PlatformPolicy) // states adulthood
		code(t, "a statement of adulthood", r.Consent.Gate(ctx, got.Subject, consent.PlatformPolicy), "age.screen_needed")
		code(t, "a child", r.Age.State(ctx, age.By{Handle: got.Subject}, string(got.Account), age.Child), "age.not_in_profile")
		code(t, "an adult", r.Age.State(ctx, age.By{Handle: got.Subject}, string(got.Account), age.Adult), "age.band")
		must(t, r.Age.State(ctx, age.By{Handle: got.Subject}, string(got.Account), age.Youth))
		must(t, r.Consent.Gate(ctx, got.Subject, consent.PlatformPolicy))
	})
}

// A number that agrees with what was declared carries it on: who said 17 and is
// 18 by now is an adult; who said 16 and was 20 stays what they said.
func TestWhatWasDeclaredGrowsWithTheNumber(t *testing.T) {
	t.Parallel()
	r := accounttest.New(t, dbtest.SQLite(t, accounttest.Migrations()...), consent.HongKong, false)
	today := civil.DayOf(r.Clock.Now())
	true17, err := r.Account.Register(ctx, enter(t, r, "honest", age.Youth))
	must(t, err)
	other, err := r.Account.Register(ctx, enter(t, r, "twenty", age.Youth))
	must(t, err)
	r.Clock.Advance(40 * 24 * time.Hour)
	_, err = r.Age.Learn(ctx, true17.Subject, string(true17.Account), civil.Day{Year: today.Year - 18, Month: today.Month, Day: today.Day + 3})
	must(t, err)
	must(t, r.Consent.Gate(ctx, true17.Subject, consent.PlatformPolicy))
	_, err = r.Age.Learn(ctx, other.Subject, string(other.Account), civil.Day{Year: today.Year - 20, Month: today.Month, Day: 1})
	must(t, err)
	code(t, "who was never 16 then", r.Consent.Gate(ctx, other.Subject, consent.PlatformPolicy), "age.guardian_needed")
}

// reads is a read log behind which somebody counts.
type reads struct{ n int }

func (l *reads) RecordRead(context.Context, vault.Read) (string, error) { l.n++; return "read_1", nil }

// Staff read a minor's data once somebody else approved; a refusal is recorded.
func TestStaffReadAMinorsDataInTwo(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		grown := r.Register(t, "grown")
		minor, err := r.Account.Register(ctx, enter(t, r, "minor", age.Youth))
		must(t, err)
		log := &reads{}
		door := r.Age.TwoPersons(log)
		read := func(class string, of id.Handle, reason string) error {
			_, err := door.RecordRead(ctx, vault.Read{Reader: vault.Reader{Class: class, Handle: staffOne.Handle, Session: "ses_one"}, Subject: of, Purpose: "rights", Reason: reason, Fields: []string{"account_person.email"}})
			return err
		}
		must(t, read(vault.Staff, grown.Subject, "tic_1"))
		must(t, read(vault.Job, minor.Subject, ""))
		must(t, read(vault.Self, minor.Subject, ""))
		for range 2 {
			code(t, "alone", read(vault.Staff, minor.Subject, "tic_1"), "age.second_person")
		}
		code(t, "somebody of no stated age", read(vault.Staff, "sub_unknown", "tic_1"), "age.second_person")
		if log.n != 3 {
			t.Errorf("%d reads went through", log.n)
		}
		if n, err := db.Get(ctx, r.DB, nil, db.One[int64], "SELECT count(*) FROM audit_leaf WHERE type = 'age.read_refused'"); err != nil || n != 3 {
			t.Errorf("%d refusals in the log, %v", n, err)
		}
		asked, err := r.Age.Readings(ctx)
		if err != nil || len(asked) != 2 || asked[0].Subject != minor.Subject {
			t.Fatalf("asked: %+v, %v", asked, err)
		}
		code(t, "the reader approves", r.Age.ApproveReading(ctx, staffOne, asked[0].ID), "age.same_person")
		code(t, "the minor approves", r.Age.ApproveReading(ctx, age.By{Handle: minor.Subject}, asked[0].ID), "age.same_person")
		code(t, "still alone", read(vault.Staff, minor.Subject, "tic_1"), "age.second_person")
		must(t, r.Age.ApproveReading(ctx, staffTwo, asked[0].ID))
		must(t, read(vault.Staff, minor.Subject, "tic_1"))
		code(t, "for another ticket", read(vault.Staff, minor.Subject, "tic_2"), "age.second_person")
		code(t, "approved twice", r.Age.ApproveReading(ctx, staffTwo, asked[0].ID), "age.not_found")
		r.Clock.Advance(time.Hour)
		code(t, "an hour later", read(vault.Staff, minor.Subject, "tic_1"), "age.second_person")
	})
}

// The audit of a year opens with it, is made after it, and names nobody.
func TestTheYearlyAuditNamesNobody(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := accounttest.New(t, d, consent.HongKong, false)
		youth, err := r.Account.Register(ctx, enter(t, r, "youth", age.Youth))
		must(t, err)
		_, err = r.Account.Register(ctx, enter(t, r, "child", age.Child))
		code(t, "a child", err, "age.too_young")
		must(t, r.Age.Daily(ctx))
		all, err := r.Age.Audits(ctx)
		if err != nil || len(all) != 1 || all[0].Year != 2026 || civil.DayOf(all[0].Due.Add(-time.Second)).String() != "2027-01-31" {
			t.Fatalf("audits: %+v, %v", all, err)
		}
		_, err = r.Age.MakeAudit(ctx, staffOne, 2026)
		code(t, "before the year is over", err, "age.year_not_over")

		// Nobody consented for thirty days: what is held is erased.
		r.Clock.Advance(30 * 24 * time.Hour)
		must(t, r.Age.Daily(ctx))
		if len(r.Eraser.Opened) != 0 {
			t.Error("erased on the thirtieth day")
		}
		r.Clock.Advance(24 * time.Hour)
		must(t, r.Age.Daily(ctx))
		if len(r.Eraser.Opened) != 1 || r.Eraser.Opened[0] != youth.Subject {
			t.Errorf("erased: %v", r.Eraser.Opened)
		}

		r.Clock.Advance(20 * 24 * time.Hour) // into January
		pack, err := r.Age.MakeAudit(ctx, staffOne, 2026)
		must(t, err)
		if pack.Bands[age.Youth] != 1 || pack.Bands[age.Child] != 0 || pack.Counts["refused"] != 1 || pack.Counts["erasure"] != 1 || pack.Counts["read"] != 0 {
			t.Errorf("the pack: %+v", pack)
		}
		all, err = r.Age.Audits(ctx)
		must(t, err)
		made := all[len(all)-1]
		if made.SHA256 == "" || strings.Contains(made.Body, string(youth.Subject)) || strings.Contains(made.Body, "youth@") {
			t.Errorf("the audit: %+v", made)
		}
		_, err = r.Age.MakeAudit(ctx, staffOne, 2026)
		code(t, "twice", err, "age.not_found")
	}, accounttest.Migrations()...)
}

// follow makes somebody the guardian of a child with the child's code.
func follow(t *testing.T, r accounttest.Rig, guardian account.Principal, code string) (account.ID, error) {
	t.Helper()
	g := account.Guardianship{Code: code}
	for purpose, token := range map[string]*string{consent.PlatformPolicy: &g.ConsentToken, consent.ChildRules: &g.ChildRulesToken} {
		p, err := r.Consent.Prompt(ctx, guardian.Session, purpose, "en")
		must(t, err)
		*token = p.Token
	}
	got, _, err := r.Account.Succeed(ctx, guardian, g)
	return got, err
}

// guarded is a child's account and its guardian.
func guarded(t *testing.T, r accounttest.Rig) (parent, kid account.Principal) {
	t.Helper()
	r.Register(t, "parent")
	parent = r.Login(t, "parent").Principal
	parent.EmailVerified = true
	_, err := child(t, r, parent, "kid")
	must(t, err)
	return parent, r.Login(t, "kid").Principal
}

// What rests on a guardian's consent is shut when the guardian takes it back, has
// the account closed or turns out to be a minor, until another guardian consents.
func TestAGuardianWhoLeavesShutsTheChildsAccount(t *testing.T) {
	t.Parallel()
	for cause, leave := range map[string]func(*testing.T, accounttest.Rig, account.Principal, account.Principal){
		age.GuardianWithdrew: func(t *testing.T, r accounttest.Rig, parent, kid account.Principal) {
			code(t, "a stranger", r.Account.LeaveChild(ctx, kid, kid.Account), "age.not_found")
			must(t, r.Account.LeaveChild(ctx, parent, kid.Account))
			code(t, "twice", r.Account.LeaveChild(ctx, parent, kid.Account), "consent.nothing_to_withdraw")
		},
		age.GuardianErased: func(t *testing.T, r accounttest.Rig, parent, _ account.Principal) {
			must(t, r.DB.InTx(ctx, func(tx *db.Tx) error { return r.Age.LeaveTx(ctx, tx, parent.Subject, age.GuardianErased) }))
		},
		age.GuardianMinor: func(t *testing.T, r accounttest.Rig, parent, _ account.Principal) {
			_, err := r.Age.Learn(ctx, parent.Subject, string(parent.Account), civil.DayOf(r.Clock.Now()).AddDays(-16*366))
			must(t, err)
		},
	} {
		accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
			parent, kid := guarded(t, r)
			must(t, r.Consent.Gate(ctx, kid.Subject, consent.PlatformPolicy))
			_, _, err := r.Age.GuardianCode(ctx, age.By{Handle: kid.Subject})
			code(t, "a code while there is a guardian", err, "age.guarded")
			leave(t, r, parent, kid)
			code(t, cause, r.Consent.Gate(ctx, kid.Subject, consent.PlatformPolicy), "age.guardian_left")
			must(t, r.Consent.Gate(ctx, kid.Subject, "security")) // rests on the contract
			if due, err := r.Consent.Pending(ctx, kid.Subject); err != nil || len(due) != 0 {
				t.Errorf("%s: acts that would not help are due: %v, %v", cause, due, err)
			}
			if st, err := r.Age.StandingOf(ctx, kid.Subject); err != nil || st.Needs != "age.guardian_left" {
				t.Errorf("%s: the child reads %+v, %v", cause, st, err)
			}
			if all, err := r.Age.Vacancies(ctx); err != nil || len(all) != 1 || all[0].Cause != cause || all[0].Account != string(kid.Account) {
				t.Errorf("staff read %+v, %v", all, err)
			}

			r.Register(t, "aunt")
			aunt := r.Login(t, "aunt").Principal
			first, _, err := r.Age.GuardianCode(ctx, age.By{Handle: kid.Subject})
			must(t, err)
			second, until, err := r.Age.GuardianCode(ctx, age.By{Handle: kid.Subject})
			must(t, err)
			_, err = follow(t, r, aunt, second)
			code(t, "an address that nobody confirmed", err, "account.guardian_unverified")
			aunt.EmailVerified, kid.EmailVerified = true, true
			_, err = follow(t, r, aunt, first)
			code(t, "a code that another one replaced", err, "age.guardian_code")
			_, err = follow(t, r, kid, second)
			code(t, "the child as its own guardian", err, "age.guardian_needed")
			got, err := follow(t, r, aunt, second)
			if err != nil || got != kid.Account {
				t.Fatalf("another guardian: %s, %v", got, err)
			}
			must(t, r.Consent.Gate(ctx, kid.Subject, consent.PlatformPolicy))
			must(t, r.Consent.Gate(ctx, kid.Subject, consent.ChildRules))
			_, err = follow(t, r, aunt, second)
			code(t, "the code again", err, "age.guardian_code")
			code(t, "who left erases", r.Age.EraseChild(ctx, age.By{Handle: parent.Subject}, string(kid.Account)), "age.not_found")
			if all, err := r.Age.Children(ctx, aunt.Subject); err != nil || len(all) != 1 || !all[0].LeftAt.IsZero() {
				t.Errorf("the children of who took over: %+v, %v", all, err)
			}
			if !until.Equal(r.Clock.Now().Add(24 * time.Hour)) {
				t.Errorf("the code is good until %s", until)
			}
		})
	}
}

// Without another guardian the account is restricted after thirty days, and what
// is held is erased sixty days later.
func TestAChildWithoutAGuardianIsRestrictedThenErased(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		parent, kid := guarded(t, r)
		must(t, r.Account.LeaveChild(ctx, parent, kid.Account))
		v, err := r.Age.Vacancies(ctx)
		must(t, err)
		for _, step := range []struct {
			at                 time.Time
			restricted, erased int
		}{
			{v[0].RestrictAt().Add(-time.Second), 0, 0},
			{v[0].RestrictAt(), 1, 0},
			{v[0].EraseAt().Add(-time.Second), 1, 0},
			{v[0].EraseAt(), 1, 1},
		} {
			r.Clock.Advance(step.at.Sub(r.Clock.Now()))
			must(t, r.Age.Daily(ctx))
			must(t, r.Age.Daily(ctx))
			if len(r.Eraser.Restricted) != step.restricted || len(r.Eraser.Opened) != step.erased {
				t.Errorf("on %s: restricted %v, erased %v", step.at, r.Eraser.Restricted, r.Eraser.Opened)
			}
		}
		if days := v[0].EraseAt().Sub(v[0].RestrictAt()); days != 60*24*time.Hour {
			t.Errorf("restricted for %s", days)
		}
		if n, late, err := r.Age.OverdueVacancies(ctx); err != nil || n != 1 || late != 0 {
			t.Errorf("evidence: %d, %d, %v", n, late, err)
		}
		r.Clock.Advance(26 * time.Hour)
		if _, late, err := r.Age.OverdueVacancies(ctx); err != nil || late != 1 {
			t.Errorf("a run that did not come: %d, %v", late, err)
		}
	})
}

// A child whose guardian's consent is gone without a trace, as after an old
// backup, is found.
func TestAChildWithoutATraceOfAGuardianIsFound(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		_, kid := guarded(t, r)
		must(t, r.Age.Daily(ctx))
		if all, err := r.Age.Vacancies(ctx); err != nil || len(all) != 0 {
			t.Fatalf("with a guardian: %+v, %v", all, err)
		}
		must(t, r.DB.InTx(ctx, func(tx *db.Tx) error { _, err := tx.Exec(ctx, "DELETE FROM age_guardian"); return err }))
		must(t, r.Age.Daily(ctx))
		if all, err := r.Age.Vacancies(ctx); err != nil || len(all) != 1 || all[0].Subject != kid.Subject || all[0].Cause != age.GuardianUnknown {
			t.Errorf("got %+v, %v", all, err)
		}
	})
}

// In Hong Kong the consent is on paper, and so is its end: it shuts by one of the
// staff, and opens by two and another document.
func TestAWrittenConsentThatWasTakenBackShuts(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := accounttest.New(t, d, consent.HongKong, false)
		got, err := r.Account.Register(ctx, enter(t, r, "youth", age.Youth))
		must(t, err)
		acc, one, two := string(got.Account), age.By{Handle: "sub_one"}, age.By{Handle: "sub_two"}
		paper := func(c string) string { return strings.Repeat(c, 64) }
		see := func(by age.By, document string, want bool) {
			t.Helper()
			if done, err := r.Age.SeeWritten(ctx, by, acc, document); err != nil || done != want {
				t.Fatalf("%s sees it: %v, %v", by.Handle, done, err)
			}
		}
		code(t, "before there is one", r.Age.WithdrawWritten(ctx, one, acc, paper("a")), "age.not_found")
		see(one, paper("a"), false)
		see(two, paper("a"), true)
		must(t, r.Consent.Gate(ctx, got.Subject, consent.PlatformPolicy))
		r.Clock.Advance(100 * 24 * time.Hour) // the days of the first wait are long over
		code(t, "no digest", r.Age.WithdrawWritten(ctx, one, acc, "x"), "age.digest")
		must(t, r.Age.WithdrawWritten(ctx, one, acc, paper("b")))
		code(t, "taken back", r.Consent.Gate(ctx, got.Subject, consent.PlatformPolicy), "age.guardian_left")
		_, _, err = r.Age.GuardianCode(ctx, age.By{Handle: got.Subject})
		code(t, "a code where paper is wanted", err, "age.not_in_profile")
		must(t, r.Age.Daily(ctx))
		w, err := r.Age.Waiting(ctx)
		if err != nil || len(w) != 1 || !w[0].Left || len(r.Eraser.Opened)+len(r.Eraser.Restricted) != 0 {
			t.Fatalf("waiting: %+v, %v; erased %v", w, err, r.Eraser.Opened)
		}
		r.Clock.Advance(31 * 24 * time.Hour)
		must(t, r.Age.Daily(ctx))
		if len(r.Eraser.Restricted) != 1 || len(r.Eraser.Opened) != 0 {
			t.Errorf("after its term: restricted %v, erased %v", r.Eraser.Restricted, r.Eraser.Opened)
		}
		see(one, paper("c"), false)
		code(t, "seen by one", r.Consent.Gate(ctx, got.Subject, consent.PlatformPolicy), "age.guardian_left")
		see(two, paper("c"), true)
		must(t, r.Consent.Gate(ctx, got.Subject, consent.PlatformPolicy))
		if all, err := r.Age.Vacancies(ctx); err != nil || len(all) != 0 {
			t.Errorf("still vacant: %+v, %v", all, err)
		}
	}, accounttest.Migrations()...)
}
