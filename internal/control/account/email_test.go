package account_test

import (
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/account/accounttest"
)

func TestANewAddressStandsOnceItIsConfirmed(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		p := r.Customer(t, "alice")
		token, err := r.Account.IssueVerification(ctx, p.Subject)
		must(t, err)
		must(t, r.Account.VerifyEmail(ctx, token, accounttest.From))
		address := func() string {
			got, err := r.Account.Address(ctx, p)
			must(t, err)
			return got
		}
		change := func(to string) error { return r.Account.ChangeEmail(ctx, p, to, accounttest.From) }
		r.Clock.Advance(account.StepUpLife)
		code(t, "without a fresh proof", change("new@example.org"), "account.step_up_required")
		p = r.Login(t, "alice").Principal
		code(t, "no address", change("new@"), "account.email_invalid")
		code(t, "the same", change("ALICE@example.org"), "account.email_same")
		must(t, change("first@example.org"))
		old, err := r.Account.IssueEmailChange(ctx, p.Subject)
		must(t, err)
		must(t, change("new@example.org"))
		if c, err := r.Account.NextContact(ctx, p.Subject, "test"); err != nil || c.Email != "new@example.org" {
			t.Errorf("the confirmation goes to %q, %v", c.Email, err)
		}
		token, err = r.Account.IssueEmailChange(ctx, p.Subject)
		must(t, err)
		reset, err := r.Account.IssueReset(ctx, p.Subject)
		must(t, err)
		if got := address(); got != "alice@example.org" || len(r.Desk.Corrected) != 0 {
			t.Errorf("before the confirmation: got %s, corrected %v", got, r.Desk.Corrected)
		}
		code(t, "the token of an address that was replaced", r.Account.VerifyEmail(ctx, old, accounttest.From), "account.token_invalid")
		must(t, r.Account.VerifyEmail(ctx, token, accounttest.From))
		if got := address(); got != "new@example.org" || len(r.Desk.Corrected) != 1 || r.Desk.Corrected[0] != string(p.Subject)+" account_person.email" {
			t.Errorf("got %s, corrected %v", got, r.Desk.Corrected)
		}
		code(t, "twice", r.Account.VerifyEmail(ctx, token, accounttest.From), "account.token_invalid")
		code(t, "a reset that was mailed to the old address", r.Account.ConfirmReset(ctx, reset, "another fine gate 9", accounttest.From), "account.token_invalid")
	})
}

func TestANewAddressIsNobodyElses(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		bob := r.Register(t, "bob")
		token, err := r.Account.IssueVerification(ctx, bob.Subject)
		must(t, err)
		must(t, r.Account.VerifyEmail(ctx, token, accounttest.From))
		p := r.Customer(t, "alice")
		must(t, r.Account.ChangeEmail(ctx, p, "bob@example.org", accounttest.From))
		token, err = r.Account.IssueEmailChange(ctx, p.Subject)
		must(t, err)
		code(t, "of another account", r.Account.VerifyEmail(ctx, token, accounttest.From), "account.email_in_use")
		if got, err := r.Account.Address(ctx, p); err != nil || got != "alice@example.org" || len(r.Desk.Corrected) != 0 {
			t.Errorf("got %s, %v, corrected %v", got, err, r.Desk.Corrected)
		}
		must(t, r.Account.ChangeEmail(ctx, p, "new@example.org", accounttest.From))
		token, err = r.Account.IssueEmailChange(ctx, p.Subject)
		must(t, err)
		r.Clock.Advance(account.VerifyLife + time.Second)
		code(t, "a day later", r.Account.VerifyEmail(ctx, token, accounttest.From), "account.token_invalid")
	})
}
