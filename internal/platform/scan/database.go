package scan

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// Database looks through every column of every table by the database itself: the
// way to one whose files are on another machine, and on SQLite to values that
// its pages cut in two.
func (p *Patterns) Database(ctx context.Context, d *db.DB, name string) (Report, error) {
	r := Report{Values: p.values, Forms: len(p.all), Hits: []Hit{}, Unread: []string{}}
	schema, err := d.Schema(ctx)
	if err != nil {
		return r, fmt.Errorf("looking through the database %s: %w", name, err)
	}
	for _, table := range slices.Sorted(maps.Keys(schema)) {
		found, err := p.table(ctx, d, table, schema[table])
		if err != nil {
			return r, fmt.Errorf("looking through %s of %s: %w", table, name, err)
		}
		r.Cells += int64(len(schema[table]))
		for _, column := range schema[table] {
			r.add(name+":"+table+"."+column, found[column])
		}
	}
	if d.Dialect() == db.Postgres {
		r.Unread = append(r.Unread, name+": files of the database server")
	}
	return r, nil
}

// table reads a table row by row. Values in forms, not only plain ones, lie in
// the same automaton, so that one pass finds them all.
func (p *Patterns) table(ctx context.Context, d *db.DB, table string, columns []string) (map[string]map[Form]int64, error) {
	found := map[string]map[Form]int64{}
	for _, c := range columns {
		found[c] = map[Form]int64{}
	}
	scan := func(row db.Row) (struct{}, error) {
		cells := make([]any, len(columns))
		to := make([]any, len(columns))
		for i := range cells {
			to[i] = &cells[i]
		}
		if err := row.Scan(to...); err != nil {
			return struct{}{}, err
		}
		for i, c := range cells {
			p.find.run(0, bytesOf(c), func(n int32) { found[columns[i]][p.all[n].form]++ })
		}
		return struct{}{}, nil
	}
	_, err := db.Select(ctx, d, scan, "SELECT "+strings.Join(columns, ", ")+" FROM "+table)
	return found, err
}

func bytesOf(cell any) []byte {
	switch v := cell.(type) {
	case nil:
		return nil
	case []byte:
		return v
	case string:
		return []byte(v)
	}
	return []byte(fmt.Sprint(cell))
}
