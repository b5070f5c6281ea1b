package fleet

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations returns the module's schema.
func Migrations() db.Migrations {
	sub, err := fs.Sub(files, "migrations")
	if err != nil {
		panic(err)
	}
	return db.Migrations{Module: "fleet", Files: sub}
}

// Deps is what the module needs. Source may be given later by Bind, because
// vpn, which fills it, stands on this module.
type Deps struct {
	DB    *db.DB
	Clock clock.Clock
	Queue *job.Queue
	Log   *slog.Logger
	Audit Audit
	Vault Vault
}

// Service is the fleet module.
type Service struct {
	db    *db.DB
	clock clock.Clock
	queue *job.Queue
	log   *slog.Logger
	audit Audit
	vault Vault

	mu     sync.Mutex
	source Source
	cache  map[string]map[string]content // node to gateway to what it contains
	wake   chan struct{}                 // closed and replaced at every change made by this process
}

// New makes the service and registers its periodic work.
func New(d Deps) *Service {
	s := &Service{db: d.DB, clock: d.Clock, queue: d.Queue, log: d.Log, audit: d.Audit, vault: d.Vault, cache: map[string]map[string]content{}, wake: make(chan struct{})}
	s.queue.Every("fleet.reap", time.Minute, s.reap)
	s.queue.Every("fleet.sweep", time.Hour, s.sweep)
	return s
}

// Bind fills the port Source, once, before the first Wait.
func (s *Service) Bind(source Source) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.source = source
}

// EnsureNode registers a node by its name, or brings what is registered to the
// spec. It gives every process that calls it the same node.
func (s *Service) EnsureNode(ctx context.Context, spec NodeSpec) (Node, error) {
	var got Node
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		if _, err := insertNode(ctx, tx, id.New("node"), spec, s.clock.Now()); err != nil {
			return err
		}
		n, err := nodeBy(ctx, tx, "name", spec.Name)
		if err != nil {
			return err
		}
		if !sameSpec(n.NodeSpec, spec) {
			if err := updateNode(ctx, tx, n.ID, spec); err != nil {
				return err
			}
			n.NodeSpec, n.Generation = spec, n.Generation+1
			tx.AfterCommit(s.changed)
		}
		got = n
		return nil
	})
	if db.IsUnique(err) {
		return Node{}, ErrNodeConflict
	}
	return got, err
}

func sameSpec(a, b NodeSpec) bool {
	return a.Region == b.Region && a.Location == b.Location && a.KeySHA256 == b.KeySHA256 && joinAddrs(a.Addresses) == joinAddrs(b.Addresses)
}

// Node returns a node by its id.
func (s *Service) Node(ctx context.Context, nodeID string) (Node, error) {
	return nodeBy(ctx, s.db, "id", nodeID)
}

// NodeByKey returns the node that owns a TLS key, by the lower-case hex SHA-256
// of its SubjectPublicKeyInfo.
func (s *Service) NodeByKey(ctx context.Context, sha256 string) (Node, error) {
	if sha256 == "" {
		return Node{}, ErrNodeNotFound
	}
	return nodeBy(ctx, s.db, "key", sha256)
}

// Nodes lists all nodes by name. For staff.
func (s *Service) Nodes(ctx context.Context) ([]Node, error) { return allNodes(ctx, s.db) }

// AssignTx gives a gateway to the node of the region with the fewest gateways
// that is not draining. A gateway that has a node keeps it. ErrNoNode when the
// region has none.
func (s *Service) AssignTx(ctx context.Context, tx *db.Tx, gateway, region string) (Assignment, error) {
	node, err := db.Get(ctx, tx, ErrNoNode, db.One[string],
		`SELECT n.id FROM fleet_node n WHERE n.region = $1 AND n.draining = 0
		ORDER BY (SELECT count(*) FROM fleet_assignment a WHERE a.node = n.id AND a.released_at = 0), n.id LIMIT 1`, region)
	if err != nil {
		return Assignment{}, err
	}
	_, err = tx.Exec(ctx, `INSERT INTO fleet_assignment (gateway, node, generation, created_at, released_at)
		VALUES ($1, $2, 0, $3, 0) ON CONFLICT (gateway) DO NOTHING`, gateway, node, db.Micros(s.clock.Now()))
	if err != nil {
		return Assignment{}, err
	}
	return s.ChangedTx(ctx, tx, gateway)
}

// ReleaseTx takes a gateway out of its node's desired state. The assignment ends
// when the node says that it has removed it: TopicReleased.
func (s *Service) ReleaseTx(ctx context.Context, tx *db.Tx, gateway string) error {
	if _, err := s.ChangedTx(ctx, tx, gateway); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "UPDATE fleet_assignment SET leaving = 1 WHERE gateway = $1 AND released_at = 0", gateway)
	return err
}

// ChangedTx announces a change of a gateway: the generation of its node grows
// by one in the caller's transaction. ErrNotAssigned if no node runs it.
func (s *Service) ChangedTx(ctx context.Context, tx *db.Tx, gateway string) (Assignment, error) {
	a, err := assignment(ctx, tx, gateway)
	if err != nil {
		return Assignment{}, err
	}
	a.Generation, err = bump(ctx, tx, a.Node)
	if err != nil {
		return Assignment{}, err
	}
	if _, err := tx.Exec(ctx, "UPDATE fleet_assignment SET generation = $1 WHERE gateway = $2", int64(a.Generation), gateway); err != nil {
		return Assignment{}, err
	}
	tx.AfterCommit(s.changed)
	return a, nil
}

// Assignment returns where a gateway runs; ErrNotAssigned if nowhere.
func (s *Service) Assignment(ctx context.Context, gateway string) (Assignment, error) {
	return assignment(ctx, s.db, gateway)
}

// AssignmentTx is Assignment inside the caller's transaction.
func (s *Service) AssignmentTx(ctx context.Context, tx *db.Tx, gateway string) (Assignment, error) {
	return assignment(ctx, tx, gateway)
}

// Observation returns what the node last said of a gateway; NotFound if it has
// said nothing.
func (s *Service) Observation(ctx context.Context, gateway string) (Observation, error) {
	return observation(ctx, s.db, gateway)
}

// Failing lists what nodes say they could not apply, for staff.
func (s *Service) Failing(ctx context.Context) ([]Observation, error) { return failing(ctx, s.db) }

func bump(ctx context.Context, tx *db.Tx, node string) (uint64, error) {
	n, err := db.Get(ctx, tx, ErrNodeNotFound, db.One[int64],
		"UPDATE fleet_node SET generation = generation + 1 WHERE id = $1 RETURNING generation", node)
	return uint64(n), err
}

// changed wakes the long polls of this process.
func (s *Service) changed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.wake)
	s.wake = make(chan struct{})
}

// Woken returns a channel that is closed at the next change made by this
// process. Changes of other processes are found by asking the database.
func (s *Service) Woken() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wake
}
