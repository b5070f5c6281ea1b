// Package db is the SQL floor: one portable text, written once with $n
// parameters, run on embedded SQLite and on PostgreSQL.
//
// Rules that keep it portable: text keys, times as BIGINT microseconds of UTC
// (Micros, FromMicros), booleans as INTEGER 0/1, bytes as BLOB (which
// migrations turn into BYTEA), no SERIAL, no triggers or LISTEN that
// correctness depends on, and every transaction may run again from its start.
//
// SQLite has one writing connection (transactions begin immediate) and a pool
// of readers that see the last commit; PostgreSQL has one pool and runs
// transactions SERIALIZABLE, so that a rule checked by reading holds at commit.
//
//	InTx ── fn(tx) ── before-commit hooks ── COMMIT ── after-commit hooks
//	  ▲                                        │
//	  └────── busy, serialization failure ─────┘   (fn runs again, up to 10 times)
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// Dialect names the engine behind a DB.
type Dialect string

// Dialects.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// Q runs statements: a *DB outside a transaction (reads), a *Tx inside.
type Q interface {
	query(ctx context.Context, text string, args ...any) (*sql.Rows, error)
	Dialect() Dialect
}

// DB is an open database. It is safe for concurrent use.
type DB struct {
	dialect Dialect
	write   *sql.DB
	read    *sql.DB
	written *statements  // of the writing connection; nil on PostgreSQL, as the next
	asked   *statements  // of the readers
	turn    sync.RWMutex // held shared by a transaction's first tries, alone by its later ones
}

// ErrRetry makes InTx run the function again from its start; return it when a
// compare-and-set lost against a concurrent transaction.
var ErrRetry = errors.New("transaction must run again")

// Open opens dsn: a PostgreSQL URL, or a file path for SQLite.
func Open(ctx context.Context, dsn string) (*DB, error) {
	if strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://") {
		return openPostgres(ctx, dsn)
	}
	return openSQLite(ctx, dsn)
}

// Dialect returns the engine.
func (d *DB) Dialect() Dialect { return d.dialect }

// Close closes all connections.
func (d *DB) Close() error {
	if d.read == d.write {
		return d.write.Close()
	}
	return errors.Join(d.read.Close(), d.write.Close())
}

// Ping reports whether the database answers.
func (d *DB) Ping(ctx context.Context) error { return d.read.PingContext(ctx) }

func (d *DB) query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	if s := d.asked.keep(ctx, text); s != nil { //nolint:sqlclosecheck // kept for the next time
		return s.QueryContext(ctx, args...)
	}
	return d.read.QueryContext(ctx, text, args...)
}

// Tx is a transaction. It belongs to one goroutine.
type Tx struct {
	tx      *sql.Tx
	dialect Dialect
	written *statements
	used    map[string]*sql.Stmt // texts of this transaction; nil for those that are not compiled yet
	before  []func(context.Context) error
	after   []func()
	values  map[any]any
}

// Dialect returns the engine.
func (t *Tx) Dialect() Dialect { return t.dialect }

func (t *Tx) query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	if s := t.compiled(ctx, text); s != nil { //nolint:sqlclosecheck // ends with the transaction
		return s.QueryContext(ctx, args...)
	}
	return t.tx.QueryContext(ctx, text, args...)
}

// compiled returns a text compiled for this transaction; nil if it is not yet.
func (t *Tx) compiled(ctx context.Context, text string) *sql.Stmt {
	if t.written == nil {
		return nil
	}
	s, known := t.used[text]
	if known {
		return s
	}
	if kept := t.written.of(text); kept != nil {
		s = t.tx.StmtContext(ctx, kept)
	}
	if t.used == nil {
		t.used = map[string]*sql.Stmt{}
	}
	t.used[text] = s
	return s
}

// Exec runs a statement and returns the number of rows it touched.
func (t *Tx) Exec(ctx context.Context, text string, args ...any) (int64, error) {
	var res sql.Result
	var err error
	if s := t.compiled(ctx, text); s != nil { //nolint:sqlclosecheck // ends with the transaction
		res, err = s.ExecContext(ctx, args...)
	} else {
		res, err = t.tx.ExecContext(ctx, text, args...)
	}
	if err != nil {
		return 0, fmt.Errorf("executing %s: %w", verb(text), err)
	}
	return res.RowsAffected()
}

// ExecOne runs a compare-and-set: stale is returned unless exactly one row was
// touched.
func (t *Tx) ExecOne(ctx context.Context, stale error, text string, args ...any) error {
	n, err := t.Exec(ctx, text, args...)
	if err != nil {
		return err
	}
	if n != 1 {
		return stale
	}
	return nil
}

// BeforeCommit registers fn to run as the last statements of the transaction,
// in order of registration. An error rolls back.
func (t *Tx) BeforeCommit(fn func(context.Context) error) { t.before = append(t.before, fn) }

// AfterCommit registers fn to run once the transaction is durable: wake-ups
// only, for it does not run after a crash.
func (t *Tx) AfterCommit(fn func()) { t.after = append(t.after, fn) }

// Value returns what SetValue kept under key for this run of the transaction.
func (t *Tx) Value(key any) any { return t.values[key] }

// SetValue keeps a value for the rest of this run of the transaction.
func (t *Tx) SetValue(key, value any) {
	if t.values == nil {
		t.values = map[any]any{}
	}
	t.values[key] = value
}

// InTx runs fn in a transaction and commits if it returns nil. fn may run
// several times and must have no effect outside the transaction but through
// AfterCommit.
func (d *DB) InTx(ctx context.Context, fn func(*Tx) error) error {
	const tries = 10
	for try := 1; ; try++ {
		err := d.attempt(ctx, try, fn)
		if err == nil || try == tries || !retryable(err) {
			return err
		}
		slog.DebugContext(ctx, "transaction runs again", "try", try)
		pause := time.Duration(rand.IntN(5<<min(try, 6))+1) * time.Millisecond
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// attempt runs one try. A transaction that lost twice runs alone in this
// process, so that many of them at one row (the head of the audit log) end
// after a bounded number of tries instead of by luck.
func (d *DB) attempt(ctx context.Context, try int, fn func(*Tx) error) error {
	if try > 2 {
		d.turn.Lock()
		defer d.turn.Unlock()
	} else {
		d.turn.RLock()
		defer d.turn.RUnlock()
	}
	return d.once(ctx, fn)
}

func (d *DB) once(ctx context.Context, fn func(*Tx) error) (err error) {
	raw, err := d.write.BeginTx(ctx, d.txOptions())
	if err != nil {
		return fmt.Errorf("beginning transaction: %w", err)
	}
	defer func() { _ = raw.Rollback() }() // no effect after a commit
	t := &Tx{tx: raw, dialect: d.dialect, written: d.written}
	if err := fn(t); err != nil {
		return err
	}
	for i := 0; i < len(t.before); i++ {
		if err := t.before[i](ctx); err != nil {
			return err
		}
	}
	if err := raw.Commit(); err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	for _, f := range t.after {
		f()
	}
	for text, s := range t.used {
		if s == nil {
			d.written.keep(ctx, text)
		}
	}
	return nil
}

// Row is what a scan function reads.
type Row interface{ Scan(dest ...any) error }

// Get returns the single row of a query, or notFound if there is none.
func Get[T any](ctx context.Context, q Q, notFound error, scan func(Row) (T, error), text string, args ...any) (T, error) {
	var zero T
	all, err := Select(ctx, q, scan, text, args...)
	if err != nil {
		return zero, err
	}
	if len(all) == 0 {
		if notFound == nil {
			notFound = errs.New(errs.NotFound, "db.not_found")
		}
		return zero, notFound
	}
	return all[0], nil
}

// Select returns all rows of a query; an empty slice if there is none.
func Select[T any](ctx context.Context, q Q, scan func(Row) (T, error), text string, args ...any) ([]T, error) {
	rows, err := q.query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("querying %s: %w", verb(text), err)
	}
	defer rows.Close()
	all := []T{}
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("reading row of %s: %w", verb(text), err)
		}
		all = append(all, v)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading rows of %s: %w", verb(text), err)
	}
	return all, nil
}

// One scans a single column: Get(ctx, q, nil, db.One[int64], "SELECT count(*)...").
func One[T any](r Row) (T, error) {
	var v T
	return v, r.Scan(&v)
}

// Micros turns a time into what columns hold; the zero time becomes 0.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// FromMicros is the inverse of Micros.
func FromMicros(v int64) time.Time {
	if v == 0 {
		return time.Time{}
	}
	return time.UnixMicro(v).UTC()
}

// Bool turns a bool into what columns hold.
func Bool(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// verb names a statement in errors without its values: its first words.
func verb(text string) string {
	words := strings.Fields(text)
	return strings.Join(words[:min(len(words), 4)], " ")
}
