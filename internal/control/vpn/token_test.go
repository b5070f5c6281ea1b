package vpn_test

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/softtoken"
)

// holder is a person with a software token, at one source.
type holder struct {
	t        *testing.T
	r        rig
	srv      vpn.SSLServer
	client   vpn.SSLClient
	password string
	token    softtoken.Token
	from     string
	answer   gwlink.LoginAnswer
}

func newHolder(t *testing.T, r rig) *holder {
	t.Helper()
	srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, func(n *vpn.NewServer) { n.LoginMode = vpn.LoginPassword })
	c, err := r.s.CreateClient(ctx, alice, vpn.NewClient{Server: srv.ID, Name: "zhang.san", Token: vpn.TokenStoken})
	must(t, err)
	secret, err := r.s.Secret(ctx, alice, c.ID)
	must(t, err)
	token, err := softtoken.Parse(secret.CTF)
	must(t, err)
	if secret.TOTP != "" || !strings.HasSuffix(secret.TokenURI, "ctfData="+secret.CTF) || c.Token != vpn.TokenStoken {
		t.Fatalf("got %q, kind %s", secret.TokenURI, c.Token)
	}
	return &holder{t: t, r: r, srv: srv, client: c, password: secret.Password, token: token, from: source(1)}
}

// code is the token's code so many minutes from now.
func (h *holder) code(minutes int) string {
	return h.token.Code(h.r.clock.Now().Add(time.Duration(minutes) * time.Minute))
}

func (h *holder) start(typed string) {
	h.t.Helper()
	var err error
	h.answer, err = h.r.say(h.srv, h.from, "", nil, "username", h.client.Name, "password", typed)
	must(h.t, err)
}

func (h *holder) say(field, value string) {
	h.t.Helper()
	var err error
	h.answer, err = h.r.say(h.srv, h.from, h.answer.Conversation, nil, field, value)
	must(h.t, err)
}

func (h *holder) expect(outcome gwlink.Outcome, field, message string) {
	h.t.Helper()
	a := h.answer
	if a.Outcome != outcome || (outcome == gwlink.OutcomeForm && (a.Form.Fields[len(a.Form.Fields)-1].Name != field || !strings.Contains(a.Form.Message, message))) {
		h.t.Fatalf("got %s %+v, want %s with field %s and %q", a.Outcome, a.Form, outcome, field, message)
	}
}

func TestASoftwareTokenInEitherOrder(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		h := newHolder(t, r)
		h.start(h.password)
		h.expect(gwlink.OutcomeForm, "answer", "dynamic code")
		h.say("answer", h.code(0))
		h.expect(gwlink.OutcomeGranted, "", "")

		h.start(h.password + h.code(0)) // the same code again
		if h.answer.Form == nil || h.answer.Form.Error == "" {
			t.Errorf("a used code after the password: got %+v", h.answer)
		}
		h.start(h.code(0))
		if h.answer.Form == nil || h.answer.Form.Error == "" {
			t.Errorf("a used code: got %+v", h.answer)
		}
		r.clock.Advance(time.Minute)
		h.start(h.code(0))
		h.expect(gwlink.OutcomeForm, "password", "Enter your password")
		h.say("password", "wrong")
		h.expect(gwlink.OutcomeForm, "password", "Enter your password")
		h.say("password", h.password)
		h.expect(gwlink.OutcomeGranted, "", "")

		r.clock.Advance(time.Minute)
		h.start("wrong" + h.code(0))
		h.expect(gwlink.OutcomeForm, "password", "Enter your account")
		h.start(h.password + h.code(0)) // as openconnect fills it in
		h.expect(gwlink.OutcomeGranted, "", "")
	})
}

// TestPINAndCodeAfterThePassword: openconnect fills the field of the code with
// both too. Of eight characters and a code together, none is taken for a
// recovery code; and of a recovery code that ends like a code, none for these.
func TestPINAndCodeAfterThePassword(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		h := newHolder(t, r)
		codes, err := r.s.RecoveryCodes(ctx, alice, h.client.ID)
		must(t, err)
		const odd = "abcdabcd23456723"
		digest, err := r.s.RecoveryDigest(ctx, h.client.ID, odd)
		must(t, err)
		must(t, r.db.InTx(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, "INSERT INTO vpn_recovery (client, code_hash) VALUES ($1, $2)", h.client.ID, digest)
			return err
		}))
		const short = "Ab3-Ef5+" // with a code, as long as a recovery code
		must(t, second(r.s.SetPassword(ctx, alice, h.client.ID, short, forgotten)))
		for _, k := range []struct {
			typed   func() string
			granted bool
		}{
			{func() string { return short + h.code(0) }, true},
			{func() string { return h.code(0) }, true},
			{func() string { return codes[0] }, true},
			{func() string { return strings.ReplaceAll(codes[1], "-", "") }, true},
			{func() string { return odd }, true},
			{func() string { return odd }, false},
			{func() string { return "xb3-Ef5+" + h.code(0) }, false},
			{func() string { return h.code(0) + short }, false},
			{func() string { return short }, false},
		} {
			r.clock.Advance(16 * time.Minute)
			h.start(short)
			h.expect(gwlink.OutcomeForm, "answer", "dynamic code")
			typed := k.typed()
			h.say("answer", typed)
			if got := h.answer.Outcome == gwlink.OutcomeGranted; got != k.granted || !got && !h.answer.Failed {
				t.Errorf("%q: got %+v, want granted %v, or a failure", typed, h.answer, k.granted)
			}
		}
	})
}

func TestACodeAloneOpensNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		h := newHolder(t, r)
		h.start(h.code(0))
		h.expect(gwlink.OutcomeForm, "password", "")
		for range 4 {
			h.say("password", h.code(1))
			h.expect(gwlink.OutcomeForm, "password", "")
		}
		h.say("password", h.code(1))
		h.expect(gwlink.OutcomeRefused, "", "")
	})
}

// TestAFailureProvesNothing: after a code alone, a round that fails for another
// reason, here somebody else's certificate, still waits for the password.
func TestAFailureProvesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		h := newHolder(t, r)
		other, _ := r.client(t, alice, h.srv.ID, "li.si")
		h.start(h.code(0))
		h.expect(gwlink.OutcomeForm, "password", "Enter your password")
		var err error
		h.answer, err = r.say(h.srv, h.from, h.answer.Conversation, other.Certificate, "password", "wrong")
		must(t, err)
		h.expect(gwlink.OutcomeForm, "password", "Enter your password")
		r.clock.Advance(time.Minute)
		h.say("password", h.code(0))
		h.expect(gwlink.OutcomeForm, "password", "Enter your password")
	})
}

// TestAResetLeavesNothingProven: a conversation that was already taken up when
// the token was reset, which is why the reset does not find it, has shown a code
// of the old token.
func TestAResetLeavesNothingProven(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		h := newHolder(t, r)
		h.start(h.code(0))
		h.expect(gwlink.OutcomeForm, "password", "Enter your password")
		conversationsOf := func(former, client string) {
			must(t, r.db.InTx(ctx, func(tx *db.Tx) error {
				return tx.ExecOne(ctx, errs.New(errs.NotFound, "test.none"), "UPDATE vpn_conversation SET client = $1 WHERE client = $2", client, former)
			}))
		}
		conversationsOf(h.client.ID, "hidden")
		_, err := r.s.ResetToken(ctx, alice, h.client.ID, "", forgotten)
		must(t, err)
		conversationsOf("hidden", h.client.ID)
		h.say("password", h.password)
		if !over(h.answer) {
			t.Errorf("got %+v, want the conversation to be over", h.answer)
		}
	})
}

// TestWrongCodesDoNotProlongTheRound: the time for a code runs from its first form.
func TestWrongCodesDoNotProlongTheRound(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		h := newHolder(t, r)
		h.start(h.password)
		for range 2 {
			r.clock.Advance(140 * time.Second)
			h.say("answer", "00000000")
			h.expect(gwlink.OutcomeForm, "answer", "Enter the dynamic code")
		}
		r.clock.Advance(21 * time.Second)
		h.say("answer", h.code(0))
		if !over(h.answer) {
			t.Errorf("301 s after the first form: got %+v", h.answer)
		}
	})
}

func TestAfterFailuresTheNextTokencodeIsAskedFor(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		h := newHolder(t, r)
		for range 3 {
			h.start("wrong")
		}
		h.start(h.code(0))
		h.expect(gwlink.OutcomeForm, "answer", "next tokencode")
		h.say("answer", h.code(1))
		h.expect(gwlink.OutcomeForm, "password", "Enter your password")
		h.say("password", h.password)
		h.expect(gwlink.OutcomeGranted, "", "")

		r.clock.Advance(10 * time.Minute)
		for range 3 {
			h.start("wrong")
		}
		h.start(h.password + h.code(0))
		h.expect(gwlink.OutcomeForm, "answer", "next tokencode")
		h.say("answer", h.password+h.code(1)) // as openconnect fills it in
		h.expect(gwlink.OutcomeGranted, "", "")

		r.clock.Advance(10 * time.Minute)
		for range 3 {
			h.start("wrong")
		}
		h.start(h.password)
		h.say("answer", h.code(0))
		h.expect(gwlink.OutcomeForm, "answer", "next tokencode")
		h.say("answer", h.code(0))
		h.expect(gwlink.OutcomeForm, "answer", "Enter the dynamic code")
	})
}

func TestAClockThatIsOffIsFollowed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		h := newHolder(t, r)
		h.start(h.password)
		h.say("answer", h.code(6)) // six minutes ahead
		h.expect(gwlink.OutcomeForm, "answer", "next tokencode")
		h.say("answer", h.code(7))
		h.expect(gwlink.OutcomeGranted, "", "")
		r.clock.Advance(10 * time.Minute)
		h.start(h.password)
		h.say("answer", h.code(7)) // one code was enough: the drift is known
		h.expect(gwlink.OutcomeGranted, "", "")
		r.clock.Advance(10 * time.Minute)
		h.start(h.password)
		h.say("answer", h.code(30))
		h.expect(gwlink.OutcomeForm, "answer", "Enter the dynamic code")
	})
}

func TestASoftwareTokensCodeIsAcceptedOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		h := newHolder(t, r)
		const n = 50
		conversations := make([]string, n)
		for i := range n {
			a, err := r.say(h.srv, source(i), "", nil, "username", h.client.Name, "password", h.code(0))
			must(t, err)
			conversations[i] = a.Conversation
		}
		var mu sync.Mutex
		var wg sync.WaitGroup
		granted := 0
		for i := range n {
			wg.Go(func() {
				a, err := r.say(h.srv, source(i), conversations[i], nil, "password", h.password)
				if err == nil && a.Outcome == gwlink.OutcomeGranted {
					mu.Lock()
					granted++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if granted != 1 {
			t.Errorf("%d of %d parallel logins with one code were granted, want 1", granted, n)
		}
	})
}

func TestATokenMayBeReplacedByOneOfAnotherKind(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		h := newHolder(t, r)
		old := h.code(0)
		c, err := r.s.ResetToken(ctx, alice, h.client.ID, vpn.TokenTOTP, forgotten)
		if err != nil || c.Token != vpn.TokenTOTP {
			t.Fatalf("got %s, %v", c.Token, err)
		}
		secret, err := r.s.Secret(ctx, alice, c.ID)
		if err != nil || secret.CTF != "" || len(secret.TOTP) != 32 || !strings.HasPrefix(secret.TokenURI, "otpauth://") {
			t.Fatalf("got %q, %v", secret.TokenURI, err)
		}
		h.start(old)
		h.expect(gwlink.OutcomeForm, "password", "Enter your account")
		h.start(h.password)
		h.say("secondary_password", code(t, secret.TOTP, r.clock.Now()))
		h.expect(gwlink.OutcomeGranted, "", "")
		if _, err := r.s.ResetToken(ctx, alice, c.ID, "paper", forgotten); !errors.Is(err, vpn.ErrSetting) {
			t.Errorf("an unknown kind: got %v", err)
		}
	})
}

// TestAResetOpensNoOtherSecret: what is made anew can be read for a time, what
// was out of reach stays so.
func TestAResetOpensNoOtherSecret(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		h := newHolder(t, r)
		id := h.client.ID
		keyIn := func() bool {
			b, err := r.s.Bundle(ctx, alice, id)
			must(t, err)
			return unzip(t, b)["key.pem"] != nil
		}
		r.clock.Advance(6 * 24 * time.Hour)
		_, err := r.s.ResetToken(ctx, alice, id, "", forgotten)
		must(t, err)
		r.clock.Advance(25 * time.Hour) // day 7: over for all but the token
		s, err := r.s.Secret(ctx, alice, id)
		if err != nil || s.Password != "" || s.CTF == "" || keyIn() {
			t.Errorf("after a new token: password %v, token %v, key %v, %v", s.Password != "", s.CTF != "", keyIn(), err)
		}
		r.clock.Advance(7 * 24 * time.Hour)
		if _, err := r.s.Secret(ctx, alice, id); !errors.Is(err, vpn.ErrSecretExpired) {
			t.Errorf("all is over: got %v", err)
		}
		_, err = r.s.ResetPassword(ctx, alice, id, forgotten)
		must(t, err)
		s, err = r.s.Secret(ctx, alice, id)
		if err != nil || s.Password == "" || s.CTF != "" || keyIn() {
			t.Errorf("after a new password: password %v, token %v, key %v, %v", s.Password != "", s.CTF != "", keyIn(), err)
		}
	})
}

// until keeps the migrations before a version.
func until(t *testing.T, files fs.FS, version string) db.Migrations {
	t.Helper()
	kept := fstest.MapFS{}
	names, err := fs.Glob(files, "*.sql")
	must(t, err)
	for _, name := range names {
		if name < version {
			raw, err := fs.ReadFile(files, name)
			must(t, err)
			kept[name] = &fstest.MapFile{Data: raw}
		}
	}
	return db.Migrations{Module: "vpn", Files: kept}
}

func TestMigrationsKeepWhatIsThere(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		must(t, d.InTx(ctx, func(tx *db.Tx) error { return oldRows(ctx, tx) }))
		must(t, d.Migrate(ctx, vpn.Migrations()))
		got, err := db.Get(ctx, d, nil, func(r db.Row) (v [4]int64, err error) { return v, r.Scan(&v[0], &v[1], &v[2], &v[3]) },
			"SELECT password_until, key_until, token_until, token_drift FROM vpn_client WHERE token_kind = 'totp' AND member_of = '[]'")
		if err != nil || got != [4]int64{7, 7, 7, 0} {
			t.Errorf("client: got %v, %v", got, err)
		}
		svc := newRig(t, d).s
		for server, want := range oldModes {
			if got, err := svc.Server(ctx, alice.Account, server); err != nil || got.LoginMode != want.mode || got.TLSMin != "1.2" {
				t.Errorf("server %s: got %+v, %v, want %s", server, got.Settings, err, want.mode)
			}
		}
	}, append(sets[:3:3], until(t, vpn.Migrations().Files, "00060"))...)
}

// oldModes are settings as the first release wrote them.
var oldModes = map[string]struct {
	settings string
	mode     vpn.LoginMode
}{
	"sslsrv-with":    {`{"TLSMin":"1.2","RequireCertificate":true}`, vpn.LoginPasswordCertificate},
	"sslsrv-without": {`{"Banner":"\"RequireCertificate\":true","RequireCertificate":false}`, vpn.LoginPassword},
	"sslsrv-silent":  {`{}`, vpn.LoginPasswordCertificate},
}

func oldRows(ctx context.Context, tx *db.Tx) error {
	for server, old := range oldModes {
		_, err := tx.Exec(ctx, `INSERT INTO vpn_server (id, gateway, account, name, port, udp, state, settings, ca, ca_key, version, created_at, updated_at)
			VALUES ($1, 'g', $2, $1, 443, 1, 'active', $3, $4, $4, 1, 0, 0)`, server, string(alice.Account), old.settings, []byte("x"))
		if err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, `INSERT INTO vpn_client (id, server, gateway, account, subject, name, state, password_hash, totp_step, secret_until, serial,
		certificate, not_after, up_rate, down_rate, fixed_ip, two_factor_exempt, max_sessions, expires_at, version, created_at, updated_at)
		VALUES ('c', 's', 'g', 'a', 'p', 'n', 'enabled', 'h', 0, 7, '1', $1, 0, 0, 0, '', 0, 0, 0, 1, 0, 0)`, []byte("x"))
	return err
}
