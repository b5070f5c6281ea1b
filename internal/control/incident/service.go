package incident

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// system is who acts when nobody does.
var system account.Principal

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// NewIncident is what staff know when they open one. At least one of the times
// is needed; no query means that it is not known whom it reaches.
type NewIncident struct {
	Kind         Kind
	DiscoveredAt time.Time
	ToldAt       time.Time
	DetectedBy   string
	Sensitive    bool
	Critical     bool
	Scope        []Query
}

// t0 is the earlier of discovery and being told.
func (n NewIncident) t0() time.Time {
	if n.DiscoveredAt.IsZero() || (!n.ToldAt.IsZero() && n.ToldAt.Before(n.DiscoveredAt)) {
		return n.ToldAt
	}
	return n.DiscoveredAt
}

func (n NewIncident) check(now time.Time) error {
	if !slices.Contains([]Kind{Leak, Tampering, Loss, Flaw}, n.Kind) || !slices.Contains(detectors, n.DetectedBy) {
		return ErrKind
	}
	if n.t0().IsZero() || n.DiscoveredAt.After(now) || n.ToldAt.After(now) {
		return ErrTimes
	}
	return checkScope(n.Scope)
}

func checkScope(all []Query) error {
	for _, q := range all {
		if err := q.check(); err != nil {
			return err
		}
	}
	return nil
}

// Open opens an incident, starts its clocks and the count. Errors: ErrKind,
// ErrTimes, ErrSpan.
func (s *Service) Open(ctx context.Context, p account.Principal, n NewIncident) (Incident, error) {
	now := s.d.Clock.Now()
	if err := n.check(now); err != nil {
		return Incident{}, err
	}
	i := Incident{
		ID: id.New("inc"), Kind: n.Kind, State: Counting, T0: n.t0(), DiscoveredAt: n.DiscoveredAt, ToldAt: n.ToldAt, DetectedBy: n.DetectedBy,
		Sensitive: n.Sensitive, Critical: n.Critical, Scope: n.Scope, OpenedBy: string(p.Subject), OpenedAt: now, Version: 1,
	}
	return i, s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		if err := insertTx(ctx, tx, i); err != nil {
			return err
		}
		if err := startTx(ctx, tx, i.ID, i.clocks()...); err != nil {
			return err
		}
		if err := addPassesTx(ctx, tx, i.ID, expand(i.Scope)); err != nil {
			return err
		}
		err := s.stepTx(ctx, tx, p, i.ID, "opened", map[string]string{"kind": string(i.Kind), "t0": i.T0.UTC().Format(time.RFC3339)})
		if err != nil {
			return err
		}
		return s.enqueueTx(ctx, tx, kindCount, i.ID)
	})
}

// Widen adds whom an incident reaches as well; nobody is ever taken away. Who is
// new gets the notices that have gone out.
func (s *Service) Widen(ctx context.Context, p account.Principal, incident string, more []Query) error {
	if err := checkScope(more); err != nil {
		return err
	}
	return s.change(ctx, incident, func(tx *db.Tx, i *Incident) (err error) {
		if i.State, err = i.State.On(EventWiden); err != nil {
			return err
		}
		i.Scope, i.CountedAt = append(i.Scope, more...), time.Time{}
		now := s.d.Clock.Now()
		if err := applyTx(ctx, tx, i.ID, i.authorityRule(), true, now); err != nil {
			return err
		}
		// A waiver was for those who were known: others may have come to harm.
		if err := applyTx(ctx, tx, i.ID, RulePeople, true, now); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM incident_signature WHERE incident = $1", i.ID); err != nil {
			return err
		}
		if err := addPassesTx(ctx, tx, i.ID, expand(more)); err != nil {
			return err
		}
		if err := s.stepTx(ctx, tx, p, i.ID, "widened", map[string]string{"queries": itoa(int64(len(more)))}); err != nil {
			return err
		}
		return s.enqueueTx(ctx, tx, kindCount, i.ID)
	})
}

// Raise raises the grade above what the count says; ErrLower refuses the other
// way.
func (s *Service) Raise(ctx context.Context, p account.Principal, incident string, g Grade) error {
	if g.rank() == 0 {
		return ErrKind
	}
	return s.change(ctx, incident, func(tx *db.Tx, i *Incident) error {
		if i.State == Closed {
			return ErrState.With("state", string(i.State)).With("event", "raise")
		}
		if g.rank() <= i.Grade().rank() {
			return ErrLower
		}
		i.Raised = g
		if err := applyTx(ctx, tx, i.ID, i.authorityRule(), i.reported(), s.d.Clock.Now()); err != nil {
			return err
		}
		return s.stepTx(ctx, tx, p, i.ID, "grade_raised", map[string]string{"grade": string(g)})
	})
}

// Handled notes that the incident is contained and mended: the summary is due
// thirty days later.
func (s *Service) Handled(ctx context.Context, p account.Principal, incident string) error {
	return s.change(ctx, incident, func(tx *db.Tx, i *Incident) error {
		if i.State == Closed || !i.HandledAt.IsZero() {
			return ErrState.With("state", string(i.State)).With("event", "handle")
		}
		i.HandledAt = s.d.Clock.Now()
		if err := startTx(ctx, tx, i.ID, run(RuleSummary, i.HandledAt)); err != nil {
			return err
		}
		return s.stepTx(ctx, tx, p, i.ID, "handled", nil)
	})
}

// Close ends an incident of which nothing is owed any more. ErrOwed says what
// is.
func (s *Service) Close(ctx context.Context, p account.Principal, incident string) error {
	return s.change(ctx, incident, func(tx *db.Tx, i *Incident) error {
		to, err := i.State.On(EventClose)
		if err != nil {
			return err
		}
		if err := owed(ctx, tx, *i); err != nil {
			return err
		}
		i.State, i.ClosedAt = to, s.d.Clock.Now()
		return s.stepTx(ctx, tx, p, i.ID, "closed", nil)
	})
}

func owed(ctx context.Context, q db.Q, i Incident) error {
	if i.HandledAt.IsZero() {
		return ErrOwed.With("what", "handled")
	}
	all, err := clocksOf(ctx, q, i.ID)
	if err != nil {
		return err
	}
	for _, c := range all {
		if c.running() {
			return ErrOwed.With("what", c.Rule)
		}
	}
	announced, err := announcedOf(ctx, q, i.ID)
	if err != nil {
		return err
	}
	if !i.OwedAt.IsZero() && len(announced) == 0 {
		return ErrOwed.With("what", "announcement")
	}
	n, err := db.Get(ctx, q, nil, db.One[int64], "SELECT count(*) FROM incident_task WHERE incident = $1 AND closed_at = 0", i.ID)
	if err == nil && n > 0 {
		err = ErrOwed.With("what", "tasks")
	}
	return err
}

// List returns all incidents with the clocks that run, the newest first.
func (s *Service) List(ctx context.Context) ([]View, error) {
	all, err := db.Select(ctx, s.d.DB, scan, columns+" ORDER BY id DESC LIMIT 500")
	if err != nil {
		return nil, err
	}
	views := make([]View, 0, len(all))
	for _, i := range all {
		v := View{Incident: i}
		if v.Clocks, err = clocksOf(ctx, s.d.DB, i.ID); err != nil {
			return nil, err
		}
		views = append(views, v)
	}
	return views, nil
}

// View is an incident with all that belongs to it; a list has the clocks only.
type View struct {
	Incident
	Clocks     []Clock
	Steps      []Step
	Notices    []Notice
	Signatures []Signature
	Reports    []Report
	Announced  []string // notices
	Reach      Reach
	OpenTasks  int64
}

// Show returns an incident with all that belongs to it.
func (s *Service) Show(ctx context.Context, incident string) (v View, err error) {
	if v.Incident, err = byID(ctx, s.d.DB, incident); err != nil {
		return v, err
	}
	if v.Clocks, err = clocksOf(ctx, s.d.DB, incident); err != nil {
		return v, err
	}
	if v.Steps, err = stepsOf(ctx, s.d.DB, incident); err != nil {
		return v, err
	}
	if v.Notices, err = noticesOf(ctx, s.d.DB, incident); err != nil {
		return v, err
	}
	if v.Signatures, err = signaturesOf(ctx, s.d.DB, incident); err != nil {
		return v, err
	}
	if v.Reports, err = reportsOf(ctx, s.d.DB, incident); err != nil {
		return v, err
	}
	if v.Announced, err = announcedOf(ctx, s.d.DB, incident); err != nil {
		return v, err
	}
	if v.Reach, err = s.reach(ctx, s.d.DB, incident); err != nil {
		return v, err
	}
	v.OpenTasks, err = db.Get(ctx, s.d.DB, nil, db.One[int64], "SELECT count(*) FROM incident_task WHERE incident = $1 AND closed_at = 0", incident)
	return v, err
}
