package db

import (
	"context"
	"database/sql"
	"fmt"
)

// Snapshot runs fn in a transaction that sees one state of the whole database,
// whatever is written meanwhile, and holds up no writer. What fn writes is
// refused by the database.
func (d *DB) Snapshot(ctx context.Context, fn func(*Tx) error) error {
	var opts *sql.TxOptions // the readers of SQLite are query_only, and their transactions are snapshots
	if d.dialect == Postgres {
		opts = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	raw, err := d.read.BeginTx(ctx, opts)
	if err != nil {
		return fmt.Errorf("beginning a snapshot: %w", err)
	}
	defer func() { _ = raw.Rollback() }()
	return fn(&Tx{tx: raw, dialect: d.dialect})
}

// Once runs fn in a transaction that is never tried again: for input that can
// be read once.
func (d *DB) Once(ctx context.Context, fn func(*Tx) error) error { return d.once(ctx, fn) }

// Stream calls fn for each row of a query with its values: nil, int64, string
// or []byte. The slice is used again for the next row.
func Stream(ctx context.Context, q Q, fn func([]any) error, text string, args ...any) error {
	rows, err := q.query(ctx, text, args...)
	if err != nil {
		return fmt.Errorf("querying %s: %w", verb(text), err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	values, into := make([]any, len(names)), make([]any, len(names))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return fmt.Errorf("reading row of %s: %w", verb(text), err)
		}
		if err := fn(values); err != nil {
			return err
		}
	}
	return rows.Err()
}
