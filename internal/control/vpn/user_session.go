package vpn

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/fleet"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// UserPath is the console's page of the rights of VPN users.
const UserPath = "/vpn-user"

// UserToken begins the token of a VPN user's session. It tells such a token from
// a customer's before anything is looked up.
const UserToken = "vpnu_"

// UserSessionLife is how long a VPN user's session on the page lasts, whatever
// is done in it.
const UserSessionLife = 30 * time.Minute

// userStepUp is how long after signing in sensitive acts are open.
const userStepUp = 10 * time.Minute

// UserSession is a VPN user who has signed in to the page of their rights (clause
// TY-0e). It opens no route of customers or staff: it is no account.Principal.
type UserSession struct {
	ID        string // vus_...
	Client    string
	Subject   id.Handle
	Name      string // the login name
	CreatedAt time.Time
	ExpiresAt time.Time

	gateway string
	account account.ID // whose client it is
}

// Principal is the user as the rights desk knows people: without an account, so
// that nothing of the customer's is theirs.
func (u UserSession) Principal() account.Principal {
	p := account.Principal{Subject: u.Subject, Session: u.ID, UserName: u.Name, StepUpUntil: u.CreatedAt.Add(userStepUp)}
	if mutant.Off("TY-0e") {
		p.Account = u.account
	}
	return p
}

// self is the user as methods for administrators know who acts. It stays in this
// package: with it, the administrator's things are within reach.
func (u UserSession) self() account.Principal {
	return account.Principal{Account: u.account, Subject: u.Subject, Session: u.ID}
}

// AuthenticateUser tells whose session a token is. Errors: ErrUserSession.
func (s *Service) AuthenticateUser(ctx context.Context, token string) (UserSession, error) {
	if !strings.HasPrefix(token, UserToken) || len(token) > 128 {
		return UserSession{}, ErrUserSession
	}
	return db.Get(ctx, s.db, ErrUserSession, scanUserSession, `SELECT u.id, u.client, c.subject, c.name, u.created_at, u.expires_at, c.gateway, c.account
		FROM vpn_user_session u JOIN vpn_client c ON c.id = u.client WHERE u.token_hash = $1 AND u.expires_at > $2`, hashUserToken(token), db.Micros(s.clock.Now()))
}

func scanUserSession(r db.Row) (u UserSession, err error) {
	var created, expires int64
	err = r.Scan(&u.ID, &u.Client, &u.Subject, &u.Name, &created, &expires, &u.gateway, &u.account)
	u.CreatedAt, u.ExpiresAt = db.FromMicros(created), db.FromMicros(expires)
	return u, err
}

// hashUserToken is what is kept of a token, which has 32 random characters.
func hashUserToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// SignOutUser ends a session on the page.
func (s *Service) SignOutUser(ctx context.Context, u UserSession) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "DELETE FROM vpn_user_session WHERE id = $1", u.ID)
		return err
	})
}

// endUserSessionsTx ends what was proven by a password or token that is no more.
func endUserSessionsTx(ctx context.Context, tx *db.Tx, client string) error {
	_, err := tx.Exec(ctx, "DELETE FROM vpn_user_session WHERE client = $1", client)
	return err
}

// UserProfile is what is held of a VPN user in their login account.
type UserProfile struct {
	SSLClient
	ServerName  string
	GatewayName string
	Region      string
	Host        string // to connect by
	Mode        LoginMode
	TwoFactor   bool // the server asks for a code
}

// Profile is the login account of a VPN user.
func (s *Service) Profile(ctx context.Context, u UserSession) (p UserProfile, err error) {
	if p.SSLClient, err = s.Client(ctx, u.account, u.Client); err != nil {
		return p, err
	}
	srv, err := s.Server(ctx, u.account, p.Server)
	if err != nil {
		return p, err
	}
	g, err := gatewayByID(ctx, s.db, u.gateway)
	p.ServerName, p.GatewayName, p.Region, p.Mode, p.TwoFactor = srv.Name, g.Name, g.Region, srv.LoginMode, srv.TwoFactor && !p.TwoFactorExempt
	if len(srv.ServerNames) > 0 {
		p.Host = srv.ServerNames[0]
	}
	return p, err
}

// UserSessions lists the session log of a VPN user, newest first, with its
// addresses; their reading is recorded.
func (s *Service) UserSessions(ctx context.Context, u UserSession, page Page) (all []fleet.Session, next string, err error) {
	all, err = s.fleet.Sessions(ctx, fleet.Filter{Gateways: []string{u.gateway}, Client: u.Client, Before: page.Cursor, Limit: page.limit() + 1})
	if err != nil {
		return nil, "", err
	}
	all, next = cut(all, page.limit(), func(v fleet.Session) string { return v.ID })
	return all, next, s.fleet.OpenAddresses(ctx, readerOf(u.self()), "vpn", all)
}

// EndUserTunnels ends all VPN sessions of a user who asks for it.
func (s *Service) EndUserTunnels(ctx context.Context, u UserSession) error {
	return s.Disconnect(ctx, u.self(), u.Client)
}

// UserDevices lists the devices of a user.
func (s *Service) UserDevices(ctx context.Context, u UserSession) ([]Device, error) {
	return s.Devices(ctx, u.self(), u.Client)
}

// ForgetUserDevice removes a device of a user.
func (s *Service) ForgetUserDevice(ctx context.Context, u UserSession, device string) error {
	return s.RemoveDevice(ctx, u.self(), u.Client, device)
}

// UserTx is the user of a handle, for a transaction that ends what is theirs;
// ErrClientNotFound once the client is deleted.
func (s *Service) UserTx(ctx context.Context, tx *db.Tx, subject id.Handle) (User, error) {
	return db.Get(ctx, tx, ErrClientNotFound, scanUser, "SELECT id, account, subject FROM vpn_client WHERE subject = $1", string(subject))
}

// LeaveTx shuts a client whose user has it deleted, and tells its administrator.
// The rows and keys go by an erasure.
func (s *Service) LeaveTx(ctx context.Context, tx *db.Tx, subject id.Handle) (User, error) {
	u, err := s.UserTx(ctx, tx, subject)
	if err != nil {
		return u, err
	}
	if err := s.ShutClientTx(ctx, tx, u.Client); err != nil {
		return u, err
	}
	c, err := clientByID(ctx, tx, u.Client)
	if err != nil {
		return u, err
	}
	return u, s.queue.PublishTx(ctx, tx, TopicClientLeft, ClientLeft{Account: c.Account, Client: c.ID, Gateway: c.Gateway})
}

// ShutUserTx shuts the client of a user who reports that somebody else uses it.
// One that is gone is no error.
func (s *Service) ShutUserTx(ctx context.Context, tx *db.Tx, subject id.Handle) error {
	u, err := s.UserTx(ctx, tx, subject)
	if errs.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := endUserSessionsTx(ctx, tx, u.Client); err != nil {
		return err
	}
	return s.ShutClientTx(ctx, tx, u.Client)
}
