// Package erasure ends what is held of a person: a saga over every store that
// deletes rows and destroys keys, looks for what is left, and says so in a
// certificate that anybody can verify.
//
// It is not for what ends by its age (the nightly run of module privacy), nor for
// the request and its letter (the rights desk). What a module holds of a person
// the module says itself, as holding.Held.
//
//	freeze ─▶ settle ─▶ search ─▶ tell ─▶ bury ─▶ rows ─▶ keys ─▶ files ─▶ scan ─▶ certify ─▶ done
//	           │ ▲                                                       │
//	           ▼ │ something is not ended yet                            └─▶ scan_failed: alarm, tried again
//	          waiting
//
// Tables: erasure_case, erasure_outcome, erasure_recipient.
//
// Invariants: one case for each person, however often it is asked for; each step
// may run again and ends the same; a tombstone is outside every database before
// the first row goes, so that no restore forgets the erasure; values that are
// searched for are sealed under a key of the case that dies with the search; no
// certificate without a search that found nothing; what a law keeps is named with
// the law and its end, and nothing reads it but the law.
package erasure

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/scan"
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
	return db.Migrations{Module: "erasure", Files: sub}
}

// Logins ends what lets a person in. The module account fills it.
type Logins interface {
	// CloseTx ends all sessions of a person and lets them open no other.
	CloseTx(ctx context.Context, tx *db.Tx, subject id.Handle, reason string) error
}

// Tunnels ends VPN access. The module vpn fills it.
type Tunnels interface {
	// ShutClientsTx ends the VPN sessions of an account's clients, revokes their
	// certificates and lets none of them sign in.
	ShutClientsTx(ctx context.Context, tx *db.Tx, p account.Principal) error
	// ShutClientTx does so with one client. One that is gone is no error.
	ShutClientTx(ctx context.Context, tx *db.Tx, client string) error
	// DropClientTx deletes a client. One that is gone is no error.
	DropClientTx(ctx context.Context, tx *db.Tx, client string) error
}

// Unsettled is something that an account still has, or is still owed.
type Unsettled struct {
	Kind  string `json:"kind"`  // service, order, payment, balance
	ID    string `json:"id"`    // of the thing; for a balance its currency
	State string `json:"state"` // of the thing; for a balance its amount
}

// Settler ends what an account has. The composition fills it.
type Settler interface {
	// Open tells what would be ended, and what is owed.
	Open(ctx context.Context, a account.ID) ([]Unsettled, error)
	// Settle ends what can be ended now and tells what is not ended yet.
	Settle(ctx context.Context, a account.ID) ([]Unsettled, error)
}

// Values finds what to search for. The module privacy fills it.
type Values interface {
	// Values returns the values of the categories that say whom they belong to.
	Values(ctx context.Context, p holding.Person, by vault.Reader, purpose string, of ...holding.Category) ([]string, error)
}

// Letters tells whether the last letter to a person is out. The module notify
// fills it.
type Letters interface {
	// Out reports whether the letter of a key is written and waits for nothing.
	Out(ctx context.Context, key string) (bool, error)
}

// Holds knows what a law or an authority wants kept. The module privacy fills it.
type Holds interface {
	// Holding reports whether a live hold keeps one of the classes of a person.
	Holding(ctx context.Context, subject id.Handle, classes []string) (bool, error)
}

// Guardians are told of a person who goes. The module age fills it.
type Guardians interface {
	// LeaveTx shuts the accounts of the children whose guardian the person is.
	LeaveTx(ctx context.Context, tx *db.Tx, guardian id.Handle, cause string) error
}

// Deps is what the module needs.
type Deps struct {
	DB      *db.DB
	Clock   clock.Clock
	Queue   *job.Queue
	Log     *slog.Logger
	Audit   *audit.Service
	Vault   *vault.Vault
	Logins  Logins
	Tunnels Tunnels
	Settler Settler
	Values  Values
	Letters Letters
	Carried func(ctx context.Context, request string) error // tells the rights desk that a request is carried out
	Holds   Holds

	Guardians Guardians

	Held     []holding.Held  // in the order in which rows are deleted
	Tables   []holding.Table // the data map
	Calendar *civil.Calendar // nil = the published one
	Planter  Planter         // of standing canaries
	Daily    bool            // one is planted each day

	Tombstones string          // file outside both databases
	Truncate   []*db.DB        // whose write-ahead logs hold deleted rows
	Search     []Store         // every store that is searched
	KeyBackup  time.Duration   // how long a backup of the key store may live
	Limits     func() []string // what the certificate cannot show
}

// Store is a place that is searched for what is left.
type Store func(ctx context.Context, p *scan.Patterns) (scan.Report, error)

// Service is the module. It is safe for concurrent use.
type Service struct{ d Deps }

// Topics that are published in the transaction of the fact. The payload is Event.
const (
	TopicBegun = "erasure.begun" // the last letter to a person
)

// Event tells of a case.
type Event struct {
	Case    string
	Account account.ID
	Subject id.Handle
	Date    string // last day in time, YYYY-MM-DD in China
}

const (
	jobRun = "erasure.run"

	// resume is how often what waits is looked at again.
	resume = time.Minute
)

type named struct{ Case string }

// New makes the module and registers its jobs.
func New(d Deps) *Service {
	if d.Calendar == nil {
		d.Calendar = civil.Published()
	}
	s := &Service{d: d}
	if d.Queue != nil {
		job.On(d.Queue, jobRun, s.onRun)
		job.Subscribe(d.Queue, topicClientGone, "erasure", s.onClientGone)
		job.On(d.Queue, jobCanary, s.EraseCanary)
		d.Queue.Every("erasure.resume", resume, s.Resume)
		if d.Daily {
			d.Queue.Every(jobPlant, canaryLife, s.Plant)
		}
	}
	return s
}
