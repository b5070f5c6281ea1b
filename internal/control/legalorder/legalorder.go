// Package legalorder is the only way in which personal data go to an authority:
// an order with a document, a closed scope, an end and two approvers
// (privacy policy clause LT-3d; PIPL 41, DSL 35, 36).
//
// It sends nothing: what is carried out is a file sealed to the authority's
// public key, which a member of the staff hands over. It does not keep data
// beyond their time (privacy.Hold does).
//
//	entered ── first approver ── second approver ──▶ approved ── Execute ──▶ executed
//	   └────────── any approver refuses ──▶ refused      └── its end ── nothing any more
//
// Invariants: the scan of the document is kept with its SHA-256, sealed; approvers
// are two persons, neither of them who entered the order nor whom it is about; an
// authority of another place than the stores needs the record of an approval;
// what goes out is within the scope, or nothing does; a read event and a
// disclosure are committed for each person before anything of theirs is opened,
// and only the order's own day hides them from the person until then.
//
// Tables: legalorder_order, legalorder_subject, legalorder_approval.
package legalorder

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/privacy"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/envelope"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
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
	return db.Migrations{Module: "legalorder", Files: sub}
}

// Errors.
var (
	ErrIncomplete  = errs.New(errs.Unprocessable, "legalorder.incomplete") // params: field
	ErrDocument    = errs.New(errs.Unprocessable, "legalorder.document")   // no scan, or not the one of the digest
	ErrKey         = errs.New(errs.Unprocessable, "legalorder.key")        // nothing can be sealed for the authority
	ErrDays        = errs.New(errs.Unprocessable, "legalorder.days")       // params: why
	ErrScope       = errs.New(errs.Unprocessable, "legalorder.scope")      // params: why
	ErrForeign     = errs.New(errs.LegalBlock, "legalorder.foreign")       // another place than the stores', and no approval
	ErrNotFound    = errs.New(errs.NotFound, "legalorder.not_found")
	ErrState       = errs.New(errs.Conflict, "legalorder.state")          // params: state
	ErrEnded       = errs.New(errs.LegalBlock, "legalorder.ended")        // its end has passed
	ErrSamePerson  = errs.New(errs.Forbidden, "legalorder.same_person")   // entered it, approved it already, or is whom it is about
	ErrNotApproved = errs.New(errs.LegalBlock, "legalorder.not_approved") // without two approvers
	ErrOverflow    = errs.New(errs.LegalBlock, "legalorder.beyond_scope") // params: why
	ErrNoPackage   = errs.New(errs.NotFound, "legalorder.no_package")     // not made yet, or past the order's end
)

// States.
const (
	Entered  = "entered"
	Approved = "approved"
	Refused  = "refused"
	Executed = "executed"
)

// approvers is how many have to approve an order.
const approvers = 2

// Purpose is what data are read for: an entry of the consent module's list that
// rests on a duty.
const Purpose = "legal_order"

// Format is that of the file for the authority and of its keys.
var Format = envelope.Format{Name: "skybridge-legal-order", Version: 1}

// Scope is what an order is about; nothing beyond it goes out.
type Scope struct {
	Subjects   []id.Handle
	Categories []holding.Category
	From       time.Time // of what happened; how things are, such as an address, is as it is at the execution
	Until      time.Time // not included
}

// Approval is the record that the competent department let something go to a
// foreign authority (PIPL 41, DSL 36).
type Approval struct {
	Authority string
	DocNo     string
	SHA256    string // of the document, 64 hexadecimal digits
}

// Order is an order of an authority.
type Order struct {
	ID            string
	Authority     string
	Jurisdiction  string // two letters, ISO 3166-1
	DocNo         string
	Law           string // that the order rests on
	ScanSHA256    string
	AuthorityKey  string // line of Format
	Scope         Scope
	Expires       time.Time
	SuppressUntil time.Time // zero: its people see at once what was done; at most Expires
	SuppressLaw   string
	Approval      Approval
	State         string
	EnteredBy     id.Handle
	EnteredAt     time.Time
	Approvers     []id.Handle
	EndedBy       id.Handle // who executed or refused it
	EndedAt       time.Time
	PackageSHA256 string

	version int64
}

// live reports whether the end has not come.
func (o Order) live(now time.Time) bool { return now.Before(o.Expires) }

// People tells whose rows are of a handle or account. ErrScope for nobody.
type People interface {
	ByHandle(ctx context.Context, handle id.Handle) (holding.Person, error)
	ByAccount(ctx context.Context, account string) (holding.Person, error)
}

// Deps is what the module needs.
type Deps struct {
	DB     *db.DB
	Clock  clock.Clock
	Queue  *job.Queue
	Log    *slog.Logger
	Audit  *audit.Service
	Vault  *vault.Vault
	People People
	Copier privacy.Copier // of everything; an order cuts it
	Home   string         // jurisdiction of the stores: "CN", "HK"
}

// Service is the module. It is safe for concurrent use.
type Service struct{ d Deps }

// New makes the module, answers the audit log's questions and registers the
// daily removal of packages whose order has ended.
func New(d Deps) *Service {
	s := &Service{d: d}
	d.Audit.BindOrders(s)
	d.Queue.Every("legalorder.purge", 24*time.Hour, s.Purge)
	return s
}

// ShownFrom fills audit.Orders.
func (s *Service) ShownFrom(ctx context.Context, order string, subject id.Handle) (time.Time, error) {
	o, err := s.approved(ctx, order)
	if err != nil {
		return time.Time{}, err
	}
	if !o.about(subject) {
		return time.Time{}, ErrOverflow.With("why", "subject")
	}
	return o.SuppressUntil, nil
}
