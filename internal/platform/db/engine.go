package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // the "pgx" driver
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

func openSQLite(ctx context.Context, path string) (*DB, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("making the database's directory: %w", err)
	}
	write, err := sql.Open("sqlite", sqliteDSN(path, "immediate", false))
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	write.SetMaxOpenConns(1)
	if err := write.PingContext(ctx); err != nil { // creates the file for the readers
		return nil, errors.Join(fmt.Errorf("opening %s: %w", path, err), write.Close())
	}
	read, err := sql.Open("sqlite", sqliteDSN(path, "deferred", true))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening %s: %w", path, err), write.Close())
	}
	read.SetMaxOpenConns(max(4, runtime.NumCPU()))
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, read.Close(), write.Close())
	}
	return &DB{
		dialect: SQLite, write: write, read: read,
		written: &statements{pool: write, all: map[string]*sql.Stmt{}}, asked: &statements{pool: read, all: map[string]*sql.Stmt{}},
	}, nil
}

// sqliteDSN puts the pragmas into the DSN because they are per connection.
// busy_timeout stands first so that setting the others waits too.
func sqliteDSN(path, lock string, readOnly bool) string {
	v := url.Values{"_pragma": {
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)", "secure_delete(ON)",
	}, "_txlock": {lock}}
	if readOnly {
		v["_pragma"] = append(v["_pragma"], "query_only(ON)")
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + v.Encode()
}

// ErrPlain says that a connection to another machine would not be encrypted to
// a server that proves its name.
var ErrPlain = errors.New("a PostgreSQL on another machine is reached over TLS with sslmode=verify-full only")

// encrypted holds an address to that. Unix sockets and loopback need no TLS.
func encrypted(dsn string) error {
	c, err := pgconn.ParseConfig(dsn)
	if err != nil {
		return errors.New("opening PostgreSQL: the address is malformed, or a file that it names cannot be read") // the cause holds the password
	}
	ends := []*pgconn.FallbackConfig{{Host: c.Host, TLSConfig: c.TLSConfig}}
	for _, end := range append(ends, c.Fallbacks...) {
		// verify-ca leaves the name to nobody, and sets InsecureSkipVerify.
		verified := end.TLSConfig != nil && !end.TLSConfig.InsecureSkipVerify && end.TLSConfig.ServerName != ""
		if !verified && !local(end.Host) && !mutant.Off("LT-5.2a") {
			return ErrPlain
		}
	}
	return nil
}

func local(host string) bool {
	addr, err := netip.ParseAddr(host)
	return strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") || host == "localhost" || err == nil && addr.IsLoopback()
}

func openPostgres(ctx context.Context, dsn string) (*DB, error) {
	if err := encrypted(dsn); err != nil {
		return nil, err
	}
	pool, err := sql.Open("pgx", dsn)
	if err != nil {
		return nil, errors.New("opening PostgreSQL: the address is malformed") // the cause holds the password
	}
	pool.SetMaxOpenConns(16)
	pool.SetMaxIdleConns(16)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	if err := pool.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("reaching PostgreSQL: %w", err), pool.Close())
	}
	return &DB{dialect: Postgres, write: pool, read: pool}, nil
}

func (d *DB) txOptions() *sql.TxOptions {
	if d.dialect == Postgres {
		return &sql.TxOptions{Isolation: sql.LevelSerializable}
	}
	return nil
}

// retryable reports whether the transaction lost against another one and may
// run again: 40001 and 40P01 on PostgreSQL, busy on SQLite.
func retryable(err error) bool {
	if errors.Is(err, ErrRetry) {
		return true
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "40001" || pg.Code == "40P01"
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return lite.Code()&0xff == sqlite3.SQLITE_BUSY
	}
	return false
}

// IsUnique reports whether err is the violation of a unique key. On PostgreSQL
// the transaction is then unusable: prefer INSERT ... ON CONFLICT DO NOTHING
// and look at the number of rows.
func IsUnique(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "23505"
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return lite.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || lite.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
	}
	return false
}

// Truncate empties SQLite's write-ahead log into the database, so that deleted
// rows are in no file any more (secure_delete has overwritten their pages). It
// fails while a reader holds the log back: the caller tries again. PostgreSQL
// recycles its log by itself; there only key destruction reaches old copies.
func (d *DB) Truncate(ctx context.Context) error {
	if d.dialect != SQLite {
		return nil
	}
	var busy, frames, moved int64
	if err := d.write.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &moved); err != nil {
		return fmt.Errorf("emptying the write-ahead log: %w", err)
	}
	if busy != 0 {
		return errors.New("a reader holds the write-ahead log")
	}
	return nil
}
