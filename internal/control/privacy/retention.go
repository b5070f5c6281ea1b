package privacy

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
)

// ErrClock says that a run was put off because the clock is not believed.
var ErrClock = errors.New("privacy: the clock jumped; nothing is destroyed until the next run")

// clockSlack is how much the wall clock may differ from the steady one, and
// from the newest entry of the audit log.
const clockSlack = time.Minute

// RetentionRun is what one nightly run did with one class.
type RetentionRun struct {
	Run string
	At  time.Time
	retention.Result
	Problem string // a code; empty: none
}

// Retain runs every keeper once and records what it did: one row for each class
// and one leaf for the run. A keeper that fails does not keep the others from
// their work. A clock that jumped destroys nothing: ErrClock.
func (s *Service) Retain(ctx context.Context) error {
	now := s.d.Clock.Now()
	if err := s.believable(ctx, now); err != nil {
		if !errors.Is(err, ErrClock) {
			return err // the database is away; that is no word on the clock
		}
		if wrong := s.record(ctx, id.New("run"), now, nil, "clock"); wrong != nil {
			return wrong
		}
		return err
	}
	run, err := s.RunAt(ctx, now)
	if err != nil {
		return err
	}
	var all []retention.Result
	var failed []error
	keepers := []func(context.Context, retention.Run) ([]retention.Result, error){s.cases, s.holds}
	for _, k := range s.d.Keepers {
		keepers = append(keepers, k.Retain)
	}
	for _, retain := range keepers {
		got, err := retain(ctx, run)
		all = append(all, got...)
		if err != nil {
			failed = append(failed, err)
		}
	}
	problem := ""
	if len(failed) > 0 {
		problem = "failed"
	}
	for _, r := range all {
		if r.Overdue > 0 {
			s.d.Log.WarnContext(ctx, "kept longer than the ceiling of its class", "table", r.Class, "count", r.Overdue)
		}
	}
	return errors.Join(append(failed, s.record(ctx, id.New("run"), now, all, problem))...)
}

// RunAt is a run at a time, with the holds that are live then.
func (s *Service) RunAt(ctx context.Context, now time.Time) (retention.Run, error) {
	held, err := s.heldNow(ctx, now)
	return retention.Run{Now: now, Profile: s.d.Profile, Held: held}, err
}

// nightly is Retain as a job: one that was put off waits for the next night,
// instead of being tried again at once.
func (s *Service) nightly(ctx context.Context) error {
	if err := s.Retain(ctx); !errors.Is(err, ErrClock) {
		return err
	}
	return nil
}

// believable holds the wall clock to the steady one since the last run, and to
// what was recorded: destruction cannot be taken back.
func (s *Service) believable(ctx context.Context, now time.Time) error {
	s.mu.Lock()
	drift := now.Sub(s.wall) - (s.d.Steady() - s.steady)
	s.wall, s.steady = now, s.d.Steady()
	s.mu.Unlock()
	if drift.Abs() > clockSlack {
		s.d.Log.ErrorContext(ctx, "the clock jumped: the retention run destroys nothing", "seconds", int64(drift.Seconds()))
		return ErrClock
	}
	latest, err := s.d.Audit.Latest(ctx)
	if err != nil {
		return err
	}
	if latest.After(now.Add(clockSlack)) {
		s.d.Log.ErrorContext(ctx, "the clock is behind the audit log: the retention run destroys nothing")
		return ErrClock
	}
	return nil
}

// Profile is where the installation is: mainland or hongkong.
func (s *Service) Profile() string { return s.d.Profile }

// merged is one result for each class: several modules keep the same.
func merged(all []retention.Result) []retention.Result {
	var sums []retention.Result
	at := map[string]int{}
	for _, r := range all {
		i, seen := at[r.Class]
		if !seen {
			at[r.Class], sums = len(sums), append(sums, r)
			continue
		}
		sum := &sums[i]
		sum.Examined, sum.Destroyed = sum.Examined+r.Examined, sum.Destroyed+r.Destroyed
		sum.Held, sum.Overdue = sum.Held+r.Held, sum.Overdue+r.Overdue
	}
	return sums
}

func (s *Service) record(ctx context.Context, run string, at time.Time, all []retention.Result, problem string) error {
	all = merged(all)
	if len(all) == 0 {
		all = []retention.Result{{}}
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		detail := map[string]string{"run": run, "problem": problem}
		for _, r := range all {
			_, err := tx.Exec(ctx, `INSERT INTO privacy_retention (run, class, at, examined, destroyed, held, overdue, problem)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, run, r.Class, db.Micros(at), r.Examined, r.Destroyed, r.Held, r.Overdue, problem)
			if err != nil {
				return fmt.Errorf("recording a retention run: %w", err)
			}
			if r.Class != "" {
				detail[r.Class] = strconv.FormatInt(r.Destroyed, 10) + " of " + strconv.FormatInt(r.Examined, 10)
			}
		}
		return s.d.Audit.AppendTx(ctx, tx, audit.Event{Type: "retention.run", Actor: audit.Actor{Class: "job", Session: "privacy.retention"}, Detail: detail})
	})
}

// RetentionRuns lists what the newest runs did, newest first: at most limit rows
// (1 to 500).
func (s *Service) RetentionRuns(ctx context.Context, limit int) ([]RetentionRun, error) {
	return db.Select(ctx, s.d.DB, func(r db.Row) (v RetentionRun, err error) {
		var at int64
		err = r.Scan(&v.Run, &v.Class, &at, &v.Examined, &v.Destroyed, &v.Held, &v.Overdue, &v.Problem)
		v.At = db.FromMicros(at)
		return v, err
	}, `SELECT run, class, at, examined, destroyed, held, overdue, problem FROM privacy_retention ORDER BY at DESC, run DESC, class LIMIT $1`,
		int64(min(max(limit, 1), 500)))
}
