package privacy

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
)

// closed is a request that was answered or taken back.
type closed struct {
	id      string
	subject id.Handle
	at      int64
}

// cases is the keeper of the module's own class: it deletes requests with their
// mails, clocks and proofs when the floor after their close is over, and the key of
// each case before its rows: with it goes what the audit log tells of the case.
// Releases before keys of cases sealed under the person's key of the class, which
// ends when the last of what it sealed is over (Keeps).
func (s *Service) cases(ctx context.Context, r retention.Run) ([]retention.Result, error) {
	all, err := db.Select(ctx, s.d.DB, func(r db.Row) (c closed, err error) { return c, r.Scan(&c.id, &c.subject, &c.at) },
		"SELECT id, subject, closed_at FROM privacy_request WHERE closed_at > 0 AND closed_at <= $1", db.Micros(r.Now.AddDate(-3, 0, 0)))
	if err != nil || len(all) == 0 {
		return nil, err
	}
	res := retention.Result{Class: class}
	for _, c := range all {
		day := civil.DayOf(db.FromMicros(c.at))
		if r.Today().Before(retention.MayGo(class, day)) {
			continue
		}
		res.Examined++
		if r.Overdue(class, day) {
			res.Overdue++
		}
		if r.Held(class, c.subject) {
			res.Held++
			continue
		}
		if err := s.forget(ctx, c); err != nil {
			return nil, err
		}
		res.Destroyed++
	}
	return []retention.Result{res}, nil
}

// forget destroys the key first: killed after that, the next night finds the rows
// again; the other way round nobody would find the key.
func (s *Service) forget(ctx context.Context, c closed) error {
	if err := s.d.Vault.DestroyClass(ctx, c.subject, keyOf(c.id)); err != nil {
		return err
	}
	fault.Point("retention-after-case-key")
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		for _, text := range []string{
			"DELETE FROM privacy_mail WHERE request = $1",
			"DELETE FROM privacy_clock WHERE request = $1",
			"DELETE FROM privacy_copy WHERE request = $1",
			"DELETE FROM privacy_guardian WHERE request = $1",
			"DELETE FROM privacy_request WHERE id = $1",
		} {
			if _, err := tx.Exec(ctx, text, c.id); err != nil {
				return err
			}
		}
		return nil
	})
}

// Keeps fills audit.Things: requests, and holds, whose entries had the class of
// orders of authorities once.
func (s *Service) Keeps(ctx context.Context, _ retention.Run, of string, subject id.Handle, began time.Time) (bool, error) {
	if of != class && of != "legal_order" {
		return false, nil
	}
	n, err := db.Get(ctx, s.d.DB, nil, db.One[int64], `SELECT (SELECT count(*) FROM privacy_request WHERE subject = $1 AND received_at <= $2)
		+ (SELECT count(*) FROM privacy_hold WHERE subject = $1 AND placed_at <= $2)`, string(subject), db.Micros(began))
	return n > 0, err
}

// holds is the keeper of holds: each goes when the floor after its end is over,
// with the key of what the audit log tells of it.
func (s *Service) holds(ctx context.Context, r retention.Run) ([]retention.Result, error) {
	all, err := db.Select(ctx, s.d.DB, scanHold, "SELECT "+holdColumns+" FROM privacy_hold WHERE until <= $1 OR ended_at > 0 AND ended_at <= $1",
		db.Micros(r.Now.AddDate(-3, 0, 0)))
	if err != nil || len(all) == 0 {
		return nil, err
	}
	res := retention.Result{Class: class}
	for _, h := range all {
		day := civil.DayOf(h.over())
		if r.Today().Before(retention.MayGo(class, day)) {
			continue
		}
		res.Examined++
		if r.Overdue(class, day) {
			res.Overdue++
		}
		if r.Held(class, h.Subject) {
			res.Held++
			continue
		}
		if err := s.d.Audit.Forget(ctx, class, h.Subject, h.ID); err != nil {
			return nil, err
		}
		err := s.d.DB.InTx(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, "DELETE FROM privacy_hold WHERE id = $1", h.ID)
			return err
		})
		if err != nil {
			return nil, err
		}
		res.Destroyed++
	}
	return []retention.Result{res}, nil
}
