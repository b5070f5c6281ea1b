package vpn

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

const gatewayColumns = `SELECT id, account, name, region, network, state, problem, ssl_bandwidth, ssl_connections, node, version, created_at, updated_at, local_subnets, description FROM vpn_gateway`

func scanGateway(r db.Row) (g Gateway, err error) {
	var created, updated, bandwidth, connections int64
	var subnets string
	err = r.Scan(&g.ID, &g.Account, &g.Name, &g.Region, &g.Network, &g.State, &g.Problem, &bandwidth, &connections, &g.Node, &g.Version, &created, &updated, &subnets, &g.Description)
	if err != nil {
		return Gateway{}, err
	}
	g.SSLBandwidth, g.SSLConnections = int(bandwidth), int(connections)
	g.CreatedAt, g.UpdatedAt = db.FromMicros(created), db.FromMicros(updated)
	g.LocalSubnets, err = parseRoutes(subnets)
	return g, err
}

func gatewayByID(ctx context.Context, q db.Q, gateway string) (Gateway, error) {
	return db.Get(ctx, q, ErrGatewayNotFound, scanGateway, gatewayColumns+" WHERE id = $1", gateway)
}

func gatewayByOrigin(ctx context.Context, q db.Q, key string) (Gateway, error) {
	return db.Get(ctx, q, ErrGatewayNotFound, scanGateway, gatewayColumns+" WHERE origin = $1", key)
}

// gatewayFor is how every method for a customer finds a gateway.
func gatewayFor(ctx context.Context, q db.Q, owner account.ID, gateway string) (Gateway, error) {
	return db.Get(ctx, q, ErrGatewayNotFound, scanGateway, gatewayColumns+" WHERE id = $1 AND account = $2 AND state <> 'deleted'", gateway, string(owner))
}

func gatewaysOf(ctx context.Context, q db.Q, owner account.ID, page Page) ([]Gateway, error) {
	return db.Select(ctx, q, scanGateway, gatewayColumns+" WHERE account = $1 AND state <> 'deleted' AND id > $2 ORDER BY id LIMIT $3",
		string(owner), page.Cursor, int64(page.limit()+1))
}

func gatewayIDs(ctx context.Context, q db.Q, owner account.ID) ([]string, error) {
	return db.Select(ctx, q, db.One[string], "SELECT id FROM vpn_gateway WHERE account = $1 ORDER BY id", string(owner))
}

func countGateways(ctx context.Context, q db.Q, owner account.ID, region string) (int64, error) {
	return db.Get(ctx, q, nil, db.One[int64], "SELECT count(*) FROM vpn_gateway WHERE account = $1 AND region = $2 AND state <> 'deleted'", string(owner), region)
}

func countSSLGateways(ctx context.Context, q db.Q, owner account.ID) (int64, error) {
	return db.Get(ctx, q, nil, db.One[int64], "SELECT count(*) FROM vpn_gateway WHERE account = $1 AND ssl_connections > 0 AND state <> 'deleted'", string(owner))
}

func insertGateway(ctx context.Context, tx *db.Tx, g Gateway, key string) error {
	return tx.ExecOne(ctx, ErrNameDuplicate, `INSERT INTO vpn_gateway (id, origin, account, name, region, network, state, problem,
		ssl_bandwidth, ssl_connections, node, version, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, '', $8, $9, $10, 1, $11, $11) ON CONFLICT DO NOTHING`,
		g.ID, key, string(g.Account), g.Name, g.Region, g.Network, string(g.State), int64(g.SSLBandwidth), int64(g.SSLConnections), g.Node, db.Micros(g.CreatedAt))
}

// updateGateway writes what may change of a gateway that was read in the same
// transaction.
func updateGateway(ctx context.Context, tx *db.Tx, g Gateway, now time.Time) error {
	return tx.ExecOne(ctx, db.ErrRetry, `UPDATE vpn_gateway SET state = $1, problem = $2, ssl_bandwidth = $3, ssl_connections = $4,
		name = $5, network = $6, local_subnets = $7, version = version + 1, updated_at = $8, description = $11 WHERE id = $9 AND version = $10`,
		string(g.State), g.Problem, int64(g.SSLBandwidth), int64(g.SSLConnections), g.Name, g.Network, routesText(g.LocalSubnets),
		db.Micros(now), g.ID, g.Version, g.Description)
}

// gatewayNameFree holds a name to be the only one of the account and region
// beside g itself.
func gatewayNameFree(ctx context.Context, q db.Q, g Gateway, name string) error {
	taken, err := db.Get(ctx, q, nil, db.One[int64], `SELECT count(*) FROM vpn_gateway WHERE account = $1 AND region = $2 AND name = $3
		AND id <> $4 AND state <> 'deleted'`, string(g.Account), g.Region, name, g.ID)
	if err == nil && taken > 0 {
		err = ErrNameDuplicate
	}
	return err
}
