package db

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Place is where a row stands. It finds the row again until somebody writes it;
// after that another row may stand there. Who writes at places therefore asks
// again what led to them: DeleteAt and UpdateAt do.
type Place string

// Places returns where up to most rows of a table stand that meet a condition.
func Places(ctx context.Context, q Q, most int, table, where string, args ...any) ([]Place, error) {
	column := "rowid"
	if q.Dialect() == Postgres {
		column = "ctid"
	}
	return Select(ctx, q, One[Place], fmt.Sprintf("SELECT CAST(%s AS TEXT) FROM %s WHERE %s LIMIT %d", column, table, where, most), args...)
}

// DeleteAt deletes the rows at places that still meet a condition, and returns
// how many that were.
func (t *Tx) DeleteAt(ctx context.Context, table string, at []Place, where string, args ...any) (int64, error) {
	return t.Exec(ctx, "DELETE FROM "+t.only(table)+" WHERE "+t.standing(len(args)+1)+" AND ("+where+")", slices.Concat(args, []any{t.list(at)})...)
}

// UpdateAt sets columns of the rows at places that still meet a condition.
func (t *Tx) UpdateAt(ctx context.Context, table, set string, at []Place, where string, args ...any) (int64, error) {
	return t.Exec(ctx, "UPDATE "+t.only(table)+" SET "+set+" WHERE "+t.standing(len(args)+1)+" AND ("+where+")", slices.Concat(args, []any{t.list(at)})...)
}

// only keeps SQLite from looking for the rows by an index of the condition, which
// may lead to a thousand times as many.
func (t *Tx) only(table string) string {
	if t.dialect == SQLite {
		return table + " NOT INDEXED"
	}
	return table
}

func (t *Tx) standing(parameter int) string {
	if t.dialect == Postgres {
		return fmt.Sprintf("ctid = ANY(CAST(CAST($%d AS TEXT) AS tid[]))", parameter)
	}
	return fmt.Sprintf("rowid IN (SELECT value FROM json_each($%d))", parameter)
}

// list writes places as the one parameter of standing: a PostgreSQL array, or
// JSON.
func (t *Tx) list(at []Place) string {
	all := make([]string, len(at))
	for i, p := range at {
		all[i] = string(p)
	}
	if t.dialect == Postgres {
		for i := range all {
			all[i] = `"` + all[i] + `"`
		}
		return "{" + strings.Join(all, ",") + "}"
	}
	return "[" + strings.Join(all, ",") + "]"
}
