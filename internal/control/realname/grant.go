package realname

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// grant lets a name and a number be written, for one verification and once. The
// store takes no value without one (clause LT-4.2). Only first and correction
// make one; the store asks the database again whether it holds.
type grant struct {
	verification string
	account      account.ID
	subject      id.Handle
	kind         string // firstGrant or correctionGrant
	officer      id.Handle
	caseID       string
	replaces     string // the verification that a correction ends
	at           time.Time
}

const (
	firstGrant      = "first"
	correctionGrant = "correction"
)

// first is the grant of a person who submits while nothing of the account is
// verified.
func first(p account.Principal, v Verification) grant {
	return grant{verification: v.ID, account: p.Account, subject: p.Subject, kind: firstGrant, at: v.SubmittedAt}
}

// correction is the grant of an identity-verification officer, for the case in
// which the person asked for it. ErrOfficer: p is none, or it is p's own name.
func correction(p account.Principal, v, replaced Verification, caseID string) (grant, error) {
	if !p.Can(account.PermRealnameCorrect) {
		return grant{}, ErrOfficer
	}
	if p.Subject == replaced.Subject || p.Account == replaced.Account {
		return grant{}, ErrOwnReview
	}
	return grant{
		verification: v.ID, account: replaced.Account, subject: replaced.Subject, kind: correctionGrant,
		officer: p.Subject, caseID: caseID, replaces: replaced.ID, at: v.SubmittedAt,
	}, nil
}

// holdsTx asks the database whether a grant lets this verification be written.
func (s *Service) holdsTx(ctx context.Context, tx *db.Tx, g grant, v Verification) error {
	if g.verification == "" || g.verification != v.ID || g.subject != v.Subject || g.account != v.Account || v.State != Verifying {
		return ErrGrant
	}
	stands, err := effective(ctx, tx, v.Account)
	if err != nil && !errs.IsNotFound(err) {
		return err
	}
	switch {
	case g.kind == firstGrant && errs.IsNotFound(err):
		return nil
	case g.kind == correctionGrant && err == nil && stands.ID == g.replaces && g.officer != "" && g.officer != v.Subject:
		return s.caseTx(ctx, tx, g.caseID, v.Subject)
	}
	return ErrGrant
}

// caseTx wants an open case in which the person asked for the correction, and who
// that is known.
func (s *Service) caseTx(ctx context.Context, tx *db.Tx, caseID string, subject id.Handle) error {
	if s.cases == nil || caseID == "" {
		return ErrCase
	}
	who, err := s.cases.CorrectingTx(ctx, tx, caseID)
	if errs.IsNotFound(err) || (err == nil && who != subject) {
		return ErrCase
	}
	return err
}

// writeTx is the only statement that writes a name and a number. ErrGrant: the
// grant does not hold, or was used.
func (s *Service) writeTx(ctx context.Context, tx *db.Tx, g grant, v Verification) error {
	if err := s.holdsTx(ctx, tx, g, v); err != nil && !mutant.Off("LT-4.2") {
		return err
	}
	err := tx.ExecOne(ctx, ErrGrant, `INSERT INTO realname_grant (verification, subject, kind, officer, case_id, replaces, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
		g.verification, string(g.subject), g.kind, string(g.officer), g.caseID, g.replaces, db.Micros(g.at))
	if err != nil && !mutant.Off("LT-4.2") {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO realname_verification (id, account, subject, state, reason, band, name, number, number_index,
			submitted_at, called_at, decided_at, decided_by, erase_at)
		VALUES ($1, $2, $3, $4, '', $5, $6, $7, $8, $9, 0, 0, '', 0)`,
		v.ID, v.Account, v.Subject, v.State, v.Band, v.name, v.number, v.index, db.Micros(v.SubmittedAt))
	return err
}

// grantOf returns by what a verification was written.
func grantOf(ctx context.Context, q db.Q, verification string) (grant, error) {
	return db.Get(ctx, q, ErrGrant, func(r db.Row) (g grant, err error) {
		var at int64
		err = r.Scan(&g.verification, &g.subject, &g.kind, &g.officer, &g.caseID, &g.replaces, &at)
		g.at = db.FromMicros(at)
		return g, err
	}, "SELECT verification, subject, kind, officer, case_id, replaces, at FROM realname_grant WHERE verification = $1", verification)
}

// effective returns the account's verification that stands.
func effective(ctx context.Context, q db.Q, owner account.ID) (Verification, error) {
	return db.Get(ctx, q, ErrNotFound, scanVerification, "SELECT "+columns+` FROM realname_verification
		WHERE account = $1 AND state IN ('verified', 'change_requested') ORDER BY decided_at DESC, id DESC LIMIT 1`, owner)
}

// Ungranted counts the verifications, and those of them that nothing allowed to
// be written: altered in the database by hand.
func (s *Service) Ungranted(ctx context.Context) (examined, found int64, err error) {
	if examined, err = db.Get(ctx, s.db, nil, db.One[int64], "SELECT count(*) FROM realname_verification"); err != nil {
		return 0, 0, err
	}
	found, err = db.Get(ctx, s.db, nil, db.One[int64], `SELECT count(*) FROM realname_verification v
		WHERE NOT EXISTS (SELECT 1 FROM realname_grant g WHERE g.verification = v.id AND g.subject = v.subject)`)
	return examined, found, err
}
