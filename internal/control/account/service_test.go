package account_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/account/accounttest"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
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
		onHold := false
		retain := func() retention.Result {
			t.Helper()
			got, err := r.Account.Retain(ctx, retention.Run{
				Now: r.Clock.Now(), Profile: consent.Mainland, Held: func(string, id.Handle) bool { return onHold },
			})
			must(t, err)
			return got[0]
		}
		last := civil.DayOf(r.Clock.Now()).AddMonths(6)
		r.Clock.Advance(last.End().Sub(r.Clock.Now()) - time.Minute)
		retain()
		if n := lines(); n != 2 {
			t.Errorf("on the last day: %d lines, want 2", n)
		}
		entries, _, err := r.Account.LoginLog(ctx, p, "", 10)
		must(t, err)
		if len(entries) != 1 || entries[0].IP != "192.0.2.10" {
			t.Errorf("on the last day: got %+v", entries)
		}
		r.Clock.Advance(2 * time.Minute)
		onHold = true
		if got := retain(); got.Held != 1 || got.Destroyed != 0 || lines() != 2 {
			t.Errorf("on hold: %+v, %d lines left", got, lines())
		}
		onHold = false
		if got := retain(); got.Destroyed != 1 || got.Overdue != 0 || lines() != 0 {
			t.Errorf("a day later: %+v, %d lines left, want none", got, lines())
		}
	})
}
