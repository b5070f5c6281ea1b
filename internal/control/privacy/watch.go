package privacy

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// soon is how long before it is due a request is near it.
const soon = 24 * time.Hour

// Standing counts the requests that are open.
type Standing struct {
	Open    int // all
	DueSoon int // of them, due within a day
	Overdue int // of them, past due
}

// Standing tells how the desk stands.
func (s *Service) Standing(ctx context.Context) (n Standing, err error) {
	all, err := db.Select(ctx, s.d.DB, scan, columns+" WHERE r.closed_at = 0")
	now := s.d.Clock.Now()
	for _, r := range all {
		n.Open++
		switch {
		case !now.Before(r.Due):
			n.Overdue++
		case r.Due.Sub(now) <= soon:
			n.DueSoon++
		}
	}
	return n, err
}

// watch computes provisional clocks again and tells staff what is near or past
// due: one line a run.
func (s *Service) watch(ctx context.Context) error {
	if err := s.recompute(ctx); err != nil {
		return err
	}
	n, err := s.Standing(ctx)
	if err != nil {
		return err
	}
	if n.Overdue > 0 {
		s.d.Log.ErrorContext(ctx, "requests of data subjects are past due", "count", n.Overdue)
	}
	if n.DueSoon > 0 {
		s.d.Log.WarnContext(ctx, "requests of data subjects are due within a day", "count", n.DueSoon)
	}
	return nil
}

type provisional struct {
	request  string
	received time.Time
	clock    Clock
}

// recompute moves provisional clocks by what the calendar knows now.
func (s *Service) recompute(ctx context.Context) error {
	all, err := db.Select(ctx, s.d.DB, func(row db.Row) (p provisional, err error) {
		var received, due, flag, met int64
		err = row.Scan(&p.request, &received, &p.clock.Rule, &due, &flag, &met)
		p.received = db.FromMicros(received)
		p.clock.Due, p.clock.Provisional, p.clock.MetAt = db.FromMicros(due), flag != 0, db.FromMicros(met)
		return p, err
	}, `SELECT c.request, r.received_at, c.rule, c.due_at, c.provisional, c.met_at FROM privacy_clock c
		JOIN privacy_request r ON r.id = c.request WHERE c.provisional = 1 AND c.met_at = 0 ORDER BY c.request, c.rule`)
	if err != nil {
		return err
	}
	for _, p := range all {
		next := p.clock.again(s.d.Calendar, p.received, s.d.Clock.Now())
		if next == p.clock {
			continue
		}
		if err := s.setClock(ctx, p.request, next); err != nil {
			return err
		}
	}
	return nil
}

// setClock never moves a clock later, whatever another process computed.
func (s *Service) setClock(ctx context.Context, request string, c Clock) error {
	err := s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		return tx.ExecOne(ctx, ErrNotFound, "UPDATE privacy_clock SET due_at = $1, provisional = $2 WHERE request = $3 AND rule = $4 AND met_at = 0 AND due_at >= $1",
			db.Micros(c.Due), db.Bool(c.Provisional), request, c.Rule)
	})
	if errs.IsNotFound(err) {
		return nil // met meanwhile
	}
	return err
}
