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
	d := gwlink.Desired{Generation: generation, Node: node, IssuedAt: s.clock.Now()}
	var err error
	if d.Gateways, err = s.contents(ctx, source, node); err != nil {
		return gwlink.Desired{}, fmt.Errorf("gateways of node %s: %w", node, err)
	}
	if d.GrantKeys, err = source.GrantKeys(ctx); err != nil {
		return gwlink.Desired{}, fmt.Errorf("grant keys: %w", err)
	}
	d.Closures, err = db.Select(ctx, s.db, scanClosure, "SELECT session, reason FROM fleet_closure WHERE node = $1 ORDER BY session", node)
	return d, err
}

// content is a gateway as Source gave it for a generation; nil wire: it should
// not run.
type content struct {
	gateway    string
	generation int64
	wire       *gwlink.Gateway
}

// contents returns what a node's gateways contain. A gateway whose last change
// is known is not asked for again, so that one customer's change does not read
// every other customer's configuration.
func (s *Service) contents(ctx context.Context, source Source, node string) ([]gwlink.Gateway, error) {
	all, err := db.Select(ctx, s.db, func(r db.Row) (c content, err error) { return c, r.Scan(&c.gateway, &c.generation) },
		"SELECT gateway, generation FROM fleet_assignment WHERE node = $1 AND released_at = 0 AND leaving = 0 ORDER BY gateway", node)
	if err != nil {
		return nil, err
	}
	known := s.known(node)
	var missing []string
	for i, c := range all {
		if k, ok := known[c.gateway]; ok && k.generation == c.generation {
			all[i] = k
		} else {
			missing = append(missing, c.gateway)
		}
	}
	fresh, err := source.GatewaysOf(ctx, missing)
	if err != nil {
		return nil, err
	}
	return s.remember(node, all, missing, fresh), nil
}

func (s *Service) known(node string) map[string]content {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cache[node]
}

// remember keeps the contents of a node and returns those that should run. The
// map is replaced, never changed: readers may hold the old one.
func (s *Service) remember(node string, all []content, missing []string, fresh []gwlink.Gateway) []gwlink.Gateway {
	wires := make(map[string]*gwlink.Gateway, len(fresh))
	for i := range fresh {
		wires[fresh[i].ID] = &fresh[i]
	}
	asked := make(map[string]bool, len(missing))
	for _, g := range missing {
		asked[g] = true
	}
	kept, run := make(map[string]content, len(all)), []gwlink.Gateway{}
	for _, c := range all {
		if asked[c.gateway] {
			c.wire = wires[c.gateway]
		}
		kept[c.gateway] = c
		if c.wire != nil {
			run = append(run, *c.wire)
		}
	}
	s.mu.Lock()
	s.cache[node] = kept
	s.mu.Unlock()
	return run
}

func scanClosure(r db.Row) (c gwlink.Closure, err error) { return c, r.Scan(&c.Session, &c.Reason) }

// CloseTx asks the node of a gateway to end sessions and void their cookies.
// The reason is one of gwlink's. Asking again changes nothing.
func (s *Service) CloseTx(ctx context.Context, tx *db.Tx, gateway string, sessions []string, reason string) error {
	sessions, err := openOf(ctx, tx, sessions)
	if err != nil || len(sessions) == 0 {
		return err
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

// openOf leaves out sessions that are told to be closed already.
func openOf(ctx context.Context, tx *db.Tx, sessions []string) (open []string, err error) {
	for _, session := range sessions {
		n, err := db.Get(ctx, tx, nil, db.One[int64], "SELECT count(*) FROM fleet_closure WHERE session = $1", session)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			open = append(open, session)
		}
	}
	return open, nil
}

// dropClosures forgets closures that are old enough and were applied.
func dropClosures(ctx context.Context, tx *db.Tx, now time.Time) error {
	_, err := tx.Exec(ctx, `DELETE FROM fleet_closure WHERE at < $1
		AND generation <= (SELECT applied FROM fleet_node WHERE fleet_node.id = fleet_closure.node)`, db.Micros(now.Add(-closureLife)))
	return err
}
