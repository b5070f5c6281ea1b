package app

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
)

const firstRelease = "testdata/first-release.sql"

// first returns the first migration of each module alone.
func first(t *testing.T) []db.Migrations {
	t.Helper()
	var sets []db.Migrations
	for _, m := range Migrations() {
		only := fstest.MapFS{}
		for name, text := range migrationTexts(t, m) {
			if strings.HasPrefix(name, "00001") {
				only[name] = &fstest.MapFile{Data: text}
			}
		}
		if len(only) > 0 { // a module that came later has none
			sets = append(sets, db.Migrations{Module: m.Module, Files: only})
		}
	}
	return sets
}

func migrationTexts(t *testing.T, m db.Migrations) map[string][]byte {
	t.Helper()
	names, err := fs.Glob(m.Files, "*.sql")
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %v, %v", m.Module, names, err)
	}
	texts := map[string][]byte{}
	for _, name := range names {
		if texts[name], err = fs.ReadFile(m.Files, name); err != nil {
			t.Fatal(err)
		}
	}
	return texts
}

var insert = regexp.MustCompile(`^INSERT INTO (\w+) `)

// TestAnOlderDatabaseComesToThisVersion fills the tables of the first release
// and migrates them: no row is lost, and what stood in a column stands there.
func TestAnOlderDatabaseComesToThisVersion(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(firstRelease)
	must(t, err)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		blob := "x'00'"
		if d.Dialect() == db.Postgres {
			blob = `'\x00'`
		}
		rows := map[string]int64{}
		must(t, d.InTx(ctx, func(tx *db.Tx) error {
			clear(rows)
			for line := range strings.SplitSeq(string(bytes.ReplaceAll(text, []byte("@BLOB@"), []byte(blob))), "\n") {
				m := insert.FindStringSubmatch(line)
				if m == nil {
					continue
				}
				if _, err := tx.Exec(ctx, line); err != nil {
					t.Errorf("%s: %v", m[1], err)
					return err
				}
				rows[m[1]]++
			}
			return nil
		}))
		must(t, d.Migrate(ctx, Migrations()...))
		must(t, verifySchema(ctx, d, "mainland"))
		for table, want := range rows {
			got, err := db.Get(ctx, d, nil, db.One[int64], "SELECT count(*) FROM "+table)
			if err != nil || got != want {
				t.Errorf("%s: got %d rows, %v, want %d", table, got, err, want)
			}
		}
		if len(rows) < 40 {
			t.Errorf("the fixture has rows of %d tables only", len(rows))
		}
	}, first(t)...)
}

// What the previous release cannot bear: it reads while the new one has
// migrated already.
var breaking = regexp.MustCompile(`(?i)\b(drop\s+(table|column)|rename\s+(to|column)|alter\s+column)\b`)

func TestMigrationsLeaveWhatThePreviousReleaseReads(t *testing.T) {
	t.Parallel()
	if !breaking.MatchString("ALTER TABLE a DROP COLUMN b") || breaking.MatchString("ALTER TABLE a ADD COLUMN b TEXT") {
		t.Fatal("the rule does not work")
	}
	for _, m := range Migrations() {
		for name, text := range migrationTexts(t, m) {
			if hit := breaking.Find(text); hit != nil {
				t.Errorf("%s %s: %q", m.Module, name, hit)
			}
		}
	}
}
