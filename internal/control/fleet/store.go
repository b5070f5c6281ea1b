package fleet

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

const nodeColumns = "SELECT id, name, region, location, addresses, key_sha256, version, last_seen, generation, applied, draining, created_at FROM fleet_node"

var nodeQueries = map[string]string{
	"id":   nodeColumns + " WHERE id = $1",
	"name": nodeColumns + " WHERE name = $1",
	"key":  nodeColumns + " WHERE key_sha256 = $1",
}

func nodeBy(ctx context.Context, q db.Q, by, value string) (Node, error) {
	return db.Get(ctx, q, ErrNodeNotFound, scanNode, nodeQueries[by], value)
}

func allNodes(ctx context.Context, q db.Q) ([]Node, error) {
	return db.Select(ctx, q, scanNode, nodeColumns+" ORDER BY name")
}

func scanNode(r db.Row) (n Node, err error) {
	var addresses string
	var seen, generation, applied, draining, created int64
	err = r.Scan(&n.ID, &n.Name, &n.Region, &n.Location, &addresses, &n.KeySHA256, &n.Version, &seen, &generation, &applied, &draining, &created)
	if err != nil {
		return Node{}, err
	}
	n.LastSeen, n.CreatedAt = db.FromMicros(seen), db.FromMicros(created)
	n.Generation, n.Applied, n.Draining = uint64(generation), uint64(applied), draining != 0
	n.Addresses, err = splitAddrs(addresses)
	return n, err
}

func insertNode(ctx context.Context, tx *db.Tx, nodeID string, spec NodeSpec, now time.Time) (int64, error) {
	return tx.Exec(ctx, `INSERT INTO fleet_node (id, name, region, location, addresses, key_sha256, version, last_seen, generation, applied, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, '', 0, 1, 0, $7) ON CONFLICT (name) DO NOTHING`,
		nodeID, spec.Name, spec.Region, spec.Location, joinAddrs(spec.Addresses), spec.KeySHA256, db.Micros(now))
}

func updateNode(ctx context.Context, tx *db.Tx, nodeID string, spec NodeSpec) error {
	return tx.ExecOne(ctx, ErrNodeNotFound, `UPDATE fleet_node SET region = $1, location = $2, addresses = $3, key_sha256 = $4, generation = generation + 1 WHERE id = $5`,
		spec.Region, spec.Location, joinAddrs(spec.Addresses), spec.KeySHA256, nodeID)
}

func setDraining(ctx context.Context, tx *db.Tx, nodeID string, on bool) error {
	return tx.ExecOne(ctx, ErrNodeNotFound, "UPDATE fleet_node SET draining = $1 WHERE id = $2", db.Bool(on), nodeID)
}

func assignment(ctx context.Context, q db.Q, gateway string) (Assignment, error) {
	return db.Get(ctx, q, ErrNotAssigned, scanAssignment, `SELECT a.gateway, a.node, a.generation, n.addresses, n.draining
		FROM fleet_assignment a JOIN fleet_node n ON n.id = a.node WHERE a.gateway = $1 AND a.released_at = 0`, gateway)
}

func scanAssignment(r db.Row) (a Assignment, err error) {
	var addresses string
	var generation, draining int64
	if err = r.Scan(&a.Gateway, &a.Node, &generation, &addresses, &draining); err != nil {
		return Assignment{}, err
	}
	a.Generation, a.Draining = uint64(generation), draining != 0
	a.Addresses, err = splitAddrs(addresses)
	return a, err
}

var errNoObservation = errs.New(errs.NotFound, "fleet.not_observed")

const observationColumns = "SELECT gateway, node, generation, state, problem, at FROM fleet_observation"

func observation(ctx context.Context, q db.Q, gateway string) (Observation, error) {
	return db.Get(ctx, q, errNoObservation, scanObservation, observationColumns+" WHERE gateway = $1", gateway)
}

func failing(ctx context.Context, q db.Q) ([]Observation, error) {
	return db.Select(ctx, q, scanObservation, observationColumns+` WHERE state = 'failed'
		AND gateway IN (SELECT gateway FROM fleet_assignment WHERE released_at = 0) ORDER BY at DESC`)
}

func scanObservation(r db.Row) (o Observation, err error) {
	var generation, at int64
	err = r.Scan(&o.Gateway, &o.Node, &generation, &o.State, &o.Problem, &at)
	o.Generation, o.At = uint64(generation), db.FromMicros(at)
	return o, err
}

func joinAddrs(all []netip.Addr) string {
	texts := make([]string, 0, len(all))
	for _, a := range all {
		texts = append(texts, a.String())
	}
	return strings.Join(texts, ",")
}

func splitAddrs(text string) ([]netip.Addr, error) {
	if text == "" {
		return nil, nil
	}
	var all []netip.Addr
	for _, t := range strings.Split(text, ",") {
		a, err := netip.ParseAddr(t)
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, nil
}
