// Package vault seals personal values and system secrets, and is the only
// place where they become plain again.
//
// It is for values: columns of other modules hold what Seal returns. It is not
// a password store (those are hashed by their module) and not a policy: who may
// read is decided by the ports Gate and ReadLog.
//
//	KEK (custodian) ── wraps ──▶ root of a subject ── wraps ──▶ data key of (subject, class)
//	                                                              live ──DestroyClass──▶ destroyed
//
// Every key is random, none is derived from another, so that destroying a data
// key erases what it sealed in every copy. Keys live in the key store, a
// database of its own with its own backups.
//
// Invariants: a destroyed key's id is never used again; a plain key is cached
// at most 60 seconds and its row is read before each use, so that destruction
// works at once in every process; Open takes a Ticket, which exists only after
// the read event is committed; without the custodian nothing opens and nothing
// is sealed: there is no plaintext mode.
package vault

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations returns the schema of the key store. It belongs into the key
// store's database, never into the main one.
func Migrations() db.Migrations {
	sub, err := fs.Sub(files, "migrations")
	if err != nil {
		panic(err)
	}
	return db.Migrations{Module: "keystore", Files: sub}
}

// Errors. None of them tells the value or the key.
var (
	ErrIntegrity   = errs.New(errs.Unprocessable, "vault.integrity")   // altered, or sealed for another place
	ErrErased      = errs.New(errs.Gone, "vault.erased")               // its key is destroyed
	ErrUnavailable = errs.New(errs.Unavailable, "vault.unavailable")   // custodian, key store or read log away
	ErrTicket      = errs.New(errs.Forbidden, "vault.ticket_required") // no ticket, too old, or of another subject or field
)

// Ref names the place of a value. Everything in it is bound to the ciphertext:
// a value moved to another row, column or person does not open.
type Ref struct {
	Table, Column, Row string
	Subject            id.Handle
	Class              string // retention class, as in holding.Column; the key's granularity
}

// Field is the name that a read ticket lists: table.column.
func (r Ref) Field() string { return r.Table + "." + r.Column }

// Custodian keeps the key-encryption key and never gives it away. Wrap and
// Unwrap fail with ErrUnavailable when it cannot be reached, and Unwrap with
// ErrIntegrity when the bytes are not its own.
type Custodian interface {
	ID() string // of the key, kept beside what it wrapped
	Wrap(ctx context.Context, plain, aad []byte) ([]byte, error)
	Unwrap(ctx context.Context, wrapped, aad []byte) ([]byte, error)
}

// Gate says whether a purpose has a live basis for a person; nil opens. The
// consent module fills it.
type Gate interface {
	Gate(ctx context.Context, subject id.Handle, purpose string) error
}

// ReadLog commits a read event before the plaintext exists. The audit module
// fills it.
type ReadLog interface {
	RecordRead(ctx context.Context, r Read) (eventID string, err error)
}

// Classes of readers.
const (
	Self   = "self"
	Staff  = "staff"
	Job    = "job"
	System = "system"

	// Authority: for an order of an authority, which Read.Order names.
	Authority = "authority"
)

// Reader is who reads.
type Reader struct {
	Class   string // Self, Staff, Job, System, Authority
	Handle  id.Handle
	Session string // login session; or the job's kind
}

// Read is the intent to read fields of one person. One event is written for it,
// whatever the number of values opened with its ticket.
type Read struct {
	Reader  Reader
	Subject id.Handle
	Fields  []string // Ref.Field of each
	Purpose string   // of the consent module's closed list
	Reason  string   // a code, or the id of a ticket or case; staff who read of others need one

	// Order is the order of an authority that is carried out, with the reader class
	// Authority; the read log asks it from when the person may see the reading.
	Order string
	// Of is whom the order is about, where what is read was sealed for another
	// subject, as a day is; empty: the subject.
	Of id.Handle
}

// For is whom the reading is about.
func (r Read) For() id.Handle {
	if r.Of != "" {
		return r.Of
	}
	return r.Subject
}

func (r Read) complete() bool {
	foreign := r.Reader.Class == Staff && r.Reader.Handle != r.Subject
	if (r.Reader.Class == Authority) != (r.Order != "") {
		return false
	}
	return r.Subject != "" && r.Purpose != "" && len(r.Fields) > 0 && r.Reader.Class != "" && (r.Reason != "" || !foreign)
}

// TicketLife is how long a ticket opens values.
const TicketLife = 60 * time.Second

// Ticket proves a committed read event. Only Begin makes valid ones.
type Ticket struct {
	event   string
	subject id.Handle
	fields  []string
	until   time.Time
}

// Event returns the id of the read event, for receipts.
func (t Ticket) Event() string { return t.event }

// Deps is what a vault needs.
type Deps struct {
	DB        *db.DB // the key store
	Custodian Custodian
	Clock     clock.Clock
	Log       *slog.Logger
}

// Vault seals and opens. It is safe for concurrent use.
type Vault struct {
	db        *db.DB
	custodian Custodian
	clock     clock.Clock
	log       *slog.Logger

	mu      sync.RWMutex // guards what follows, and custodian
	readLog ReadLog
	gate    Gate
	cache   map[string]cachedKey
	sweepAt time.Time
}

// Bind fills the ports. Until then nothing can be read (Seal and the system
// secrets work, which is what the read log itself needs to start).
func (v *Vault) Bind(l ReadLog, g Gate) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.readLog, v.gate = l, g
}

// Begin asks the gate, commits the read event and returns the ticket for it.
// Call it before a transaction of the main database begins.
func (v *Vault) Begin(ctx context.Context, r Read) (Ticket, error) {
	v.mu.RLock()
	l, g := v.readLog, v.gate
	v.mu.RUnlock()
	if l == nil || g == nil {
		return Ticket{}, ErrUnavailable
	}
	if !r.complete() {
		return Ticket{}, ErrTicket
	}
	if err := g.Gate(ctx, r.Subject, r.Purpose); err != nil {
		return Ticket{}, err
	}
	event, err := l.RecordRead(ctx, r)
	if err != nil {
		return Ticket{}, err
	}
	return Ticket{event: event, subject: r.Subject, fields: r.Fields, until: v.clock.Now().Add(TicketLife)}, nil
}
