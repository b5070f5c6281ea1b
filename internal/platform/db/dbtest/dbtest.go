// Package dbtest opens databases for tests: a new SQLite file and, where
// SKYBRIDGE_TEST_POSTGRES names a server, a new database in PostgreSQL.
//
// The scripts always start a PostgreSQL; with CI set its absence fails the
// test instead of leaving half of it out. The migrations run once for each set
// of them, in template.go, and every test gets a copy of what they made.
package dbtest

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
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
		fn(t, open(t, postgresCopy(t, server, sets)))
	})
}

// SQLite opens a new migrated database for tests that one engine suffices for.
func SQLite(t testing.TB, sets ...db.Migrations) *db.DB {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.db")
	SQLiteFile(t, path, sets...)
	return open(t, path)
}

// SQLiteFile writes a migrated database to a path where no file is, for
// programs that open their databases themselves.
func SQLiteFile(t testing.TB, path string, sets ...db.Migrations) {
	t.Helper()
	image, err := sqliteImage(sets)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, image, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Again opens the database at a path, which is written, migrated with sets, if no
// file is there: for tests whose process ends and is followed by another.
func Again(t testing.TB, path string, sets ...db.Migrations) *db.DB {
	t.Helper()
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		SQLiteFile(t, path, sets...)
	}
	return open(t, path)
}

func open(t testing.TB, dsn string) *db.DB {
	t.Helper()
	d, err := db.Open(context.Background(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}
