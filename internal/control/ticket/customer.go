package ticket

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// NewTicket is what a customer asks.
type NewTicket struct {
	Department Department
	Priority   Priority
	Resource   string // id of something of theirs; empty: none
	Title      string // at most 120 characters
	Words      string // Markdown, at most 8000 characters
}

// Create opens a ticket. Errors: ErrDepartment, ErrTitle, ErrWords, ErrResource,
// ErrTooMany.
func (s *Service) Create(ctx context.Context, p account.Principal, n NewTicket) (Ticket, error) {
	if err := known(n.Department, n.Priority); err != nil {
		return Ticket{}, err
	}
	title, err := cleanTitle(n.Title)
	if err != nil {
		return Ticket{}, err
	}
	words, err := cleanWords(n.Words)
	if err != nil {
		return Ticket{}, err
	}
	if n.Resource != "" {
		if err := s.d.Things.Owned(ctx, p.Account, n.Resource); err != nil {
			return Ticket{}, err
		}
	}
	t := s.fresh(p)
	t.Department, t.Priority, t.Resource = n.Department, n.Priority, n.Resource
	return t, s.openTx(ctx, p, &t, title, words)
}

func (s *Service) fresh(p account.Principal) Ticket {
	now := s.d.Clock.Now()
	return Ticket{ID: id.New("tkt"), Account: p.Account, Subject: p.Subject, State: Open, OpenedAt: now, ChangedAt: now, Version: 1}
}

func (s *Service) openTx(ctx context.Context, p account.Principal, t *Ticket, title, words string) error {
	t.Due = t.OpenedAt.Add(within[t.Priority])
	var err error
	if t.title, err = s.d.Vault.Seal(ctx, t.ref("ticket_ticket", "title", t.ID), []byte(title)); err != nil {
		return err
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		n, err := db.Get(ctx, tx, nil, db.One[int64], "SELECT count(*) FROM ticket_ticket WHERE account = $1 AND closed_at = 0", string(p.Account))
		if err != nil {
			return err
		}
		if n >= maxOpen {
			return ErrTooMany
		}
		if err := insertTx(ctx, tx, *t); err != nil {
			return err
		}
		if err := s.sayTx(ctx, tx, *t, "", words); err != nil {
			return err
		}
		return s.leaf(ctx, tx, "ticket.opened", p, *t, map[string]string{"department": string(t.Department), "priority": string(t.Priority)})
	})
}

// Listed is a ticket with its title, for its person.
type Listed struct {
	Ticket
	Title string
}

// Mine lists a customer's tickets, the newest first, at most limit (1 to 500): one
// reading opens their titles.
func (s *Service) Mine(ctx context.Context, p account.Principal, limit int) ([]Listed, error) {
	all, err := db.Select(ctx, s.d.DB, scan, columns+" WHERE account = $1 AND subject = $2 ORDER BY opened_at DESC, id DESC LIMIT $3",
		string(p.Account), string(p.Subject), int64(min(max(limit, 1), 500)))
	if err != nil || len(all) == 0 {
		return nil, err
	}
	ticket, err := s.d.Vault.Begin(ctx, vault.Read{Reader: self(p), Subject: p.Subject, Purpose: purpose, Fields: []string{"ticket_ticket.title"}})
	if err != nil {
		return nil, err
	}
	listed := make([]Listed, 0, len(all))
	for _, t := range all {
		title, err := s.d.Vault.Open(ctx, ticket, t.ref("ticket_ticket", "title", t.ID), t.title)
		if err != nil {
			return nil, err
		}
		listed = append(listed, Listed{t, string(title)})
	}
	return listed, nil
}

func self(p account.Principal) vault.Reader {
	return vault.Reader{Class: vault.Self, Handle: p.Subject, Session: p.Session}
}

// Read opens a ticket of the customer's own.
func (s *Service) Read(ctx context.Context, p account.Principal, ticket string) (Thread, error) {
	t, err := owned(ctx, s.d.DB, p, ticket)
	if err != nil {
		return Thread{}, err
	}
	return s.thread(ctx, t, self(p), "")
}

// Reply adds a word of the customer. To a ticket that was closed more than
// fourteen days ago it makes a new one that follows it, and returns that.
// Errors: ErrWords, ErrFull, ErrTooMany.
func (s *Service) Reply(ctx context.Context, p account.Principal, ticket, text string) (Ticket, error) {
	words, err := cleanWords(text)
	if err != nil {
		return Ticket{}, err
	}
	t, err := owned(ctx, s.d.DB, p, ticket)
	if err != nil {
		return Ticket{}, err
	}
	if t.State == Closed && s.d.Clock.Now().Sub(t.ClosedAt) > reopenWithin {
		return s.follow(ctx, p, t, words)
	}
	err = s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		if t, err = owned(ctx, tx, p, ticket); err != nil {
			return err
		}
		if err := roomTx(ctx, tx, t.ID, 0); err != nil {
			return err
		}
		if t, err = s.moveTx(ctx, tx, p, t, MoveCustomerReply); err != nil {
			return err
		}
		return s.sayTx(ctx, tx, t, "", words)
	})
	return t, err
}

// follow opens a ticket that goes on with a closed one, under its title.
func (s *Service) follow(ctx context.Context, p account.Principal, old Ticket, words string) (Ticket, error) {
	ticket, err := s.d.Vault.Begin(ctx, vault.Read{Reader: self(p), Subject: p.Subject, Purpose: purpose, Fields: []string{"ticket_ticket.title"}})
	if err != nil {
		return Ticket{}, err
	}
	title, err := s.d.Vault.Open(ctx, ticket, old.ref("ticket_ticket", "title", old.ID), old.title)
	if err != nil {
		return Ticket{}, err
	}
	t := s.fresh(p)
	t.Department, t.Priority, t.Resource, t.Follows = old.Department, old.Priority, old.Resource, old.ID
	return t, s.openTx(ctx, p, &t, string(title), words)
}

// Close ends a ticket that the customer needs no more.
func (s *Service) Close(ctx context.Context, p account.Principal, ticket string) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		t, err := owned(ctx, tx, p, ticket)
		if err != nil {
			return err
		}
		_, err = s.moveTx(ctx, tx, p, t, MoveClose)
		return err
	})
}
