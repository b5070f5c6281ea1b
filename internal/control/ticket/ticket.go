// Package ticket is the desk where customers ask and staff answer: threads with
// files, notes among staff, answers kept ready, clocks.
//
// It is not for requests about personal data (privacy), though staff hand over a
// ticket that turns out to be one, with the time at which it came. It mails nobody
// (notify does, by the topics below).
//
//	            ┌──────── claim ───────▶ in_progress ◀─ resume ─ on_hold
//	            │                         │    └── hold ──────────▲ │
//	open ───────┤                         │                       │ │ customer_reply
//	            ├── staff_reply ──▶ awaiting_customer ─ customer_reply ─▶ customer_replied
//	            │                         │ silent 3 d: told, 7 d:     ▲
//	            └── resolve ──────────────┴──▶ resolved ─ customer_reply┤
//	                                             │ 3 d, or the customer  │
//	                                             ▼                       │
//	                                           closed ─ within 14 d ─────┘ (later: a new ticket that follows it)
//
// The clock of a ticket runs while staff owe a word: in open, in_progress and
// customer_replied. It begins anew with the first word of a customer after an
// answer, and stands still on hold (business specification 14.5).
//
// Invariants: all words and files are sealed under a key of the ticket, which ends
// twelve months after its close or with the account; staff open words only by a
// reading that names the ticket, and the person sees it; lists show no words; a
// note is another type in another table than a message; a file is what its bytes
// say, not what its name says: pictures are drawn again, so that nothing rides in
// them, plain text is kept, everything else is held until a named member of staff
// lets it out.
//
// Tables: ticket_ticket, ticket_message, ticket_note, ticket_file, ticket_canned.
package ticket

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations returns the module's schema.
func Migrations() db.Migrations {
	sub, err := fs.Sub(files, "migrations")
	if err != nil {
		panic(err)
	}
	return db.Migrations{Module: "ticket", Files: sub}
}

// Topics, published when something is to be told; the payload of each is Event.
const (
	TopicReplied  = "ticket.replied"  // staff answered
	TopicWaiting  = "ticket.waiting"  // nobody answered staff for three days
	TopicResolved = "ticket.resolved" // by staff, or for silence
)

// Event is what is told of a ticket.
type Event struct {
	ID      string // of the telling: twice the same is once
	Ticket  string
	Account account.ID
	Subject id.Handle
}

// Department is who a ticket is for.
type Department string

// Departments.
const (
	Technical Department = "technical"
	Billing   Department = "billing"
	Accounts  Department = "account"
	Sales     Department = "sales"
	Complaint Department = "complaint"
)

// Departments lists them.
func Departments() []Department {
	return []Department{Technical, Billing, Accounts, Sales, Complaint}
}

// Priority is how much hurts.
type Priority string

// Priorities.
const (
	Urgent Priority = "urgent" // nothing works
	High   Priority = "high"
	Normal Priority = "normal"
	Low    Priority = "low"
)

// within is how long staff may owe a word.
var within = map[Priority]time.Duration{Urgent: time.Hour, High: 4 * time.Hour, Normal: 24 * time.Hour, Low: 72 * time.Hour}

// Within is how long staff may owe a word to a ticket of a priority.
func Within(p Priority) time.Duration { return within[p] }

// Limits.
const (
	maxTitle   = 120  // characters
	maxWords   = 8000 // characters
	maxOpen    = 20   // tickets of one account that are not closed
	maxEntries = 500  // messages, notes and files of one ticket
	maxFiles   = 30
	// MaxFile is the size of a file in bytes.
	MaxFile = 640 << 10
)

// Errors.
var (
	ErrNotFound   = errs.New(errs.NotFound, "ticket.not_found")
	ErrNoFile     = errs.New(errs.NotFound, "ticket.file_not_found")
	ErrState      = errs.New(errs.Conflict, "ticket.state")           // params: state, event
	ErrDepartment = errs.New(errs.Unprocessable, "ticket.department") // or priority: none of the list
	ErrTitle      = errs.New(errs.Unprocessable, "ticket.title").With("max", maxTitle)
	ErrWords      = errs.New(errs.Unprocessable, "ticket.words").With("max", maxWords)
	ErrResource   = errs.New(errs.Unprocessable, "ticket.resource") // not the account's
	ErrTooMany    = errs.New(errs.Limited, "ticket.too_many").With("max", maxOpen)
	ErrFull       = errs.New(errs.Limited, "ticket.full")
	ErrFile       = errs.New(errs.Unprocessable, "ticket.file").With("max", MaxFile>>10) // empty, too large, or a picture that cannot be drawn
	ErrQuarantine = errs.New(errs.Forbidden, "ticket.quarantined")                       // until staff let it out
	ErrOwn        = errs.New(errs.Forbidden, "ticket.own")                               // staff answer others only
	ErrNotYours   = errs.New(errs.Forbidden, "ticket.not_claimed")                       // somebody else deals with it, or nobody
	ErrHandedOver = errs.New(errs.Conflict, "ticket.handed_over")                        // it is a request about personal data already
)

// Things tells whether something is an account's: a gateway, a service, an order.
// ErrResource, or what kept it from knowing.
type Things interface {
	Owned(ctx context.Context, owner account.ID, resource string) error
}

// Contacts opens the QQ number of whoever wrote a ticket. The module contact fills it.
type Contacts interface {
	QQFor(ctx context.Context, staff account.Principal, ticket string, subject id.Handle) (string, error)
}

// Desk takes over a ticket that asks about personal data; its clocks run from when
// the ticket came. The module privacy fills it.
type Desk interface {
	FromTicketTx(ctx context.Context, tx *db.Tx, staff account.Principal, a Asked) (request string, err error)
}

// Asked is a ticket that asks about personal data.
type Asked struct {
	Account account.ID
	Subject id.Handle
	Kind    string // of the rights desk's list
	Words   string
	At      time.Time
}

// Deps are what the service stands on; all are needed.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	Queue    *job.Queue
	Log      *slog.Logger
	Audit    *audit.Service
	Vault    *vault.Vault
	Things   Things
	Contacts Contacts
	Desk     Desk
}

// Service is the module. It is safe for concurrent use.
type Service struct{ d Deps }

// New makes the module and registers what silence does.
func New(d Deps) *Service {
	s := &Service{d: d}
	d.Queue.Every("ticket.silence", time.Hour, s.silence)
	return s
}

// Ticket is a ticket without its words.
type Ticket struct {
	ID         string // tkt_...
	Account    account.ID
	Subject    id.Handle
	Department Department
	Priority   Priority
	Resource   string // what it is about; empty: nothing of theirs
	State      State
	Assignee   id.Handle // who of the staff deals with it
	Follows    string    // the closed ticket that it goes on with
	Request    string    // of the rights desk that took it over
	OpenedAt   time.Time
	ChangedAt  time.Time
	Due        time.Time // when staff owe a word at the latest; zero: they do not
	ClosedAt   time.Time
	Version    int64

	title    []byte // sealed
	left     time.Duration
	reminded time.Time
}

// Message is one word of a thread.
type Message struct {
	ID    string
	Staff bool
	By    id.Handle // of the staff who wrote it
	Words string    // Markdown
	At    time.Time
}

// Note is a word of staff to staff. No type that a customer is shown has one.
type Note struct {
	ID    string
	By    id.Handle
	Words string
	At    time.Time
}

// File is a file of a thread without its bytes.
type File struct {
	ID          string
	Staff       bool
	Name        string
	Media       string // of the bytes: "image/png", "text/plain", "application/octet-stream"
	Size        int64
	Quarantined bool // staff do not get it until one of them let it out
	At          time.Time
}

// Thread is a ticket with what was said.
type Thread struct {
	Ticket
	Title    string
	Messages []Message
	Files    []File
}

// class is the retention class, and with the ticket's id the class of its key.
const class = "ticket"

func keyOf(ticket string) string { return class + "/" + ticket }

func (t Ticket) ref(table, column, row string) vault.Ref {
	return vault.Ref{Table: table, Column: column, Row: row, Subject: t.Subject, Class: keyOf(t.ID)}
}

func cleanTitle(s string) (string, error) {
	s = strings.Join(strings.Fields(s), " ")
	if s == "" || len([]rune(s)) > maxTitle {
		return "", ErrTitle
	}
	return s, nil
}

func cleanWords(s string) (string, error) {
	s = strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n"))
	if s == "" || len([]rune(s)) > maxWords || strings.ContainsRune(s, 0) {
		return "", ErrWords
	}
	return s, nil
}

func known(d Department, p Priority) error {
	if !slices.Contains(Departments(), d) || within[p] == 0 {
		return ErrDepartment
	}
	return nil
}

// leaf tells what happened to a ticket, without a word of it.
func (s *Service) leaf(ctx context.Context, tx *db.Tx, kind string, p account.Principal, t Ticket, detail map[string]string) error {
	by := audit.Actor{Class: vault.Self, Handle: p.Subject, Session: p.Session}
	switch {
	case p.Subject == "":
		by = audit.Actor{Class: vault.Job, Session: "ticket.silence"}
	case p.Subject != t.Subject:
		by.Class = vault.Staff
	}
	all := map[string]string{"ticket": t.ID}
	maps.Copy(all, detail)
	return s.d.Audit.AppendTx(ctx, tx, audit.Event{Type: kind, Subject: t.Subject, Account: string(t.Account), Actor: by, Detail: all})
}
