package realname

import (
	"context"
	"errors"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// Cases knows in which cases people asked for a correction. The rights desk
// fills it.
type Cases interface {
	// CorrectingTx returns who asked for a correction in an open case and is known
	// to be who they say. Errors: of kind NotFound.
	CorrectingTx(ctx context.Context, tx *db.Tx, caseID string) (id.Handle, error)
}

// Corrections is told, in the transaction of the change, that columns of a person
// hold something else now; it tells whoever was sent the old value (clause
// TY-6.2). The rights desk fills it.
type Corrections interface {
	CorrectedTx(ctx context.Context, tx *db.Tx, subject id.Handle, columns ...string) error
}

// Correction is a verified name or number as it ought to be.
type Correction struct {
	Case         string // in which the person asked for it
	Name, Number string
}

// Correct has a verified name and number corrected: an identity-verification
// officer enters what the person's case says, and the source is asked again.
// What stood stands until it says that they match; then it ends (clause LT-4.2).
// Errors: ErrOfficer, ErrCase, ErrOwnReview, account.ErrStepUp, and those of
// Submit about the values.
func (s *Service) Correct(ctx context.Context, p account.Principal, in Correction) (Verification, error) {
	now := s.clock.Now()
	if !p.Can(account.PermRealnameCorrect) {
		return Verification{}, ErrOfficer
	}
	if err := p.RequireStepUp(now); err != nil {
		return Verification{}, err
	}
	who, err := check(in.Name, in.Number, now)
	if err != nil {
		return Verification{}, err
	}
	old, err := s.correctable(ctx, in.Case)
	if err != nil {
		return Verification{}, err
	}
	v := Verification{ID: id.New("rnv"), Account: old.Account, Subject: old.Subject, State: Verifying, SubmittedAt: now}
	g, err := correction(p, v, old, in.Case)
	if err != nil {
		return Verification{}, err
	}
	if v.Band, err = s.ages.Learn(ctx, v.Subject, string(v.Account), who.birth); err != nil {
		return Verification{}, err
	}
	if _, err := s.index(ctx, &v, who, ""); err != nil {
		return Verification{}, err
	}
	by := audit.Actor{Class: vault.Staff, Handle: p.Subject, Session: p.Session}
	return v, s.db.InTx(ctx, func(tx *db.Tx) error {
		last, err := latest(ctx, tx, v.Account)
		if err != nil {
			return err
		}
		if last.State == Verifying || last.State == ManualReview || last.State == OutcomeUnknown {
			return ErrState.With("state", string(last.State))
		}
		if err := s.limitTx(ctx, tx, v, ""); err != nil {
			return err
		}
		if err := inUse(ctx, tx, v); err != nil {
			return err
		}
		return s.enterTx(ctx, tx, g, &v, who, "", by)
	})
}

// correctable returns what a case is about.
func (s *Service) correctable(ctx context.Context, caseID string) (old Verification, err error) {
	if s.cases == nil {
		return old, ErrCase
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		subject, err := s.cases.CorrectingTx(ctx, tx, caseID)
		if errs.IsNotFound(err) {
			return ErrCase
		}
		if err != nil {
			return err
		}
		old, err = db.Get(ctx, tx, ErrNotFound, scanVerification, "SELECT "+columns+` FROM realname_verification
			WHERE subject = $1 AND state IN ('verified', 'change_requested') ORDER BY decided_at DESC, id DESC LIMIT 1`, string(subject))
		return err
	})
	return old, err
}

// correctedTx ends what a correction replaces once it is verified: the old values
// are erased, and whoever was sent them is told.
func (s *Service) correctedTx(ctx context.Context, tx *db.Tx, v Verification, by decider) error {
	g, err := grantOf(ctx, tx, v.ID)
	if errors.Is(err, ErrGrant) || (err == nil && g.kind != correctionGrant) {
		return nil
	}
	if err != nil {
		return err
	}
	now := db.Micros(s.clock.Now())
	err = tx.ExecOne(ctx, ErrState, `UPDATE realname_verification SET state = $1, reason = 'realname.corrected', decided_at = $2, erase_at = $2
		WHERE id = $3 AND subject = $4 AND state IN ('verified', 'change_requested')`, Revoked, now, g.replaces, string(v.Subject))
	if err != nil {
		return err
	}
	err = s.audit.AppendTx(ctx, tx, audit.Event{
		Type: "realname.corrected", Subject: v.Subject, Account: string(v.Account), Actor: by.actor,
		Detail: map[string]string{"verification": v.ID, "replaces": g.replaces, "case": g.caseID, "officer": string(g.officer)},
	})
	if err != nil || s.corrections == nil {
		return err
	}
	return s.corrections.CorrectedTx(ctx, tx, v.Subject, "realname_verification.name", "realname_verification.number")
}
