// Package contact keeps what a person may add to the three fields of an account:
// a telephone number, a QQ number, and the place where they live. Nothing asks
// for them, and no other function of the product looks at them (LT-1.2).
//
// It is not for the address of mail, without which there is no account (account),
// and sends nothing (notify).
//
// Each rests on an act of consent of its own, which names what it is for:
//
//	contact.phone   phone.verify  a code, to see that the number is the person's
//	                phone.security, phone.expiry  SMS of those two kinds
//	contact.qq      qq.ticket     talking with whoever wrote a ticket
//	contact.region  nothing but showing it to its person
//
// Invariants: a value is sealed under a key of its act; nothing opens it for
// another use (LT-1.2b); taking the act back deletes value and key; a number
// counts only once a code that was sent to it came back; a code is in no table
// but as a keyed digest, works once, ten minutes, and for five tries, which are
// counted before they are compared.
//
//	(nothing) ── Ask ──▶ waiting ── Confirm ──▶ confirmed ── Remove, withdrawal ──▶ (nothing)
//	                        └── ten minutes ──▶ (nothing; an older number stands)
//
// Tables: contact_phone, contact_qq, contact_region, contact_code, contact_asked.
package contact

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"slices"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Migrations returns the module's schema.
func Migrations() db.Migrations {
	sub, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		panic(err)
	}
	return db.Migrations{Module: "contact", Files: sub}
}

// Purposes of the acts.
const (
	Phone  = "contact.phone"
	QQ     = "contact.qq"
	Region = "contact.region"
)

// Uses of what is kept. Each is open while the act that it rests on is.
const (
	UseVerify   = "phone.verify"
	UseSecurity = "phone.security"
	UseExpiry   = "phone.expiry"
	UseTicket   = "qq.ticket"
)

// forPerson is what the person's own reading serves: the right of access.
const forPerson = "rights"

// Sends tells whether a carrier is there, without which no number can be added.
func (s *Service) Sends() bool { return s.d.Reach != nil }

// Uses lists all that a kind serves besides being shown to its person.
func Uses(kind string) []string { return consent.UsesOf(kind) }

// Errors.
var (
	ErrUse      = errs.New(errs.Forbidden, "contact.other_use") // the act does not name the use
	ErrNone     = errs.New(errs.NotFound, "contact.none")
	ErrPhone    = errs.New(errs.Unprocessable, "contact.phone_invalid")
	ErrQQ       = errs.New(errs.Unprocessable, "contact.qq_invalid")
	ErrRegion   = errs.New(errs.Unprocessable, "contact.region_invalid")
	ErrCode     = errs.New(errs.Unprocessable, "contact.code_wrong") // wrong, used, too old, or too many tries
	ErrSoon     = errs.New(errs.Limited, "contact.code_too_soon")    // params: seconds
	ErrMail     = errs.New(errs.Forbidden, "contact.email_unverified")
	ErrKind     = errs.New(errs.NotFound, "contact.kind_unknown")
	ErrCarrier  = errs.New(errs.Unavailable, "contact.no_carrier")
	ErrFar      = errs.New(errs.Unprocessable, "contact.not_reached")
	ErrNoTicket = errs.New(errs.Forbidden, "contact.ticket_needed")
)

// Deps are what the service stands on; all but Reach are needed.
type Deps struct {
	DB      *db.DB
	Clock   clock.Clock
	Queue   *job.Queue
	Log     *slog.Logger
	Audit   *audit.Service
	Consent *consent.Service
	Account *account.Service
	Vault   *vault.Vault
	Reach   func(number string) bool // whether the carrier sends to a number, as E.164; nil: there is none, and no number can be added
}

// Service is the module. It is safe for concurrent use.
type Service struct{ d Deps }

// New makes the service, and has what rests on a withdrawn act deleted.
func New(d Deps) *Service {
	s := &Service{d: d}
	job.Subscribe(d.Queue, consent.TopicChanged, "contact", s.withdrawn)
	d.Queue.Every("contact.purge", time.Hour, s.purge)
	return s
}

// table is where a kind stands: its table and its sealed column.
type table struct{ name, column string }

var tables = map[string]table{Phone: {"contact_phone", "number"}, QQ: {"contact_qq", "number"}, Region: {"contact_region", "place"}}

// class is the class of the key of one act.
const class = "optional"

func (t table) ref(subject id.Handle, act string) vault.Ref {
	return vault.Ref{Table: t.name, Column: t.column, Row: string(subject), Subject: subject, Class: class + "/" + act}
}

type row struct {
	value []byte
	act   string
	at    time.Time
}

func scan(r db.Row) (v row, err error) {
	var at int64
	err = r.Scan(&v.value, &v.act, &at)
	v.at = db.FromMicros(at)
	return v, err
}

// rowOf reads what is kept of a kind; ErrNone.
func rowOf(ctx context.Context, q db.Q, kind string, subject id.Handle) (row, error) {
	switch kind {
	case Phone:
		return db.Get(ctx, q, ErrNone, scan, "SELECT number, act, at FROM contact_phone WHERE subject = $1", string(subject))
	case QQ:
		return db.Get(ctx, q, ErrNone, scan, "SELECT number, act, at FROM contact_qq WHERE subject = $1", string(subject))
	case Region:
		return db.Get(ctx, q, ErrNone, scan, "SELECT place, act, at FROM contact_region WHERE subject = $1", string(subject))
	}
	return row{}, ErrKind
}

// Number opens a person's confirmed telephone number for one of the uses of its
// act. Errors: ErrUse, ErrNone, and what keeps the gate shut.
func (s *Service) Number(ctx context.Context, subject id.Handle, use, jobKind string) (string, error) {
	return s.open(ctx, Phone, use, vault.Read{
		Reader: vault.Reader{Class: vault.Job, Session: jobKind}, Subject: subject, Purpose: use,
	})
}

// HasNumber tells whether a confirmed number may serve a use, without reading it.
func (s *Service) HasNumber(ctx context.Context, subject id.Handle, use string) (bool, error) {
	if !slices.Contains(Uses(Phone), use) {
		return false, ErrUse.With("purpose", use)
	}
	_, err := rowOf(ctx, s.d.DB, Phone, subject)
	if errs.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	err = s.d.Consent.Gate(ctx, subject, use)
	if errs.KindOf(err) == errs.Forbidden {
		return false, nil
	}
	return err == nil, err
}

// QQFor opens the QQ number of whoever wrote a ticket for the member of the staff
// who deals with it. ticket is its id, "tkt_..."; else ErrNoTicket. It is for the
// module ticket alone.
func (s *Service) QQFor(ctx context.Context, staff account.Principal, ticket string, subject id.Handle) (string, error) {
	if !id.Has(ticket, "tkt") {
		return "", ErrNoTicket
	}
	return s.open(ctx, QQ, UseTicket, vault.Read{
		Reader: vault.Reader{Class: vault.Staff, Handle: staff.Subject, Session: staff.Session}, Subject: subject, Purpose: UseTicket, Reason: ticket,
	})
}

// open is the gate of LT-1.2b: what a person added opens for the uses that its
// act names, and for no other.
func (s *Service) open(ctx context.Context, kind, use string, r vault.Read) (string, error) {
	if !slices.Contains(Uses(kind), use) && !mutant.Off("LT-1.2b") {
		return "", ErrUse.With("purpose", use)
	}
	v, err := rowOf(ctx, s.d.DB, kind, r.Subject)
	if err != nil {
		return "", err
	}
	return s.read(ctx, tables[kind], r, v)
}

func (s *Service) read(ctx context.Context, t table, r vault.Read, v row) (string, error) {
	ref := t.ref(r.Subject, v.act)
	r.Fields = []string{ref.Field()}
	ticket, err := s.d.Vault.Begin(ctx, r)
	if err != nil {
		return "", err
	}
	plain, err := s.d.Vault.Open(ctx, ticket, ref, v.value)
	return string(plain), err
}
