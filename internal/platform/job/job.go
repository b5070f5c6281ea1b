// Package job is work that outlives the request and the process: rows written
// in the caller's transaction, run at least once by any control process.
//
//	pending ──claim (lease 60 s)──▶ leased ──ok────────────────▶ (row deleted)
//	   ▲                              │ ──error────▶ pending, later (1 s·2ⁿ ≤ 1 h)
//	   │                              │ ──Final────▶ dead, for a person to look at
//	   └────────lease expired─────────┘
//
// A handler may run twice and must tolerate it. It owns its transactions. What
// cannot be told from the database (did the third party act?) is a state of
// the business object, never of the job.
//
// Events are jobs: Publish writes one job for each subscriber of the topic.
package job

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"reflect"
	"sync"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations returns the schema of the job table.
func Migrations() db.Migrations {
	sub, err := fs.Sub(files, "migrations")
	if err != nil {
		panic(err)
	}
	return db.Migrations{Module: "job", Files: sub}
}

// Lease is how long a handler may run before another process takes over. It
// is renewed while the handler runs.
const Lease = 60 * time.Second

const maxAttempts = 30

// Handler runs one job. payload is the JSON that was enqueued.
type Handler func(ctx context.Context, payload []byte) error

// Job is work to be enqueued.
type Job struct {
	Kind    string
	Payload any       // marshalled to JSON, whose names are in Arguments; nil = none
	Key     string    // optional: a second job with the same key is not enqueued while the first waits; a dead one is revived
	RunAt   time.Time // zero = at once
}

// Queue enqueues and runs jobs. Register and Subscribe before Run.
type Queue struct {
	db    *db.DB
	clock clock.Clock
	log   *slog.Logger
	wake  chan struct{}

	mu       sync.RWMutex
	handlers map[string]Handler
	takes    map[string]reflect.Type // what the handler of a kind decodes
	topics   map[string][]string
	every    []periodic

	began map[string]bool // kinds that this process has run at its start; schedule's alone
}

type periodic struct {
	kind    string
	every   time.Duration
	atStart bool
}

// New returns a queue over d, whose job table must be migrated.
func New(d *db.DB, c clock.Clock, log *slog.Logger) *Queue {
	return &Queue{
		db: d, clock: c, log: log, wake: make(chan struct{}, 1),
		handlers: map[string]Handler{}, takes: map[string]reflect.Type{}, topics: map[string][]string{}, began: map[string]bool{},
	}
}

// Final marks an error that repeating cannot mend; the job becomes dead.
func Final(err error) error { return finalError{err} }

type finalError struct{ error }

func (f finalError) Unwrap() error { return f.error }

// Register names the handler of a kind. A kind has one handler.
func (q *Queue) Register(kind string, h Handler) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if _, ok := q.handlers[kind]; ok {
		panic("job: kind registered twice: " + kind)
	}
	q.handlers[kind] = h
}

// On registers a handler that takes its payload decoded. The names of T are in
// Arguments, or Verify refuses the start.
func On[T any](q *Queue, kind string, h func(ctx context.Context, payload T) error) {
	q.Register(kind, func(ctx context.Context, raw []byte) error {
		var v T
		if err := json.Unmarshal(raw, &v); err != nil {
			return Final(fmt.Errorf("decoding payload of %s: %w", kind, err))
		}
		return h(ctx, v)
	})
	q.mu.Lock()
	defer q.mu.Unlock()
	q.takes[kind] = reflect.TypeFor[T]()
}

// Subscribe runs h for each event of a topic. name tells subscribers of one
// topic apart.
func Subscribe[T any](q *Queue, topic, name string, h func(ctx context.Context, event T) error) {
	kind := topic + "/" + name
	On(q, kind, h)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.topics[topic] = append(q.topics[topic], kind)
}

// Every runs a kind again and again, once per period for all processes
// together. The handler gets the payload null.
func (q *Queue) Every(kind string, period time.Duration, h func(ctx context.Context) error) {
	q.periodic(periodic{kind: kind, every: period}, h)
}

// EveryFromStart is Every for what is wanted at once when a process starts, and
// not at the next end of a period.
func (q *Queue) EveryFromStart(kind string, period time.Duration, h func(ctx context.Context) error) {
	q.periodic(periodic{kind: kind, every: period, atStart: true}, h)
}

func (q *Queue) periodic(p periodic, h func(ctx context.Context) error) {
	q.Register(p.kind, func(ctx context.Context, _ []byte) error { return h(ctx) })
	q.mu.Lock()
	defer q.mu.Unlock()
	q.every = append(q.every, p)
}

// EnqueueTx adds a job in the caller's transaction. A payload with a name that
// is not in Arguments is refused with field.ErrUnclassified.
func (q *Queue) EnqueueTx(ctx context.Context, tx *db.Tx, j Job) error {
	raw, err := json.Marshal(j.Payload)
	if err != nil {
		return fmt.Errorf("encoding payload of %s: %w", j.Kind, err)
	}
	if err := classified(raw); err != nil {
		return fmt.Errorf("payload of %s: %w", j.Kind, err)
	}
	now := q.clock.Now()
	if j.RunAt.IsZero() {
		j.RunAt = now
	}
	var key any
	if j.Key != "" {
		key = j.Key
	}
	_, err = tx.Exec(ctx, `INSERT INTO job_item (id, kind, dedupe, payload, state, run_at, attempt, lease_until, last_error, created_at)
		VALUES ($1, $2, $3, $4, 'pending', $5, 0, 0, '', $6) ON CONFLICT (dedupe) DO UPDATE SET state = 'pending', payload = excluded.payload,
		run_at = excluded.run_at, attempt = 0, created_at = excluded.created_at WHERE job_item.state = 'dead'`,
		id.New("job"), j.Kind, key, raw, db.Micros(j.RunAt), db.Micros(now))
	if err != nil {
		return fmt.Errorf("enqueueing %s: %w", j.Kind, err)
	}
	tx.AfterCommit(q.nudge)
	return nil
}

// PublishTx writes one job for each subscriber of the topic.
func (q *Queue) PublishTx(ctx context.Context, tx *db.Tx, topic string, event any) error {
	q.mu.RLock()
	kinds := q.topics[topic]
	q.mu.RUnlock()
	for _, kind := range kinds {
		if err := q.EnqueueTx(ctx, tx, Job{Kind: kind, Payload: event}); err != nil {
			return err
		}
	}
	return nil
}

func (q *Queue) nudge() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// Recover ends the leases of processes that are gone, so that their jobs run
// at once instead of when the leases are over. Only for the one process that
// runs jobs on this database, before Run.
func (q *Queue) Recover(ctx context.Context) error {
	return q.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE job_item SET state = 'pending', lease_until = 0 WHERE state = 'leased'")
		return err
	})
}

// Run runs due jobs with n workers until ctx ends; it returns when the last
// handler has returned.
func (q *Queue) Run(ctx context.Context, n int) {
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() { q.work(ctx) })
	}
	wg.Go(func() { q.schedule(ctx) })
	wg.Wait()
}

func (q *Queue) work(ctx context.Context) {
	for ctx.Err() == nil {
		ran, err := q.RunOne(ctx)
		if err != nil && ctx.Err() == nil {
			q.log.ErrorContext(ctx, "claiming a job", "error", err)
		}
		if ran && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
		case <-q.wake:
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// schedule keeps one waiting job per period for each periodic kind.
func (q *Queue) schedule(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if err := q.plan(ctx); err != nil && ctx.Err() == nil {
			q.log.ErrorContext(ctx, "planning periodic jobs", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (q *Queue) plan(ctx context.Context) error {
	q.mu.RLock()
	every := q.every
	q.mu.RUnlock()
	for _, p := range every {
		now := q.clock.Now()
		next, first := now.Truncate(p.every).Add(p.every), p.atStart && !q.began[p.kind]
		if first {
			next = now
			if err := q.hasten(ctx, p.kind, now); err != nil {
				return err
			}
		}
		exists, err := db.Get(ctx, q.db, nil, db.One[int64], "SELECT count(*) FROM job_item WHERE dedupe = $1 AND state <> 'dead'", p.kind)
		if err != nil {
			return err
		}
		if exists == 0 {
			err = q.db.InTx(ctx, func(tx *db.Tx) error {
				return q.EnqueueTx(ctx, tx, Job{Kind: p.kind, Key: p.kind, RunAt: next})
			})
			if err != nil {
				return err
			}
		}
		q.began[p.kind] = true
	}
	return nil
}

// hasten lets a waiting periodic job run now; one that runs is left alone.
func (q *Queue) hasten(ctx context.Context, kind string, now time.Time) error {
	return q.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE job_item SET run_at = $1 WHERE dedupe = $2 AND state = 'pending' AND run_at > $1", db.Micros(now), kind)
		return err
	})
}

// Drain runs due jobs until none is left, for tests and one-shot commands. It
// returns the first error of a handler.
func (q *Queue) Drain(ctx context.Context) error {
	for {
		c, err := q.claim(ctx)
		if err != nil || c == nil {
			return err
		}
		if err := q.run(ctx, *c); err != nil {
			return fmt.Errorf("running %s: %w", c.kind, err)
		}
	}
}

// RunOne claims and runs one due job; ran is false if none was due. The error
// is of the claim: a handler's error is kept with the job.
func (q *Queue) RunOne(ctx context.Context) (ran bool, err error) {
	c, err := q.claim(ctx)
	if err != nil || c == nil {
		return false, err
	}
	if err := q.run(ctx, *c); err != nil {
		q.log.WarnContext(ctx, "job failed", "kind", c.kind, "try", c.attempt, "error", err)
	}
	return true, nil
}

type claimed struct {
	id, kind string
	payload  []byte
	attempt  int64
}

func (q *Queue) claim(ctx context.Context) (*claimed, error) {
	now := q.clock.Now()
	lock := ""
	if q.db.Dialect() == db.Postgres {
		lock = " FOR UPDATE SKIP LOCKED"
	}
	pick := "SELECT id FROM job_item WHERE state <> 'dead' AND run_at <= $1 AND lease_until <= $1 ORDER BY run_at, id LIMIT 1" + lock
	due, err := db.Get(ctx, q.db, nil, db.One[int64],
		"SELECT count(*) FROM (SELECT 1 FROM job_item WHERE state <> 'dead' AND run_at <= $1 AND lease_until <= $1 LIMIT 1) AS due", db.Micros(now))
	if err != nil || due == 0 {
		return nil, err
	}
	var got *claimed
	err = q.db.InTx(ctx, func(tx *db.Tx) error {
		got = nil
		all, err := db.Select(ctx, tx, scanClaimed,
			"UPDATE job_item SET state = 'leased', attempt = attempt + 1, lease_until = $2 WHERE id = ("+pick+") RETURNING id, kind, payload, attempt",
			db.Micros(now), db.Micros(now.Add(Lease)))
		if err == nil && len(all) == 1 {
			got = &all[0]
		}
		return err
	})
	return got, err
}

func scanClaimed(r db.Row) (c claimed, err error) {
	return c, r.Scan(&c.id, &c.kind, &c.payload, &c.attempt)
}

// run runs a claimed job and settles its row; the result is the handler's.
func (q *Queue) run(ctx context.Context, c claimed) error {
	stop := q.keepLease(ctx, c)
	err := q.handle(ctx, c)
	stop()
	// The row is settled even when ctx has just ended.
	settle := context.WithoutCancel(ctx)
	fate := q.fate(c, err, ctx.Err() != nil)
	if serr := q.db.InTx(settle, func(tx *db.Tx) error { return q.settle(settle, tx, c, fate) }); serr != nil {
		return errors.Join(err, serr)
	}
	if fate.state == dead {
		q.log.ErrorContext(settle, "a job is dead and waits for a person", "job", c.id, "kind", c.kind, "error", err)
	}
	return err
}

func (q *Queue) handle(ctx context.Context, c claimed) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("handler panicked: %v", p)
		}
	}()
	q.mu.RLock()
	h, ok := q.handlers[c.kind]
	q.mu.RUnlock()
	if !ok {
		return fmt.Errorf("no handler for %s in this process", c.kind)
	}
	return h(ctx, c.payload)
}

// keepLease renews the lease until the returned function is called.
func (q *Queue) keepLease(ctx context.Context, c claimed) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(Lease / 3)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				_ = q.db.InTx(ctx, func(tx *db.Tx) error {
					_, err := tx.Exec(ctx, "UPDATE job_item SET lease_until = $1 WHERE id = $2 AND attempt = $3",
						db.Micros(q.clock.Now().Add(Lease)), c.id, c.attempt)
					return err
				})
			}
		}
	})
	return func() { cancel(); wg.Wait() }
}

const (
	pending = "pending"
	dead    = "dead"
)

// fate is what becomes of a job's row. An empty state deletes it.
type fate struct {
	state string
	wait  time.Duration
	spent int64 // attempts
	err   string
}

// fate decides after a handler returned err. ended says that the process was
// told to stop: whatever the handler said then is not about its work.
func (q *Queue) fate(c claimed, err error, ended bool) fate {
	if err == nil {
		return fate{}
	}
	f := fate{state: pending, wait: backoff(c.attempt), spent: c.attempt, err: err.Error()}
	if ended {
		f.wait, f.spent = 0, c.attempt-1
		return f
	}
	if period, ok := q.period(c.kind); ok {
		f.wait = min(f.wait, period)
		return f
	}
	var final finalError
	if errors.As(err, &final) || c.attempt >= maxAttempts {
		f.state = dead
	}
	return f
}

func backoff(attempt int64) time.Duration {
	if attempt >= 12 {
		return time.Hour
	}
	return min(time.Second<<max(attempt-1, 0), time.Hour)
}

func (q *Queue) period(kind string) (time.Duration, bool) {
	q.mu.RLock()
	defer q.mu.RUnlock()
	for _, p := range q.every {
		if p.kind == kind {
			return p.every, true
		}
	}
	return 0, false
}

func (q *Queue) settle(ctx context.Context, tx *db.Tx, c claimed, f fate) error {
	if f.state == "" {
		_, err := tx.Exec(ctx, "DELETE FROM job_item WHERE id = $1 AND attempt = $2", c.id, c.attempt)
		return err
	}
	_, err := tx.Exec(ctx, "UPDATE job_item SET state = $1, run_at = $2, lease_until = 0, last_error = $3, attempt = $4 WHERE id = $5 AND attempt = $6",
		f.state, db.Micros(q.clock.Now().Add(f.wait)), f.err, f.spent, c.id, c.attempt)
	return err
}

// Dead is a job that no repetition can mend.
type Dead struct {
	ID, Kind, Error string
	Since           time.Time
}

// Dead lists up to 100 dead jobs, oldest first, for operators.
func (q *Queue) Dead(ctx context.Context) ([]Dead, error) { return DeadIn(ctx, q.db) }

// DeadIn is Dead on a database whose queue is not running here.
func DeadIn(ctx context.Context, d db.Q) ([]Dead, error) {
	return db.Select(ctx, d, func(r db.Row) (j Dead, err error) {
		var at int64
		err = r.Scan(&j.ID, &j.Kind, &j.Error, &at)
		j.Since = db.FromMicros(at)
		return j, err
	}, "SELECT id, kind, last_error, run_at FROM job_item WHERE state = 'dead' ORDER BY run_at LIMIT 100")
}
