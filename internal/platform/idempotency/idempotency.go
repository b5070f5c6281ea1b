// Package idempotency keeps the answers of requests that carry an
// Idempotency-Key for 24 hours, so that a repeat gets the first answer and
// does nothing.
//
//	(absent) ──Begin──▶ running ──Complete──▶ done (24 h) ──▶ (absent)
//	                      │  └──Release (failed before any effect)──▶ (absent)
//	                      └── lease of 60 s lost with its process ──▶ may begin again
//
// It protects against repeats of a living or a crashed client. What must
// happen once even if this process dies in the middle has a unique key of its
// own in the module that does it.
//
// Answers may hold personal data and secrets: they are sealed. Requests are not
// kept, only a keyed digest.
package idempotency

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations returns the schema.
func Migrations() db.Migrations {
	sub, err := fs.Sub(files, "migrations")
	if err != nil {
		panic(err)
	}
	return db.Migrations{Module: "idempotency", Files: sub}
}

// Holdings describes the columns.
func Holdings() []holding.Table {
	return []holding.Table{holding.Of("idempotency_answer",
		holding.None("an opaque hash of account and path", "scope"),
		holding.None("an opaque key that the client chose", "request_key"),
		holding.None("a keyed digest to tell a repeat from another request", "request_sha256"),
		holding.None("the state of the request", "state", "lease_until", "created_at"),
		[]holding.Column{{
			Name: "answer", Category: holding.Order, Subject: "scope", Purposes: []string{"account"},
			Basis: holding.ByContract, Retention: "account_core", Sealed: true,
		}},
	)}
}

// Keep is how long an answer is kept, lease how long a request may run.
const (
	Keep  = 24 * time.Hour
	lease = 60 * time.Second
)

// Errors.
var (
	ErrConflict = errs.New(errs.Conflict, "api.idempotency_conflict") // the key was used for another request
	ErrRunning  = errs.New(errs.Conflict, "api.idempotency_running")  // the first request still runs
)

// Answer is a kept HTTP answer.
type Answer struct {
	Status int
	Type   string
	Body   []byte
}

// Sealer seals answers and blinds digests; platform/vault fills it.
type Sealer interface {
	Blind(ctx context.Context, field, normalised string) (string, error)
	SealSystem(ctx context.Context, name string, plain []byte) ([]byte, error)
	OpenSystem(ctx context.Context, name string, sealed []byte) ([]byte, error)
}

const (
	sealName   = "idempotency.answer"
	blindField = "idempotency.request"
)

// Store keeps answers.
type Store struct {
	db    *db.DB
	clock clock.Clock
	seal  Sealer
}

// New returns a store and has q remove old answers.
func New(d *db.DB, c clock.Clock, seal Sealer, q *job.Queue) *Store {
	s := &Store{d, c, seal}
	q.Every("idempotency.purge", time.Hour, s.purge)
	return s
}

type row struct {
	digest, state string
	sealed        []byte
	lease         int64
	created       int64
}

func scan(r db.Row) (v row, err error) {
	return v, r.Scan(&v.digest, &v.state, &v.sealed, &v.lease, &v.created)
}

type keyOfRequest struct{}

// WithKey returns a context that carries the key of a claimed request.
func WithKey(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, keyOfRequest{}, key)
}

// Key returns the key of the request that ctx belongs to; empty if it has none.
// A use case keeps it with what it makes and so finds it again when the
// process died before the answer was kept.
func Key(ctx context.Context) string {
	key, _ := ctx.Value(keyOfRequest{}).(string)
	return key
}

// Begin claims a key. A nil Answer without error means: do the work, then call
// Complete or Release. ErrConflict and ErrRunning as their names say.
func (s *Store) Begin(ctx context.Context, scope, key, digest string) (*Answer, error) {
	now := s.clock.Now()
	// A plain digest of a request that holds a password or an identity number
	// could be guessed backwards.
	digest, err := s.seal.Blind(ctx, blindField, digest)
	if err != nil {
		return nil, fmt.Errorf("blinding a request's digest: %w", err)
	}
	var found *row
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		found = nil
		n, err := tx.Exec(ctx, `INSERT INTO idempotency_answer (scope, request_key, request_sha256, state, lease_until, created_at)
			VALUES ($1, $2, $3, 'running', $4, $5) ON CONFLICT (scope, request_key) DO NOTHING`,
			scope, key, digest, db.Micros(now.Add(lease)), db.Micros(now))
		if err != nil || n == 1 {
			return err
		}
		v, err := db.Get(ctx, tx, nil, scan, `SELECT request_sha256, state, answer, lease_until, created_at
			FROM idempotency_answer WHERE scope = $1 AND request_key = $2`, scope, key)
		if err != nil {
			return err
		}
		found = &v
		return s.takeOver(ctx, tx, scope, key, digest, now, &found)
	})
	if err != nil || found == nil {
		return nil, err
	}
	return s.judge(ctx, *found, digest)
}

// takeOver claims a key again whose process died or whose answer is too old.
func (s *Store) takeOver(ctx context.Context, tx *db.Tx, scope, key, digest string, now time.Time, found **row) error {
	v := **found
	lost := v.state == "running" && v.lease <= db.Micros(now) && v.digest == digest
	old := v.created <= db.Micros(now.Add(-Keep))
	if !lost && !old {
		return nil
	}
	*found = nil
	return tx.ExecOne(ctx, db.ErrRetry, `UPDATE idempotency_answer SET request_sha256 = $1, state = 'running', answer = NULL, lease_until = $2, created_at = $3
		WHERE scope = $4 AND request_key = $5 AND lease_until = $6`, digest, db.Micros(now.Add(lease)), db.Micros(now), scope, key, v.lease)
}

func (s *Store) judge(ctx context.Context, v row, digest string) (*Answer, error) {
	if v.digest != digest {
		return nil, ErrConflict
	}
	if v.state == "running" {
		return nil, ErrRunning
	}
	plain, err := s.seal.OpenSystem(ctx, sealName, v.sealed)
	if err != nil {
		return nil, fmt.Errorf("opening a kept answer: %w", err)
	}
	var a Answer
	if err := json.Unmarshal(plain, &a); err != nil {
		return nil, fmt.Errorf("reading a kept answer: %w", err)
	}
	return &a, nil
}

// Complete keeps the answer of a claimed key.
func (s *Store) Complete(ctx context.Context, scope, key string, a Answer) error {
	plain, err := json.Marshal(a)
	if err != nil {
		return err
	}
	sealed, err := s.seal.SealSystem(ctx, sealName, plain)
	if err != nil {
		return fmt.Errorf("sealing an answer: %w", err)
	}
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE idempotency_answer SET state = 'done', answer = $1 WHERE scope = $2 AND request_key = $3 AND state = 'running'", sealed, scope, key)
		return err
	})
}

// Recover ends the claims of processes that are gone: a repeat does the work at
// once instead of when the claim is over. Only for the one process that answers
// requests on this database, before it answers the first.
func (s *Store) Recover(ctx context.Context) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE idempotency_answer SET lease_until = 0 WHERE state = 'running'")
		return err
	})
}

// Release gives a claimed key back: the request failed and may be tried again
// with the same key.
func (s *Store) Release(ctx context.Context, scope, key string) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "DELETE FROM idempotency_answer WHERE scope = $1 AND request_key = $2 AND state = 'running'", scope, key)
		return err
	})
}

func (s *Store) purge(ctx context.Context) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "DELETE FROM idempotency_answer WHERE created_at <= $1", db.Micros(s.clock.Now().Add(-Keep)))
		return err
	})
}
