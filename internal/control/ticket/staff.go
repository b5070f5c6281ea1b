package ticket

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// Filter cuts the queue; the zero value shows what is not closed.
type Filter struct {
	Closed     bool
	Department Department // empty: all
	Mine       bool       // only what the asker deals with
}

// Queue lists tickets without a word of them: those that staff owe a word first, by
// when it is due, then the others, those that changed last first.
func (s *Service) Queue(ctx context.Context, p account.Principal, f Filter) ([]Ticket, error) {
	mine := ""
	if f.Mine {
		mine = string(p.Subject)
	}
	return db.Select(ctx, s.d.DB, scan, columns+` WHERE ($1 = 1) = (closed_at > 0) AND ($2 = '' OR department = $2) AND ($3 = '' OR assignee = $3)
		ORDER BY CASE WHEN due_at > 0 THEN 0 ELSE 1 END, due_at, changed_at DESC, id LIMIT 500`, db.Bool(f.Closed), string(f.Department), mine)
}

// Late counts tickets to which staff owe a word since it was due.
func (s *Service) Late(ctx context.Context) (int64, error) {
	return db.Get(ctx, s.d.DB, nil, db.One[int64], "SELECT count(*) FROM ticket_ticket WHERE due_at > 0 AND due_at < $1", db.Micros(s.d.Clock.Now()))
}

// Handled is a ticket as staff see it.
type Handled struct {
	Thread
	Notes []Note
}

// foreign finds a ticket that is not the principal's own.
func foreign(ctx context.Context, q db.Q, p account.Principal, ticket string) (Ticket, error) {
	t, err := byID(ctx, q, ticket)
	if err == nil && t.Subject == p.Subject {
		return Ticket{}, ErrOwn
	}
	return t, err
}

func staff(p account.Principal) vault.Reader {
	return vault.Reader{Class: vault.Staff, Handle: p.Subject, Session: p.Session}
}

// Handle opens somebody's ticket for a member of staff; the person sees the reading.
func (s *Service) Handle(ctx context.Context, p account.Principal, ticket string) (Handled, error) {
	t, err := foreign(ctx, s.d.DB, p, ticket)
	if err != nil {
		return Handled{}, err
	}
	th, err := s.thread(ctx, t, staff(p), t.ID)
	if err != nil {
		return Handled{}, err
	}
	notes, err := s.notes(ctx, p, t)
	return Handled{th, notes}, err
}

func (s *Service) notes(ctx context.Context, p account.Principal, t Ticket) ([]Note, error) {
	said, err := db.Select(ctx, s.d.DB, scanMessage, "SELECT id, staff, words, at FROM ticket_note WHERE ticket = $1 ORDER BY at, id", t.ID)
	if err != nil || len(said) == 0 {
		return nil, err
	}
	ticket, err := s.d.Vault.Begin(ctx, vault.Read{Reader: staff(p), Subject: t.Subject, Purpose: purpose, Reason: t.ID, Fields: []string{"ticket_note.words"}})
	if err != nil {
		return nil, err
	}
	notes := make([]Note, 0, len(said))
	for _, n := range said {
		words, err := s.d.Vault.Open(ctx, ticket, t.ref("ticket_note", "words", n.id), n.words)
		if err != nil {
			return nil, err
		}
		notes = append(notes, Note{ID: n.id, By: n.staff, Words: string(words), At: db.FromMicros(n.at)})
	}
	return notes, nil
}

// Claim has a member of staff deal with a ticket, whoever did before. ErrState.
func (s *Service) Claim(ctx context.Context, p account.Principal, ticket string) error {
	return s.change(ctx, p, ticket, MoveClaim, func(_ *db.Tx, t *Ticket) error {
		t.Assignee = p.Subject
		return nil
	})
}

// Hold stops a ticket's clock, as long as staff wait for somebody else. ErrState.
func (s *Service) Hold(ctx context.Context, p account.Principal, ticket string) error {
	return s.change(ctx, p, ticket, MoveHold, nil)
}

// Resume goes on with what Hold stopped. ErrState.
func (s *Service) Resume(ctx context.Context, p account.Principal, ticket string) error {
	return s.change(ctx, p, ticket, MoveResume, nil)
}

// Resolve says that nothing is left to do, and tells the person. ErrState.
func (s *Service) Resolve(ctx context.Context, p account.Principal, ticket string) error {
	return s.change(ctx, p, ticket, MoveResolve, func(tx *db.Tx, t *Ticket) error { return s.publishTx(ctx, tx, TopicResolved, *t) })
}

// Answer says something to the person, and tells them that it is there. Who
// answers deals with the ticket from then on, if nobody does. Errors: ErrWords,
// ErrState, ErrFull.
func (s *Service) Answer(ctx context.Context, p account.Principal, ticket, text string) error {
	words, err := cleanWords(text)
	if err != nil {
		return err
	}
	return s.change(ctx, p, ticket, MoveStaffReply, func(tx *db.Tx, t *Ticket) error {
		if t.Assignee == "" {
			t.Assignee = p.Subject
		}
		if err := roomTx(ctx, tx, t.ID, 0); err != nil {
			return err
		}
		if err := s.sayTx(ctx, tx, *t, p.Subject, words); err != nil {
			return err
		}
		return s.publishTx(ctx, tx, TopicReplied, *t)
	})
}

// change moves somebody's ticket; with does what belongs to it before it is kept.
func (s *Service) change(ctx context.Context, p account.Principal, ticket string, m Move, with func(*db.Tx, *Ticket) error) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		t, err := foreign(ctx, tx, p, ticket)
		if err != nil {
			return err
		}
		if _, err := t.on(m, s.d.Clock.Now()); err != nil {
			return err
		}
		if with != nil {
			if err := with(tx, &t); err != nil {
				return err
			}
		}
		_, err = s.moveTx(ctx, tx, p, t, m)
		return err
	})
}

// AddNote says something to other staff. What is said about a person is held of
// that person: a copy of their data has it. Errors: ErrWords, ErrFull.
func (s *Service) AddNote(ctx context.Context, p account.Principal, ticket, text string) error {
	words, err := cleanWords(text)
	if err != nil {
		return err
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		t, err := foreign(ctx, tx, p, ticket)
		if err != nil {
			return err
		}
		if err := roomTx(ctx, tx, t.ID, 0); err != nil {
			return err
		}
		row := id.New("tkn")
		sealed, err := s.d.Vault.Seal(ctx, t.ref("ticket_note", "words", row), []byte(words))
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "INSERT INTO ticket_note (id, ticket, subject, staff, words, at) VALUES ($1, $2, $3, $4, $5, $6)",
			row, t.ID, string(t.Subject), string(p.Subject), sealed, db.Micros(s.d.Clock.Now()))
		if err != nil {
			return err
		}
		return s.leaf(ctx, tx, "ticket.noted", p, t, nil)
	})
}

// Sort changes for whom a ticket is and how much it hurts; a clock that runs
// starts again with the new priority from when the ticket last changed.
// ErrDepartment.
func (s *Service) Sort(ctx context.Context, p account.Principal, ticket string, d Department, priority Priority) error {
	if err := known(d, priority); err != nil {
		return err
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		t, err := foreign(ctx, tx, p, ticket)
		if err != nil {
			return err
		}
		if !t.Due.IsZero() {
			t.Due = t.Due.Add(within[priority] - within[t.Priority])
		}
		t.Department, t.Priority = d, priority
		if err := updateTx(ctx, tx, t); err != nil {
			return err
		}
		return s.leaf(ctx, tx, "ticket.sorted", p, t, map[string]string{"department": string(d), "priority": string(priority)})
	})
}

// QQ opens the QQ number of whoever wrote a ticket for who deals with it, as long
// as the ticket is not closed (LT-1.2b). Errors: ErrNotYours, contact.ErrNone,
// and what keeps the gate shut.
func (s *Service) QQ(ctx context.Context, p account.Principal, ticket string) (string, error) {
	t, err := foreign(ctx, s.d.DB, p, ticket)
	if err != nil {
		return "", err
	}
	if t.Assignee != p.Subject || t.State == Closed {
		return "", ErrNotYours
	}
	return s.d.Contacts.QQFor(ctx, p, t.ID, t.Subject)
}

// HandOver makes a request of the rights desk of a ticket that asks about personal
// data: with its first words, and from when they came, so that no day of a clock is
// lost by the way that somebody chose. The ticket is resolved by it. Errors:
// ErrHandedOver, ErrState, those of the desk.
func (s *Service) HandOver(ctx context.Context, p account.Principal, ticket, kind string) (request string, err error) {
	h, err := s.Handle(ctx, p, ticket)
	if err != nil {
		return "", err
	}
	words := h.Title
	if len(h.Messages) > 0 {
		words += "\n\n" + h.Messages[0].Words
	}
	if r := []rune(words); len(r) > handedOver {
		words = string(r[:handedOver])
	}
	err = s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		t, err := foreign(ctx, tx, p, ticket)
		if err != nil {
			return err
		}
		if t.Request != "" {
			return ErrHandedOver.With("request", t.Request)
		}
		request, err = s.d.Desk.FromTicketTx(ctx, tx, p, Asked{Account: t.Account, Subject: t.Subject, Kind: kind, Words: words, At: t.OpenedAt})
		if err != nil {
			return err
		}
		t.Request = request
		if t.State == Resolved || t.State == Closed {
			return updateTx(ctx, tx, t)
		}
		if t, err = s.moveTx(ctx, tx, p, t, MoveResolve); err != nil {
			return err
		}
		return s.publishTx(ctx, tx, TopicResolved, t)
	})
	return request, err
}

// handedOver is how much of a ticket the rights desk takes, in characters.
const handedOver = 4000
