package privacy

import (
	"context"

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
// each case before its rows. The person's key of the class stays, since it also
// seals details of the audit log whose time is not over; what releases before
// keys of cases sealed under it goes by its rows alone.
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
