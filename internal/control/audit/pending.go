package audit

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"log/slog"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
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
	return db.Migrations{Module: "audit", Files: sub}
}

var errPending = errors.New("pending")

// Actor is who acts.
type Actor struct {
	Class   string // self, staff, job, system
	Handle  id.Handle
	Session string
}

// Event is one thing that happened.
type Event struct {
	Type    string // of Types
	Subject id.Handle
	Account string
	Actor   Actor
	Detail  map[string]string // ids, codes, digests: never personal data
}

// Deps is what the module needs.
type Deps struct {
	DB             *db.DB
	Vault          *vault.Vault
	Clock          clock.Clock
	Queue          *job.Queue // nil: no periodic checkpoint (tests, commands)
	Log            *slog.Logger
	Origin         string // name of the log in checkpoints, "console.example.org/log"
	CheckpointFile string // copy outside the database; empty: none
}

// Service is the audit module.
type Service struct{}

// New makes the service and registers its periodic checkpoint.
func New(d Deps) *Service { return &Service{} }

// AppendTx appends a leaf in the caller's transaction.
func (s *Service) AppendTx(ctx context.Context, tx *db.Tx, e Event) error { return errPending }

// RecordRead fills vault.ReadLog.
func (s *Service) RecordRead(ctx context.Context, r vault.Read) (string, error) {
	return "", errPending
}

// BeginDisclosure fills egress.Ledger.
func (s *Service) BeginDisclosure(ctx context.Context, i egress.Intent) (egress.Receipt, error) {
	return egress.Receipt{}, errPending
}

// FinishDisclosure fills egress.Ledger.
func (s *Service) FinishDisclosure(ctx context.Context, r egress.Receipt, o egress.Outcome) error {
	return errPending
}

// Checkpoint signs the log's present size and root.
func (s *Service) Checkpoint(ctx context.Context) ([]byte, error) { return nil, errPending }

// Report is what Verify found.
type Report struct {
	Size     int64
	At       time.Time
	Problems []string
}

// Verify recomputes everything.
func (s *Service) Verify(ctx context.Context) (Report, error) { return Report{}, errPending }

// CheckRoot compares the log with its last checkpoints at start.
func (s *Service) CheckRoot(ctx context.Context) error { return errPending }
