package incident

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

const columns = `SELECT id, kind, state, t0, discovered_at, told_at, detected_by, sensitive, critical, scope, facts, people, counted_at, raised,
	owed_at, opened_by, opened_at, handled_at, closed_at, version FROM incident_incident`

func scan(r db.Row) (i Incident, err error) {
	var t0, discovered, told, counted, owed, opened, handled, closed, sensitive, critical int64
	var scope, facts string
	err = r.Scan(&i.ID, &i.Kind, &i.State, &t0, &discovered, &told, &i.DetectedBy, &sensitive, &critical, &scope, &facts, &i.People, &counted,
		&i.Raised, &owed, &i.OpenedBy, &opened, &handled, &closed, &i.Version)
	if err != nil {
		return i, err
	}
	i.T0, i.DiscoveredAt, i.ToldAt, i.CountedAt = db.FromMicros(t0), db.FromMicros(discovered), db.FromMicros(told), db.FromMicros(counted)
	i.OwedAt, i.OpenedAt, i.HandledAt, i.ClosedAt = db.FromMicros(owed), db.FromMicros(opened), db.FromMicros(handled), db.FromMicros(closed)
	i.Sensitive, i.Critical = sensitive == 1, critical == 1
	if err := json.Unmarshal([]byte(scope), &i.Scope); err != nil {
		return i, fmt.Errorf("reading the scope of %s: %w", i.ID, err)
	}
	if err := json.Unmarshal([]byte(facts), &i.Facts); err != nil {
		return i, fmt.Errorf("reading the facts of %s: %w", i.ID, err)
	}
	return i, nil
}

func byID(ctx context.Context, q db.Q, incident string) (Incident, error) {
	return db.Get(ctx, q, ErrNotFound, scan, columns+" WHERE id = $1", incident)
}

func asJSON(v any) (string, error) {
	raw, err := json.Marshal(v)
	return string(raw), err
}

func insertTx(ctx context.Context, tx *db.Tx, i Incident) error {
	scope, err := asJSON(i.Scope)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO incident_incident (id, kind, state, t0, discovered_at, told_at, detected_by, sensitive, critical, scope, facts,
		people, counted_at, raised, owed_at, opened_by, opened_at, handled_at, closed_at, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '{}', 0, 0, '', 0, $11, $12, 0, 0, 1)`,
		i.ID, string(i.Kind), string(i.State), db.Micros(i.T0), db.Micros(i.DiscoveredAt), db.Micros(i.ToldAt), i.DetectedBy,
		db.Bool(i.Sensitive), db.Bool(i.Critical), scope, i.OpenedBy, db.Micros(i.OpenedAt))
	return err
}

// updateTx writes what may change, if nobody else was faster.
func updateTx(ctx context.Context, tx *db.Tx, i Incident) error {
	scope, err := asJSON(i.Scope)
	if err != nil {
		return err
	}
	facts, err := asJSON(i.Facts)
	if err != nil {
		return err
	}
	return tx.ExecOne(ctx, ErrIncident, `UPDATE incident_incident SET state = $1, scope = $2, facts = $3, people = $4, counted_at = $5, raised = $6,
		owed_at = $7, handled_at = $8, closed_at = $9, version = version + 1 WHERE id = $10 AND version = $11`,
		string(i.State), scope, facts, i.People, db.Micros(i.CountedAt), string(i.Raised), db.Micros(i.OwedAt), db.Micros(i.HandledAt),
		db.Micros(i.ClosedAt), i.ID, i.Version)
}

// stepTx notes a step of the incident with its leaf. detail is of codes and
// numbers only.
func (s *Service) stepTx(ctx context.Context, tx *db.Tx, p account.Principal, incident, step string, detail map[string]string) error {
	text, err := asJSON(detail)
	if err != nil {
		return err
	}
	if detail == nil {
		text = "{}"
	}
	_, err = tx.Exec(ctx, "INSERT INTO incident_step (id, incident, step, staff, detail, at) VALUES ($1, $2, $3, $4, $5, $6)",
		id.New("ist"), incident, step, string(p.Subject), text, db.Micros(s.d.Clock.Now()))
	if err != nil {
		return err
	}
	all := map[string]string{"incident": incident}
	for k, v := range detail {
		all[k] = v
	}
	return s.d.Audit.AppendTx(ctx, tx, audit.Event{Type: "incident." + step, Actor: actor(p), Object: incident, Detail: all})
}

// Step is one line of an incident's journal.
type Step struct {
	Step   string
	Staff  string // handle; empty: the system
	Detail map[string]string
	At     time.Time
}

func stepsOf(ctx context.Context, q db.Q, incident string) ([]Step, error) {
	return db.Select(ctx, q, func(r db.Row) (t Step, err error) {
		var at int64
		var detail string
		if err = r.Scan(&t.Step, &t.Staff, &detail, &at); err != nil {
			return t, err
		}
		t.At = db.FromMicros(at)
		return t, json.Unmarshal([]byte(detail), &t.Detail)
	}, "SELECT step, staff, detail, at FROM incident_step WHERE incident = $1 ORDER BY at, id", incident)
}

// change reads an incident, lets f change it in the same transaction and writes
// it.
func (s *Service) change(ctx context.Context, incident string, f func(tx *db.Tx, i *Incident) error) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		i, err := byID(ctx, tx, incident)
		if err != nil {
			return err
		}
		if err := f(tx, &i); err != nil {
			return err
		}
		return updateTx(ctx, tx, i)
	})
}
