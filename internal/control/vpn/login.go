package vpn

import (
	"context"
	"crypto/x509"
	"net/netip"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/fleet"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/totp"
)

// challengeLife is how long a person may take over the code.
const challengeLife = 300 * time.Second

// grantSettles is how long a grant counts as a session before the node has
// reported it.
const grantSettles = 60 * time.Second

// What a person reads. None says which factor was wrong or who exists.
const (
	textFailed      = "Login failed."
	textLocked      = "Too many failed attempts. Try again in 15 minutes."
	textUnavailable = "The VPN service is not available."
	textDraining    = "This VPN node is being taken out of service and takes no new logins. Try again later."
	textCertificate = "A valid client certificate is required."
	textFull        = "The number of connections is used up."
	textDayUsed     = "The traffic allowance of today is used up. It starts anew at 00:00 (UTC+8)."
	textMonthUsed   = "The traffic allowance of this month is used up. It starts anew on the first day of the next one."
	textUntrusted   = "Logins are not accepted from this network."
	textExpired     = "The login took too long. Start again."
	textNoFactor    = "The second factor is not set up. Ask your administrator."
)

// unavailable is for what is not the person's fault: 503 with the reason.
func unavailable(reason string) gwlink.LoginAnswer {
	return gwlink.LoginAnswer{Outcome: gwlink.OutcomeUnavailable, Reason: reason}
}

func refused(reason string) gwlink.LoginAnswer {
	return gwlink.LoginAnswer{Outcome: gwlink.OutcomeRefused, Reason: reason}
}

// Login answers one round of a login that a node forwards.
//
//	(nothing) ─▶ form main ─name, password─▶ form challenge ─code─▶ granted
//	                 ▲                │ wrong       ▲         │ wrong
//	                 └────────────────┘             └─────────┘   after 5: refused
//
// The certificate is checked in every round. An error means that nothing could
// be decided: the node answers 503.
func (s *Service) Login(ctx context.Context, node string, r gwlink.LoginRequest) (gwlink.LoginAnswer, error) {
	if !r.SourceIP.IsValid() || len(r.Fields) > 20 || len(r.PeerCertificate) > 16<<10 || len(r.PeerChain) > gwlink.MaxPeerChain {
		return gwlink.LoginAnswer{}, ErrLogin
	}
	srv, a, err := s.serverOfNode(ctx, node, r)
	if err != nil {
		return gwlink.LoginAnswer{}, err
	}
	if a.Draining {
		return unavailable(textDraining), nil
	}
	g, err := gatewayByID(ctx, s.db, srv.Gateway)
	if err != nil {
		return gwlink.LoginAnswer{}, err
	}
	if g.State == GatewayFrozen || g.State == GatewayDeleting || g.State == GatewayDeleted {
		return unavailable(textUnavailable), nil
	}
	if !srv.trusts(r.SourceIP) {
		s.log.InfoContext(ctx, "vpn login refused: not a trusted network", "server", srv.ID)
		return unavailable(textUntrusted), nil
	}
	l := login{s: s, request: r, server: srv, gateway: g, now: s.clock.Now()}
	return l.round(ctx)
}

func (s *Service) serverOfNode(ctx context.Context, node string, r gwlink.LoginRequest) (SSLServer, fleet.Assignment, error) {
	srv, err := serverByID(ctx, s.db, r.Server)
	if err != nil {
		return SSLServer{}, fleet.Assignment{}, err
	}
	a, err := s.fleet.Assignment(ctx, srv.Gateway)
	if err != nil {
		return SSLServer{}, fleet.Assignment{}, err
	}
	if a.Node != node || srv.Gateway != r.Gateway {
		return SSLServer{}, fleet.Assignment{}, ErrServerNotFound
	}
	return srv, a, nil
}

// login is one round with all that it is about.
type login struct {
	s           *Service
	request     gwlink.LoginRequest
	server      SSLServer
	gateway     Gateway
	certificate *x509.Certificate // verified; nil if none was shown
	now         time.Time
}

func (l login) round(ctx context.Context) (gwlink.LoginAnswer, error) {
	ok, err := l.checkCertificate(ctx)
	if err != nil {
		return gwlink.LoginAnswer{}, err
	}
	if !ok {
		return refused(textCertificate), nil
	}
	// A name comes with the first form only: a client that starts again may
	// still carry the conversation of before.
	if _, ok := l.request.Fields["username"]; ok {
		return l.password(ctx)
	}
	if l.request.Conversation != "" {
		return l.code(ctx)
	}
	return mainForm(""), nil
}

// checkCertificate verifies what the client proved to hold. Where the server
// asks for one, none is as bad as a wrong one.
func (l *login) checkCertificate(ctx context.Context) (bool, error) {
	if len(l.request.PeerCertificate) == 0 {
		return !l.server.RequireCertificate, nil
	}
	authorities, err := l.s.trust(ctx, l.server)
	if err != nil {
		return false, err
	}
	leaf, ok := verifyPeer(authorities, l.request, l.now)
	if !ok {
		return false, nil
	}
	gone, err := isRevoked(ctx, l.s.db, serialText(leaf.SerialNumber))
	if err != nil || gone {
		return false, err
	}
	l.certificate = leaf
	return true, nil
}

func mainForm(problem string) gwlink.LoginAnswer {
	return gwlink.LoginAnswer{Outcome: gwlink.OutcomeForm, Form: &gwlink.Form{
		ID: "main", Message: "Enter your account and password.", Error: problem,
		Fields: []gwlink.Field{{Name: "username", Label: "Username:", Kind: "text"}, {Name: "password", Label: "Password:", Kind: "password"}},
	}}
}

func challengeForm(conversation, problem string) gwlink.LoginAnswer {
	return gwlink.LoginAnswer{Outcome: gwlink.OutcomeForm, Conversation: conversation, Form: &gwlink.Form{
		ID:      "challenge",
		Message: "Enter the dynamic code.", Error: problem, Fields: []gwlink.Field{{Name: "secondary_password", Label: "Dynamic code:", Kind: "password"}},
	}}
}

// password is the round of name and password. The attempt is counted and
// committed before anything is compared; an unknown name costs the same work.
func (l login) password(ctx context.Context) (gwlink.LoginAnswer, error) {
	name, pw := l.request.Fields["username"], l.request.Fields["password"]
	if len(name) > 256 || len(pw) > 256 {
		return gwlink.LoginAnswer{}, ErrLogin
	}
	o, err := l.origin(ctx, name)
	if err != nil {
		return gwlink.LoginAnswer{}, err
	}
	n, err := l.s.countAttempt(ctx, o, l.now)
	if err != nil {
		return gwlink.LoginAnswer{}, err
	}
	if n > attemptsAllowed {
		return refused(textLocked), nil
	}
	c, ok, err := l.compare(ctx, name, pw)
	if err != nil {
		return gwlink.LoginAnswer{}, err
	}
	if ok {
		ok, err = l.belongs(ctx, c)
	}
	if err != nil {
		return gwlink.LoginAnswer{}, err
	}
	if !ok {
		return l.failed(n, mainForm(textFailed)), nil
	}
	if !l.server.TwoFactor || c.TwoFactorExempt {
		return l.grant(ctx, c, o, 0)
	}
	return l.challenge(ctx, c, o)
}

// failed answers a wrong factor: the same form, or the end at the last try.
func (l login) failed(n int64, again gwlink.LoginAnswer) gwlink.LoginAnswer {
	if n >= attemptsAllowed {
		return refused(textLocked)
	}
	return again
}

func (l login) compare(ctx context.Context, name, pw string) (SSLClient, bool, error) {
	c, err := clientByName(ctx, l.s.db, l.server.ID, name)
	if errs.IsNotFound(err) {
		return SSLClient{}, false, l.s.hasher.VerifyAbsent(ctx, pw)
	}
	if err != nil {
		return SSLClient{}, false, err
	}
	hash, err := db.Get(ctx, l.s.db, ErrClientNotFound, db.One[string], "SELECT password_hash FROM vpn_client WHERE id = $1", c.ID)
	if err != nil {
		return SSLClient{}, false, err
	}
	ok, err := l.s.hasher.Verify(ctx, hash, pw)
	return c, ok, err
}

// belongs reports whether the client may sign in now, with this certificate.
func (l login) belongs(ctx context.Context, c SSLClient) (bool, error) {
	if c.State != ClientEnabled || (!c.ExpiresAt.IsZero() && !l.now.Before(c.ExpiresAt)) {
		return false, nil
	}
	switch {
	case l.certificate == nil:
		return true, nil
	case len(l.server.ClientCAs) > 0:
		return l.server.identity(l.certificate) == c.Name, nil
	case l.certificate.Subject.CommonName != c.Name:
		return false, nil
	}
	return stillIssued(ctx, l.s.db, c.ID, serialText(l.certificate.SerialNumber))
}

// challenge opens a conversation for the code. The attempt just counted is
// given back, but earlier ones stay until the whole login has succeeded.
func (l login) challenge(ctx context.Context, c SSLClient, o origin) (gwlink.LoginAnswer, error) {
	if !c.HasTOTP {
		return refused(textNoFactor), nil
	}
	conversation := "vcv_" + id.Random(20)
	err := l.s.db.InTx(ctx, func(tx *db.Tx) error {
		if err := giveBack(ctx, tx, o); err != nil {
			return err
		}
		return l.insertConversation(ctx, tx, conversation, c, o)
	})
	if err != nil {
		return gwlink.LoginAnswer{}, err
	}
	return challengeForm(conversation, ""), nil
}

func (l login) insertConversation(ctx context.Context, tx *db.Tx, conversation string, c SSLClient, o origin) error {
	_, err := tx.Exec(ctx, "INSERT INTO vpn_conversation (id, server, client, origin, expires_at) VALUES ($1, $2, $3, $4, $5)",
		conversation, l.server.ID, c.ID, o.pair, db.Micros(l.now.Add(challengeLife)))
	return err
}

// code is the round of the code. The conversation is consumed before the code
// is compared, so that one conversation is one try.
func (l login) code(ctx context.Context) (gwlink.LoginAnswer, error) {
	c, o, err := l.consume(ctx)
	if errs.IsNotFound(err) {
		return refused(textExpired), nil
	}
	if err != nil {
		return gwlink.LoginAnswer{}, err
	}
	n, err := l.s.countAttempt(ctx, o, l.now)
	if err != nil {
		return gwlink.LoginAnswer{}, err
	}
	if n > attemptsAllowed {
		return refused(textLocked), nil
	}
	plain, err := l.s.open(ctx, loginReader, c, "totp_sealed")
	if err != nil {
		return gwlink.LoginAnswer{}, err
	}
	step, ok := totp.Step(string(plain["totp_sealed"]), l.typedCode(), l.now)
	if ok {
		if ok, err = l.belongs(ctx, c); err != nil {
			return gwlink.LoginAnswer{}, err
		}
	}
	if ok {
		answer, err := l.grant(ctx, c, o, step)
		if !isUsed(err) {
			return answer, err
		}
	}
	return l.again(ctx, c, o, n)
}

// typedCode finds the code under the names that clients give the field.
func (l login) typedCode() string {
	for _, name := range []string{"secondary_password", "answer", "password"} {
		if v := l.request.Fields[name]; v != "" {
			return v
		}
	}
	return ""
}

// again asks for another code in a new conversation, or ends.
func (l login) again(ctx context.Context, c SSLClient, o origin, n int64) (gwlink.LoginAnswer, error) {
	if n >= attemptsAllowed {
		return refused(textLocked), nil
	}
	next := "vcv_" + id.Random(20)
	err := l.s.db.InTx(ctx, func(tx *db.Tx) error { return l.insertConversation(ctx, tx, next, c, o) })
	if err != nil {
		return gwlink.LoginAnswer{}, err
	}
	return challengeForm(next, textFailed), nil
}

// consume takes the conversation away; NotFound if it is not this server's, of
// another source, over, or already taken.
func (l login) consume(ctx context.Context) (SSLClient, origin, error) {
	var clientID, pair string
	err := l.s.db.InTx(ctx, func(tx *db.Tx) error {
		got, err := db.Get(ctx, tx, ErrClientNotFound, func(r db.Row) (p [2]string, err error) { return p, r.Scan(&p[0], &p[1]) },
			"DELETE FROM vpn_conversation WHERE id = $1 AND server = $2 AND expires_at > $3 RETURNING client, origin",
			l.request.Conversation, l.server.ID, db.Micros(l.now))
		clientID, pair = got[0], got[1]
		return err
	})
	if err != nil {
		return SSLClient{}, origin{}, err
	}
	c, err := clientByID(ctx, l.s.db, clientID)
	if err != nil {
		return SSLClient{}, origin{}, err
	}
	o, err := l.origin(ctx, c.Name)
	if err == nil && o.pair != pair {
		err = ErrClientNotFound
	}
	return c, o, err
}

// origin is whence a login comes, as digests: the pair of account and source,
// which failures lock, and the source alone, which they slow. The account alone
// is never locked.
type origin struct{ pair, source string }

// origin of this round. IPv6 sources count by /64.
func (l login) origin(ctx context.Context, name string) (o origin, err error) {
	a := l.request.SourceIP.Unmap()
	if a.Is6() {
		a = netip.PrefixFrom(a, 64).Masked().Addr()
	}
	text := a.WithZone("").String()
	if o.source, err = l.s.digest(ctx, l.server.ID, text); err != nil {
		return origin{}, err
	}
	o.pair, err = l.s.digest(ctx, l.server.ID, name, text)
	return o, err
}
