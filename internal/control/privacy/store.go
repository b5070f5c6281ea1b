package privacy

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// columns end with the earliest clock that runs, and whether that is provisional.
const columns = `SELECT r.id, r.account, r.subject, r.kind, r.channel, r.state, r.identity, r.special, r.decision, r.reason, r.law,
	r.letter_digest, r.received_at, r.answered_at, r.closed_at, r.version, r.addressed, r.words, r.letter, r.key_case,
	COALESCE((SELECT min(c.due_at) FROM privacy_clock c WHERE c.request = r.id AND c.met_at = 0), 0) AS due,
	COALESCE((SELECT max(c.provisional) FROM privacy_clock c WHERE c.request = r.id AND c.met_at = 0), 0)
	FROM privacy_request r`

func scan(row db.Row) (r Request, err error) {
	var received, answered, closed, due, provisional int64
	err = row.Scan(&r.ID, &r.Account, &r.Subject, &r.Kind, &r.Channel, &r.State, &r.Identity, &r.Special, &r.Decision, &r.Reason, &r.Law,
		&r.Digest, &received, &answered, &closed, &r.Version, &r.Addressed, &r.words, &r.letter, &r.keyCase, &due, &provisional)
	r.ReceivedAt, r.AnsweredAt, r.ClosedAt = db.FromMicros(received), db.FromMicros(answered), db.FromMicros(closed)
	r.Due, r.Provisional = db.FromMicros(due), provisional != 0
	return r, err
}

func byID(ctx context.Context, q db.Q, request string) (Request, error) {
	return db.Get(ctx, q, ErrNotFound, scan, columns+" WHERE r.id = $1", request)
}

// ofPerson finds a request of a person; another's is not found.
func ofPerson(ctx context.Context, q db.Q, subject id.Handle, request string) (Request, error) {
	return db.Get(ctx, q, ErrNotFound, scan, columns+" WHERE r.id = $1 AND r.subject = $2", request, string(subject))
}

func countOpen(ctx context.Context, q db.Q, subject id.Handle) (int64, error) {
	return db.Get(ctx, q, nil, db.One[int64], "SELECT count(*) FROM privacy_request WHERE subject = $1 AND closed_at = 0", string(subject))
}

func insert(ctx context.Context, tx *db.Tx, r Request, all []Clock) error {
	_, err := tx.Exec(ctx, `INSERT INTO privacy_request (id, account, subject, kind, channel, state, identity, words, reason, received_at, closed_at, version, addressed, key_case)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', $9, 0, 1, $10, $11)`,
		r.ID, string(r.Account), string(r.Subject), string(r.Kind), r.Channel, string(r.State), string(r.Identity), r.words, db.Micros(r.ReceivedAt), r.Addressed, r.keyCase)
	if err != nil {
		return err
	}
	for _, c := range all {
		_, err := tx.Exec(ctx, "INSERT INTO privacy_clock (request, rule, due_at, provisional, met_at) VALUES ($1, $2, $3, $4, 0)",
			r.ID, c.Rule, db.Micros(c.Due), db.Bool(c.Provisional))
		if err != nil {
			return err
		}
	}
	return nil
}

// update compares the version and sets what a transition may change.
func update(ctx context.Context, tx *db.Tx, r Request) error {
	return tx.ExecOne(ctx, db.ErrRetry, `UPDATE privacy_request SET state = $1, identity = $2, special = $3, decision = $4, reason = $5, law = $6,
		letter = $7, letter_digest = $8, answered_at = $9, closed_at = $10, version = version + 1 WHERE id = $11 AND version = $12`,
		string(r.State), string(r.Identity), r.Special, string(r.Decision), r.Reason, r.Law,
		nullable(r.letter), r.Digest, db.Micros(r.AnsweredAt), db.Micros(r.ClosedAt), r.ID, r.Version)
}

// nullable keeps "no bytes" NULL in both engines.
func nullable(b []byte) any {
	if b == nil {
		return nil
	}
	return b
}

func scanClock(row db.Row) (c Clock, err error) {
	var due, provisional, met int64
	err = row.Scan(&c.Rule, &due, &provisional, &met)
	c.Due, c.Provisional, c.MetAt = db.FromMicros(due), provisional != 0, db.FromMicros(met)
	return c, err
}

func clocksKept(ctx context.Context, q db.Q, request string) ([]Clock, error) {
	return db.Select(ctx, q, scanClock, "SELECT rule, due_at, provisional, met_at FROM privacy_clock WHERE request = $1 ORDER BY due_at, rule", request)
}

// meet stops clocks: those of the reply only, or all.
func meet(ctx context.Context, tx *db.Tx, request string, all bool, at time.Time) error {
	clocks, err := clocksKept(ctx, tx, request)
	if err != nil {
		return err
	}
	for _, c := range clocks {
		if !c.MetAt.IsZero() || (!all && !c.forReply()) {
			continue
		}
		if _, err := tx.Exec(ctx, "UPDATE privacy_clock SET met_at = $1 WHERE request = $2 AND rule = $3", db.Micros(at), request, c.Rule); err != nil {
			return err
		}
	}
	return nil
}
