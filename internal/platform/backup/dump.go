package backup

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
)

// dumper writes one state of a database.
type dumper struct {
	w    *bufio.Writer
	rows map[string]int64
}

// dump writes all rows of all tables as one snapshot sees them, and their
// numbers by table. within looks at the same snapshot.
func dump(ctx context.Context, d *db.DB, sets []db.Migrations, to io.Writer, within func(context.Context, db.Q) error) (map[string]int64, error) {
	w := &dumper{w: bufio.NewWriterSize(to, 1<<16), rows: map[string]int64{}}
	err := d.Snapshot(ctx, func(tx *db.Tx) error {
		versions, err := db.SchemaVersions(ctx, tx, sets...)
		if err != nil {
			return err
		}
		head, err := json.Marshal(versions)
		if err != nil {
			return err
		}
		if err := writeRecord(w.w, kindHead, string(head)); err != nil {
			return err
		}
		if err := within(ctx, tx); err != nil {
			return err
		}
		return w.tables(ctx, tx)
	})
	return w.rows, errors.Join(err, w.w.Flush())
}

func (w *dumper) tables(ctx context.Context, tx *db.Tx) error {
	schema, err := db.SchemaOf(ctx, tx)
	if err != nil {
		return err
	}
	var sum int64
	for _, table := range slices.Sorted(maps.Keys(schema)) {
		if err := w.table(ctx, tx, table, schema[table]); err != nil {
			return fmt.Errorf("table %s: %w", table, err)
		}
		sum += w.rows[table]
		fault.Point("backup-within")
	}
	return writeRecord(w.w, kindEnd, sum)
}

func (w *dumper) table(ctx context.Context, tx *db.Tx, table string, columns []string) error {
	names := []any{table}
	for _, c := range columns {
		names = append(names, c)
	}
	if err := writeRecord(w.w, kindTable, names...); err != nil {
		return err
	}
	w.rows[table] = 0
	return db.Stream(ctx, tx, func(values []any) error {
		w.rows[table]++
		return writeRecord(w.w, kindRow, values...)
	}, "SELECT "+quoted(columns)+" FROM "+quote(table))
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func quoted(names []string) string {
	all := make([]string, 0, len(names))
	for _, n := range names {
		all = append(all, quote(n))
	}
	return strings.Join(all, ", ")
}

// load fills an empty database with a dump: it makes the tables in the versions
// that the dump had, empties them of what their migrations put there, and adds
// the rows, all in one transaction.
func load(ctx context.Context, d *db.DB, sets []db.Migrations, from io.Reader) (map[string]int64, error) {
	r := bufio.NewReaderSize(from, 1<<16)
	kind, values, err := readRecord(r)
	if err != nil {
		return nil, err
	}
	versions := map[string]int64{}
	head, _ := first(values).(string)
	if kind != kindHead || json.Unmarshal([]byte(head), &versions) != nil {
		return nil, errForm
	}
	if err := d.MigrateTo(ctx, versions, sets...); err != nil {
		return nil, err
	}
	l := &loader{r: r, rows: map[string]int64{}}
	err = d.Once(ctx, func(tx *db.Tx) error { return l.all(ctx, tx) })
	return l.rows, err
}

func first(values []any) any {
	if len(values) == 0 {
		return nil
	}
	return values[0]
}

// loader adds rows, some at a time.
type loader struct {
	r       *bufio.Reader
	rows    map[string]int64
	table   string
	columns []string
	waiting []any
	sum     int64
}

// atOnce is how many values one INSERT brings; both engines take more.
const atOnce = 500

func (l *loader) all(ctx context.Context, tx *db.Tx) error {
	for {
		kind, values, err := readRecord(l.r)
		if err != nil {
			return fmt.Errorf("before the end of the dump: %w", err)
		}
		switch kind {
		case kindTable:
			err = l.begin(ctx, tx, values)
		case kindRow:
			err = l.row(ctx, tx, values)
		case kindEnd:
			if err := l.flush(ctx, tx); err != nil {
				return err
			}
			return l.end(values)
		default:
			err = errForm
		}
		if err != nil {
			return err
		}
	}
}

func (l *loader) begin(ctx context.Context, tx *db.Tx, values []any) error {
	if err := l.flush(ctx, tx); err != nil {
		return err
	}
	var names []string
	for _, v := range values {
		name, ok := v.(string)
		if !ok {
			return errForm
		}
		names = append(names, name)
	}
	if len(names) < 2 {
		return errForm
	}
	l.table, l.columns = names[0], names[1:]
	l.rows[l.table] = 0
	_, err := tx.Exec(ctx, "DELETE FROM "+quote(l.table))
	return err
}

func (l *loader) row(ctx context.Context, tx *db.Tx, values []any) error {
	if len(values) != len(l.columns) {
		return errForm
	}
	l.rows[l.table]++
	l.sum++
	l.waiting = append(l.waiting, values...)
	if len(l.waiting) >= atOnce {
		return l.flush(ctx, tx)
	}
	return nil
}

func (l *loader) flush(ctx context.Context, tx *db.Tx) error {
	if len(l.waiting) == 0 {
		return nil
	}
	var places strings.Builder
	for i := range l.waiting {
		switch {
		case i == 0:
			places.WriteString("(")
		case i%len(l.columns) == 0:
			places.WriteString("), (")
		default:
			places.WriteString(", ")
		}
		places.WriteString("$" + strconv.Itoa(i+1))
	}
	_, err := tx.Exec(ctx, "INSERT INTO "+quote(l.table)+" ("+quoted(l.columns)+") VALUES "+places.String()+")", l.waiting...)
	l.waiting = l.waiting[:0]
	if err != nil {
		return fmt.Errorf("table %s: %w", l.table, err)
	}
	return nil
}

func (l *loader) end(values []any) error {
	if sum, ok := first(values).(int64); !ok || sum != l.sum {
		return errForm
	}
	if _, err := l.r.ReadByte(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("after the end of the dump: %w", errors.Join(errForm, err))
	}
	return nil
}
