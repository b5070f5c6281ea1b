package realname

import (
	"context"
	"errors"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// Waiting lists the verifications that wait for a person's decision, oldest
// first, without values.
func (s *Service) Waiting(ctx context.Context) ([]Verification, error) {
	return db.Select(ctx, s.db, scanVerification, "SELECT "+columns+
		" FROM realname_verification WHERE state IN ('manual_review', 'change_requested') ORDER BY submitted_at, id LIMIT 500")
}

// Reveal opens the values of a verification for staff who must decide on it.
// reason is the id of the ticket or case; the person sees the read. A session
// that did not prove itself just now gets account.ErrStepUp.
func (s *Service) Reveal(ctx context.Context, p account.Principal, verification, reason string) (name, number string, err error) {
	if err := p.RequireStepUp(s.clock.Now()); err != nil {
		return "", "", err
	}
	v, err := s.forStaff(ctx, p, verification, reason)
	if err != nil {
		return "", "", err
	}
	t, err := s.ticket(ctx, v, vault.Reader{Class: vault.Staff, Handle: p.Subject, Session: p.Session}, purpose, reason)
	if err != nil {
		return "", "", err
	}
	return s.values(ctx, t, v)
}

// Review decides a manual review. The reason is a code or the id of a case.
// Approving attests that the member of staff compared the typed values with the
// document shown, of which no picture is taken.
func (s *Service) Review(ctx context.Context, p account.Principal, verification string, approve bool, reason string) error {
	e := EventReject
	if approve {
		e = EventApprove
	}
	return s.byStaff(ctx, p, verification, reason, e)
}

// Revoke ends an effective verification.
func (s *Service) Revoke(ctx context.Context, p account.Principal, verification, reason string) error {
	return s.byStaff(ctx, p, verification, reason, EventRevoke)
}

func (s *Service) byStaff(ctx context.Context, p account.Principal, verification, reason string, e Event) error {
	v, err := s.forStaff(ctx, p, verification, reason)
	if err != nil {
		return err
	}
	// Who entered a correction does not verify it again.
	g, err := grantOf(ctx, s.db, v.ID)
	if err != nil && !errors.Is(err, ErrGrant) {
		return err
	}
	if g.officer == p.Subject {
		return ErrOwnReview
	}
	by := decider{actor: audit.Actor{Class: vault.Staff, Handle: p.Subject, Session: p.Session}, reason: reason}
	return s.decide(ctx, v, by, e)
}

// forStaff finds a verification of somebody else; a reason is needed.
func (s *Service) forStaff(ctx context.Context, p account.Principal, verification, reason string) (Verification, error) {
	if reason == "" {
		return Verification{}, ErrReasonNeeded
	}
	v, err := byID(ctx, s.db, verification)
	if err != nil {
		return v, err
	}
	if v.Subject == p.Subject || v.Account == p.Account {
		return v, ErrOwnReview
	}
	return v, nil
}
