// Package privacy carries out what people are promised about the data that is
// held of them. So far that is its end: a nightly run has every module destroy
// what is over, unless a lawful hold keeps it, and reports what it did.
//
//	kept ── floor over ──▶ may go ── nightly run ──▶ destroyed, key first
//	                          └── hold: kept until its end, and the person is told
//
// Tables: privacy_retention, privacy_hold. Those of the requests of persons,
// privacy_request and privacy_clock, are there for the rights desk; nothing
// writes them yet.
//
// Invariants: nothing goes before its floor; a clock that jumped destroys
// nothing; a hold has a law, an authority and an end.
package privacy

import (
	"embed"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
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
	return db.Migrations{Module: "privacy", Files: sub}
}

// Deps is what the module needs.
type Deps struct {
	DB      *db.DB
	Clock   clock.Clock
	Queue   *job.Queue
	Log     *slog.Logger
	Audit   *audit.Service
	Vault   *vault.Vault
	Profile string // mainland or hongkong: its ceilings

	Keepers []retention.Keeper   // what the nightly run asks, in this order
	Steady  func() time.Duration // a clock that never jumps; nil: the system's
}

// Service is the module. It is safe for concurrent use.
type Service struct {
	d Deps

	mu     sync.Mutex
	wall   time.Time     // both clocks as they were
	steady time.Duration // when they were last compared
}

// New makes the module and registers its jobs.
func New(d Deps) *Service {
	if d.Steady == nil {
		d.Steady = clock.Steady()
	}
	s := &Service{d: d, wall: d.Clock.Now(), steady: d.Steady()}
	if d.Queue != nil {
		d.Queue.Every("privacy.retention", 24*time.Hour, s.nightly)
	}
	return s
}
