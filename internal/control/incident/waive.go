package incident

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// signaturesNeeded is how many members of staff answer for not telling people.
const signaturesNeeded = 2

// Signature is one member of staff's word that harm was averted, so that people
// need not be told (PIPL 57). The authority may still want them told.
type Signature struct {
	Staff, Reason string
	At            time.Time
}

// Sign adds a signature; with the second one, of somebody else, people are not
// told. Errors: ErrState unless they could still be told, ErrReason, ErrSigned.
func (s *Service) Sign(ctx context.Context, p account.Principal, incident, reason string) error {
	reason = strings.TrimSpace(reason)
	if utf8.RuneCountInString(reason) < 10 {
		return ErrReason
	}
	if err := clean("reason", reason); err != nil {
		return err
	}
	return s.change(ctx, incident, func(tx *db.Tx, i *Incident) error {
		to, err := i.State.On(EventWaive)
		if err != nil {
			return err
		}
		now := s.d.Clock.Now()
		fresh, err := tx.Exec(ctx, "INSERT INTO incident_signature (incident, staff, reason, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
			i.ID, string(p.Subject), reason, db.Micros(now))
		if err != nil {
			return err
		}
		if fresh == 0 {
			return ErrSigned
		}
		if err := s.stepTx(ctx, tx, p, i.ID, "waiver_signed", nil); err != nil {
			return err
		}
		all, err := signaturesOf(ctx, tx, i.ID)
		if err != nil || len(all) < signaturesNeeded {
			return err
		}
		i.State = to
		if err := applyTx(ctx, tx, i.ID, RulePeople, false, now); err != nil {
			return err
		}
		return s.stepTx(ctx, tx, p, i.ID, "waived", nil)
	})
}

func signaturesOf(ctx context.Context, q db.Q, incident string) ([]Signature, error) {
	return db.Select(ctx, q, func(r db.Row) (g Signature, err error) {
		var at int64
		err = r.Scan(&g.Staff, &g.Reason, &at)
		g.At = db.FromMicros(at)
		return g, err
	}, "SELECT staff, reason, at FROM incident_signature WHERE incident = $1 ORDER BY at, staff", incident)
}
