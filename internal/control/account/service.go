package account

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/age"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/password"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// Deps are what the service stands on; all are needed but Limits and Hasher.
type Deps struct {
	DB      *db.DB
	Clock   clock.Clock
	Queue   *job.Queue
	Log     *slog.Logger
	Audit   *audit.Service
	Consent *consent.Service
	Age     *age.Service
	Vault   *vault.Vault
	Hasher  *password.Hasher // nil = four hashes at once
	Memory  uint32           // KiB that a new password hash costs; 0 = 64 MiB
	Limits  Limits           // zero = DefaultLimits, in the demo DemoLimits
	Issuer  string           // name in authenticator apps

	Corrections Corrections // told of every change of a person's data
	Demo        bool        // staff may enrol the second factor at first login
}

// Service is the module. It is safe for concurrent use.
type Service struct {
	d Deps

	mu     sync.Mutex
	access []accessLine // waits for Run
	spill  int          // lines dropped since the last flush
}

// Errors that callers tell apart. ErrCredentials is the same for an unknown
// name and a wrong password.
var (
	ErrCredentials  = errs.New(errs.Unauthenticated, "account.wrong_credentials")
	ErrSecondFactor = errs.New(errs.Unauthenticated, "account.code_required")
	ErrCode         = errs.New(errs.Unauthenticated, "account.wrong_code")
	ErrSession      = errs.New(errs.Unauthenticated, "account.session_ended")
	ErrTooMany      = errs.New(errs.Limited, "account.too_many_attempts") // params: seconds
	ErrNameTaken    = errs.New(errs.Conflict, "account.name_taken")
	ErrGuardian     = errs.New(errs.Forbidden, "account.guardian_unverified") // a guardian whose address nobody confirmed
	ErrNotFound     = errs.New(errs.NotFound, "account.not_found")
	ErrToken        = errs.New(errs.Conflict, "account.token_invalid") // of a mail: unknown, expired or used
	ErrStepUp       = errs.New(errs.Forbidden, "account.step_up_required")
	ErrBusy         = errs.New(errs.Unavailable, "account.busy")
	ErrFactorOn     = errs.New(errs.Conflict, "account.totp_already_on")
	ErrStaffFactor  = errs.New(errs.Forbidden, "account.staff_totp_required") // staff always have a second factor
)

// Lives of tokens and sessions.
const (
	UserIdle      = 2 * time.Hour
	UserLife      = 12 * time.Hour // the session cookie's, clause LT-2.2
	StaffIdle     = 30 * time.Minute
	StaffLife     = 12 * time.Hour
	RememberLife  = 30 * 24 * time.Hour
	StepUpLife    = 10 * time.Minute
	VerifyLife    = 24 * time.Hour
	ResetLife     = 30 * time.Minute
	touchInterval = time.Minute
)

// New makes the service and registers its jobs.
func New(d Deps) (*Service, error) {
	if d.Hasher == nil {
		d.Hasher = password.NewHasher(4)
	}
	if d.Memory == 0 {
		d.Memory = 64 << 10
	}
	d.Hasher = d.Hasher.WithMemory(d.Memory)
	if d.Limits == (Limits{}) && d.Demo {
		d.Limits = DemoLimits()
	} else if d.Limits == (Limits{}) {
		d.Limits = DefaultLimits()
	}
	if d.Issuer == "" {
		d.Issuer = "Skybridge"
	}
	s := &Service{d: d}
	job.On(d.Queue, kindResetLookup, s.resetLookup)
	d.Queue.Every("account.purge", time.Hour, s.purge)
	return s, nil
}

// leaf appends an audit leaf about a person's own act.
func (s *Service) leaf(ctx context.Context, tx *db.Tx, kind string, p person, session string, detail map[string]string) error {
	return s.d.Audit.AppendTx(ctx, tx, audit.Event{
		Type: kind, Subject: p.subject, Account: string(p.account),
		Actor: audit.Actor{Class: "self", Handle: p.subject, Session: session}, Detail: detail,
	})
}

func (s *Service) publish(ctx context.Context, tx *db.Tx, topic string, p person, detail string) error {
	return s.d.Queue.PublishTx(ctx, tx, topic, Event{ID: id.New("evt"), Account: p.account, Subject: p.subject, Detail: detail})
}
