package db_test

import (
	"context"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
)

// What stands at a place is asked again: a row that is another's by then stays.
func TestRowsAreWrittenWhereTheyStandIfTheyAreStillMeant(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		exec := func(text string, args ...any) {
			t.Helper()
			err := d.InTx(ctx, func(tx *db.Tx) error {
				_, err := tx.Exec(ctx, text, args...)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"a", "b", "c", "d"} {
			exec("INSERT INTO probe_row (id, n) VALUES ($1, 1)", name)
		}
		exec("INSERT INTO probe_row (id, n) VALUES ('other', 2)")
		if some, err := db.Places(ctx, d, 3, "probe_row", "n = $1", int64(1)); err != nil || len(some) != 3 {
			t.Errorf("three of four places: got %d, %v", len(some), err)
		}
		at, err := db.Places(ctx, d, 10, "probe_row", "n = $1", int64(1))
		if err != nil || len(at) != 4 {
			t.Fatalf("got %d places, %v", len(at), err)
		}
		exec("UPDATE probe_row SET n = 2 WHERE id = 'd'")
		var changed, gone, none int64
		err = d.InTx(ctx, func(tx *db.Tx) (err error) {
			if none, err = tx.DeleteAt(ctx, "probe_row", nil, "n = $1", int64(1)); err != nil {
				return err
			}
			if changed, err = tx.UpdateAt(ctx, "probe_row", "n = $2", at[:1], "n = $1", int64(1), int64(3)); err != nil {
				return err
			}
			gone, err = tx.DeleteAt(ctx, "probe_row", at, "n = $1", int64(1))
			return err
		})
		if err != nil || none != 0 || changed != 1 || gone != 2 {
			t.Errorf("got %d at no place, %d changed, %d deleted, %v; want 0, 1, 2", none, changed, gone, err)
		}
		left, err := db.Get(ctx, d, nil, db.One[int64], "SELECT count(*) FROM probe_row")
		if err != nil || left != 3 {
			t.Errorf("%d rows are left, %v; want the changed one and two of another", left, err)
		}
	}, sets)
}
