package vpn

import (
	"context"
	"crypto/x509"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/fleet"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
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

// refused is 401, for nothing but too many tries: of that openconnect shows the
// reason with --verbose alone.
func refused(reason string) gwlink.LoginAnswer {
	return gwlink.LoginAnswer{Outcome: gwlink.OutcomeRefused, Reason: reason}
}

// Login answers one round of a login that a node forwards.
//
//	(nothing) ─▶ form main ─name, password─▶ form challenge ─code─▶ granted
//	                 ▲                │ wrong       ▲         │ wrong
//	                 └────────────────┘             └─────────┘   after 5: refused
//
// For what a software token adds see factor.go. The certificate is checked in
// every round. An error means that nothing could be decided: the node answers 503.
func (s *Service) Login(ctx context.Context, node string, r gwlink.LoginRequest) (gwlink.LoginAnswer, error) {
	if !r.SourceIP.IsValid() || len(r.Fields) > 20 || len(r.Group) > 256 || len(r.PeerCertificate) > 16<<10 || len(r.PeerChain) > gwlink.MaxPeerChain || !r.Device.Fits() {
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
	shut := g.State == GatewayFrozen || g.State == GatewayDeleting || g.State == GatewayDeleted
	if shut && !mutant.Off("TY-2.1") {
		return unavailable(textUnavailable), nil
	}
	if !srv.trusts(r.SourceIP) {
		s.log.InfoContext(ctx, "vpn login refused: not a trusted network", "server", srv.ID)
		return unavailable(textUntrusted), nil
	}
	l := login{s: s, request: r, server: srv, gateway: g, now: s.clock.Now()}
	return l.judged(ctx)
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
	certificate *x509.Certificate      // verified; nil if none was shown
	path        []gwlink.CertificateID // of it and of what it is verified by
	now         time.Time
	page        *page // nil: into the VPN
}

func (l login) round(ctx context.Context) (gwlink.LoginAnswer, error) {
	ok, err := l.checkCertificate(ctx)
	if err != nil {
		return gwlink.LoginAnswer{}, err
	}
	if !ok {
		return closed(gwlink.TextCertificate), nil
	}
	if l.server.LoginMode == LoginCertificate && l.request.Conversation == "" {
		return l.byCertificate(ctx)
	}
	// A name comes with the first form only: a client that starts again may
	// still carry the conversation of before.
	if _, ok := l.request.Fields["username"]; ok && l.server.LoginMode.wantsPassword() {
		return l.password(ctx)
	}
	if l.request.Conversation != "" {
		return l.next(ctx)
	}
	return l.mainForm(""), nil
}

// checkCertificate verifies what the client proved to hold. Where the server
// asks for one, none is as bad as a wrong one.
func (l *login) checkCertificate(ctx context.Context) (bool, error) {
	if len(l.request.PeerCertificate) == 0 {
		// A page in a browser sees no certificate: there the password suffices.
		return !l.server.LoginMode.wantsCertificate() || l.page != nil && l.server.LoginMode.wantsPassword() || l.onward(), nil
	}
	authorities, err := l.s.trust(ctx, l.server)
	if err != nil {
		return false, err
	}
	leaf, chains, ok := verifyPeer(authorities, l.request, l.now)
	if !ok {
		return false, nil
	}
	gone, err := isRevoked(ctx, l.s.db, serialText(leaf.SerialNumber))
	if err != nil || gone {
		return false, err
	}
	path := gwlink.PathOf(chains)
	gone, err = isBlocked(ctx, l.s.db, l.server.ID, path)
	if err != nil || gone {
		return false, err
	}
	l.certificate, l.path = leaf, path
	return true, nil
}

// closed ends a login with a form without a field: openconnect prints its error
// and ends, where a status would leave the person without a reason.
func closed(reason string) gwlink.LoginAnswer {
	return gwlink.LoginAnswer{Outcome: gwlink.OutcomeForm, Form: &gwlink.Form{ID: "main", Error: reason, Fields: []gwlink.Field{}}}
}

// expired is for a conversation that is over, or never was: the person starts
// again where there is a form to start with.
func (l login) expired() gwlink.LoginAnswer {
	if l.server.LoginMode.wantsPassword() {
		return l.mainForm(textExpired)
	}
	return closed(textExpired)
}

// byCertificate is the whole login where a certificate alone suffices, or the
// round before the code. It counts as a try, as any other.
func (l login) byCertificate(ctx context.Context) (gwlink.LoginAnswer, error) {
	c, err := clientByName(ctx, l.s.db, l.server.ID, l.certified())
	if errs.IsNotFound(err) {
		return closed(gwlink.TextCertificate), nil
	}
	if err != nil {
		return gwlink.LoginAnswer{}, err
	}
	ok, err := l.belongs(ctx, c)
	if err != nil {
		return gwlink.LoginAnswer{}, err
	}
	if !ok {
		return closed(gwlink.TextCertificate), nil
	}
	o, err := l.origin(ctx, c.Name)
	if err != nil {
		return gwlink.LoginAnswer{}, err
	}
	n, err := l.s.countAttempt(ctx, o, l.now)
	if err != nil {
		return gwlink.LoginAnswer{}, err
	}
	if n > attemptsAllowed {
		return l.locked(ctx, o)
	}
	return l.proven(ctx, c, o)
}

// proven is what follows when all but the code is proven.
func (l login) proven(ctx context.Context, c SSLClient, o origin) (gwlink.LoginAnswer, error) {
	if !l.needsCode(c) {
		return l.grant(ctx, c, o, found{})
	}
	if !c.HasToken {
		return closed(textNoFactor), l.excuse(ctx, o)
	}
	return l.proceed(ctx, c, o, conversation{awaits: awaitsCode}, "")
}

func (l login) mainForm(problem string) gwlink.LoginAnswer {
	return gwlink.LoginAnswer{Outcome: gwlink.OutcomeForm, Form: &gwlink.Form{
		ID: "main", Message: "Enter your account and password.", Error: problem,
		Fields: []gwlink.Field{{Name: "username", Label: "Username:", Kind: "text"}, {Name: "password", Label: "Password:", Kind: "password"}},
		Groups: l.server.wireGroups(), Group: l.group(),
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
		return l.locked(ctx, o)
	}
	c, ok, err := l.compare(ctx, name, pw)
	if err != nil {
		return gwlink.LoginAnswer{}, err
	}
	if !ok {
		return l.withCode(ctx, c, o, n, pw)
	}
	ok, err = l.belongs(ctx, c)
	if err != nil {
		return gwlink.LoginAnswer{}, err
	}
	if !ok {
		return l.failed(ctx, c, o, n, l.mainForm(textFailed))
	}
	return l.proven(ctx, c, o)
}

func (l login) needsCode(c SSLClient) bool { return l.server.TwoFactor && !c.TwoFactorExempt }

// failed answers a wrong factor, and says whose it was: the same form, or the end at the last try.
// c is without id when there is no such client.
func (l login) failed(ctx context.Context, c SSLClient, o origin, n int64, again gwlink.LoginAnswer) (gwlink.LoginAnswer, error) {
	if err := l.blame(ctx, c, o, n >= attemptsAllowed); err != nil {
		return gwlink.LoginAnswer{}, err
	}
	if n >= attemptsAllowed {
		again = refused(textLocked)
	}
	again.Failed, again.Client = true, c.ID
	return again, nil
}

// locked answers a try of a pair that has failed too often. Nothing is compared;
// what the node counts of it is the client's all the same.
func (l login) locked(ctx context.Context, o origin) (gwlink.LoginAnswer, error) {
	whose, err := db.Select(ctx, l.s.db, db.One[string], "SELECT client FROM vpn_attempt WHERE origin = $1", o.pair)
	a := refused(textLocked)
	if len(whose) > 0 {
		a.Client = whose[0]
	}
	return a, err
}

func (l login) compare(ctx context.Context, name, pw string) (SSLClient, bool, error) {
	c, err := clientByName(ctx, l.s.db, l.server.ID, name)
	if errs.IsNotFound(err) {
		return SSLClient{}, false, l.s.hasher.VerifyAbsent(ctx, pw)
	}
	if err != nil {
		return SSLClient{}, false, err
	}
	ok, err := l.verify(ctx, c, pw)
	return c, ok, err
}

func (l login) verify(ctx context.Context, c SSLClient, pw string) (bool, error) {
	hash, err := db.Get(ctx, l.s.db, ErrClientNotFound, db.One[string], "SELECT password_hash FROM vpn_client WHERE id = $1", c.ID)
	if err != nil {
		return false, err
	}
	return l.s.hasher.Verify(ctx, hash, pw)
}

// belongs reports whether the client may sign in now, with this certificate, to
// this group.
func (l login) belongs(ctx context.Context, c SSLClient) (bool, error) {
	if l.page == nil && (!c.able(l.now) || !l.admits(c)) {
		return false, nil
	}
	switch {
	case l.certificate == nil:
		return true, nil
	case l.certified() != c.Name:
		return false, nil
	case len(l.server.ClientCAs) > 0:
		return true, nil // not ours to have issued
	}
	return stillIssued(ctx, l.s.db, c.ID, serialText(l.certificate.SerialNumber))
}

// certified is the client's name in the certificate that it showed; empty if
// there is none.
func (l login) certified() string {
	if len(l.server.ClientCAs) > 0 {
		return l.server.identity(l.certificate)
	}
	return l.certificate.Subject.CommonName
}

// origin is whence a login comes, as digests: the pair of account and source,
// which failures lock, and the source alone, which they slow. The account alone
// is never locked.
type origin struct{ pair, source string }

// origin of this round.
func (l login) origin(ctx context.Context, name string) (o origin, err error) {
	text := sourceText(l.request.SourceIP)
	if o.source, err = l.s.digest(ctx, l.server.ID, text); err != nil {
		return origin{}, err
	}
	o.pair, err = l.s.digest(ctx, l.server.ID, name, text)
	return o, err
}
