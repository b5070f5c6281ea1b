package consent

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// Withdraw takes a consent back: from the commit on, the gate is shut. Of the act
// it reads subject, purpose, session and channel. It takes no token: taking back
// is no harder than giving.
func (s *Service) Withdraw(ctx context.Context, a Act) (Record, error) {
	var r Record
	err := s.d.DB.InTx(ctx, func(tx *db.Tx) (err error) {
		r, err = s.WithdrawTx(ctx, tx, a)
		return err
	})
	return r, err
}

// LiveActTx returns the act that a purpose with an act rests on now: the newest
// event of its series, if that is a grant. Else ErrGateClosed. What it does not
// ask is what Gate does besides.
func (s *Service) LiveActTx(ctx context.Context, tx *db.Tx, subject id.Handle, purpose string) (string, error) {
	last, err := db.Get(ctx, tx, ErrGateClosed.With("purpose", purpose), scanRecord,
		"SELECT "+eventColumns+" FROM consent_event WHERE subject = $1 AND purpose = $2 ORDER BY seq DESC LIMIT 1", string(subject), purpose)
	if errs.IsNotFound(err) || (err == nil && last.Decision != Grant) {
		return "", ErrGateClosed.With("purpose", purpose)
	}
	return last.ID, err
}

// GrantsBefore lists the grants of a series that stand before an event of it.
func (s *Service) GrantsBefore(ctx context.Context, subject id.Handle, purpose, event string) ([]string, error) {
	return db.Select(ctx, s.d.DB, db.One[string], `SELECT id FROM consent_event WHERE subject = $1 AND purpose = $2 AND decision = 'grant'
		AND seq < (SELECT e.seq FROM consent_event e WHERE e.id = $3) ORDER BY seq`, string(subject), purpose, event)
}

// Ended tells when an act of a series was taken back: zero while it stands. An act
// that is not in the register is ErrNotFound.
func (s *Service) Ended(ctx context.Context, subject id.Handle, purpose, act string) (time.Time, error) {
	at, err := db.Get(ctx, s.d.DB, ErrNotFound, db.One[int64], `SELECT COALESCE((SELECT MIN(n.at) FROM consent_event n
		WHERE n.subject = e.subject AND n.purpose = e.purpose AND n.seq > e.seq AND n.decision <> 'grant'), 0)
		FROM consent_event e WHERE e.id = $1 AND e.subject = $2 AND e.purpose = $3`, act, string(subject), purpose)
	if err != nil || at == 0 {
		return time.Time{}, err
	}
	return db.FromMicros(at), nil
}

// WithdrawTx is Withdraw in the caller's transaction. Guardian names who takes a
// consent back for a child; what else an act has is not asked.
func (s *Service) WithdrawTx(ctx context.Context, tx *db.Tx, a Act) (Record, error) {
	p, err := s.purpose(a.Purpose)
	if err != nil || !p.Act {
		return Record{}, ErrNotFound
	}
	last, err := lastEvent(ctx, tx, a.Subject, a.Purpose)
	if err != nil {
		return Record{}, err
	}
	if last.decision != Grant {
		return Record{}, errs.New(errs.Conflict, "consent.nothing_to_withdraw")
	}
	by := audit.Actor{Class: "self", Handle: a.Subject, Session: a.Session}
	if a.Guardian != "" {
		by.Handle = a.Guardian
	}
	return s.appendTx(ctx, tx, Record{
		Subject: a.Subject, Purpose: a.Purpose, Kind: p.Kind, Decision: Withdrew, Document: last.document,
		Version: last.number, TextSHA256: last.textSHA256, Locale: last.locale, Channel: a.Channel,
	}, last.rank, by)
}
