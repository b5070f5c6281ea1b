// Package dbtest opens databases for tests: a new SQLite file and, where
// SKYBRIDGE_TEST_POSTGRES names a server, a new schema in PostgreSQL.
//
// The scripts always start a PostgreSQL; with CI set its absence fails the
// test instead of leaving half of it out.
package dbtest

import (
	"context"
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// Each runs the test on every engine, in parallel, migrated with sets.
func Each(t *testing.T, fn func(t *testing.T, d *db.DB), sets ...db.Migrations) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		fn(t, SQLite(t, sets...))
	})
	server := os.Getenv("SKYBRIDGE_TEST_POSTGRES")
	if server == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("SKYBRIDGE_TEST_POSTGRES is not set: the test would run on SQLite only")
		}
		return
	}
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		fn(t, postgres(t, server, sets...))
	})
}

// SQLite opens a new migrated database for tests that one engine suffices for.
func SQLite(t testing.TB, sets ...db.Migrations) *db.DB {
	t.Helper()
	return open(t, filepath.Join(t.TempDir(), "test.db"), sets)
}

func postgres(t testing.TB, server string, sets ...db.Migrations) *db.DB {
	t.Helper()
	schema := "t_" + id.Random(10)
	admin, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admin.Exec(`CREATE SCHEMA "` + schema + `"`); err != nil {
		t.Fatalf("making a schema: %v", err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec(`DROP SCHEMA "` + schema + `" CASCADE`); err != nil {
			t.Errorf("dropping the schema: %v", err)
		}
		_ = admin.Close()
	})
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal("SKYBRIDGE_TEST_POSTGRES is not a URL")
	}
	v := u.Query()
	v.Set("search_path", schema)
	u.RawQuery = v.Encode()
	return open(t, u.String(), sets)
}

func open(t testing.TB, dsn string, sets []db.Migrations) *db.DB {
	t.Helper()
	ctx := context.Background()
	d, err := db.Open(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	if err := d.Migrate(ctx, sets...); err != nil {
		t.Fatal(err)
	}
	return d
}
