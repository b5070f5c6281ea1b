package vpn

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/x509"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// UserLogin is one round of signing in to the page of a VPN user's rights.
type UserLogin struct {
	Server       string // host name that the user connects to, with or without port, or the server's id
	Source       netip.Addr
	Name         string
	Password     string
	Conversation string // of the round before; then Answer is the code or password that it asks for
	Answer       string
	Certificate  []byte // DER, where the certificate alone signs in; with Challenge and Signature
	Challenge    string // of UserChallenge
	Signature    []byte // over the challenge, by the certificate's key: ECDSA (ASN.1) or RSA PKCS #1 v1.5 with SHA-256, or Ed25519
}

// What a user is asked for next.
const (
	UserAsksCode     = "code"
	UserAsksNextCode = "next_code" // the code that follows the one given
	UserAsksPassword = "password"
)

// UserEntry is what a round led to: a session, or the next question.
type UserEntry struct {
	Session      UserSession
	Token        string // of the session; empty while there is none
	Conversation string // to go on with
	Asks         string // one of the UserAsks
	Wrong        bool   // the answer of this round was wrong
}

// page makes a login one of the page of a user's rights: it ends in a session
// there and not in a grant. A disabled or expired client, a frozen gateway, groups
// and trusted networks keep nobody from their rights.
type page struct {
	entry UserEntry
	proof string // digest of the challenge that was signed; empty without one
}

// LoginUser answers one round of signing in to the page. It counts, locks and
// bans like Login, in the same counters, and answers the same for a wrong
// password, an unknown name and an unknown server. Errors: ErrUserLogin,
// ErrUserLocked, ErrUserToken, ErrLogin.
func (s *Service) LoginUser(ctx context.Context, in UserLogin) (UserEntry, error) {
	if !in.Source.IsValid() || len(in.Server) > 300 || len(in.Certificate) > 16<<10 || len(in.Signature) > 1<<10 || len(in.Challenge) > 200 || len(in.Conversation) > 64 {
		return UserEntry{}, ErrLogin
	}
	srv, err := s.serverCalled(ctx, in.Server)
	if err != nil {
		return UserEntry{}, err
	}
	l := login{s: s, server: srv, now: s.clock.Now(), page: &page{}}
	l.request = gwlink.LoginRequest{Server: srv.ID, Gateway: srv.Gateway, SourceIP: in.Source, Conversation: in.Conversation, Fields: in.fields()}
	if len(in.Certificate) > 0 {
		if l.page.proof, err = s.possession(ctx, srv, in); err != nil {
			return UserEntry{}, err
		}
		l.request.PeerCertificate = in.Certificate
	}
	a, err := l.judged(ctx)
	if err != nil {
		return UserEntry{}, err
	}
	return l.page.answer(a)
}

func (in UserLogin) fields() map[string]string {
	switch {
	case in.Conversation != "":
		return map[string]string{"answer": in.Answer}
	case len(in.Certificate) > 0:
		return nil
	}
	return map[string]string{"username": in.Name, "password": in.Password}
}

// answer tells what a round of the login says in terms of the page.
func (p *page) answer(a gwlink.LoginAnswer) (UserEntry, error) {
	e := p.entry
	switch {
	case a.Outcome == gwlink.OutcomeGranted:
		return e, nil
	case a.Outcome != gwlink.OutcomeForm:
		return UserEntry{}, ErrUserLocked
	case a.Conversation != "":
		e.Conversation, e.Wrong = a.Conversation, a.Failed
		return e, nil
	case a.Form.Error == textNoFactor:
		return UserEntry{}, ErrUserToken
	}
	return UserEntry{}, ErrUserLogin
}

// asks tells the page what a conversation waits for.
func (p *page) asks(v awaits) {
	p.entry.Asks = map[awaits]string{
		awaitsCode: UserAsksCode, awaitsNext: UserAsksNextCode, awaitsNextFirst: UserAsksNextCode, awaitsPassword: UserAsksPassword,
	}[v]
}

// onward tells that a round of the page follows one that proved the certificate.
func (l login) onward() bool { return l.page != nil && l.request.Conversation != "" }

// enter ends a login with a session on the page.
func (l login) enter(ctx context.Context, c SSLClient, o origin, code found) (gwlink.LoginAnswer, error) {
	u := UserSession{
		ID: id.New("vus"), Client: c.ID, Subject: c.Subject, Name: c.Name, CreatedAt: l.now, ExpiresAt: l.now.Add(UserSessionLife),
		gateway: c.Gateway, account: c.Account,
	}
	token, proof := UserToken+id.Random(32), l.page.proof
	if proof == "" {
		proof = u.ID
	}
	err := l.s.db.InTx(ctx, func(tx *db.Tx) error {
		if err := l.spend(ctx, tx, c, code); err != nil {
			return err
		}
		if err := forgive(ctx, tx, o); err != nil {
			return err
		}
		if err := l.spendRecovery(ctx, tx, c, code); err != nil {
			return err
		}
		err := tx.ExecOne(ctx, ErrUserLogin, `INSERT INTO vpn_user_session (id, token_hash, client, proof, created_at, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
			u.ID, hashUserToken(token), u.Client, proof, db.Micros(u.CreatedAt), db.Micros(u.ExpiresAt))
		if err != nil {
			return err
		}
		return l.s.record(ctx, tx, account.Principal{Account: c.Account, Subject: c.Subject, Session: u.ID}, "vpn.user_signed_in", map[string]string{"client": c.ID})
	})
	if err != nil {
		return gwlink.LoginAnswer{}, err
	}
	l.page.entry = UserEntry{Session: u, Token: token}
	return gwlink.LoginAnswer{Outcome: gwlink.OutcomeGranted}, nil
}

// noServer is what a login is tried at that names no server: it has no clients.
func noServer() SSLServer {
	return SSLServer{ID: "sslsrv-nobody", Settings: Settings{LoginMode: LoginPassword}}
}

// serverCalled finds a server by a name that its users know, or noServer.
func (s *Service) serverCalled(ctx context.Context, name string) (SSLServer, error) {
	name = hostOf(name)
	own := strings.TrimSuffix(name, "."+s.config.BaseDomain)
	v, err := serverByID(ctx, s.db, own)
	if !errs.IsNotFound(err) {
		return v, err
	}
	v, err = db.Get(ctx, s.db, ErrServerNotFound, scanServer, serverColumns+" WHERE id = (SELECT server FROM vpn_server_alias WHERE name = $1)", name)
	if errs.IsNotFound(err) {
		return noServer(), nil
	}
	return v, err
}

// hostOf is the host in what people take for an address: https://host:port/group.
func hostOf(name string) string {
	name = strings.ToLower(strings.TrimSpace(name))
	name = strings.TrimPrefix(name, "https://")
	name, _, _ = strings.Cut(name, "/")
	if host, _, err := net.SplitHostPort(name); err == nil {
		name = host
	}
	return strings.TrimSuffix(name, ".")
}

// challengeText begins what a key signs, so that its signature is good for
// nothing else.
const challengeText = "skybridge-vpn-user"

// UserChallenge is what the user of a certificate-only server signs with the
// certificate's key, within five minutes. It tells nothing of the server.
func (s *Service) UserChallenge(ctx context.Context) (text string, until time.Time, err error) {
	until = s.clock.Now().Add(challengeLife)
	text = challengeText + ":" + strconv.FormatInt(until.Unix(), 10) + ":" + id.Random(20)
	mac, err := s.digest(ctx, challengeText, text)
	return text + ":" + mac, until, err
}

// possession checks that whoever shows a certificate has its key, and returns the
// digest of the challenge, which is good once. Errors: ErrUserLogin.
func (s *Service) possession(ctx context.Context, srv SSLServer, in UserLogin) (string, error) {
	i := strings.LastIndexByte(in.Challenge, ':')
	if i < 0 || srv.LoginMode != LoginCertificate {
		return "", ErrUserLogin
	}
	mac, err := s.digest(ctx, challengeText, in.Challenge[:i])
	if err != nil {
		return "", err
	}
	parts := strings.Split(in.Challenge, ":")
	if !hmac.Equal([]byte(mac), []byte(in.Challenge[i+1:])) || len(parts) != 4 {
		return "", ErrUserLogin
	}
	until, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil || s.clock.Now().Unix() >= until || !signed(in) {
		return "", ErrUserLogin
	}
	return hashUserToken(in.Challenge), nil
}

func signed(in UserLogin) bool {
	leaf, err := x509.ParseCertificate(in.Certificate)
	if err != nil {
		return false
	}
	how := x509.UnknownSignatureAlgorithm
	switch leaf.PublicKey.(type) {
	case *ecdsa.PublicKey:
		how = x509.ECDSAWithSHA256
	case *rsa.PublicKey:
		how = x509.SHA256WithRSA
	case ed25519.PublicKey:
		how = x509.PureEd25519
	}
	return leaf.CheckSignature(how, []byte(in.Challenge), in.Signature) == nil
}
