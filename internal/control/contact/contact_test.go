package contact_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/account/accounttest"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/control/contact"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

var ctx = context.Background()

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func code(t testing.TB, what string, err error, want string) {
	t.Helper()
	if got := errs.CodeOf(err); got != want {
		t.Errorf("%s: got %v (%s), want %s", what, err, got, want)
	}
}

type rig struct {
	accounttest.Rig
	s    *contact.Service
	sent []contact.NumberEvent
}

func each(t *testing.T, fn func(t *testing.T, r *rig)) {
	t.Helper()
	accounttest.Each(t, func(t *testing.T, a accounttest.Rig) {
		r := &rig{Rig: a}
		r.s = contact.New(contact.Deps{
			DB: a.DB, Clock: a.Clock, Queue: a.Queue, Log: slog.New(slog.DiscardHandler), Audit: a.Audit, Consent: a.Consent, Account: a.Account, Vault: a.Vault, Reach: func(n string) bool { return n != "+12025550100" },
		})
		job.Subscribe(a.Queue, contact.TopicCode, "test", func(_ context.Context, e contact.NumberEvent) error {
			r.sent = append(r.sent, e)
			return nil
		})
		fn(t, r)
	}, contact.Migrations())
}

// person is a customer whose address is confirmed, freshly signed in.
func (r *rig) person(t *testing.T, name string) account.Principal {
	t.Helper()
	p := r.Customer(t, name)
	token, err := r.Account.IssueVerification(ctx, p.Subject)
	must(t, err)
	must(t, r.Account.VerifyEmail(ctx, token, accounttest.From))
	return r.again(t, name)
}

func (r *rig) again(t *testing.T, name string) account.Principal {
	t.Helper()
	return r.Login(t, name).Principal
}

func (r *rig) token(t *testing.T, p account.Principal, purpose string) string {
	t.Helper()
	prompt, err := r.Consent.Prompt(ctx, p.Session, purpose, "en")
	must(t, err)
	return prompt.Token
}

// add enters a number and confirms it.
func (r *rig) add(t *testing.T, p account.Principal, number string) {
	t.Helper()
	must(t, r.s.Ask(ctx, p, number, r.token(t, p, contact.Phone), accounttest.From))
	_, c, err := r.s.IssueCode(ctx, p.Subject, "test")
	must(t, err)
	must(t, r.s.Confirm(ctx, p, c))
}

const number = "+8613800000000"

func TestANumberStandsOnceItsCodeCameBack(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p := r.person(t, "alice")
		code(t, "without an act", r.s.Ask(ctx, p, number, "", accounttest.From), "consent.gate_closed")
		for _, bad := range []string{"12345", "+86138", "+8623800000000", "13800000000x", "+0123456789"} {
			code(t, bad, r.s.Ask(ctx, p, bad, r.token(t, p, contact.Phone), accounttest.From), "contact.phone_invalid")
		}
		code(t, "where the carrier does not reach", r.s.Ask(ctx, p, "+1 202 555 0100", r.token(t, p, contact.Phone), accounttest.From), "contact.not_reached")
		must(t, r.s.Ask(ctx, p, " 138 0000-0000 ", r.token(t, p, contact.Phone), accounttest.From))
		must(t, r.Queue.Drain(ctx))
		if len(r.sent) != 1 || r.sent[0].Subject != p.Subject {
			t.Fatalf("a code is sent: got %v", r.sent)
		}
		if _, err := r.s.Number(ctx, p.Subject, contact.UseSecurity, "test"); !errs.IsNotFound(err) {
			t.Errorf("before the code came back: %v", err)
		}
		code(t, "before it was made", r.s.Confirm(ctx, p, "000000"), "contact.code_wrong")
		to, c, err := r.s.IssueCode(ctx, p.Subject, "test")
		must(t, err)
		if to != number || len(c) != 6 {
			t.Fatalf("got %q to %q", c, to)
		}
		must(t, r.s.Confirm(ctx, p, c))
		if got, err := r.s.Number(ctx, p.Subject, contact.UseExpiry, "test"); err != nil || got != number {
			t.Errorf("got %q, %v", got, err)
		}
		code(t, "twice", r.s.Confirm(ctx, p, c), "contact.code_wrong")
		o, err := r.s.Mine(ctx, p)
		must(t, err)
		if o.Phone != number || o.PhoneAt.IsZero() || o.PhoneWaiting || o.QQ != "" || o.Place != (contact.Place{}) {
			t.Errorf("got %+v", o)
		}
	})
}

func TestACodeWorksOnceTenMinutesAndForFiveTries(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p := r.person(t, "alice")
		ask := func() string {
			t.Helper()
			p = r.again(t, "alice")
			must(t, r.s.Ask(ctx, p, number, r.token(t, p, contact.Phone), accounttest.From))
			_, c, err := r.s.IssueCode(ctx, p.Subject, "test")
			must(t, err)
			return c
		}
		c := ask()
		for range 5 {
			code(t, "a guess", r.s.Confirm(ctx, p, wrong(c)), "contact.code_wrong")
		}
		code(t, "the right one, after five tries", r.s.Confirm(ctx, p, c), "contact.code_wrong")
		code(t, "at once", r.s.Ask(ctx, p, number, "", accounttest.From), "contact.code_too_soon")
		r.Clock.Advance(2 * time.Minute)
		c = ask()
		r.Clock.Advance(contact.CodeLife)
		code(t, "ten minutes later", r.s.Confirm(ctx, p, c), "contact.code_wrong")
		c = ask()
		_, second, err := r.s.IssueCode(ctx, p.Subject, "test")
		must(t, err)
		if second != c {
			code(t, "a code that another replaced", r.s.Confirm(ctx, p, c), "contact.code_wrong")
		}
		must(t, r.s.Confirm(ctx, p, second))
		stored, err := db.Select(ctx, r.DB, db.One[string], "SELECT code FROM contact_code")
		must(t, err)
		if len(stored) != 0 {
			t.Errorf("codes are left: %v", stored)
		}
	})
}

func wrong(c string) string {
	if c == "000000" {
		return "000001"
	}
	return "000000"
}

// TestWhatIsKnownOfANumberIsNotTold: the answer is the same, and the limits of a
// number hold over all who ask.
func TestWhatIsKnownOfANumberIsNotTold(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		r.add(t, r.person(t, "alice"), number)
		must(t, r.Queue.Drain(ctx))
		r.sent = nil
		bob := r.person(t, "bob")
		must(t, r.s.Ask(ctx, bob, number, r.token(t, bob, contact.Phone), accounttest.From))
		must(t, r.Queue.Drain(ctx))
		if len(r.sent) != 0 {
			t.Errorf("a second code within a minute was sent to a number: %v", r.sent)
		}
		for range 8 {
			r.Clock.Advance(7 * time.Minute)
			bob = r.again(t, "bob")
			must(t, r.s.Ask(ctx, bob, number, "", accounttest.From))
		}
		must(t, r.Queue.Drain(ctx))
		if len(r.sent) > 4 {
			t.Errorf("%d codes more within the hour", len(r.sent))
		}
	})
}

func TestAskingNeedsAProofAndAConfirmedAddress(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p := r.Customer(t, "alice")
		code(t, "an address that nobody confirmed", r.s.Ask(ctx, p, number, r.token(t, p, contact.Phone), accounttest.From), "contact.email_unverified")
		p = r.person(t, "bob")
		r.Clock.Advance(account.StepUpLife + time.Second)
		code(t, "without a fresh proof", r.s.Ask(ctx, p, number, r.token(t, p, contact.Phone), accounttest.From), "account.step_up_required")
	})
}

// TestNothingElseOpensWhatAPersonAdded holds LT-1.2b: mutant LT-1.2b opens a
// number for another use.
func TestNothingElseOpensWhatAPersonAdded(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p := r.person(t, "alice")
		r.add(t, p, number)
		must(t, r.s.SetQQ(ctx, p, "10001", r.token(t, p, contact.QQ)))
		must(t, r.s.SetPlace(ctx, p, contact.Place{Country: "cn", City: "杭州"}, r.token(t, p, contact.Region)))
		for _, use := range []string{"service_change", "account", "order", contact.UseTicket, contact.QQ, "marketing", ""} {
			if got, err := r.s.Number(ctx, p.Subject, use, "test"); !errors.Is(err, contact.ErrUse) {
				t.Errorf("%q opens the number: %q, %v", use, got, err)
			}
		}
		for _, use := range []string{contact.UseSecurity, contact.UseExpiry} {
			if got, err := r.s.Number(ctx, p.Subject, use, "test"); err != nil || got != number {
				t.Errorf("%s: %q, %v", use, got, err)
			}
		}
		desk := account.Principal{Subject: "sub_desk", Staff: true}
		if _, err := r.s.QQFor(ctx, desk, "because", p.Subject); !errors.Is(err, contact.ErrNoTicket) {
			t.Errorf("without a ticket: %v", err)
		}
		if got, err := r.s.QQFor(ctx, desk, id.New("tkt"), p.Subject); err != nil || got != "10001" {
			t.Errorf("for a ticket: %q, %v", got, err)
		}
		examined, found, err := r.Audit.ReadOtherwise(ctx, time.Time{}, contact.Tables(), contact.Serves)
		if err != nil || examined != 4 || found != 0 {
			t.Errorf("got %d of %d readings for another use, %v; want 0 of 4", found, examined, err)
		}
		_, err = r.Vault.Begin(ctx, vault.Read{Reader: vault.Reader{Class: vault.Job}, Subject: p.Subject, Fields: []string{"contact_phone.number"}, Purpose: "service_change"})
		must(t, err)
		if _, found, err = r.Audit.ReadOtherwise(ctx, time.Time{}, contact.Tables(), contact.Serves); err != nil || found != 1 {
			t.Errorf("a reading around the gate is found: %d, %v", found, err)
		}
	})
}

// TestTakingAnActBackDeletesWhatRestsOnIt holds LT-1.2: mutant LT-1.2 leaves it.
func TestTakingAnActBackDeletesWhatRestsOnIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p := r.person(t, "alice")
		r.add(t, p, number)
		must(t, r.s.SetQQ(ctx, p, "10001", r.token(t, p, contact.QQ)))
		must(t, r.s.SetPlace(ctx, p, contact.Place{Province: "浙江"}, r.token(t, p, contact.Region)))
		must(t, r.Queue.Drain(ctx))

		must(t, r.s.Remove(ctx, p, contact.QQ))
		for _, purpose := range []string{contact.Phone, contact.Region} { // on the page of consents
			_, err := r.Consent.Withdraw(ctx, consent.Act{Subject: p.Subject, Session: p.Session, Purpose: purpose, Channel: "console"})
			must(t, err)
		}
		if got, err := r.s.Number(ctx, p.Subject, contact.UseSecurity, "test"); errs.KindOf(err) != errs.Forbidden {
			t.Errorf("the gate is shut at once: %q, %v", got, err)
		}
		// A number that is entered again before the job ran rests on the new act.
		r.Clock.Advance(2 * time.Minute)
		p = r.again(t, "alice")
		r.add(t, p, "+8613900000000")
		must(t, r.Queue.Drain(ctx))
		for table, want := range map[string]int64{"contact_phone": 1, "contact_qq": 0, "contact_region": 0, "contact_code": 0} {
			n, err := db.Get(ctx, r.DB, nil, db.One[int64], "SELECT count(*) FROM "+table)
			if err != nil || n != want {
				t.Errorf("%s: %d rows, %v; want %d", table, n, err, want)
			}
		}
		if got, err := r.s.Number(ctx, p.Subject, contact.UseSecurity, "test"); err != nil || got != "+8613900000000" {
			t.Errorf("the new number: %q, %v", got, err)
		}
		classes, err := r.Vault.Classes(ctx, p.Subject)
		must(t, err)
		left := 0
		for _, c := range classes {
			if len(c) > 8 && c[:8] == "optional" {
				left++
			}
		}
		if left != 1 {
			t.Errorf("keys of acts that were taken back live: %v", classes)
		}
		if _, err := r.Account.Profile(ctx, p); err != nil {
			t.Errorf("nothing else is affected: %v", err)
		}
	})
}

func TestWhatIsEnteredHasItsForm(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p := r.person(t, "alice")
		for _, bad := range []string{"", "1234", "0123456", "123456789012", "12a45"} {
			code(t, bad, r.s.SetQQ(ctx, p, bad, r.token(t, p, contact.QQ)), "contact.qq_invalid")
		}
		for _, bad := range []contact.Place{{}, {Country: "China"}, {City: string(make([]rune, 41))}} {
			if bad.City != "" {
				bad.City = "城城城城城城城城城城城城城城城城城城城城城城城城城城城城城城城城城城城城城城城城城"
			}
			code(t, bad.City, r.s.SetPlace(ctx, p, bad, r.token(t, p, contact.Region)), "contact.region_invalid")
		}
		must(t, r.s.SetPlace(ctx, p, contact.Place{Country: "cn", Province: " 浙江  省 "}, r.token(t, p, contact.Region)))
		must(t, r.s.SetPlace(ctx, p, contact.Place{Country: "HK"}, ""))
		if o, err := r.s.Mine(ctx, p); err != nil || o.Place != (contact.Place{Country: "HK"}) {
			t.Errorf("got %+v, %v", o.Place, err)
		}
	})
}

func TestTheDataMapIsTheSchema(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		live, err := r.DB.Schema(ctx)
		must(t, err)
		for table := range live {
			if len(table) < 8 || table[:8] != "contact_" {
				delete(live, table)
			}
		}
		must(t, holding.Verify(contact.Holdings(), live))
		for _, profile := range []string{consent.Mainland, consent.HongKong} {
			must(t, consent.Declared(profile, contact.Holdings()))
		}
	})
}
