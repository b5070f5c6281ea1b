// Package audit is the memory that cannot be edited unnoticed: the Merkle log
// of everything that matters, the log of reads of personal values and the
// register of disclosures.
//
// It is not the application log and holds no personal data: a leaf has a type
// of the closed list Types, a time, a person's handle and a commitment; the
// detail (ids, codes, digests) is sealed under the person's key, so that after
// an erasure the leaf proves that something happened, not to whom or what.
//
//	AppendTx ─ sealed detail ─┐                              (in the caller's transaction)
//	AppendTx ─ sealed detail ─┴─ before commit: leaves, tree hashes, head compared and set ─ COMMIT
//	                                                        └── lost the race: the transaction runs again
//	head ── every minute ──▶ checkpoint: origin, size, root, Ed25519 note ──▶ file outside the database
//
// Tables: audit_head (one row), audit_leaf, audit_payload, audit_hash,
// audit_checkpoint, audit_signer, audit_read, audit_disclosure.
//
// Invariants: a change and its leaf commit together or not at all; indexes are
// contiguous; rows are only ever added (but for the head, and payloads emptied
// after an erasure); Verify recomputes everything from the leaves.
package audit

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/slogx"
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

// Errors.
var (
	ErrEmpty    = errs.New(errs.NotFound, "audit.empty")          // the log has no leaf yet
	ErrRange    = errs.New(errs.NotFound, "audit.out_of_range")   // no such index or size
	ErrTampered = errs.New(errs.Unavailable, "audit.tampered")    // the log is not what was signed
	ErrSigner   = errs.New(errs.Unavailable, "audit.signer_away") // the signing key does not open
)

// Actor is who acts.
type Actor struct {
	Class   string // self, staff, job, system, authority
	Handle  id.Handle
	Session string // login session, or the kind of a job; never an address
}

// Event is one thing that happened.
type Event struct {
	Type    string    // of Types
	Subject id.Handle // whom it concerns; empty for none
	Account string
	Actor   Actor

	// Object is the case, erasure, incident, hold or order of an authority that it is
	// about: its detail is kept as long as that. Empty where the term of the class
	// does not begin with a close.
	Object string
	Detail map[string]string // ids, codes, digests: never personal data
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

	// Serves are the kinds of jobs that read of everybody, each with why: what it
	// reads goes to the person, or to whom the person sends it.
	Serves map[string]string
}

// Service is the audit module. It is safe for concurrent use.
type Service struct {
	db     *db.DB
	vault  *vault.Vault
	clock  clock.Clock
	log    *slog.Logger
	origin string
	file   string
	orders Orders
	things []Things
	serves map[string]string
}

// New makes the service and registers its periodic checkpoint.
func New(d Deps) *Service {
	s := &Service{db: d.DB, vault: d.Vault, clock: d.Clock, log: d.Log, origin: d.Origin, file: d.CheckpointFile, serves: d.Serves}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.origin == "" {
		s.origin = "skybridge/log"
	}
	if d.Queue != nil {
		d.Queue.Every("audit.checkpoint", time.Minute, func(ctx context.Context) error {
			_, err := s.Checkpoint(ctx)
			if errors.Is(err, ErrEmpty) {
				return nil
			}
			return err
		})
	}
	return s
}

var actorClasses = []string{vault.Self, vault.Staff, vault.Job, vault.System, vault.Authority}

// validate refuses mistakes of the program; the transaction then fails.
func (e Event) validate() error {
	if _, ok := Types[e.Type]; !ok {
		return fmt.Errorf("audit: event type %q is not in the list", e.Type)
	}
	if !slices.Contains(actorClasses, e.Actor.Class) {
		return fmt.Errorf("audit: %s has actor class %q", e.Type, e.Actor.Class)
	}
	if ofObjects[Types[e.Type]] != (e.Object != "") {
		return fmt.Errorf("audit: %s of class %s is about the object %q", e.Type, Types[e.Type], e.Object)
	}
	if strings.ContainsAny(string(e.Subject), "\r\n") {
		return fmt.Errorf("audit: %s has a malformed handle", e.Type)
	}
	for name, value := range e.Detail {
		if slogx.Scrub(value) != value {
			return fmt.Errorf("audit: detail %s of %s looks like personal data", name, e.Type)
		}
	}
	return nil
}

// detail is what a payload holds. encoding/json sorts map keys, so that equal
// details have equal bytes.
type detail struct {
	Account string            `json:"account,omitempty"`
	Class   string            `json:"class"`
	Actor   id.Handle         `json:"actor,omitempty"`
	Session string            `json:"session,omitempty"`
	Detail  map[string]string `json:"detail,omitempty"`
}

func (e Event) payload() ([]byte, error) {
	return json.Marshal(detail{Account: e.Account, Class: e.Actor.Class, Actor: e.Actor.Handle, Session: e.Actor.Session, Detail: e.Detail})
}
