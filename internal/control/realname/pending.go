package realname

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"log/slog"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
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
	return db.Migrations{Module: "realname", Files: sub}
}

var errPending = errors.New("pending")

// ErrRequired: the account is not verified.
var ErrRequired = errs.New(errs.Forbidden, "realname.required")

// Verified proves that an account passed. Only this package makes it.
type Verified struct {
	account account.ID
	id      string
	at      time.Time
}

// Account returns whose verification it is.
func (v Verified) Account() account.ID { return v.account }

// ID returns the verification's id, rnv_...
func (v Verified) ID() string { return v.id }

// At returns when the source confirmed.
func (v Verified) At() time.Time { return v.at }

// Submission is what a person hands in.
type Submission struct {
	Name         string
	Number       string
	ConsentToken string
	Locale       string
	SourceIP     string // for the limit; kept as a blind index only
}

// Verification is what the person sees of it: the values are masked.
type Verification struct {
	ID           string
	State        State
	Reason       string // code, e.g. realname.mismatch; empty
	MaskedName   string
	MaskedNumber string
	SubmittedAt  time.Time
	DecidedAt    time.Time
}

// State of a verification.
type State string

// TopicVerified is published when an account becomes verified.
const TopicVerified = "realname.verified"

// VerifiedEvent is its payload.
type VerifiedEvent struct{ Account, Subject string }

// Deps is what the module needs.
type Deps struct {
	DB      *db.DB
	Clock   clock.Clock
	Queue   *job.Queue
	Log     *slog.Logger
	Audit   *audit.Service
	Vault   *vault.Vault
	Checker Checker
	Consent Consent
	Profile string // "mainland", "hongkong"
}

// Consent is filled by consent.Service.
type Consent interface{}

// Service is the module.
type Service struct{}

// New makes the service and registers its jobs.
func New(d Deps) *Service { return &Service{} }

// Require returns the proof, or ErrRequired.
func (s *Service) Require(ctx context.Context, owner account.ID) (Verified, error) {
	return Verified{}, errPending
}

// Submit hands in.
func (s *Service) Submit(ctx context.Context, p account.Principal, in Submission) (Verification, error) {
	return Verification{}, errPending
}

// Current returns the account's latest verification, masked.
func (s *Service) Current(ctx context.Context, p account.Principal) (Verification, error) {
	return Verification{}, errPending
}
