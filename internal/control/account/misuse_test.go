package account_test

import (
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/account/accounttest"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

func TestEndingAllSessionsSparesNone(t *testing.T) {
	t.Parallel()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		r.Register(t, "alice")
		r.Register(t, "bob")
		mine, bobs := r.Login(t, "alice"), r.Login(t, "bob")
		in := login("alice", accounttest.Password)
		in.Remember = true
		kept, err := r.Account.Login(ctx, in)
		must(t, err)
		must(t, r.DB.InTx(ctx, func(tx *db.Tx) error { return r.Account.EndSessionsTx(ctx, tx, mine.Principal.Subject, "misuse") }))
		for _, g := range []account.Grant{mine, kept} {
			_, err := r.Account.Authenticate(ctx, g.Token)
			code(t, "a session", err, "account.session_ended")
		}
		_, err = r.Account.Resume(ctx, kept.RememberToken, accounttest.From)
		code(t, "the remember-me token", err, "account.session_ended")
		_, err = r.Account.Authenticate(ctx, bobs.Token)
		must(t, err)
	})
}
