// Package incident is the desk for security incidents that reach personal data
// (PIPL 57): whom an incident reaches, how grave it is, what is owed to people
// and to the authority by when, and that it was done.
//
// It does not detect incidents and mends nothing. It sends no mail itself
// (notify), and knows no address.
//
//	counting ── counted ──▶ assessed ── send ──▶ notifying ── all have it ──▶ notified ──┐
//	   ▲                        └── two signatures ──▶ waived ── send ──▶ notifying      ├── close ──▶ closed
//	   └───────── widen, from any state that is not closed             waived ───────────┘
//
// Beside the state run clocks, counted from T0, the earlier of discovery and
// being told. While people are being counted the strictest clocks run, as if the
// incident were of a grade that is reported.
//
// Tables: incident_incident, _pass, _person, _clock, _step, _notice, _delivery,
// _task, _signature, _announcement, _report.
//
// Invariants: a person is counted once and gets each notice once, whatever is
// killed or runs in parallel; an unknown scope is everybody of the stores that
// were reached, and unknown stores are all; a grade is only ever raised; a notice
// without what the law wants in it is not sent; each step has a leaf in the audit
// log; words of staff name no person.
package incident

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/notify"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations returns the module's schema.
func Migrations() db.Migrations {
	sub, err := fs.Sub(files, "migrations")
	if err != nil {
		panic(err)
	}
	return db.Migrations{Module: "incident", Files: sub}
}

// Errors.
var (
	ErrNotFound  = errs.New(errs.NotFound, "incident.not_found")
	ErrState     = errs.New(errs.Conflict, "incident.state")          // params: state, event
	ErrKind      = errs.New(errs.Invalid, "incident.kind")            // no such kind, source of detection, query, store or reason
	ErrTimes     = errs.New(errs.Unprocessable, "incident.times")     // neither discovered nor told, or in the future
	ErrSpan      = errs.New(errs.Unprocessable, "incident.span")      // a query's span is empty, or its accounts are
	ErrLower     = errs.New(errs.Unprocessable, "incident.lower")     // a grade may be raised, never lowered
	ErrField     = errs.New(errs.Unprocessable, "incident.field")     // params: field; a notice lacks it
	ErrCause     = errs.New(errs.Unprocessable, "incident.cause")     // only the first notice may go without a cause
	ErrPersonal  = errs.New(errs.Unprocessable, "incident.personal")  // words that name a person
	ErrLong      = errs.New(errs.Unprocessable, "incident.long")      // params: field
	ErrNoDraft   = errs.New(errs.NotFound, "incident.no_draft")       // nothing is drafted
	ErrReason    = errs.New(errs.Unprocessable, "incident.reason")    // a signature without a reason
	ErrSigned    = errs.New(errs.Conflict, "incident.signed")         // the same member of staff again
	ErrOwed      = errs.New(errs.Conflict, "incident.owed")           // params: what; it cannot be closed
	ErrReference = errs.New(errs.Unprocessable, "incident.reference") // not a tracking or file number
	ErrIncident  = errs.New(errs.Conflict, "incident.changed")        // somebody else was faster
)

// Deps is what the module needs.
type Deps struct {
	DB      *db.DB
	Clock   clock.Clock
	Queue   *job.Queue
	Log     *slog.Logger
	Audit   *audit.Service
	Notify  *notify.Service
	People  People
	Users   Users
	Session Sessions
	Minors  Minors
	Profile string   // mainland or hongkong: its channels and the form of reports
	Sender  Operator // who writes notices and reports
	Counter Counter  // nil: counts the people
}

// Operator is what notices and reports say of who runs the installation.
type Operator struct{ Brand, LegalName, Contact, DPO, DPOContact, Authority string }

// Service is the module. It is safe for concurrent use.
type Service struct{ d Deps }

// Kinds of jobs.
const (
	kindCount  = "incident.count"
	kindFanout = "incident.fanout"
)

type ref struct{ ID string }

// New makes the module and registers its jobs.
func New(d Deps) *Service {
	if d.Counter == nil {
		d.Counter = countPeople
	}
	s := &Service{d}
	if d.Queue != nil {
		job.On(d.Queue, kindCount, func(ctx context.Context, r ref) error { return s.count(ctx, r.ID) })
		job.On(d.Queue, kindFanout, func(ctx context.Context, r ref) error { return s.fanout(ctx, r.ID) })
		job.Subscribe(d.Queue, notify.TopicReceipt, "incident", s.receipt)
		d.Queue.Every("incident.watch", time.Minute, s.watch)
	}
	if d.Notify != nil {
		d.Notify.Texts(notify.IncidentNotice, s.mailText)
	}
	return s
}

// Kind is what happened.
type Kind string

// Kinds: PIPL 57 names leak, tampering and loss; a flaw of the product is told of
// though nothing may have happened yet.
const (
	Leak      Kind = "leak"
	Tampering Kind = "tampering"
	Loss      Kind = "loss"
	Flaw      Kind = "flaw"
)

// detectors are who may have found an incident.
var detectors = []string{"staff", "monitoring", "person", "supplier", "authority", "researcher"}

// Incident is one security incident.
type Incident struct {
	ID           string // inc_...
	Kind         Kind
	State        State
	T0           time.Time // the earlier of the next two
	DiscoveredAt time.Time // zero: told before anybody discovered
	ToldAt       time.Time // zero: nobody told
	DetectedBy   string
	Sensitive    bool // sensitive personal data are among what was reached
	Critical     bool // critical information infrastructure: one hour in place of four
	Scope        []Query
	Facts        map[string]string // by names of FactNames
	People       int64             // distinct; 0 while CountedAt is zero
	CountedAt    time.Time
	Raised       Grade     // by staff; empty for none
	OwedAt       time.Time // since when an announcement is owed
	OpenedBy     string
	OpenedAt     time.Time
	HandledAt    time.Time
	ClosedAt     time.Time
	Version      int64
}

// Grade is the graver of what the count says and what staff raised it to.
func (i Incident) Grade() Grade {
	if c := GradeOf(i.People); c.rank() > i.Raised.rank() {
		return c
	}
	return i.Raised
}

// reported tells whether the authority is told: of every grade from large on,
// and until the people are counted.
func (i Incident) reported() bool { return i.CountedAt.IsZero() || i.Grade().rank() >= Large.rank() }

// actor is a member of staff, or the system itself.
func actor(p account.Principal) audit.Actor {
	if p.Subject == "" {
		return audit.Actor{Class: "system"}
	}
	return audit.Actor{Class: "staff", Handle: p.Subject, Session: p.Session}
}
