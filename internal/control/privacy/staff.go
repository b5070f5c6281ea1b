package privacy

import (
	"context"
	"slices"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// Carrier does what was granted: makes the copy, erases, cancels. CarryTx begins
// it in the transaction of the answer; what does it calls Carried at the end.
type Carrier interface {
	CarryTx(ctx context.Context, tx *db.Tx, r Request) error
}

// Desk lists requests of all people without their words: the open ones, by due
// date, or those that are closed, newest first. It is the queue of the person in
// charge of personal data (clause TY-9.1); what is addressed to that person is
// in it for whoever has the right to it.
func (s *Service) Desk(ctx context.Context, p account.Principal, closed bool) ([]Request, error) {
	const of = " AND ($1 = '' OR r.kind <> $1) AND ($2 = 1 OR r.addressed = '') ORDER BY "
	text := columns + " WHERE r.closed_at = 0" + of + "due, r.id LIMIT 500"
	if closed {
		text = columns + " WHERE r.closed_at > 0" + of + "r.closed_at DESC, r.id LIMIT 500"
	}
	but := Kind("")
	if mutant.Off("TY-9.1") {
		but = Question
	}
	return db.Select(ctx, s.d.DB, scan, text, string(but), db.Bool(p.Can(account.PermPrivacyDPO)))
}

// Handle opens a request of somebody else for a member of staff; the person sees
// the reading.
func (s *Service) Handle(ctx context.Context, p account.Principal, request string) (Opened, error) {
	r, err := foreign(ctx, s.d.DB, p, request)
	if err != nil {
		return Opened{}, err
	}
	return s.unseal(ctx, r, vault.Reader{Class: vault.Staff, Handle: p.Subject, Session: p.Session})
}

// foreign finds a request that is not the principal's own. One that is addressed
// to the person in charge is not there for other staff; nobody (the zero
// Principal) is a job.
func foreign(ctx context.Context, q db.Q, p account.Principal, request string) (Request, error) {
	r, err := byID(ctx, q, request)
	switch {
	case err != nil:
		return r, err
	case r.Subject == p.Subject:
		return r, ErrOwn
	case r.Addressed == ToDPO && p.Subject != "" && !p.Can(account.PermPrivacyDPO):
		return Request{}, ErrNotFound
	}
	return r, nil
}

// AskIdentity notes that the desk asked who somebody is, or for the proof of a
// guardian or relative. It may do so within one working day, and no due date
// moves by it (clause LT-8b).
func (s *Service) AskIdentity(ctx context.Context, p account.Principal, request string) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		r, err := foreign(ctx, tx, p, request)
		if err != nil {
			return err
		}
		if !mayAsk(s.d.Calendar, r.ReceivedAt, s.d.Clock.Now()) && !mutant.Off("LT-8b") {
			return ErrAskedLate
		}
		r.Identity = IdentityAsked
		return s.moveTx(ctx, tx, p, r, EventAsk, "privacy.identity_asked", nil)
	})
}

// Identified notes that the question of AskIdentity is answered.
func (s *Service) Identified(ctx context.Context, p account.Principal, request string) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		r, err := foreign(ctx, tx, p, request)
		if err != nil {
			return err
		}
		r.Identity = IdentityKnown
		return s.moveTx(ctx, tx, p, r, EventIdentified, "privacy.identity_known", nil)
	})
}

// Special declares a special case, for a reason of Specials: seven days in place
// of three working ones, once. Errors: ErrSpecial, ErrNoExtension.
func (s *Service) Special(ctx context.Context, p account.Principal, request, reason string) error {
	if !slices.Contains(Specials, reason) {
		return ErrSpecial
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		r, err := foreign(ctx, tx, p, request)
		if err != nil {
			return err
		}
		was := lastDay(r.Due)
		n, err := tx.Exec(ctx, "DELETE FROM privacy_clock WHERE request = $1 AND rule = $2 AND met_at = 0 AND due_at > $3",
			r.ID, reply3wd, db.Micros(s.d.Clock.Now()))
		if err != nil {
			return err
		}
		if n == 0 || r.Special != "" {
			return ErrNoExtension
		}
		r.Special = reason
		if err := update(ctx, tx, r); err != nil {
			return err
		}
		return s.recordTx(ctx, tx, p, "privacy.clock_special", r, map[string]string{"reason": reason, "was_due": was})
	})
}

// Classify says what a request asks for that arrived as words: by mail, by a link
// or by the assistant. Its clocks are joined by those of the kind, from the
// receipt; none ends by it. Errors: ErrKind, ErrState.
func (s *Service) Classify(ctx context.Context, p account.Principal, request string, k Kind) error {
	if !slices.Contains(kinds, k) || k == Misuse {
		return ErrKind
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		r, err := foreign(ctx, tx, p, request)
		if err != nil {
			return err
		}
		if r.Kind != Question || (r.State != Received && r.State != Asked) || (!r.byMail() && r.Channel != ChannelAssistant) {
			return ErrState.With("state", string(r.State))
		}
		if r.Account == "" && k.carried() {
			return ErrKind // whose data it would be is not known
		}
		now := s.d.Clock.Now()
		for _, c := range clocks(s.d.Calendar, s.d.Profile, k, r.ReceivedAt, now) {
			_, err := tx.Exec(ctx, "INSERT INTO privacy_clock (request, rule, due_at, provisional, met_at) VALUES ($1, $2, $3, $4, 0) ON CONFLICT DO NOTHING",
				r.ID, c.Rule, db.Micros(c.Due), db.Bool(c.Provisional))
			if err != nil {
				return err
			}
		}
		err = tx.ExecOne(ctx, db.ErrRetry, "UPDATE privacy_request SET kind = $1, version = version + 1 WHERE id = $2 AND version = $3", string(k), r.ID, r.Version)
		if err != nil {
			return err
		}
		return s.recordTx(ctx, tx, p, "privacy.request_classified", r, map[string]string{"kind": string(k)})
	})
}

// Answer decides a request, writes the letter and tells the person. What is
// granted of Copy, Port, Delete and Cancel is then carried out. Errors: those of
// a refusal that lacks what the law wants in it (ErrReason, ErrLaw, ErrRemedy),
// ErrAnswerWords, ErrState.
func (s *Service) Answer(ctx context.Context, p account.Principal, request string, a Answer) error {
	r, err := foreign(ctx, s.d.DB, p, request)
	if err != nil {
		return err
	}
	if err := a.check(r.Kind); err != nil {
		return err
	}
	if a.Decision == Granted {
		a.Reason, a.Law = "", ""
	}
	if err := s.write(ctx, &r, a); err != nil {
		return err
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		switch now, err := byID(ctx, tx, request); {
		case err != nil:
			return err
		case now.Version != r.Version:
			return ErrState.With("state", string(now.State))
		}
		return s.answerTx(ctx, tx, p, r)
	})
}

// Preview is the letter that an answer would send; nothing is kept of it. Errors:
// those of Answer.
func (s *Service) Preview(ctx context.Context, p account.Principal, request string, a Answer) (Letter, error) {
	r, err := foreign(ctx, s.d.DB, p, request)
	if err != nil {
		return nil, err
	}
	if err := a.check(r.Kind); err != nil {
		return nil, err
	}
	if a.Decision == Granted {
		a.Reason, a.Law = "", ""
	}
	return s.d.Letterhead.Letter(r, a, s.d.Clock.Now())
}

// write fills in the answer and seals the letter.
func (s *Service) write(ctx context.Context, r *Request, a Answer) error {
	r.Decision, r.Reason, r.Law, r.AnsweredAt = a.Decision, a.Reason, a.Law, s.d.Clock.Now()
	l, err := s.d.Letterhead.Letter(*r, a, r.AnsweredAt)
	if err != nil {
		return err
	}
	raw, sum, err := l.digest()
	if err != nil {
		return err
	}
	r.Digest = sum
	r.letter, err = s.d.Vault.Seal(ctx, r.ref("letter"), raw)
	return err
}

func (s *Service) answerTx(ctx context.Context, tx *db.Tx, p account.Principal, r Request) error {
	e, leaf := EventGrant, "privacy.request_answered"
	switch {
	case r.Decision == Denied:
		e, leaf = EventRefuse, "privacy.request_refused"
	case r.Kind.carried():
		e = EventCarry
	}
	err := s.moveTx(ctx, tx, p, r, e, leaf, map[string]string{
		"decision": string(r.Decision), "reason": r.Reason, "law": r.Law, "letter_sha256": r.Digest,
	})
	if err != nil {
		return err
	}
	if r.Kind == Guardian && r.Decision != Denied {
		if err := s.guardedTx(ctx, tx, r); err != nil {
			return err
		}
	}
	if e == EventCarry {
		if err := s.carryTx(ctx, tx, r); err != nil {
			return err
		}
	}
	if e == EventCarry && r.Kind.copied() {
		return nil // that it is ready says more
	}
	if r.Account == "" {
		return s.letterTx(ctx, tx, r)
	}
	told := s.event(r)
	told.Date = ""
	return s.d.Queue.PublishTx(ctx, tx, TopicAnswered, told)
}

// carryTx begins what was granted.
func (s *Service) carryTx(ctx context.Context, tx *db.Tx, r Request) error {
	switch {
	case r.Kind.copied():
		return s.beginCopyTx(ctx, tx, r)
	case s.d.Carrier != nil:
		return s.d.Carrier.CarryTx(ctx, tx, r)
	}
	return nil
}

// Carried notes that what was granted is done. It is said by what does it, as
// nobody (the zero Principal), or by a member of staff who did it. A copy is
// carried out when it is ready, and not because somebody says so: ErrState.
func (s *Service) Carried(ctx context.Context, p account.Principal, request string) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		r, err := foreign(ctx, tx, p, request)
		if err != nil {
			return err
		}
		if r.Kind.copied() {
			return ErrState.With("state", string(r.State))
		}
		return s.moveTx(ctx, tx, p, r, EventCarried, "privacy.request_carried", nil)
	})
}
