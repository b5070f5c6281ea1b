package audit_test

import (
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// BenchmarkAppend is a transaction that does nothing but log one event, on an
// embedded database that syncs each commit.
func BenchmarkAppend(b *testing.B) {
	d, c := dbtest.SQLite(b, audit.Migrations()), clock.NewFake(start)
	kek, err := vault.FileKEK(filepath.Join(b.TempDir(), "kek"))
	if err != nil {
		b.Fatal(err)
	}
	v, err := vault.New(ctx, vault.Deps{DB: dbtest.SQLite(b, vault.Migrations()), Custodian: kek, Clock: c})
	if err != nil {
		b.Fatal(err)
	}
	s := audit.New(audit.Deps{DB: d, Vault: v, Clock: c, Log: slog.New(slog.DiscardHandler)})
	for b.Loop() {
		if err := d.InTx(ctx, func(tx *db.Tx) error { return s.AppendTx(ctx, tx, event()) }); err != nil {
			b.Fatal(err)
		}
	}
}
