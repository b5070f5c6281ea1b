package dbtest

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// digest names what sets make: their modules, files and texts, in order.
func digest(sets []db.Migrations) (string, error) {
	h := sha256.New()
	for _, m := range sets {
		fmt.Fprintf(h, "module %q\n", m.Module)
		err := fs.WalkDir(m.Files, ".", func(name string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			text, err := fs.ReadFile(m.Files, name)
			fmt.Fprintf(h, "file %q %q\n", name, text)
			return err
		})
		if err != nil {
			return "", fmt.Errorf("reading the migrations of %s: %w", m.Module, err)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:12]), nil
}

func migrate(dsn string, sets []db.Migrations) error {
	ctx := context.Background()
	d, err := db.Open(ctx, dsn)
	if err != nil {
		return err
	}
	return errors.Join(d.Migrate(ctx, sets...), d.Close())
}

// images are the files that sets made in this process, by digest.
var images = struct {
	sync.Mutex
	made map[string]func() ([]byte, error)
}{made: map[string]func() ([]byte, error){}}

// sqliteImage is the file of a database migrated with sets.
func sqliteImage(sets []db.Migrations) ([]byte, error) {
	key, err := digest(sets)
	if err != nil {
		return nil, err
	}
	images.Lock()
	one := images.made[key]
	if one == nil {
		one = sync.OnceValues(func() ([]byte, error) { return makeImage(sets) })
		images.made[key] = one
	}
	images.Unlock()
	return one()
}

// makeImage reads the file after the last connection was closed: SQLite then
// has put its log into it.
func makeImage(sets []db.Migrations) (image []byte, err error) {
	dir, err := os.MkdirTemp("", "dbtest")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "template.db")
	if err := migrate(path, sets); err != nil {
		return nil, err
	}
	if log, err := os.Stat(path + "-wal"); err == nil && log.Size() > 0 {
		return nil, errors.New("the template's log is not in its file")
	}
	return os.ReadFile(path)
}

// admin is this process's connection for making databases on a server.
var admin = sync.OnceValues(func() (*sql.DB, error) {
	return sql.Open("pgx", os.Getenv("SKYBRIDGE_TEST_POSTGRES"))
})

// postgresCopy makes a database that goes away with the test, and returns its URL.
func postgresCopy(t testing.TB, server string, sets []db.Migrations) string {
	t.Helper()
	pool, err := admin()
	if err != nil {
		t.Fatal(err)
	}
	template, err := postgresTemplate(pool, server, sets)
	if err != nil {
		t.Fatalf("making a template: %v", err)
	}
	name := "t_" + id.Random(10)
	// Copying files beats writing pages to a log that nobody will read.
	if _, err := pool.Exec(`CREATE DATABASE "` + name + `" TEMPLATE "` + template + `" STRATEGY file_copy`); err != nil {
		t.Fatalf("making a database: %v", err)
	}
	t.Cleanup(func() {
		if _, err := pool.Exec(`DROP DATABASE "` + name + `" WITH (FORCE)`); err != nil {
			t.Errorf("dropping the database: %v", err)
		}
	})
	dsn, err := at(server, name)
	if err != nil {
		t.Fatal(err)
	}
	return dsn
}

// at is the URL of a database on a server.
func at(server, name string) (string, error) {
	u, err := url.Parse(server)
	if err != nil {
		return "", errors.New("SKYBRIDGE_TEST_POSTGRES is not a URL")
	}
	u.Path = "/" + name
	return u.String(), nil
}

// templates are the names of the templates known to this process.
var templates sync.Map

// postgresTemplate names a database of the server that was migrated with sets.
// All processes share it: the one that finds none makes it, and gives it its
// name when it is whole.
func postgresTemplate(pool *sql.DB, server string, sets []db.Migrations) (string, error) {
	key, err := digest(sets)
	if err != nil {
		return "", err
	}
	name := "template_" + key
	if _, known := templates.Load(name); known {
		return name, nil
	}
	if err := makeTemplate(pool, server, name, sets); err != nil {
		return "", err
	}
	templates.Store(name, true)
	return name, nil
}

// makeLock is the advisory lock of whoever makes a template.
const makeLock = 7230511

func makeTemplate(pool *sql.DB, server, name string, sets []db.Migrations) error {
	ctx := context.Background()
	conn, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", makeLock); err != nil {
		return err
	}
	defer func() { _, _ = conn.ExecContext(ctx, "SELECT pg_advisory_unlock($1)", makeLock) }()
	var made bool
	if err := conn.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)", name).Scan(&made); err != nil || made {
		return err
	}
	raw := "t_" + id.Random(10)
	if _, err := conn.ExecContext(ctx, `CREATE DATABASE "`+raw+`" TEMPLATE template0 STRATEGY file_copy`); err != nil {
		return err
	}
	dsn, err := at(server, raw)
	if err != nil {
		return err
	}
	if err := migrate(dsn, sets); err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, `ALTER DATABASE "`+raw+`" RENAME TO "`+name+`"`)
	return err
}
