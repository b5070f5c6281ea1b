package incident

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
)

// Keeps fills audit.Things.
func (s *Service) Keeps(ctx context.Context, r retention.Run, of string, subject id.Handle, began time.Time) (bool, error) {
	if of != class || subject != "" {
		return false, nil // entries about incidents are about nobody
	}
	all, err := db.Select(ctx, s.d.DB, db.One[int64], "SELECT closed_at FROM incident_incident WHERE opened_at <= $1", db.Micros(began))
	for _, at := range all {
		if at == 0 || r.Today().Before(retention.MayGo(class, civil.DayOf(db.FromMicros(at)))) {
			return true, err
		}
	}
	return false, err
}

// Retain deletes whom an incident reached, and how they were told, when the floor
// after its close is over, and destroys the key of what the log tells of it. The
// incident itself, which names nobody, stays. It fills retention.Keeper.
func (s *Service) Retain(ctx context.Context, r retention.Run) ([]retention.Result, error) {
	res := retention.Result{Class: class}
	closed, err := db.Select(ctx, s.d.DB, scan, columns+" WHERE closed_at > 0 AND EXISTS (SELECT 1 FROM incident_person p WHERE p.incident = incident_incident.id)")
	if err != nil {
		return nil, err
	}
	for _, i := range closed {
		day := civil.DayOf(i.ClosedAt)
		if r.Today().Before(retention.MayGo(class, day)) {
			continue
		}
		n, err := countPeople(ctx, s.d.DB, i.ID)
		if err != nil {
			return nil, err
		}
		res.Examined += n
		if r.Overdue(class, day) {
			res.Overdue += n
		}
		if s.held(ctx, r, i.ID) {
			res.Held += n
			continue
		}
		if err := s.d.Audit.Forget(ctx, class, "", i.ID); err != nil {
			return nil, err
		}
		if err := s.forget(ctx, i.ID); err != nil {
			return nil, err
		}
		res.Destroyed += n
	}
	return []retention.Result{res}, nil
}

// held tells whether a hold keeps anything of the class: a list of people is
// kept or goes as one.
func (s *Service) held(ctx context.Context, r retention.Run, incident string) bool {
	if r.Held(class, "") {
		return true
	}
	all, err := db.Select(ctx, s.d.DB, db.One[id.Handle], "SELECT subject FROM incident_person WHERE incident = $1", incident)
	if err != nil {
		return true
	}
	for _, h := range all {
		if r.Held(class, h) {
			return true
		}
	}
	return false
}

func (s *Service) forget(ctx context.Context, incident string) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		for _, text := range []string{
			"DELETE FROM incident_task WHERE incident = $1",
			"DELETE FROM incident_delivery WHERE notice IN (SELECT id FROM incident_notice WHERE incident = $1)",
			"DELETE FROM incident_person WHERE incident = $1",
		} {
			if _, err := tx.Exec(ctx, text, incident); err != nil {
				return err
			}
		}
		return nil
	})
}
