package db_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

var sets = db.Migrations{Module: "probe", Files: fstest.MapFS{
	"00001_probe.sql": {Data: []byte("-- +goose Up\nCREATE TABLE probe_row (id TEXT PRIMARY KEY, n BIGINT NOT NULL, b BLOB);\n")},
}}

func TestRowsComeBackAsWritten(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		err := d.InTx(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, "INSERT INTO probe_row (id, n, b) VALUES ($1, $2, $3)", "a", int64(7), []byte{0, 255})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		b, err := db.Get(ctx, d, nil, db.One[[]byte], "SELECT b FROM probe_row WHERE id = $1", "a")
		if err != nil || len(b) != 2 || b[1] != 255 {
			t.Errorf("got %v, %v", b, err)
		}
		_, err = db.Get(ctx, d, nil, db.One[int64], "SELECT n FROM probe_row WHERE id = $1", "absent")
		if !errs.IsNotFound(err) {
			t.Errorf("an absent row: got %v, want NotFound", err)
		}
		_, err = db.Get(ctx, d, nil, db.One[int64], "SELECT n FROM no_such_table")
		if err == nil || errs.IsNotFound(err) {
			t.Errorf("a failing query: got %v, want an error that is not NotFound", err)
		}
	}, sets)
}

func TestAFailedTransactionLeavesNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, boom := context.Background(), errors.New("boom")
		for _, late := range []bool{false, true} {
			ran := false
			err := d.InTx(ctx, func(tx *db.Tx) error {
				tx.AfterCommit(func() { ran = true })
				_, err := tx.Exec(ctx, "INSERT INTO probe_row (id, n) VALUES ('x', 1)")
				if late {
					tx.BeforeCommit(func(context.Context) error { return boom })
					return err
				}
				return boom
			})
			if !errors.Is(err, boom) || ran {
				t.Errorf("got %v, after-commit ran: %v", err, ran)
			}
		}
		n, err := db.Get(ctx, d, nil, db.One[int64], "SELECT count(*) FROM probe_row")
		if err != nil || n != 0 {
			t.Errorf("got %d rows, %v, want none", n, err)
		}
	}, sets)
}

func TestFiftyConcurrentIncrementsAreFifty(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		must(t, d.InTx(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, "INSERT INTO probe_row (id, n) VALUES ('c', 0)")
			return err
		}))
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				for {
					err := d.InTx(ctx, func(tx *db.Tx) error {
						n, err := db.Get(ctx, tx, nil, db.One[int64], "SELECT n FROM probe_row WHERE id = 'c'")
						if err != nil {
							return err
						}
						return tx.ExecOne(ctx, db.ErrRetry, "UPDATE probe_row SET n = $1 WHERE id = 'c' AND n = $2", n+1, n)
					})
					if err == nil {
						return
					}
				}
			})
		}
		wg.Wait()
		n, err := db.Get(ctx, d, nil, db.One[int64], "SELECT n FROM probe_row WHERE id = 'c'")
		if err != nil || n != 50 {
			t.Errorf("got %d, %v, want 50", n, err)
		}
	}, sets)
}

func TestAUniqueViolationIsKnown(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		insert := func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, "INSERT INTO probe_row (id, n) VALUES ('u', 1)")
			return err
		}
		must(t, d.InTx(ctx, insert))
		if err := d.InTx(ctx, insert); !db.IsUnique(err) {
			t.Errorf("got %v, want a unique violation", err)
		}
	}, sets)
}

func TestPendingNamesWhatIsBehind(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		behind, err := d.Pending(ctx, sets)
		if err != nil || len(behind) != 1 {
			t.Fatalf("before: got %v, %v", behind, err)
		}
		must(t, d.Migrate(ctx, sets))
		behind, err = d.Pending(ctx, sets)
		if err != nil || len(behind) != 0 {
			t.Errorf("after: got %v, %v", behind, err)
		}
	})
}

func TestMicrosRoundTrip(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 10, 0, 0, 123000, time.UTC)
	if got := db.FromMicros(db.Micros(at)); !got.Equal(at) {
		t.Errorf("got %v, want %v", got, at)
	}
	if !db.FromMicros(db.Micros(time.Time{})).IsZero() {
		t.Error("the zero time does not come back")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
