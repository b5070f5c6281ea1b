package vpn

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// User is the person who signs in as an SSL client.
type User struct {
	Client  string
	Account account.ID // whose client it is
	Subject id.Handle
}

func scanUser(r db.Row) (u User, err error) { return u, r.Scan(&u.Client, &u.Account, &u.Subject) }

// Users lists the users of SSL clients by client, from after on, at most limit;
// of one account unless it is empty.
func (s *Service) Users(ctx context.Context, a account.ID, after string, limit int) ([]User, error) {
	return db.Select(ctx, s.db, scanUser, "SELECT id, account, subject FROM vpn_client WHERE id > $1 AND ($2 = '' OR account = $2) ORDER BY id LIMIT $3",
		after, string(a), limit)
}

// UserOf is the user of a client; ErrClientNotFound once the client is deleted.
func (s *Service) UserOf(ctx context.Context, client string) (User, error) {
	return db.Get(ctx, s.db, ErrClientNotFound, scanUser, "SELECT id, account, subject FROM vpn_client WHERE id = $1", client)
}

// GatewayAccounts lists accounts that have a gateway, from after on: at most
// limit.
func (s *Service) GatewayAccounts(ctx context.Context, after account.ID, limit int) ([]account.ID, error) {
	return db.Select(ctx, s.db, db.One[account.ID], "SELECT DISTINCT account FROM vpn_gateway WHERE account > $1 ORDER BY account LIMIT $2", string(after), limit)
}

// ClientOf returns the SSL client whose user has a handle, or ErrClientNotFound.
func (s *Service) ClientOf(ctx context.Context, user id.Handle) (string, error) {
	return db.Get(ctx, s.db, ErrClientNotFound, db.One[string], "SELECT id FROM vpn_client WHERE subject = $1", string(user))
}
