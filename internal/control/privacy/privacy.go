// Package privacy is the rights desk: what people ask about the data that is
// held of them, the clocks that run from the asking, and what carries a request
// out: export, correction, erasure. It also ends what is held: a nightly run has
// every module destroy what is over, unless a lawful hold keeps it.
//
// It holds no personal data of its own but the words of a request, which are
// sealed under the asker's key. What a module holds of a person the module says
// itself, as holding.Held.
//
//	received ── ask ──▶ asked ── refuse ──▶ refused (reason, law, remedy)
//	 │  │  ▲               │ └── withdraw ──▶ withdrawn
//	 │  │  └─ identified ──┘
//	 │  └── refuse ──▶ refused, withdraw ──▶ withdrawn
//	 ├── grant ──▶ done
//	 └── carry ──▶ carrying ── carried ──▶ done
//
// Clocks run from the receipt; the earliest of promise and law binds.
//
//	kept ── floor over ──▶ may go ── nightly run ──▶ destroyed, key first
//	                          └── hold: kept until its end, and the person is told
//
// Requests arrive by channels that the policies print. Each has an adapter and a
// heartbeat; a message of any opens its case within ten minutes:
//
//	mailbox ─ poll ─┐        ┌─ known by a verified address ─┐
//	link, telephone ┼─ case ─┤                               ├─ who is asked, clocks run
//	console, client ┘        └─ a handle of this case alone ─┘
//
// Tables: privacy_request, privacy_clock, privacy_copy, privacy_arrangement,
// privacy_retention, privacy_hold, privacy_guardian, privacy_channel,
// privacy_mailbox, privacy_mail, privacy_link.
//
// Invariants: a request that was received has a clock, the strictest known one
// if none can be computed; asking who somebody is never moves a due date; a
// refusal carries reason, law and remedy; nothing goes before its floor; a clock
// that jumped destroys nothing; a hold has a law, an authority and an end; a
// copy is handed out once, to its person, within 72 hours.
package privacy

import (
	"embed"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/notify"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
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
	Profile string // mainland or hongkong: its clocks and ceilings

	Calendar   *civil.Calendar // nil = the published one
	Letterhead Letterhead
	Logins     Logins
	Tunnels    Tunnels
	Users      Users
	Persons    Persons
	Carrier    Carrier         // of Delete and Cancel; nil: staff carry out what was granted, and say so
	Identities Identities      // nil: nobody's real name is verified
	People     People          // nil: staff find nobody by name
	Held       []holding.Held  // which rows are a person's: what a copy shows
	Tables     []holding.Table // the data map
	Owners     Owners
	Tellers    map[string]Teller    // by recipient; others are told by staff
	Keepers    []retention.Keeper   // what the nightly run asks, in this order
	Steady     func() time.Duration // a clock that never jumps; nil: the system's

	Mailboxes    map[string]Mailbox // by channel
	Addresses    Addresses          // nil: no sender is somebody's
	Mailer       notify.Sender      // nil: nobody is written to
	OwnAddresses []string           // mailboxes and sender: never answered
	DPOByMail    bool               // the person in charge has a mail address of its own: only a mailbox brings it
	Staffing     Staffing           // nil: nobody answers the telephone
	Printed      []string           // channels that the policies print
	URL          string             // base address of the console
}

// Service is the module. It is safe for concurrent use.
type Service struct {
	d Deps

	mu     sync.Mutex
	began  time.Time
	wall   time.Time     // both clocks as they were
	steady time.Duration // when they were last compared
}

// New makes the module and registers its jobs.
func New(d Deps) *Service {
	if d.Calendar == nil {
		d.Calendar = civil.Published()
	}
	if d.Steady == nil {
		d.Steady = clock.Steady()
	}
	s := &Service{d: d, began: d.Clock.Now(), wall: d.Clock.Now(), steady: d.Steady()}
	if d.Queue != nil {
		d.Queue.Every("privacy.clocks", time.Hour, s.watch)
		d.Queue.Every("privacy.copies", time.Hour, s.endCopies)
		job.On(d.Queue, ExportJob, s.makeCopy)
		job.On(d.Queue, tellJob, s.tell)
		d.Queue.Every("privacy.tell_again", time.Hour, s.tellAgain)
		d.Queue.Every("privacy.retention", 24*time.Hour, s.nightly)
		job.On(d.Queue, acknowledgeJob, s.acknowledge)
		job.On(d.Queue, replyJob, s.mailAnswer)
		d.Queue.Every("privacy.intake", silentAfter, s.alarm)
		s.beats()
	}
	return s
}
