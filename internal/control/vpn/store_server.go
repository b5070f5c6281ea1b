package vpn

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

const serverColumns = `SELECT id, gateway, account, name, port, udp, state, settings, ca, chain,
	(SELECT c.chain FROM vpn_certificate c JOIN vpn_certificate_use u ON u.certificate = c.id WHERE u.resource = vpn_server.id AND u.purpose = 'server'),
	version, created_at, updated_at FROM vpn_server`

func scanServer(r db.Row) (v SSLServer, err error) {
	var port, udp, created, updated int64
	var settings, name string
	var chain, shown []byte
	err = r.Scan(&v.ID, &v.Gateway, &v.Account, &name, &port, &udp, &v.State, &settings, &v.CA, &chain, &shown, &v.Version, &created, &updated)
	if err != nil {
		return SSLServer{}, err
	}
	if v.Settings, err = readSettings(settings); err != nil {
		return SSLServer{}, fmt.Errorf("settings of %s: %w", v.ID, err)
	}
	v.Name, v.Port, v.UDP = name, int(port), udp != 0
	v.CreatedAt, v.UpdatedAt = db.FromMicros(created), db.FromMicros(updated)
	if v.Chain, err = splitChain(chain); err != nil {
		return SSLServer{}, err
	}
	v.Uploaded, err = splitChain(shown)
	return v, err
}

// storedSettings is Settings as Go names it, and RequireCertificate, which rows
// of before have in the place of LoginMode.
type storedSettings struct {
	Settings
	RequireCertificate bool
}

// readSettings gives fields that a newer release added their defaults. Phones
// had the common idle time before they had one of their own, and clients never
// heard of a shorter rekey time than the least.
func readSettings(text string) (Settings, error) {
	v := storedSettings{DefaultSettings(), true}
	v.LoginMode, v.MobileIdleTimeout = "", -1
	err := json.Unmarshal([]byte(text), &v)
	if v.MobileIdleTimeout < 0 {
		v.MobileIdleTimeout = v.IdleTimeout
	}
	v.RekeyTime = max(v.RekeyTime, leastRekey)
	switch {
	case v.LoginMode != "":
	case v.RequireCertificate:
		v.LoginMode = LoginPasswordCertificate
	default:
		v.LoginMode = LoginPassword
	}
	return v.Settings, err
}

func writeSettings(c Settings) (string, error) {
	b, err := json.Marshal(storedSettings{c, c.LoginMode.wantsCertificate()})
	return string(b), err
}

func serverByID(ctx context.Context, q db.Q, server string) (SSLServer, error) {
	return db.Get(ctx, q, ErrServerNotFound, scanServer, serverColumns+" WHERE id = $1", server)
}

func serverFor(ctx context.Context, q db.Q, owner account.ID, server string) (SSLServer, error) {
	return db.Get(ctx, q, ErrServerNotFound, scanServer, serverColumns+" WHERE id = $1 AND account = $2", server, string(owner))
}

func serversFor(ctx context.Context, q db.Q, owner account.ID, gateway string, page Page) ([]SSLServer, error) {
	return db.Select(ctx, q, scanServer, serverColumns+" WHERE account = $1 AND ($2 = '' OR gateway = $2) AND id > $3 ORDER BY id LIMIT $4",
		string(owner), gateway, page.Cursor, int64(page.limit()+1))
}

func serversOfGateway(ctx context.Context, q db.Q, gateway string) ([]SSLServer, error) {
	return db.Select(ctx, q, scanServer, serverColumns+" WHERE gateway = $1 ORDER BY id", gateway)
}

// serversOfNetwork are the servers of an account on all its gateways in the VPC
// that g is in.
func serversOfNetwork(ctx context.Context, q db.Q, g Gateway) ([]SSLServer, error) {
	return db.Select(ctx, q, scanServer, serverColumns+` WHERE account = $1 AND gateway IN (SELECT id FROM vpn_gateway
		WHERE account = $1 AND region = $2 AND network = $3) ORDER BY id`, string(g.Account), g.Region, g.Network)
}

// serverNameFree holds a server's name to be the only one of the account in the
// region of its gateway.
func serverNameFree(ctx context.Context, q db.Q, g Gateway, srv SSLServer) error {
	taken, err := db.Get(ctx, q, nil, db.One[int64], `SELECT count(*) FROM vpn_server s JOIN vpn_gateway g ON g.id = s.gateway
		WHERE s.account = $1 AND g.region = $2 AND s.name = $3 AND s.id <> $4`, string(g.Account), g.Region, srv.Name, srv.ID)
	if err == nil && taken > 0 {
		err = ErrNameDuplicate
	}
	return err
}

func insertServer(ctx context.Context, tx *db.Tx, v SSLServer, caKey []byte) error {
	settings, err := writeSettings(v.Settings)
	if err != nil {
		return fmt.Errorf("settings of %s: %w", v.ID, err)
	}
	return tx.ExecOne(ctx, ErrNameDuplicate, `INSERT INTO vpn_server (id, gateway, account, name, port, udp, state, settings, ca, ca_key,
		chain, version, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, NULL, 1, $11, $11) ON CONFLICT DO NOTHING`,
		v.ID, v.Gateway, string(v.Account), v.Name, int64(v.Port), db.Bool(v.UDP), string(v.State), settings, v.CA, caKey, db.Micros(v.CreatedAt))
}

func updateServer(ctx context.Context, tx *db.Tx, v SSLServer, now time.Time) error {
	settings, err := writeSettings(v.Settings)
	if err != nil {
		return fmt.Errorf("settings of %s: %w", v.ID, err)
	}
	return tx.ExecOne(ctx, db.ErrRetry, `UPDATE vpn_server SET name = $1, udp = $2, settings = $3, state = $4, version = version + 1,
		updated_at = $5 WHERE id = $6 AND version = $7`,
		v.Name, db.Bool(v.UDP), settings, string(v.State), db.Micros(now), v.ID, v.Version)
}

func setChain(ctx context.Context, tx *db.Tx, server string, chain [][]byte, now time.Time) error {
	return tx.ExecOne(ctx, ErrServerNotFound, "UPDATE vpn_server SET chain = $1, updated_at = $2 WHERE id = $3",
		joinChain(chain), db.Micros(now), server)
}

// serversApplied makes active what a node has applied and has a certificate for.
func serversApplied(ctx context.Context, tx *db.Tx, gateway string, now time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE vpn_server SET state = 'active', updated_at = $1
		WHERE gateway = $2 AND state <> 'active'
		AND (chain IS NOT NULL OR id IN (SELECT resource FROM vpn_certificate_use WHERE purpose = 'server'))`, db.Micros(now), gateway)
	return err
}

// serversFailed marks what a node could not apply, or no longer has. A new
// server that waits for its certificate still is not one of them.
func serversFailed(ctx context.Context, tx *db.Tx, gateway string, now time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE vpn_server SET state = 'error', updated_at = $1
		WHERE gateway = $2 AND (state IN ('active', 'updating') OR state = 'creating'
		AND (chain IS NOT NULL OR id IN (SELECT resource FROM vpn_certificate_use WHERE purpose = 'server')))`, db.Micros(now), gateway)
	return err
}
