package vpn

import (
	"context"
	"net/netip"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

const clientColumns = `SELECT id, server, gateway, account, subject, name, state, token_kind, totp_sealed IS NOT NULL, totp_step, token_drift,
	password_until, key_until, token_until, serial, certificate, not_after,
	up_rate, down_rate, fixed_ip, fixed_ip6, routes, two_factor_exempt, max_sessions, expires_at, member_of, daily_quota, monthly_quota, pardoned_at, device_approval, description, version, created_at, updated_at FROM vpn_client`

func scanClient(r db.Row) (c SSLClient, err error) {
	var untilPassword, untilKey, untilToken, notAfter, exempt, max, expires, approval, created, updated int64
	var fixed, fixed6, routes, groups string
	err = r.Scan(&c.ID, &c.Server, &c.Gateway, &c.Account, &c.Subject, &c.Name, &c.State, &c.Token, &c.HasToken, &c.tokenStep, &c.tokenDrift,
		&untilPassword, &untilKey, &untilToken, &c.Serial, &c.Certificate, &notAfter,
		&c.UpRate, &c.DownRate, &fixed, &fixed6, &routes, &exempt, &max, &expires, &groups, &c.DailyQuota, &c.MonthlyQuota, &c.pardoned, &approval, &c.Description, &c.Version, &created, &updated)
	if err != nil {
		return SSLClient{}, err
	}
	c.Readable = Readable{db.FromMicros(untilPassword), db.FromMicros(untilKey), db.FromMicros(untilToken)}
	c.NotAfter, c.ExpiresAt = db.FromMicros(notAfter), db.FromMicros(expires)
	c.CreatedAt, c.UpdatedAt = db.FromMicros(created), db.FromMicros(updated)
	c.TwoFactorExempt, c.MaxSessions, c.DeviceApproval = exempt != 0, int(max), approval != 0
	if c.Groups, err = parseGroups(groups); err != nil {
		return SSLClient{}, err
	}
	if c.FixedIP, err = parseAddr(fixed); err != nil {
		return SSLClient{}, err
	}
	if c.FixedIP6, err = parseAddr(fixed6); err != nil {
		return SSLClient{}, err
	}
	c.Routes, err = parseRoutes(routes)
	return c, err
}

// parseAddr is the inverse of addrText.
func parseAddr(text string) (netip.Addr, error) {
	if text == "" {
		return netip.Addr{}, nil
	}
	return netip.ParseAddr(text)
}

func clientFor(ctx context.Context, q db.Q, owner account.ID, client string) (SSLClient, error) {
	return db.Get(ctx, q, ErrClientNotFound, scanClient, clientColumns+" WHERE id = $1 AND account = $2", client, string(owner))
}

func clientByID(ctx context.Context, q db.Q, client string) (SSLClient, error) {
	return db.Get(ctx, q, ErrClientNotFound, scanClient, clientColumns+" WHERE id = $1", client)
}

func clientByName(ctx context.Context, q db.Q, server, name string) (SSLClient, error) {
	return db.Get(ctx, q, ErrClientNotFound, scanClient, clientColumns+" WHERE server = $1 AND name = $2", server, name)
}

func clientsFor(ctx context.Context, q db.Q, owner account.ID, server string, page Page) ([]SSLClient, error) {
	return db.Select(ctx, q, scanClient, clientColumns+" WHERE account = $1 AND ($2 = '' OR server = $2) AND id > $3 ORDER BY id LIMIT $4",
		string(owner), server, page.Cursor, int64(page.limit()+1))
}

func clientsOfServer(ctx context.Context, q db.Q, server string) ([]SSLClient, error) {
	return db.Select(ctx, q, scanClient, clientColumns+" WHERE server = $1 ORDER BY id", server)
}

func countClients(ctx context.Context, q db.Q, server string) (int64, error) {
	return db.Get(ctx, q, nil, db.One[int64], "SELECT count(*) FROM vpn_client WHERE server = $1", server)
}

// clientIsUnique says which of the unique values of a client is taken.
func clientIsUnique(ctx context.Context, q db.Q, c SSLClient) error {
	n, err := db.Get(ctx, q, nil, db.One[int64], "SELECT count(*) FROM vpn_client WHERE server = $1 AND name = $2 AND id <> $3", c.Server, c.Name, c.ID)
	if err != nil {
		return err
	}
	if n > 0 {
		return ErrNameDuplicate
	}
	n, err = db.Get(ctx, q, nil, db.One[int64], `SELECT count(*) FROM vpn_client WHERE server = $1 AND id <> $4
		AND ((fixed_ip <> '' AND fixed_ip = $2) OR (fixed_ip6 <> '' AND fixed_ip6 = $3))`, c.Server, addrText(c.FixedIP), addrText(c.FixedIP6), c.ID)
	if err == nil && n > 0 {
		err = ErrFixedIPTaken
	}
	return err
}

func addrText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

func insertClient(ctx context.Context, tx *db.Tx, c SSLClient, m material) error {
	err := tx.ExecOne(ctx, ErrNameDuplicate, `INSERT INTO vpn_client (id, server, gateway, account, subject, name, state, password_hash,
		password_sealed, key_sealed, totp_sealed, totp_step, secret_until, password_until, key_until, token_until, serial, certificate, not_after, up_rate, down_rate, fixed_ip, fixed_ip6, routes,
		two_factor_exempt, max_sessions, expires_at, token_kind, member_of, daily_quota, monthly_quota, device_approval, description, version, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, $12, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $31, $32, 1, $30, $30) ON CONFLICT DO NOTHING`,
		c.ID, c.Server, c.Gateway, string(c.Account), string(c.Subject), c.Name, string(c.State), m.hash, blob(m.sealedPassword), blob(m.sealedKey), blob(m.sealedTOTP),
		db.Micros(c.Readable.Password), db.Micros(c.Readable.Key), db.Micros(c.Readable.Token), c.Serial, c.Certificate, db.Micros(c.NotAfter), c.UpRate, c.DownRate, addrText(c.FixedIP), addrText(c.FixedIP6), routesText(c.Routes),
		db.Bool(c.TwoFactorExempt), int64(c.MaxSessions), db.Micros(c.ExpiresAt), string(c.Token), groupsText(c.Groups),
		c.DailyQuota, c.MonthlyQuota, db.Micros(c.CreatedAt), db.Bool(c.DeviceApproval), c.Description)
	if err != nil {
		return err
	}
	return insertIssued(ctx, tx, id.ResourceOf("cert", c.ID), c, m.certificate, c.CreatedAt)
}

func updateClient(ctx context.Context, tx *db.Tx, c SSLClient, now time.Time) error {
	return tx.ExecOne(ctx, db.ErrRetry, `UPDATE vpn_client SET state = $1, up_rate = $2, down_rate = $3, fixed_ip = $4, fixed_ip6 = $14, routes = $15, two_factor_exempt = $5,
		max_sessions = $6, expires_at = $7, member_of = $8, daily_quota = $9, monthly_quota = $10, device_approval = $16, description = $17,
		version = version + 1, updated_at = $11 WHERE id = $12 AND version = $13`,
		string(c.State), c.UpRate, c.DownRate, addrText(c.FixedIP), db.Bool(c.TwoFactorExempt), int64(c.MaxSessions), db.Micros(c.ExpiresAt),
		groupsText(c.Groups), c.DailyQuota, c.MonthlyQuota, db.Micros(now), c.ID, c.Version,
		addrText(c.FixedIP6), routesText(c.Routes), db.Bool(c.DeviceApproval), c.Description)
}
