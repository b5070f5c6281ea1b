package db_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// What was compiled goes on when the schema changes under it, from whatever
// connection; what cannot be compiled fails where it is run; and there are more
// texts than are kept.
func TestCompiledTextsOutliveTheirSchema(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	d, err := db.Open(ctx, filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	exec := func(text string, args ...any) error {
		return d.InTx(ctx, func(tx *db.Tx) error { _, err := tx.Exec(ctx, text, args...); return err })
	}
	count := func(text string) (int64, error) { return db.Get(ctx, d, nil, db.One[int64], text) }
	const insert, all = "INSERT INTO t (id) VALUES ($1)", "SELECT count(*) FROM t"
	if exec(insert, "x") == nil {
		t.Error("a row went into a table that is not there")
	}
	if _, err := count(all); err == nil {
		t.Error("a table that is not there was counted")
	}
	if err := exec("CREATE TABLE t (id TEXT PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			if err := exec(insert, fmt.Sprint(i)); err != nil {
				t.Error(err)
			}
			if _, err := count(all); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := exec("ALTER TABLE t ADD COLUMN more TEXT NOT NULL DEFAULT 'm'"); err != nil {
		t.Fatal(err)
	}
	if err := exec(insert, "after"); err != nil {
		t.Error(err)
	}
	for i := range 600 {
		if n, err := count(fmt.Sprintf("%s WHERE id <> 'x%d' AND more = 'm'", all, i)); err != nil || n != 41 {
			t.Fatalf("text %d: got %d, %v, want 41", i, n, err)
		}
	}
	if err := exec("DROP TABLE t"); err != nil {
		t.Fatal(err)
	}
	if _, err := count(all); err == nil {
		t.Error("a table that is gone was counted")
	}
	if err := d.Truncate(ctx); err != nil {
		t.Errorf("what is compiled holds the write-ahead log: %v", err)
	}
}
