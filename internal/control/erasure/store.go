package erasure

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

const columns = `SELECT id, subject, account, client, cause, request, step, problem, settled_by, settlement, searched, report, certificate,
	asked_at, due_at, effective_at, complete_at, version FROM erasure_case`

func scanCase(r db.Row) (c Case, err error) {
	var asked, due, effective, complete int64
	err = r.Scan(&c.ID, &c.Subject, &c.Account, &c.Client, &c.Trigger, &c.Request, &c.Step, &c.Problem, &c.settledBy, &c.settlement,
		&c.searched, &c.report, &c.certificate, &asked, &due, &effective, &complete, &c.Version)
	if c.searched == nil {
		c.searched = []byte{} // an engine that reads empty bytes as none must not write none
	}
	c.AskedAt, c.DueAt = db.FromMicros(asked), db.FromMicros(due)
	c.EffectiveAt, c.CompleteAt = db.FromMicros(effective), db.FromMicros(complete)
	return c, err
}

func byID(ctx context.Context, q db.Q, caseID string) (Case, error) {
	return db.Get(ctx, q, ErrNotFound, scanCase, columns+" WHERE id = $1", caseID)
}

func bySubject(ctx context.Context, q db.Q, subject id.Handle) (Case, error) {
	return db.Get(ctx, q, ErrNotFound, scanCase, columns+" WHERE subject = $1", string(subject))
}

// insert adds a case unless the person has one; it returns the one that they
// have then.
func insert(ctx context.Context, tx *db.Tx, c Case) (have Case, fresh bool, err error) {
	n, err := tx.Exec(ctx, `INSERT INTO erasure_case (id, subject, account, client, cause, request, step, problem, settled_by, settlement, searched,
			report, certificate, asked_at, due_at, effective_at, complete_at, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, '', '', '', $8, '', '', $9, $10, 0, 0, 1) ON CONFLICT (subject) DO NOTHING`,
		c.ID, c.Subject, string(c.Account), c.Client, string(c.Trigger), c.Request, string(c.Step), []byte{}, db.Micros(c.AskedAt), db.Micros(c.DueAt))
	if err != nil {
		return c, false, err
	}
	have, err = bySubject(ctx, tx, c.Subject)
	return have, n == 1, err
}

// save writes what steps change. Of two processes that took the same step one
// gets db.ErrRetry, and goes on from what the other wrote.
func save(ctx context.Context, tx *db.Tx, c Case) error {
	return tx.ExecOne(ctx, db.ErrRetry, `UPDATE erasure_case SET step = $1, problem = $2, settled_by = $3, settlement = $4, searched = $5,
			report = $6, certificate = $7, effective_at = $8, complete_at = $9, version = version + 1 WHERE id = $10 AND version = $11`,
		string(c.Step), c.Problem, c.settledBy, c.settlement, c.searched, c.report, c.certificate,
		db.Micros(c.EffectiveAt), db.Micros(c.CompleteAt), c.ID, c.Version)
}

func outcomesOf(ctx context.Context, q db.Q, caseID string) ([]Outcome, error) {
	return db.Select(ctx, q, func(r db.Row) (o Outcome, err error) {
		return o, r.Scan(&o.Table, &o.Deleted, &o.Class, &o.Law, &o.Until)
	}, "SELECT part, deleted, class, law, until FROM erasure_outcome WHERE case_id = $1 ORDER BY part", caseID)
}

func recipientsOf(ctx context.Context, q db.Q, caseID string) ([]Recipient, error) {
	return db.Select(ctx, q, func(r db.Row) (v Recipient, err error) {
		var told, acknowledged int64
		err = r.Scan(&v.ID, &v.LegalName, &told, &acknowledged)
		v.ToldAt, v.AcknowledgedAt = db.FromMicros(told), db.FromMicros(acknowledged)
		return v, err
	}, "SELECT recipient, legal_name, told_at, acknowledged_at FROM erasure_recipient WHERE case_id = $1 ORDER BY recipient", caseID)
}
