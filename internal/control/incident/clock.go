package incident

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// Clock is one limit of an incident.
type Clock struct {
	Rule     string
	From     time.Time
	Due      time.Time // first instant that is too late
	MetAt    time.Time // zero while it runs
	WaivedAt time.Time // zero unless it does not apply
	MissedAt time.Time // zero unless it was not met in time
}

// running tells whether something is still to be done for it.
func (c Clock) running() bool { return c.MetAt.IsZero() && c.WaivedAt.IsZero() }

// Rules by name; what is before the dot is what has to happen (section 3.4).
const (
	RulePeople     = "people.24h"     // "at once" of PIPL 57, with an outer limit of ours
	RuleAuthority  = "authority.4h"   // grade large and above
	RuleCritical   = "authority.1h"   // the same of critical information infrastructure
	RuleFlaw       = "flaw.24h"       // a flaw of the product
	RuleSupplement = "supplement.72h" // a first notice that went without a cause; ours
	RuleSummary    = "summary.30d"    // after it was handled
	summaryDays    = 30
)

var hours = map[string]time.Duration{
	RulePeople: 24 * time.Hour, RuleAuthority: 4 * time.Hour, RuleCritical: time.Hour, RuleFlaw: 24 * time.Hour, RuleSupplement: 72 * time.Hour,
}

// run starts a rule's clock. Hours run from the instant and are never extended;
// days end at 24:00 of the last one, the day of the start not counted.
func run(rule string, from time.Time) Clock {
	if d, ok := hours[rule]; ok {
		return Clock{Rule: rule, From: from, Due: from.Add(d)}
	}
	return Clock{Rule: rule, From: from, Due: civil.DayOf(from).AddDays(summaryDays).End()}
}

// clocks are those that an incident begins with (clause TY-5.1e).
func (i Incident) clocks() []Clock {
	if mutant.Off("TY-5.1e") {
		return nil
	}
	all := []Clock{run(RulePeople, i.T0), run(i.authorityRule(), i.T0)}
	if i.Kind == Flaw {
		all = append(all, run(RuleFlaw, i.T0))
	}
	return all
}

func (i Incident) authorityRule() string {
	if i.Critical {
		return RuleCritical
	}
	return RuleAuthority
}

func startTx(ctx context.Context, tx *db.Tx, incident string, all ...Clock) error {
	for _, c := range all {
		_, err := tx.Exec(ctx, `INSERT INTO incident_clock (incident, rule, from_at, due_at, met_at, waived_at, missed_at)
			VALUES ($1, $2, $3, $4, 0, 0, 0) ON CONFLICT DO NOTHING`, incident, c.Rule, db.Micros(c.From), db.Micros(c.Due))
		if err != nil {
			return err
		}
	}
	return nil
}

// meetTx stops a clock because its duty is done.
func meetTx(ctx context.Context, tx *db.Tx, incident, rule string, now time.Time) error {
	_, err := tx.Exec(ctx, "UPDATE incident_clock SET met_at = $1 WHERE incident = $2 AND rule = $3 AND met_at = 0", db.Micros(now), incident, rule)
	return err
}

// applyTx stops a clock that does not apply, or lets it run again; the limit
// stays where it was.
func applyTx(ctx context.Context, tx *db.Tx, incident, rule string, applies bool, now time.Time) error {
	at := db.Micros(now)
	if applies {
		at = 0
	}
	_, err := tx.Exec(ctx, "UPDATE incident_clock SET waived_at = $1 WHERE incident = $2 AND rule = $3 AND met_at = 0", at, incident, rule)
	return err
}

func clocksOf(ctx context.Context, q db.Q, incident string) ([]Clock, error) {
	return db.Select(ctx, q, scanClock,
		"SELECT rule, from_at, due_at, met_at, waived_at, missed_at FROM incident_clock WHERE incident = $1 ORDER BY due_at, rule", incident)
}

func scanClock(r db.Row) (c Clock, err error) {
	var from, due, met, waived, missed int64
	err = r.Scan(&c.Rule, &from, &due, &met, &waived, &missed)
	c.From, c.Due, c.MetAt, c.WaivedAt, c.MissedAt = db.FromMicros(from), db.FromMicros(due), db.FromMicros(met), db.FromMicros(waived), db.FromMicros(missed)
	return c, err
}
