package fleet

import (
	"context"
	"fmt"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// ErrUnchanged says that a node has the newest desired state.
var ErrUnchanged = errs.New(errs.NotFound, "fleet.unchanged")

// closureLife is how long a closure is told at least; longer to a node that
// has not applied the generation which brought it.
const closureLife = 10 * time.Minute

// poll is how often another process's changes are looked for.
const poll = 500 * time.Millisecond

// Wait returns the desired state of a node as soon as its generation is
// greater than after, or ErrUnchanged when patience runs out first. A node
// that knows a greater generation than the database (restored from a backup)
// gets one greater still.
func (s *Service) Wait(ctx context.Context, node string, after uint64, patience time.Duration) (gwlink.Desired, error) {
	end := time.NewTimer(patience)
	defer end.Stop()
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		woken := s.Woken()
		generation, err := s.generation(ctx, node, after)
		if err != nil {
			return gwlink.Desired{}, err
		}
		if generation > after {
			return s.desired(ctx, node, generation)
		}
		select {
		case <-ctx.Done():
			return gwlink.Desired{}, ctx.Err()
		case <-end.C:
			return gwlink.Desired{}, ErrUnchanged
		case <-woken:
		case <-tick.C:
		}
	}
}

// Desired returns the present desired state of a node.
func (s *Service) Desired(ctx context.Context, node string) (gwlink.Desired, error) {
	generation, err := s.generation(ctx, node, 0)
	if err != nil {
		return gwlink.Desired{}, err
	}
	return s.desired(ctx, node, generation)
}

func (s *Service) generation(ctx context.Context, node string, after uint64) (uint64, error) {
	n, err := db.Get(ctx, s.db, ErrNodeNotFound, db.One[int64], "SELECT generation FROM fleet_node WHERE id = $1", node)
	if err != nil || uint64(n) >= after {
		return uint64(n), err
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE fleet_node SET generation = $1 WHERE id = $2 AND generation < $1", int64(after)+1, node)
		return err
	})
	return after + 1, err
}

// desired reads what the gateways contain after their generation was read, so
// that it holds at least the changes up to that generation.
func (s *Service) desired(ctx context.Context, node string, generation uint64) (gwlink.Desired, error) {
	s.mu.Lock()
	source := s.source
	s.mu.Unlock()
	if source == nil {
		return gwlink.Desired{}, errs.New(errs.Unavailable, "fleet.not_ready")
	}
	ids, err := db.Select(ctx, s.db, db.One[string], "SELECT gateway FROM fleet_assignment WHERE node = $1 AND released_at = 0 ORDER BY gateway", node)
	if err != nil {
		return gwlink.Desired{}, err
	}
	d := gwlink.Desired{Generation: generation, Node: node, IssuedAt: s.clock.Now()}
	if d.Gateways, err = source.GatewaysOf(ctx, ids); err != nil {
		return gwlink.Desired{}, fmt.Errorf("gateways of node %s: %w", node, err)
	}
	if d.GrantKeys, err = source.GrantKeys(ctx); err != nil {
		return gwlink.Desired{}, fmt.Errorf("grant keys: %w", err)
	}
	d.Closures, err = db.Select(ctx, s.db, scanClosure, "SELECT session, reason FROM fleet_closure WHERE node = $1 ORDER BY session", node)
	return d, err
}

func scanClosure(r db.Row) (c gwlink.Closure, err error) { return c, r.Scan(&c.Session, &c.Reason) }

// CloseTx asks the node of a gateway to end sessions and void their cookies.
// The reason is one of gwlink's. Asking again changes nothing.
func (s *Service) CloseTx(ctx context.Context, tx *db.Tx, gateway string, sessions []string, reason string) error {
	if len(sessions) == 0 {
		return nil
	}
	a, err := s.ChangedTx(ctx, tx, gateway)
	if errs.IsNotFound(err) {
		return nil // no node runs it: there is nothing to end
	}
	if err != nil {
		return err
	}
	for _, session := range sessions {
		_, err := tx.Exec(ctx, `INSERT INTO fleet_closure (session, node, reason, generation, at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (session) DO NOTHING`, session, a.Node, reason, int64(a.Generation), db.Micros(s.clock.Now()))
		if err != nil {
			return err
		}
	}
	return nil
}

// dropClosures forgets closures that are old enough and were applied.
func dropClosures(ctx context.Context, tx *db.Tx, now time.Time) error {
	_, err := tx.Exec(ctx, `DELETE FROM fleet_closure WHERE at < $1
		AND generation <= (SELECT applied FROM fleet_node WHERE fleet_node.id = fleet_closure.node)`, db.Micros(now.Add(-closureLife)))
	return err
}
