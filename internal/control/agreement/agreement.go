// Package agreement keeps the papers that sharing personal data rests on: the
// processing agreements with recipients and the impact assessments.
//
// It stores no document: an entry holds the document's digest, what the law
// wants it to say, its days and who approved it. platform/egress asks it before
// anything is sent. Nothing here decides whether a person consented (consent).
//
//	recorded ──▶ live ── 30 days before its end: warned of ──▶ ended: its recipients are shut
//	   └── recorded again: the newest entry counts, the older stay
//
// Tables: agreement_contract, agreement_assessment.
//
// Invariants: entries are only added; each has a leaf in the audit log; an entry
// without what the law wants named is not recorded.
package agreement

import (
	"embed"
	"io/fs"
	"log/slog"
	"regexp"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
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
	return db.Migrations{Module: "agreement", Files: sub}
}

// Errors.
var (
	ErrIncomplete = errs.New(errs.Unprocessable, "agreement.incomplete")  // params: field; the law wants it
	ErrDigest     = errs.New(errs.Invalid, "agreement.digest_invalid")    // not 64 hexadecimal digits
	ErrDays       = errs.New(errs.Unprocessable, "agreement.days")        // the end is not after the beginning, or has passed
	ErrRecipient  = errs.New(errs.Unprocessable, "agreement.recipient")   // nobody in the registry works on the operator's behalf by this id
	ErrBeyond     = errs.New(errs.Unprocessable, "agreement.beyond")      // params: name; the registry does not allow it for the recipient
	ErrAssessment = errs.New(errs.Unprocessable, "agreement.no_such_pia") // no recipient names it
)

// Warning is how long before its end an entry is warned of.
const Warning = 30 * 24 * time.Hour

// Deps is what the module needs.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	Queue    *job.Queue
	Log      *slog.Logger
	Audit    *audit.Service
	Consent  *consent.Service
	Registry *egress.Registry
}

// Service is the module. It is safe for concurrent use.
type Service struct{ d Deps }

// New makes the module and registers its daily look at what ends.
func New(d Deps) *Service {
	s := &Service{d: d}
	d.Queue.Every("agreement.warn", 24*time.Hour, s.Warn)
	return s
}

// Approver is the member of staff who answers for an entry; empty for the
// system itself, in a demonstration.
type Approver struct {
	Subject id.Handle
	Session string
}

func (a Approver) actor() audit.Actor {
	if a.Subject == "" {
		return audit.Actor{Class: "system"}
	}
	return audit.Actor{Class: "staff", Handle: a.Subject, Session: a.Session}
}

var digest = regexp.MustCompile(`^[0-9a-f]{64}$`)
