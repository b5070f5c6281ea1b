package succession

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// change runs a change of a transfer that is in one of the states, with its leaf.
func (s *Service) change(ctx context.Context, transfer, kind string, by audit.Actor, from []string, f func(*db.Tx, *Transfer) error) (t Transfer, err error) {
	text, err := s.Statement(ctx, transfer)
	if err != nil {
		return t, err
	}
	err = s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		if t, err = load(ctx, tx, transfer); err != nil {
			return err
		}
		if !slices.Contains(from, t.State) {
			return ErrState.With("state", t.State)
		}
		if err := f(tx, &t); err != nil {
			return err
		}
		if err := update(ctx, tx, t); err != nil {
			return err
		}
		return s.leaf(ctx, tx, kind, by, t, text)
	})
	return t, err
}

// Sign keeps the successor's signature (base64, Ed25519) over Statement, before
// the day; a later one takes its place, as new policies need it. ErrSignature.
func (s *Service) Sign(ctx context.Context, p account.Principal, transfer, signature string) (Transfer, error) {
	signature = strings.TrimSpace(signature)
	t, err := load(ctx, s.d.DB, transfer)
	if err != nil {
		return t, err
	}
	ok, err := s.signed(ctx, t, signature)
	if err != nil {
		return t, err
	}
	if !ok && !mutant.Off("TY-4.2", "LT-3e") {
		return t, ErrSignature
	}
	return s.change(ctx, transfer, "succession.signed", staff(p), []string{Announced, Signed}, func(_ *db.Tx, t *Transfer) error {
		now := s.d.Clock.Now()
		if !now.Before(t.EffectiveAt) {
			return ErrState.With("state", Lapsed)
		}
		t.State, t.Signature, t.SignedAt = Signed, signature, now
		return nil
	})
}

// Withdraw calls a transfer off before its day.
func (s *Service) Withdraw(ctx context.Context, p account.Principal, transfer string) (Transfer, error) {
	return s.change(ctx, transfer, "succession.withdrawn", staff(p), []string{Announced, Signed}, func(_ *db.Tx, t *Transfer) error {
		t.State, t.EndedAt = Withdrawn, s.d.Clock.Now()
		return nil
	})
}

// Day brings transfers whose day has come to their end: effective, or lapsed
// where no signature stands over the policies in force. It runs each minute.
func (s *Service) Day(ctx context.Context) error {
	due, err := db.Select(ctx, s.d.DB, db.One[string],
		"SELECT id FROM succession_transfer WHERE state IN ('announced', 'signed') AND effective_at <= $1", db.Micros(s.d.Clock.Now()))
	if err != nil {
		return err
	}
	for _, transfer := range due {
		if err := s.day(ctx, transfer); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) day(ctx context.Context, transfer string) error {
	t, err := load(ctx, s.d.DB, transfer)
	if err != nil {
		return err
	}
	ok, err := s.signed(ctx, t, t.Signature)
	if err != nil {
		return err
	}
	kind, state := "succession.effective", Effective
	if !ok {
		kind, state = "succession.lapsed", Lapsed
	}
	_, err = s.change(ctx, transfer, kind, system, []string{Announced, Signed}, func(tx *db.Tx, now *Transfer) error {
		if now.version != t.version {
			return errChanged
		}
		now.State = state
		if state == Lapsed {
			now.EndedAt = s.d.Clock.Now()
		}
		if ok && t.Change == "" {
			return nil
		}
		for _, document := range t.Documents {
			if err := s.d.Consent.RenewTx(ctx, tx, document, t.ID); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, errChanged) {
		return nil
	}
	return err
}

// errChanged: somebody signed meanwhile; the next minute looks again.
var errChanged = errors.New("the transfer changed meanwhile")

// HandOver records for each person that their data go to the successor; when the
// state is HandedOver an operator may pass them on. ErrUnsigned until the day of
// a transfer that is signed; ErrSamePerson for who announced it.
func (s *Service) HandOver(ctx context.Context, p account.Principal, transfer string) (Transfer, error) {
	t, err := load(ctx, s.d.DB, transfer)
	if err != nil {
		return t, err
	}
	if err := s.mayHand(ctx, t); err != nil {
		return t, err
	}
	return s.change(ctx, transfer, "succession.handed_over", staff(p), []string{Effective}, func(tx *db.Tx, t *Transfer) error {
		if t.EnteredBy == p.Subject {
			return ErrSamePerson
		}
		t.State = HandingOver
		return s.d.Queue.EnqueueTx(ctx, tx, job.Job{Kind: jobHand, Payload: page{Transfer: t.ID}, Key: "hand:" + t.ID + ":"})
	})
}

// mayHand verifies the signature again: the row is no proof.
func (s *Service) mayHand(ctx context.Context, t Transfer) error {
	if mutant.Off("TY-4.2", "LT-3e") {
		return nil
	}
	if t.State != Effective && t.State != HandingOver || t.ToldAt.IsZero() {
		return ErrUnsigned
	}
	ok, err := s.signed(ctx, t, t.Signature)
	if err == nil && !ok {
		err = ErrUnsigned
	}
	return err
}
