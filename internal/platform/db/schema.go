package db

import (
	"context"
	"strings"
)

// Schema lists the columns of every table of the modules, by table. The
// version tables of migrations are left out.
func (d *DB) Schema(ctx context.Context) (map[string][]string, error) { return SchemaOf(ctx, d) }

// SchemaOf is DB.Schema as a transaction sees it.
func SchemaOf(ctx context.Context, q Q) (map[string][]string, error) {
	text := `SELECT m.name, c.name FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid`
	if q.Dialect() == Postgres {
		text = `SELECT table_name, column_name FROM information_schema.columns
			WHERE table_schema = current_schema() ORDER BY table_name, ordinal_position`
	}
	type column struct{ table, name string }
	all, err := Select(ctx, q, func(r Row) (c column, err error) { return c, r.Scan(&c.table, &c.name) }, text)
	if err != nil {
		return nil, err
	}
	schema := map[string][]string{}
	for _, c := range all {
		if !strings.HasSuffix(c.table, "_schema") {
			schema[c.table] = append(schema[c.table], c.name)
		}
	}
	return schema, nil
}
