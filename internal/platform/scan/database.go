package scan

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
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

// table reads a table row by row.
func (p *Patterns) table(ctx context.Context, d *db.DB, table string, columns []string) (map[string]map[Form]int64, error) {
	found := map[string]map[Form]int64{}
	for _, c := range columns {
		found[c] = map[Form]int64{}
	}
	column := 0
	hit := func(n int32) { found[columns[column]][p.all[n].form]++ }
	var text []byte
	defer func() { clear(text[:cap(text)]) }()
	scan := func(cells []any) error {
		for i, c := range cells {
			column, text = i, appendCell(text[:0], c)
			p.find.run(text, len(text), hit)
		}
		return nil
	}
	return found, db.Stream(ctx, d, scan, "SELECT "+strings.Join(columns, ", ")+" FROM "+table)
}

// appendCell writes a value as text.
func appendCell(to []byte, cell any) []byte {
	switch v := cell.(type) {
	case nil:
		return to
	case []byte:
		return append(to, v...)
	case string:
		return append(to, v...)
	case int64:
		return strconv.AppendInt(to, v, 10)
	}
	return fmt.Append(to, cell)
}
