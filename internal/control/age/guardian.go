package age

import (
	"context"
	"regexp"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// By is who acts: a person, or a member of the staff.
type By struct {
	Handle  id.Handle
	Session string
}

func (b By) staff() audit.Actor {
	return audit.Actor{Class: "staff", Handle: b.Handle, Session: b.Session}
}

var sha256Form = regexp.MustCompile(`^[0-9a-f]{64}$`)

// GoodDigest reports whether a text is a SHA-256 in small hex.
func GoodDigest(s string) bool { return sha256Form.MatchString(s) }

// GuardTx keeps that a guardian opens an account for a child of 14 or younger,
// in the transaction of the guardian's acts and of the account (PIPL 31). The
// guardian is an adult by the gate. ErrProfile: the profile refuses children.
func (s *Service) GuardTx(ctx context.Context, tx *db.Tx, by By, child id.Handle, account string) error {
	if RuleFor(s.d.Profile, Child) != Guardian {
		return ErrProfile
	}
	now := s.d.Clock.Now()
	c := Consent{
		Subject: child, Account: account, Kind: Guardian, Guardian: by.Handle, SeenBy: by.Handle, SeenAt: now, ConfirmedBy: by.Handle, ConfirmedAt: now,
	}
	if err := insertConsent(ctx, tx, c); err != nil {
		return err
	}
	if err := s.learnTx(ctx, tx, child, account, Child, Declared); err != nil {
		return err
	}
	if err := s.countTx(ctx, tx, "guardian_consent"); err != nil {
		return err
	}
	return s.leafTx(ctx, tx, "age.guardian_consented", child, audit.Actor{Class: "self", Handle: by.Handle, Session: by.Session}, map[string]string{"kind": string(Guardian)})
}

// AdultGuardian refuses a guardian who is a minor, or whose age is not known.
func (s *Service) AdultGuardian(ctx context.Context, subject id.Handle) error {
	all, err := s.events(ctx, s.d.DB, subject)
	if err != nil {
		return err
	}
	if _, band := known(all, s.today()); band.Minor() {
		return ErrGuardian
	}
	return s.Gate(ctx, subject)
}

// Ward is a child's account that a guardian opened or took over.
type Ward struct {
	Consent
	LeftAt time.Time // when the consent was taken back; zero: it stands
}

// Children lists the consents that a guardian gave.
func (s *Service) Children(ctx context.Context, of id.Handle) (all []Ward, err error) {
	given, err := db.Select(ctx, s.d.DB, scanConsent, "SELECT "+consentColumns+" FROM age_guardian WHERE guardian = $1 ORDER BY seen_at, subject", string(of))
	if err != nil {
		return nil, err
	}
	for _, c := range given {
		v, err := vacancy(ctx, s.d.DB, c.Subject)
		if err != nil && !errs.IsNotFound(err) {
			return nil, err
		}
		all = append(all, Ward{c, v.Since})
	}
	return all, nil
}

// EraseChild erases what is held of a child at the wish of the guardian who
// opened the account, and cancels its services (clause TY-7.3). The link between
// the accounts is the proof.
func (s *Service) EraseChild(ctx context.Context, by By, account string) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		c, err := db.Get(ctx, tx, ErrNotFound, scanConsent, "SELECT "+consentColumns+" FROM age_guardian WHERE guardian = $1 AND account = $2", string(by.Handle), account)
		if err != nil {
			return err
		}
		return s.eraseTx(ctx, tx, c.Subject, c.Account)
	})
}

// SeeWritten keeps that a member of the staff saw the signed consent of a
// guardian. The document is not kept: of it there is the SHA-256, which a second
// person computes again from the same document and thereby confirms. done tells
// whether it is confirmed. Errors: ErrDigest, ErrSame, ErrProfile, ErrNotFound.
func (s *Service) SeeWritten(ctx context.Context, by By, account string, document string) (done bool, err error) {
	if !GoodDigest(document) {
		return false, ErrDigest
	}
	err = s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		subject, err := s.waiting(ctx, tx, account)
		if err != nil {
			return err
		}
		c, err := guardian(ctx, tx, subject)
		if errs.IsNotFound(err) {
			return s.seenTx(ctx, tx, by, subject, account, document)
		}
		if err != nil {
			return err
		}
		done = true
		return s.confirmTx(ctx, tx, by, c, document)
	})
	return done, err
}

// waiting finds the minor of an account who needs a written consent.
func (s *Service) waiting(ctx context.Context, q db.Q, account string) (id.Handle, error) {
	w, err := s.waiters(ctx, q)
	if err != nil {
		return "", err
	}
	for _, one := range w {
		if one.Account == account {
			return one.Subject, nil
		}
	}
	return "", ErrNotFound
}

func (s *Service) seenTx(ctx context.Context, tx *db.Tx, by By, subject id.Handle, account, document string) error {
	if by.Handle == subject {
		return ErrSame
	}
	err := insertConsent(ctx, tx, Consent{Subject: subject, Account: account, Kind: Written, Document: document, SeenBy: by.Handle, SeenAt: s.d.Clock.Now()})
	if err != nil {
		return err
	}
	return s.leafTx(ctx, tx, "age.guardian_seen", subject, by.staff(), map[string]string{"document_sha256": document})
}

func (s *Service) confirmTx(ctx context.Context, tx *db.Tx, by By, c Consent, document string) error {
	switch {
	case !c.ConfirmedAt.IsZero():
		return ErrNotFound
	case (by.Handle == c.SeenBy || by.Handle == c.Subject) && !mutant.Off("LT-7a"):
		return ErrSame
	case document != c.Document:
		return ErrDigest
	}
	err := tx.ExecOne(ctx, db.ErrRetry, "UPDATE age_guardian SET confirmed_by = $1, confirmed_at = $2 WHERE subject = $3 AND document = $4 AND confirmed_at = 0",
		string(by.Handle), db.Micros(s.d.Clock.Now()), string(c.Subject), document)
	if err != nil {
		return err
	}
	if err := fillTx(ctx, tx, c.Subject); err != nil {
		return err
	}
	if err := s.countTx(ctx, tx, "guardian_consent"); err != nil {
		return err
	}
	return s.leafTx(ctx, tx, "age.guardian_consented", c.Subject, by.staff(), map[string]string{"kind": string(Written), "document_sha256": document})
}

// Waiter is a minor whose account waits for a guardian's written consent.
type Waiter struct {
	Subject  id.Handle
	Account  string
	Band     Band
	Since    time.Time
	Left     bool      // a guardian had consented and is gone
	SeenBy   id.Handle // the first of two persons; empty: nobody saw a document
	Document string
}

// EraseAt is the day on which what is held of the minor is erased.
func (w Waiter) EraseAt() time.Time {
	if w.Left {
		return Vacancy{Since: w.Since}.EraseAt()
	}
	return civil.DayOf(w.Since).AddDays(waitDays + 1).Start()
}

// Waiting lists them, the oldest first.
func (s *Service) Waiting(ctx context.Context) ([]Waiter, error) { return s.waiters(ctx, s.d.DB) }

func (s *Service) waiters(ctx context.Context, q db.Q) ([]Waiter, error) {
	all, err := db.Select(ctx, q, scanEvent, `SELECT `+eventColumns+` FROM age_event WHERE NOT EXISTS
		(SELECT 1 FROM age_guardian g WHERE g.subject = age_event.subject AND g.confirmed_at > 0) ORDER BY at, id`)
	if err != nil {
		return nil, err
	}
	of, order := map[id.Handle][]Event{}, []id.Handle{}
	for _, e := range all {
		if of[e.Subject] == nil {
			order = append(order, e.Subject)
		}
		of[e.Subject] = append(of[e.Subject], e)
	}
	var waiting []Waiter
	for _, subject := range order {
		first := of[subject][0]
		_, band := known(of[subject], s.today())
		if RuleFor(s.d.Profile, band) != Written {
			continue
		}
		c, err := guardian(ctx, q, subject)
		if err != nil && !errs.IsNotFound(err) {
			return nil, err
		}
		w := Waiter{Subject: subject, Account: first.Account, Band: band, Since: first.At, SeenBy: c.SeenBy, Document: c.Document}
		v, err := vacancy(ctx, q, subject)
		if err == nil {
			w.Since, w.Left = v.Since, true
		} else if !errs.IsNotFound(err) {
			return nil, err
		}
		waiting = append(waiting, w)
	}
	return waiting, nil
}
