// Package evidence asks a running installation, every hour, whether what the
// clauses promise is so in its data, and keeps the last answer to each question.
//
//	clause.Evidence ─ query name ─▶ Query (of the module that has the rows) ─▶ Finding
//	    Finding ─ found > expected ─▶ unexpected: leaf in the log, alarm ─▶ public trust page
//
// It is not for what code refuses at once: a query looks for what slipped by, or
// was altered in the database by hand. It reads no personal data: a query counts.
//
// Invariants: every query that the registry names is there, and none else; a
// query that could not be asked is no evidence; a change between expected and
// unexpected has a leaf in the transaction that records it.
//
// Tables: evidence_result, one row for each query.
package evidence

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/clause"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Migrations returns the module's schema.
func Migrations() db.Migrations {
	sub, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		panic(err)
	}
	return db.Migrations{Module: "evidence", Files: sub}
}

// Finding is what a query counted: the things it looked at, and those of them
// that should not be.
type Finding struct{ Examined, Found int64 }

// Query looks at the rows of the moment. It writes nothing.
type Query func(ctx context.Context) (Finding, error)

// States of a result.
const (
	Expected   = "expected"
	Unexpected = "unexpected"
	Failed     = "failed" // the query could not be asked
)

// Period is the time between two runs.
const Period = time.Hour

// Result is the last answer to a query.
type Result struct {
	Query    string
	State    string
	Finding  Finding
	Checks   int64 // runs so far
	Failures int64 // of them, those that were not as expected
	At       time.Time
	Since    time.Time // of the state
}

// Deps are what the service stands on; all are needed.
type Deps struct {
	DB      *db.DB
	Clock   clock.Clock
	Queue   *job.Queue
	Log     *slog.Logger
	Audit   *audit.Service
	Clauses []clause.Clause
	Queries map[string]Query
}

// Service is the module. It is safe for concurrent use.
type Service struct {
	d      Deps
	expect map[string]int64 // by query
}

// New refuses a registry and a set of queries that do not fit each other, and
// registers the hourly run.
func New(d Deps) (*Service, error) {
	s := &Service{d: d, expect: map[string]int64{}}
	var wrong []error
	for _, c := range d.Clauses {
		e := c.Evidence
		if e.Query == "" {
			continue
		}
		if was, ok := s.expect[e.Query]; ok && was != e.Expect {
			wrong = append(wrong, fmt.Errorf("evidence: clauses expect different things of %s", e.Query))
		}
		if d.Queries[e.Query] == nil {
			wrong = append(wrong, fmt.Errorf("evidence: %s names the query %s, which is not there", c.ID, e.Query))
		}
		s.expect[e.Query] = e.Expect
	}
	for name := range d.Queries {
		if _, ok := s.expect[name]; !ok {
			wrong = append(wrong, fmt.Errorf("evidence: no clause asks for %s", name))
		}
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	d.Queue.EveryFromStart("evidence.run", Period, s.Run)
	return s, nil
}

// Run asks every query and records the answers. One that fails does not keep the
// others from being asked; the error names them all.
func (s *Service) Run(ctx context.Context) error {
	var failures []error
	for _, name := range s.names() {
		failures = append(failures, s.ask(ctx, name))
	}
	return errors.Join(failures...)
}

func (s *Service) names() (all []string) {
	for name := range s.expect {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

func (s *Service) ask(ctx context.Context, name string) error {
	found, failure := s.d.Queries[name](ctx)
	r := Result{Query: name, State: Expected, Finding: found, At: s.d.Clock.Now()}
	switch {
	case failure != nil:
		r.State, r.Finding = Failed, Finding{}
		s.d.Log.ErrorContext(ctx, "evidence could not be asked for", "kind", name, "error", failure)
	case found.Found != s.expect[name]:
		r.State = Unexpected
		s.d.Log.ErrorContext(ctx, "what a clause promises is not so", "kind", name, "count", found.Found)
	}
	err := s.d.DB.InTx(ctx, func(tx *db.Tx) error { return s.recordTx(ctx, tx, r) })
	if err != nil {
		err = fmt.Errorf("recording the evidence %s: %w", name, err)
	}
	return err
}

func (s *Service) recordTx(ctx context.Context, tx *db.Tx, r Result) error {
	rows, err := db.Select(ctx, tx, scan, columns+" WHERE query = $1", r.Query)
	if err != nil {
		return err
	}
	var last Result // of a query that was never asked
	if len(rows) > 0 {
		last = rows[0]
	}
	r.Checks, r.Failures, r.Since = last.Checks+1, last.Failures, last.Since
	if r.State != Expected {
		r.Failures++
	}
	if r.State != last.State {
		r.Since = r.At
	}
	_, err = tx.Exec(ctx, `INSERT INTO evidence_result (query, state, examined, found, checks, failures, at, since) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (query) DO UPDATE SET state = $2, examined = $3, found = $4, checks = $5, failures = $6, at = $7, since = $8`,
		r.Query, r.State, r.Finding.Examined, r.Finding.Found, r.Checks, r.Failures, db.Micros(r.At), db.Micros(r.Since))
	if err != nil || !told(last.State, r.State) {
		return err
	}
	return s.d.Audit.AppendTx(ctx, tx, audit.Event{
		Type: "evidence." + r.State, Actor: audit.Actor{Class: "job"},
		Detail: map[string]string{"query": r.Query, "examined": strconv.FormatInt(r.Finding.Examined, 10), "found": strconv.FormatInt(r.Finding.Found, 10)},
	})
}

// told tells whether a change of state goes to the log: to unexpected, and from
// it to expected.
func told(was, is string) bool {
	return was != is && (is == Unexpected || is == Expected && was == Unexpected)
}

// Results lists the last answers, by query. A query that was not asked yet is not
// among them.
func (s *Service) Results(ctx context.Context) ([]Result, error) {
	return db.Select(ctx, s.d.DB, scan, columns+" ORDER BY query")
}

const columns = "SELECT query, state, examined, found, checks, failures, at, since FROM evidence_result"

func scan(row db.Row) (r Result, err error) {
	var at, since int64
	err = row.Scan(&r.Query, &r.State, &r.Finding.Examined, &r.Finding.Found, &r.Checks, &r.Failures, &at, &since)
	r.At, r.Since = db.FromMicros(at), db.FromMicros(since)
	return r, err
}
