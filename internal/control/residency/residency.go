// Package residency holds personal data to the region of the profile: the stores
// stand there, somebody vouches for it every day, and what is sent beyond it
// rests on a registered mechanism, a separate consent and a count of people.
//
// It moves nothing itself; platform/egress asks it before a byte goes to a
// recipient elsewhere, and the web layer before anything is written. Regions of
// products and gateways are another matter (catalog, fleet).
//
//	configuration ── Check ─▶ start | no start
//	      └─ Attest (start, daily) ─▶ fresh ── 48 h without ─▶ writes stop
//	Transfer: mechanism in force ─ covers the volume ─ consent ─▶ counted ─▶ sent
//
// Tables: residency_store, residency_export, residency_count.
//
// Invariants: an unknown or foreign region is no start; each person counts once a
// calendar year (+08:00); whoever would be the first beyond what the mechanism
// covers is refused before anything is sent.
package residency

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations returns the module's schema.
func Migrations() db.Migrations {
	sub, err := fs.Sub(files, "migrations")
	if err != nil {
		panic(err)
	}
	return db.Migrations{Module: "residency", Files: sub}
}

// Errors.
var (
	// ErrRegion says that a store does not stand where the profile wants it, or
	// that nobody vouches for it. The program does not start.
	ErrRegion    = errors.New("residency")
	ErrStale     = errs.New(errs.Unavailable, "residency.not_attested") // nobody vouched for 48 hours
	ErrMechanism = errs.New(errs.LegalBlock, "residency.no_mechanism")  // none in force that covers recipient and field of data
	ErrVolume    = errs.New(errs.LegalBlock, "residency.volume")        // one person more than the mechanism covers
)

// Patience is how old the last attestation may be while writes go on.
const Patience = 48 * time.Hour

// Store is a place of personal data.
type Store struct {
	Kind   string // "database", "keystore", "replicas", "backup.main", "backup.keys", "logs", "spool"
	Region string // "CN-mainland" or "HK"
}

// Mechanism is a registered ground of transfers (PIPL 38, 40; Provisions on
// cross-border data flows of 2024).
type Mechanism struct {
	ID       string
	Type     string // exempt_contract, exempt_volume, standard_contract, gba_contract, certification, assessment
	FilingNo string // of the authority; exemptions have none
	From, To time.Time
	Scope    []string // ids of recipients
	PIA      string
}

// limits are how many people of a year a type covers: all, and those with
// sensitive data. Below zero: any number.
var limits = map[string][2]int64{
	"exempt_contract":   {-1, -1},
	"exempt_volume":     {100_000, 0},
	"standard_contract": {1_000_000, 10_000},
	"gba_contract":      {1_000_000, 10_000},
	"certification":     {1_000_000, 10_000},
	"assessment":        {-1, -1},
}

func (m Mechanism) check() error {
	_, known := limits[m.Type]
	switch {
	case m.ID == "" || !known:
		return fmt.Errorf("%w: mechanism %q: type %q is unknown", ErrRegion, m.ID, m.Type)
	case m.FilingNo == "" && !strings.HasPrefix(m.Type, "exempt_"):
		return fmt.Errorf("%w: mechanism %s: give the number of its filing", ErrRegion, m.ID)
	case !m.From.Before(m.To):
		return fmt.Errorf("%w: mechanism %s: give its first and last day", ErrRegion, m.ID)
	case len(m.Scope) == 0 || m.PIA == "":
		return fmt.Errorf("%w: mechanism %s: name the recipients that it is for and its assessment", ErrRegion, m.ID)
	}
	return nil
}

// Region is where a profile wants every store.
func Region(profile string) string {
	if profile == consent.HongKong {
		return "HK"
	}
	return "CN-mainland"
}

// Place refuses a store that does not stand in the profile's region (clauses
// TY-3.1a, LT-5.1).
func Place(profile string, s Store) error {
	switch want := Region(profile); {
	case s.Region == "":
		return fmt.Errorf("%w: say where %s stands: residency.%s must be %s", ErrRegion, s.Kind, s.Kind, want)
	case s.Region != want && !mutant.Off("TY-3.1a", "LT-5.1"):
		return fmt.Errorf("%w: %s stands in %q, and profile %s keeps personal data in %s only", ErrRegion, s.Kind, s.Region, profile, want)
	}
	return nil
}

// Deps is what the module needs.
type Deps struct {
	DB         *db.DB
	Clock      clock.Clock
	Queue      *job.Queue
	Log        *slog.Logger
	Audit      *audit.Service
	Consent    *consent.Service
	Profile    string
	Attestor   string // who vouches for the stores
	Stores     []Store
	Mechanisms []Mechanism
}

// Service is the module. It is safe for concurrent use.
type Service struct {
	d    Deps
	mu   sync.Mutex
	last time.Time // of the attestation that was last read
}

// New checks the stores and the mechanisms and registers the daily attestation.
// Any error is ErrRegion.
func New(d Deps) (*Service, error) {
	var wrong []error
	if d.Attestor == "" {
		wrong = append(wrong, fmt.Errorf("%w: name in residency.attestor who vouches for where the stores stand", ErrRegion))
	}
	for _, s := range d.Stores {
		wrong = append(wrong, Place(d.Profile, s))
	}
	for _, m := range d.Mechanisms {
		wrong = append(wrong, m.check())
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, err
	}
	s := &Service{d: d}
	d.Queue.Every("residency.attest", 24*time.Hour, s.Attest)
	d.Queue.Every("residency.purge", 24*time.Hour, s.purge)
	return s, nil
}

// Attest records that the stores of this configuration stand where it says.
func (s *Service) Attest(ctx context.Context) error {
	now := s.d.Clock.Now()
	err := s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		for _, st := range s.d.Stores {
			if err := Place(s.d.Profile, st); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, `INSERT INTO residency_store (kind, region, attestor, attested_at) VALUES ($1, $2, $3, $4)
				ON CONFLICT (kind) DO UPDATE SET region = $2, attestor = $3, attested_at = $4`, st.Kind, st.Region, s.d.Attestor, db.Micros(now))
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("attesting the stores' region: %w", err)
	}
	return nil
}

// Fresh returns nil if every store was vouched for within 48 hours, else
// ErrStale. What it read is good until it is too old itself.
func (s *Service) Fresh(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.d.Clock.Now()
	if now.Sub(s.last) < Patience/2 && !now.Before(s.last) {
		return nil
	}
	oldest, err := s.oldest(ctx)
	switch {
	case err != nil:
		return err
	case now.Sub(oldest) > Patience && !mutant.Off("TY-3.1a", "LT-5.1"):
		return ErrStale
	}
	s.last = oldest
	return nil
}

// oldest is the attestation of the store that was looked at least lately; zero
// if one never was.
func (s *Service) oldest(ctx context.Context) (time.Time, error) {
	all, err := db.Select(ctx, s.d.DB, func(r db.Row) (a attested, err error) { return a, r.Scan(&a.kind, &a.region, &a.at) },
		"SELECT kind, region, attested_at FROM residency_store")
	if err != nil {
		return time.Time{}, err
	}
	seen := map[Store]int64{}
	for _, a := range all {
		seen[Store{a.kind, a.region}] = a.at
	}
	oldest := db.Micros(s.d.Clock.Now())
	for _, st := range s.d.Stores {
		oldest = min(oldest, seen[st])
	}
	return db.FromMicros(oldest), nil
}

type attested struct {
	kind, region string
	at           int64
}
