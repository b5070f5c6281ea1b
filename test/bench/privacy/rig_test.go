package privacy

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/app"
	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/account/accounttest"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/control/erasure"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// rig is an installation's database with the modules that a read and an erasure
// need, put together as internal/app does. Who would end tunnels and settle
// accounts finds nothing to do.
type rig struct {
	accounttest.Rig
	erasure *erasure.Service
	dir     string
}

func assemble(b *testing.B) rig {
	b.Helper()
	dir := b.TempDir()
	d, err := db.Open(context.Background(), filepath.Join(dir, "main.db"))
	must(b, err)
	b.Cleanup(func() { must(b, d.Close()) })
	must(b, d.Migrate(context.Background(), app.Migrations()...))
	r := rig{Rig: accounttest.New(b, d, consent.Mainland, false), dir: dir}
	r.erasure = erasure.New(erasure.Deps{
		DB: d, Clock: r.Clock, Queue: r.Queue, Log: slog.New(slog.DiscardHandler), Audit: r.Audit, Vault: r.Vault,
		Logins: r.Account, Tunnels: nothing{}, Settler: nothing{}, Values: nothing{}, Letters: nothing{}, Holds: nothing{},
		Carried: func(context.Context, string) error { return nil },
		Held:    app.Held(), Tables: app.Holdings(), Tombstones: filepath.Join(dir, "tombstones"), Truncate: []*db.DB{d},
		KeyBackup: 24 * time.Hour, Limits: func() []string { return nil },
	})
	r.Vault.Bind(r.Age.TwoPersons(r.Audit), gate{r})
	return r
}

// gate is the one of internal/app.
type gate struct{ r rig }

func (g gate) Gate(ctx context.Context, subject id.Handle, purpose string) error {
	if err := g.r.erasure.Restricted(ctx, subject, purpose); err != nil {
		return err
	}
	return g.r.Consent.Gate(ctx, subject, purpose)
}

var known atomic.Int64

// people registers customers and signs them in.
func (r rig) people(b *testing.B, n int) (all []account.Principal) {
	b.Helper()
	for range n {
		name := fmt.Sprintf("person-%d", known.Add(1))
		r.Clock.Advance(time.Hour) // a source may register three accounts an hour
		got := r.Register(b, name)
		all = append(all, account.Principal{Account: got.Account, Subject: got.Subject, UserName: name, Session: "ses_bench"})
	}
	return all
}

type nothing struct{}

func (nothing) ShutClientsTx(context.Context, *db.Tx, account.Principal) error { return nil }
func (nothing) ShutClientTx(context.Context, *db.Tx, string) error             { return nil }
func (nothing) DropClientTx(context.Context, *db.Tx, string) error             { return nil }

func (nothing) Open(context.Context, account.ID) ([]erasure.Unsettled, error)   { return nil, nil }
func (nothing) Settle(context.Context, account.ID) ([]erasure.Unsettled, error) { return nil, nil }

func (nothing) Values(context.Context, holding.Person, vault.Reader, string, ...holding.Category) ([]string, error) {
	return []string{"person@example.org"}, nil
}

func (nothing) Out(context.Context, string) (bool, error)                  { return true, nil }
func (nothing) Holding(context.Context, id.Handle, []string) (bool, error) { return false, nil }
