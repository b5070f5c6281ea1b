package vpn

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/fleet"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
	"github.com/skybridge-cloud/skybridge/internal/platform/password"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations returns the module's schema.
func Migrations() db.Migrations {
	sub, err := fs.Sub(files, "migrations")
	if err != nil {
		panic(err)
	}
	return db.Migrations{Module: "vpn", Files: sub}
}

// Config is what an operator decides.
type Config struct {
	BaseDomain string        // SSL servers are called <id>.<BaseDomain>
	Networks   []Network     // VPCs of the nodes' configuration
	SecretTTL  time.Duration // how long generated secrets can be read; 0 = always
	// Releases says where below URL the web server has releases of skyconnect, and
	// the SHA-256 in hex of the first of their root.json; both empty for none, nil as
	// well.
	Releases func() (path, root string, _ error)
	URL      string // of the web server, without a slash at the end: certificates name their revocation list below it; "" = not known

	ReservedPorts []int // no SSL server listens on: the node's addresses have them for something else

	MaxBanScore int // points at which logins from a source are refused, see ban.go; 0 = never
}

// DefaultSecretTTL is how long generated secrets can be read.
const DefaultSecretTTL = 7 * 24 * time.Hour

// Deps is what the module needs.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	Queue    *job.Queue
	Log      *slog.Logger
	Audit    Audit
	Fleet    *fleet.Service
	Vault    Vault
	System   SystemVault
	Password *password.Hasher // shared with account, so that hashing is bounded once
	Config   Config

	Corrections Corrections // nil: nobody is told (tests)
	Notices     Notices     // nil: there are none (tests)
	Policies    Policies    // nil: profiles bring no policy, and the client's own holds (tests)
}

// Service is the vpn module.
type Service struct {
	db     *db.DB
	clock  clock.Clock
	queue  *job.Queue
	log    *slog.Logger
	audit  Audit
	fleet  *fleet.Service
	vault  Vault
	system SystemVault
	hasher *password.Hasher
	config Config

	corrections Corrections
	notices     Notices
	policies    Policies

	mu      sync.Mutex
	secrets map[string]secret // opened system secrets; see secret.go
	nobodys []byte            // sealed; see nobody.go

	quotaHeld time.Time // when enforceQuotas last ended, under mu
}

// New makes the service, fills fleet's port Source and registers its jobs.
func New(d Deps) *Service {
	s := &Service{
		db: d.DB, clock: d.Clock, queue: d.Queue, log: d.Log, audit: d.Audit, fleet: d.Fleet, vault: d.Vault,
		system: d.System, hasher: d.Password, config: d.Config, corrections: d.Corrections, notices: d.Notices, policies: d.Policies, secrets: map[string]secret{},
	}
	s.fleet.Bind(s)
	job.Subscribe(s.queue, fleet.TopicObserved, "vpn", s.onObserved)
	job.Subscribe(s.queue, fleet.TopicReleased, "vpn", s.onReleased)
	job.Subscribe(s.queue, fleet.TopicSessionClosed, "vpn", s.onSessionClosed)
	job.On(s.queue, "vpn.locked", s.onLocked)
	s.queue.Every("vpn.quota", quotaEvery, s.enforceQuotas)
	job.On(s.queue, "vpn.forget_key", s.onForgetKey)
	s.queue.Every("vpn.sweep", 10*time.Minute, s.sweep)
	s.queue.Every("vpn.certificate_expiry", expiryEvery, s.warnOfExpiry)
	return s
}

// Networks lists the VPCs that an account may put gateways into; region "" is
// all regions.
func (s *Service) Networks(_ context.Context, owner account.ID, region string) []Network {
	var all []Network
	for _, n := range s.config.Networks {
		if n.open(owner) && (region == "" || n.Region == region) {
			all = append(all, n)
		}
	}
	return all
}

func (n Network) open(owner account.ID) bool {
	if len(n.Accounts) == 0 {
		return true
	}
	for _, a := range n.Accounts {
		if a == owner {
			return true
		}
	}
	return false
}

func (s *Service) network(owner account.ID, region, network string) (Network, error) {
	for _, n := range s.config.Networks {
		if n.ID == network && n.Region == region && n.open(owner) {
			return n, nil
		}
	}
	return Network{}, ErrNetworkNotFound
}

// record writes what a person did into the log, in the transaction of the act.
func (s *Service) record(ctx context.Context, tx *db.Tx, p account.Principal, kind string, detail map[string]string) error {
	if mutant.Off("TY-2.2b") {
		p.Subject = ""
	}
	return s.recordOf(ctx, tx, p, p.Subject, kind, detail)
}

// recordOf is record for an entry about somebody else than who acts.
func (s *Service) recordOf(ctx context.Context, tx *db.Tx, p account.Principal, subject id.Handle, kind string, detail map[string]string) error {
	class := "self"
	switch {
	case p.Staff:
		class = "staff"
	case p.Subject == "":
		class = "job"
	}
	return s.audit.AppendTx(ctx, tx, audit.Event{
		Type: kind, Subject: subject, Account: string(p.Account),
		Actor: audit.Actor{Class: class, Handle: p.Subject, Session: p.Session}, Detail: detail,
	})
}

// recordJob is record for what the system did on its own.
func (s *Service) recordJob(ctx context.Context, tx *db.Tx, owner account.ID, subject id.Handle, kind string, detail map[string]string) error {
	return s.audit.AppendTx(ctx, tx, audit.Event{
		Type: kind, Subject: subject, Account: string(owner),
		Actor: audit.Actor{Class: "job"}, Detail: detail,
	})
}

// limit bounds the length of a page.
func (p Page) limit() int {
	switch {
	case p.Limit <= 0:
		return 50
	case p.Limit > 500:
		return 500
	}
	return p.Limit
}
