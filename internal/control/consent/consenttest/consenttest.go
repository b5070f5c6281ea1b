// Package consenttest assembles the lower modules for tests: vault, audit and
// consent on real databases, with the demo operator's policies published.
//
// It is not for production code.
package consenttest

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/clause"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// Start is where the rig's clock stands at first.
var Start = time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)

// Migrations are the schemas that Rig needs in the main database.
func Migrations() []db.Migrations {
	return []db.Migrations{job.Migrations(), audit.Migrations(), consent.Migrations()}
}

// Rig is the assembly.
type Rig struct {
	DB       *db.DB
	Clock    *clock.Fake
	Queue    *job.Queue
	Vault    *vault.Vault
	Audit    *audit.Service
	Consent  *consent.Service
	Channels consent.Channels // of With; nil: nobody is asked
	Ages     *Ages
}

// Ages is who answers for people's age; until Age is set, everybody is an adult.
type Ages struct{ Age consent.Age }

// Gate fills consent.Age.
func (a *Ages) Gate(ctx context.Context, subject id.Handle) error {
	if a.Age == nil {
		return nil
	}
	return a.Age.Gate(ctx, subject)
}

// StatedTx fills consent.Age.
func (a *Ages) StatedTx(ctx context.Context, tx *db.Tx, subject id.Handle, adult bool) error {
	switch {
	case a.Age != nil:
		return a.Age.StatedTx(ctx, tx, subject, adult)
	case adult:
		return nil
	}
	return consent.ErrAdult
}

// New assembles on d, migrated with Migrations, for a profile.
func New(t testing.TB, d *db.DB, profile string) Rig {
	t.Helper()
	return At(t, d, profile, t.TempDir())
}

// At is New with the key store in a directory, made there if there is none: a
// process that follows another opens what that one sealed.
func At(t testing.TB, d *db.DB, profile, keys string) Rig {
	t.Helper()
	ctx, log := context.Background(), slog.New(slog.DiscardHandler)
	c := clock.NewFake(Start)
	kek, err := vault.FileKEK(filepath.Join(keys, "kek"))
	check(t, err)
	v, err := vault.New(ctx, vault.Deps{DB: dbtest.Again(t, filepath.Join(keys, "keys.db"), vault.Migrations()), Custodian: kek, Clock: c, Log: log})
	check(t, err)
	q := job.New(d, c, log)
	a := audit.New(audit.Deps{DB: d, Vault: v, Clock: c, Log: log, Origin: "test/log"})
	ages := &Ages{}
	s, err := consent.New(consent.Deps{DB: d, Clock: c, Queue: q, Log: log, Audit: a, Vault: v, Age: ages, Facts: consent.DemoFacts(profile), Clauses: kept(t)})
	check(t, err)
	v.Bind(a, s)
	check(t, s.Seed(ctx))
	return Rig{DB: d, Clock: c, Queue: q, Vault: v, Audit: a, Consent: s, Ages: ages}
}

// With is the rig with other facts of the operator, on the same databases.
func (r Rig) With(t testing.TB, f consent.Facts) Rig {
	t.Helper()
	q := job.New(r.DB, r.Clock, slog.New(slog.DiscardHandler))
	s, err := consent.New(consent.Deps{DB: r.DB, Clock: r.Clock, Queue: q, Log: slog.New(slog.DiscardHandler), Audit: r.Audit, Vault: r.Vault, Age: r.Ages, Facts: f, Channels: r.Channels, Clauses: kept(t)})
	check(t, err)
	r.Queue, r.Consent = q, s
	return r
}

// Grant makes a person's act for a purpose, as the console would.
func (r Rig) Grant(t testing.TB, subject id.Handle, session, purpose string) consent.Record {
	t.Helper()
	p, err := r.Consent.Prompt(context.Background(), session, purpose, "zh-CN")
	check(t, err)
	rec, err := r.Consent.Decide(context.Background(), consent.Act{
		Subject: subject, Session: session, Purpose: purpose,
		Decision: consent.Grant, Token: p.Token, Adult: true,
	})
	check(t, err)
	return rec
}

// kept is the registry with no clause open: what a test publishes is not held
// to what the rest of the program lacks.
func kept(t testing.TB) []clause.Clause {
	t.Helper()
	all, err := clause.Load()
	check(t, err)
	for i, c := range all {
		if c.State() == clause.Open {
			all[i].EnforcedBy, all[i].Tests = []string{"-"}, []string{"-"}
		}
	}
	return all
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
