package payment

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

func insertDifference(ctx context.Context, tx *db.Tx, d Difference) error {
	_, err := tx.Exec(ctx, `INSERT INTO payment_difference (id, gateway_account_id, day, kind, ref, attempt_no, provider_trade_no, refund_no, currency,
		here_minor, there_minor, here_state, state, version, reading, outcome, proposed_by, booked_minor, at, found_at, closed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, '', '', 0, $16, $17, 0)`,
		d.ID, d.Gateway, db.Micros(d.Day.Start()), string(d.Kind), d.Ref, d.Attempt, d.TradeNo, d.RefundNo, string(d.Here.Cur),
		d.Here.Minor, d.There.Minor, d.HereState, string(d.State), d.Version, int64(d.Reading), db.Micros(d.At), db.Micros(d.FoundAt))
	return err
}

// saveDifference compares and sets state and version.
func saveDifference(ctx context.Context, tx *db.Tx, was, next Difference) (Difference, error) {
	next.Version = was.Version + 1
	err := tx.ExecOne(ctx, db.ErrRetry, `UPDATE payment_difference SET attempt_no = $1, here_minor = $2, there_minor = $3, here_state = $4, state = $5, version = $6,
		reading = $7, outcome = $8, proposed_by = $9, booked_minor = $10, at = $11, closed_at = $12 WHERE id = $13 AND state = $14 AND version = $15`,
		next.Attempt, next.Here.Minor, next.There.Minor, next.HereState, string(next.State), next.Version, int64(next.Reading), next.Outcome,
		string(next.Proposed), next.Booked.Minor, db.Micros(next.At), db.Micros(next.ClosedAt), was.ID, string(was.State), was.Version)
	return next, err
}

const differenceColumns = `SELECT id, gateway_account_id, day, kind, ref, attempt_no, provider_trade_no, refund_no, currency, here_minor, there_minor,
	here_state, state, version, reading, outcome, proposed_by, booked_minor, at, found_at, closed_at FROM payment_difference`

func scanDifference(r db.Row) (d Difference, err error) {
	var day, at, found, closed int64
	var cur money.Currency
	err = r.Scan(&d.ID, &d.Gateway, &day, &d.Kind, &d.Ref, &d.Attempt, &d.TradeNo, &d.RefundNo, &cur, &d.Here.Minor, &d.There.Minor,
		&d.HereState, &d.State, &d.Version, &d.Reading, &d.Outcome, &d.Proposed, &d.Booked.Minor, &at, &found, &closed)
	d.Here.Cur, d.There.Cur, d.Booked.Cur = cur, cur, cur
	d.Day, d.At, d.FoundAt, d.ClosedAt = civil.DayOf(db.FromMicros(day)), db.FromMicros(at), db.FromMicros(found), db.FromMicros(closed)
	return d, err
}

func getDifference(ctx context.Context, q db.Q, differenceID string) (Difference, error) {
	return db.Get(ctx, q, ErrNoDifference, scanDifference, differenceColumns+" WHERE id = $1", differenceID)
}

func insertDifferenceStep(ctx context.Context, tx *db.Tx, d Difference, e DifferenceEvent, by audit.Actor, reason, journal string, at time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO payment_difference_step (difference_id, version, event, state, actor_class, actor, reason, here_minor, there_minor,
		journal_id, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		d.ID, d.Version, string(e), string(d.State), by.Class, string(by.Handle), reason, d.Here.Minor, d.There.Minor, journal, db.Micros(at))
	return err
}

// DifferenceStep is one line of a difference's history.
type DifferenceStep struct {
	Event   DifferenceEvent
	State   DifferenceState // after it
	Class   string
	Actor   string // handle; empty: the program
	Reason  string
	Here    money.Money // as it was then
	There   money.Money
	Journal string
	At      time.Time
}

// DifferenceFilter chooses differences; empty fields choose all.
type DifferenceFilter struct {
	Gateway string
	Kind    DifferenceKind
	State   DifferenceState
	Day     civil.Day
	Before  string // id: older ones
}

// Differences lists them, newest first, for staff with payment.read.
func (s *Service) Differences(ctx context.Context, p account.Principal, f DifferenceFilter, limit int) ([]Difference, error) {
	if !p.Can(account.PermPaymentRead) {
		return nil, ErrStaffOnly
	}
	from, to := int64(0), int64(1<<62)
	if f.Day != (civil.Day{}) {
		from, to = db.Micros(f.Day.Start()), db.Micros(f.Day.End())
	}
	if f.Before == "" {
		f.Before = "dif_~" // sorts after every id
	}
	return db.Select(ctx, s.d.DB, scanDifference, differenceColumns+` WHERE ($1 = '' OR gateway_account_id = $1) AND ($2 = '' OR kind = $2)
		AND ($3 = '' OR state = $3) AND day >= $4 AND day < $5 AND id < $6 ORDER BY id DESC LIMIT $7`,
		f.Gateway, string(f.Kind), string(f.State), from, to, f.Before, int64(min(max(limit, 1), 100)))
}

// DifferenceHistory returns a difference with all that happened to it, oldest
// first, for staff with payment.read. ErrNoDifference.
func (s *Service) DifferenceHistory(ctx context.Context, p account.Principal, differenceID string) (Difference, []DifferenceStep, error) {
	if !p.Can(account.PermPaymentRead) {
		return Difference{}, nil, ErrStaffOnly
	}
	d, err := getDifference(ctx, s.d.DB, differenceID)
	if err != nil {
		return d, nil, err
	}
	steps, err := db.Select(ctx, s.d.DB, func(r db.Row) (t DifferenceStep, err error) {
		var at int64
		err = r.Scan(&t.Event, &t.State, &t.Class, &t.Actor, &t.Reason, &t.Here.Minor, &t.There.Minor, &t.Journal, &at)
		t.Here.Cur, t.There.Cur, t.At = d.Here.Cur, d.Here.Cur, db.FromMicros(at)
		return t, err
	}, `SELECT event, state, actor_class, actor, reason, here_minor, there_minor, journal_id, at FROM payment_difference_step
		WHERE difference_id = $1 ORDER BY version`, differenceID)
	return d, steps, err
}

// Reconciliation is what waits for a person.
type Reconciliation struct {
	Open     map[DifferenceKind]int64 // not closed, by kind
	Late     int64                    // bills that are more than a day late
	Suspense int64                    // receipts in suspense
}

// Reconciled counts what waits for a person, for metrics.
func (s *Service) Reconciled(ctx context.Context) (Reconciliation, error) {
	out := Reconciliation{Open: map[DifferenceKind]int64{}}
	for _, k := range DifferenceKinds {
		out.Open[k] = 0
	}
	type count struct {
		kind DifferenceKind
		n    int64
	}
	open, err := db.Select(ctx, s.d.DB, func(r db.Row) (c count, err error) { return c, r.Scan(&c.kind, &c.n) },
		"SELECT kind, count(*) FROM payment_difference WHERE state <> 'closed' GROUP BY kind")
	if err != nil {
		return out, err
	}
	for _, c := range open {
		out.Open[c.kind] = c.n
	}
	late := civil.DayOf(s.d.Clock.Now()).AddDays(-2)
	if out.Late, err = db.Get(ctx, s.d.DB, nil, db.One[int64], "SELECT count(*) FROM payment_bill WHERE state = 'waiting' AND day <= $1", db.Micros(late.Start())); err != nil {
		return out, err
	}
	out.Suspense, err = db.Get(ctx, s.d.DB, nil, db.One[int64], "SELECT count(*) FROM payment_receipt WHERE disposition = 'suspense'")
	return out, err
}
