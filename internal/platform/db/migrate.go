package db

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"regexp"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
)

// Migrations are the forward-only schema changes of one module: SQL files in
// goose's form, one DDL statement each where possible, named NNNNN_what.sql.
type Migrations struct {
	Module string // prefix of the module's tables; its versions are in Module + "_schema"
	Files  fs.FS  // the files at its root
}

// Migrate brings the tables of each module to the version of this build.
func (d *DB) Migrate(ctx context.Context, sets ...Migrations) error {
	for _, m := range sets {
		p, err := d.provider(m)
		if err != nil {
			return err
		}
		if _, err := p.Up(ctx); err != nil {
			return fmt.Errorf("migrating %s: %w", m.Module, err)
		}
	}
	return nil
}

// SchemaVersions tells the version of each module's tables; a module without tables
// is left out.
func SchemaVersions(ctx context.Context, q Q, sets ...Migrations) (map[string]int64, error) {
	exists := "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = $1"
	if q.Dialect() == Postgres {
		exists = "SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = $1"
	}
	all := map[string]int64{}
	for _, m := range sets {
		n, err := Get(ctx, q, nil, One[int64], exists, m.Module+"_schema")
		if err != nil {
			return nil, err
		}
		if n == 0 {
			continue
		}
		if all[m.Module], err = Get(ctx, q, nil, One[int64], "SELECT max(version_id) FROM "+m.Module+"_schema"); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// MigrateTo brings the tables of each named module to a version that Versions
// told, and refuses one that this build does not know.
func (d *DB) MigrateTo(ctx context.Context, versions map[string]int64, sets ...Migrations) error {
	known := 0
	for _, m := range sets {
		version, ok := versions[m.Module]
		if !ok {
			continue
		}
		known++
		p, err := d.provider(m)
		if err != nil {
			return err
		}
		if all := p.ListSources(); all[len(all)-1].Version < version {
			return fmt.Errorf("tables of %s have version %d, which this program does not know: use the program that made them, or a newer one", m.Module, version)
		}
		if _, err := p.UpTo(ctx, version); err != nil {
			return fmt.Errorf("migrating %s to version %d: %w", m.Module, version, err)
		}
	}
	if known < len(versions) {
		return fmt.Errorf("there are tables of modules that this program does not know: use the program that made them, or a newer one")
	}
	return nil
}

// Pending names the modules whose tables are older than this build.
func (d *DB) Pending(ctx context.Context, sets ...Migrations) ([]string, error) {
	var behind []string
	for _, m := range sets {
		p, err := d.provider(m)
		if err != nil {
			return nil, err
		}
		yes, err := p.HasPending(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the schema version of %s: %w", m.Module, err)
		}
		if yes {
			behind = append(behind, m.Module)
		}
	}
	return behind, nil
}

func (d *DB) provider(m Migrations) (*goose.Provider, error) {
	dialect, files := database.DialectSQLite3, m.Files
	if d.dialect == Postgres {
		dialect, files = database.DialectPostgres, postgresFiles{m.Files}
	}
	store, err := database.NewStore(dialect, m.Module+"_schema")
	if err != nil {
		return nil, fmt.Errorf("migrations of %s: %w", m.Module, err)
	}
	p, err := goose.NewProvider("", d.write, files, goose.WithStore(store), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, fmt.Errorf("migrations of %s: %w", m.Module, err)
	}
	return p, nil
}

// postgresFiles rewrites the one column type that has no common name.
type postgresFiles struct{ fs.FS }

var blob = regexp.MustCompile(`\bBLOB\b`)

func (p postgresFiles) Open(name string) (fs.File, error) {
	f, err := p.FS.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil || info.IsDir() {
		return f, err
	}
	text, err := fs.ReadFile(p.FS, name)
	if err != nil {
		return nil, err
	}
	text = blob.ReplaceAll(text, []byte("BYTEA"))
	return &textFile{Reader: bytes.NewReader(text), name: info.Name(), size: int64(len(text))}, nil
}

type textFile struct {
	*bytes.Reader
	name string
	size int64
}

func (f *textFile) Stat() (fs.FileInfo, error) { return f, nil }
func (f *textFile) Close() error               { return nil }
func (f *textFile) Name() string               { return f.name }
func (f *textFile) Size() int64                { return f.size }
func (f *textFile) Mode() fs.FileMode          { return 0o444 }
func (f *textFile) ModTime() time.Time         { return time.Time{} }
func (f *textFile) IsDir() bool                { return false }
func (f *textFile) Sys() any                   { return nil }
