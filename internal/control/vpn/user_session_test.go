package vpn_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

func (r rig) asUser(srv vpn.SSLServer, name, pw string) (vpn.UserEntry, error) {
	return r.s.LoginUser(ctx, vpn.UserLogin{Server: srv.ServerNames[0], Source: netip.MustParseAddr("198.51.100.9"), Name: name, Password: pw})
}

// user signs in to the page of rights, with a code where one is asked for.
func (r rig) user(t *testing.T, srv vpn.SSLServer, secret vpn.Secret) vpn.UserSession {
	t.Helper()
	e, err := r.asUser(srv, secret.UserName, secret.Password)
	must(t, err)
	if e.Conversation != "" {
		e, err = r.s.LoginUser(ctx, vpn.UserLogin{Server: srv.ID, Source: netip.MustParseAddr("198.51.100.9"), Conversation: e.Conversation, Answer: code(t, secret.TOTP, r.clock.Now())})
		must(t, err)
	}
	u, err := r.s.AuthenticateUser(ctx, e.Token)
	must(t, err)
	return u
}

func TestAUserSignsInWithVPNCredentials(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, nil) // password, certificate and code
		c, secret := r.client(t, alice, srv.ID, "zhang.san")
		u := r.user(t, srv, secret)
		if u.Client != c.ID || u.Subject != c.Subject || u.Principal().Account != "" || u.ExpiresAt.Sub(u.CreatedAt) != vpn.UserSessionLife {
			t.Errorf("got %+v", u)
		}
		for _, name := range []string{"https://" + srv.ServerNames[0] + ":443/staff", strings.ToUpper(srv.ServerNames[0]), srv.ID} {
			e, err := r.s.LoginUser(ctx, vpn.UserLogin{Server: name, Source: netip.MustParseAddr("198.51.100.9"), Name: secret.UserName, Password: secret.Password})
			if err != nil || e.Conversation == "" || e.Asks != vpn.UserAsksCode || e.Token != "" {
				t.Errorf("%s: got %+v, %v", name, e, err)
			}
		}
		r.clock.Advance(vpn.UserSessionLife)
		if _, err := r.s.AuthenticateUser(ctx, "vpnu_x"); !errors.Is(err, vpn.ErrUserSession) {
			t.Errorf("an invented token: got %v", err)
		}
	})
}

// A session ends by itself, by signing out, and with the password that opened it.
func TestAUsersSessionEnds(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.plainServer(t)
		c, secret := r.client(t, alice, srv.ID, "zhang.san")
		signIn := func(pw string) string {
			e, err := r.asUser(srv, c.Name, pw)
			must(t, err)
			return e.Token
		}
		over := func(what, token string) {
			t.Helper()
			if _, err := r.s.AuthenticateUser(ctx, token); !errors.Is(err, vpn.ErrUserSession) {
				t.Errorf("%s: got %v", what, err)
			}
		}
		one := signIn(secret.Password)
		u, err := r.s.AuthenticateUser(ctx, one)
		must(t, err)
		must(t, r.s.SignOutUser(ctx, u))
		over("signed out", one)
		two := signIn(secret.Password)
		r.clock.Advance(vpn.UserSessionLife)
		over("after its time", two)
		three := signIn(secret.Password)
		must(t, second(r.s.SetPassword(ctx, alice, c.ID, "Blue-Kettle-42", forgotten)))
		over("after a reset", three)
		four := signIn("Blue-Kettle-42")
		must(t, r.s.DeleteClient(ctx, alice, c.ID))
		over("of a client that is deleted", four)
	})
}

// Neither an unknown server nor an unknown name nor a wrong password is told
// apart, and all of them count against the source, as at a gateway.
func TestAUsersFailuresCountAsAtTheGateway(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.plainServer(t)
		c, secret := r.client(t, alice, srv.ID, "zhang.san")
		elsewhere := srv
		elsewhere.ServerNames = []string{"vpn.example.org"}
		for what, try := range map[string]func() (vpn.UserEntry, error){
			"unknown server": func() (vpn.UserEntry, error) { return r.asUser(elsewhere, c.Name, secret.Password) },
			"unknown name":   func() (vpn.UserEntry, error) { return r.asUser(srv, "li.si", secret.Password) },
			"wrong password": func() (vpn.UserEntry, error) { return r.asUser(srv, c.Name, "wrong") },
		} {
			if e, err := try(); !errors.Is(err, vpn.ErrUserLogin) || e != (vpn.UserEntry{}) {
				t.Errorf("%s: got %+v, %v", what, e, err)
			}
		}
		for range 4 {
			_, _ = r.asUser(srv, c.Name, "wrong")
		}
		if _, err := r.asUser(srv, c.Name, secret.Password); !errors.Is(err, vpn.ErrUserLocked) {
			t.Errorf("after five failures: got %v", err)
		}
		a, err := r.say(srv, "198.51.100.9", "", nil, "username", c.Name, "password", secret.Password)
		must(t, err)
		if a.Outcome != "refused" {
			t.Errorf("the gateway from there: got %+v", a)
		}
	})
}

// Who is disabled, expired or behind a frozen gateway keeps the rights.
func TestADisabledUserStillSignsInToThePage(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.plainServer(t)
		c, secret := r.client(t, alice, srv.ID, "zhang.san")
		r.update(t, c.ID, func(s *vpn.ClientSettings) { s.State = vpn.ClientDisabled })
		u := r.user(t, srv, secret)
		if p, err := r.s.Profile(ctx, u); err != nil || p.State != vpn.ClientDisabled || p.Host != srv.ServerNames[0] {
			t.Errorf("got %+v, %v", p, err)
		}
		all, err := r.s.Acts(ctx, u)
		must(t, err)
		if len(all) == 0 || all[0].Kind != vpn.ActDisable || all[0].By != "administrator" {
			t.Errorf("got %+v", all)
		}
	})
}

// A password is replaced by the administrator alone, for a reason, and its user
// reads it (clause TY-2.3).
func TestAResetHasAReasonThatItsUserReads(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.plainServer(t)
		c, secret := r.client(t, alice, srv.ID, "zhang.san")
		for _, why := range []vpn.Reset{{}, {Reason: "mood"}, {Reason: vpn.ReasonOther}, {Reason: vpn.ReasonOther, Words: " "}, {Reason: "forgotten", Words: strings.Repeat("x", 201)}} {
			if _, err := r.s.ResetPassword(ctx, alice, c.ID, why); !errors.Is(err, vpn.ErrResetReason) {
				t.Errorf("password, %+v: got %v", why, err)
			}
			if _, err := r.s.SetPassword(ctx, alice, c.ID, "Blue-Kettle-42", why); !errors.Is(err, vpn.ErrResetReason) {
				t.Errorf("chosen password, %+v: got %v", why, err)
			}
			if _, err := r.s.ResetToken(ctx, alice, c.ID, "", why); !errors.Is(err, vpn.ErrResetReason) {
				t.Errorf("token, %+v: got %v", why, err)
			}
		}
		must(t, second(r.s.SetPassword(ctx, alice, c.ID, "Blue-Kettle-42", vpn.Reset{Reason: vpn.ReasonOther, Words: "you called from Lhasa"})))
		secret.Password = "Blue-Kettle-42"
		u := r.user(t, srv, secret)
		all, err := r.s.Acts(ctx, u)
		must(t, err)
		if all[0].Kind != vpn.ActPassword || all[0].Reason != vpn.ReasonOther || all[0].Words != "you called from Lhasa" || all[1].Kind != vpn.ActSecret {
			t.Errorf("got %+v", all)
		}
		leaves, err := r.audit.Leaves(ctx, audit.Filter{Type: "cred.reset"})
		must(t, err)
		if len(leaves) != 1 || leaves[0].Handle != c.Subject {
			t.Errorf("the log: got %+v", leaves)
		}
		if examined, found, err := r.s.Unreasoned(ctx); err != nil || examined != 1 || found != 0 {
			t.Errorf("evidence: %d of %d, %v", found, examined, err)
		}
	})
}

// Where a certificate alone signs in, its key signs a challenge, once.
func TestAUserOfACertificateSignsAChallenge(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, func(n *vpn.NewServer) {
			n.LoginMode, n.TwoFactor = vpn.LoginCertificate, false
		})
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		must(t, err)
		csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
		must(t, err)
		c, err := r.s.CreateClient(ctx, alice, vpn.NewClient{Server: srv.ID, Name: "zhang.san", CSR: csr})
		must(t, err)
		try := func(challenge, text string, certificate []byte) (vpn.UserEntry, error) {
			sum := sha256.Sum256([]byte(text))
			sig, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
			must(t, err)
			return r.s.LoginUser(ctx, vpn.UserLogin{
				Server: srv.ID, Source: netip.MustParseAddr("198.51.100.9"), Certificate: certificate, Challenge: challenge, Signature: sig,
			})
		}
		challenge, _, err := r.s.UserChallenge(ctx)
		must(t, err)
		if _, err := r.asUser(srv, c.Name, "anything"); !errors.Is(err, vpn.ErrUserLogin) {
			t.Errorf("a password: got %v", err)
		}
		if _, err := try(challenge, "something else", c.Certificate); !errors.Is(err, vpn.ErrUserLogin) {
			t.Errorf("another text: got %v", err)
		}
		made := strings.Replace(challenge, "vpn-user:", "vpn-user:9", 1)
		if _, err := try(made, made, c.Certificate); !errors.Is(err, vpn.ErrUserLogin) {
			t.Errorf("an invented challenge: got %v", err)
		}
		other, err := r.s.CreateClient(ctx, alice, vpn.NewClient{Server: srv.ID, Name: "li.si"})
		must(t, err)
		if _, err := try(challenge, challenge, other.Certificate); !errors.Is(err, vpn.ErrUserLogin) {
			t.Errorf("another's certificate: got %v", err)
		}
		e, err := try(challenge, challenge, c.Certificate)
		must(t, err)
		if u, err := r.s.AuthenticateUser(ctx, e.Token); err != nil || u.Client != c.ID {
			t.Errorf("got %+v, %v", u, err)
		}
		if _, err := try(challenge, challenge, c.Certificate); !errors.Is(err, vpn.ErrUserLogin) {
			t.Errorf("a second time: got %v", err)
		}
		late, _, err := r.s.UserChallenge(ctx)
		must(t, err)
		r.clock.Advance(6 * time.Minute)
		if _, err := try(late, late, c.Certificate); errs.KindOf(err) != errs.Unauthenticated {
			t.Errorf("too late: got %v", err)
		}
	})
}

// Who has the account deleted is out in the same transaction, and the
// administrator hears of it.
func TestAUserWhoLeavesIsOutAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.plainServer(t)
		c, secret := r.client(t, alice, srv.ID, "zhang.san")
		g := r.login(t, srv, c, secret)
		r.opened(t, g, "10.9.0.2")
		var told []vpn.ClientLeft
		job.Subscribe(r.queue, vpn.TopicClientLeft, "test", func(_ context.Context, e vpn.ClientLeft) error {
			told = append(told, e)
			return nil
		})
		before := r.wanted(t)
		must(t, r.db.InTx(ctx, func(tx *db.Tx) error { return second(r.s.LeaveTx(ctx, tx, c.Subject)) }))
		if d := r.wanted(t); d.Generation <= before.Generation || !strings.Contains(fmt.Sprintf("%+v", d), g.Session) {
			t.Errorf("the node is not told to end %s: %+v", g.Session, d)
		}
		must(t, r.queue.Drain(ctx))
		if len(told) != 1 || told[0] != (vpn.ClientLeft{Account: alice.Account, Client: c.ID, Gateway: c.Gateway}) {
			t.Errorf("got %+v", told)
		}
		a, err := r.say(srv, source(2), "", nil, "username", c.Name, "password", secret.Password)
		must(t, err)
		if a.Outcome == "granted" {
			t.Error("the client still signs in")
		}
	})
}
