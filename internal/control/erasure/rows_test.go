package erasure

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/fstest"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
)

var (
	probe = db.Migrations{Module: "probe", Files: fstest.MapFS{"00001_probe.sql": {Data: []byte(`-- +goose Up
CREATE TABLE probe_letter (id TEXT PRIMARY KEY, subject TEXT NOT NULL);
CREATE INDEX probe_letter_subject ON probe_letter (subject);
CREATE TABLE probe_try (letter TEXT NOT NULL, number BIGINT NOT NULL, PRIMARY KEY (letter, number));
CREATE TABLE probe_bill (id TEXT PRIMARY KEY, subject TEXT NOT NULL, words TEXT NOT NULL);
`)}}}
	probed = []holding.Held{
		{
			Table: "probe_try", By: holding.ByHandle, Where: "letter IN (SELECT id FROM probe_letter WHERE subject = $1)",
			Each: "EXISTS (SELECT 1 FROM probe_letter l WHERE l.id = probe_try.letter AND l.subject = $1)",
		},
		{Table: "probe_letter", By: holding.ByHandle, Where: "subject = $1"},
		{Table: "probe_bill", By: holding.ByHandle, Where: "subject = $1", Clears: map[string]string{"words": ""}, Keeps: &holding.Keeps{Class: "order"}},
	}
	leaver = holding.Person{Handle: "sub_leaver"}
)

// write gives two people letters, tries of them and bills.
func write(t *testing.T, d *db.DB, rows int) {
	t.Helper()
	ctx := context.Background()
	err := d.InTx(ctx, func(tx *db.Tx) error {
		for _, who := range []string{"sub_leaver", "sub_stays"} {
			for i := range rows {
				name := fmt.Sprintf("%s_%d", who, i)
				for _, text := range []string{
					"INSERT INTO probe_letter (id, subject) VALUES ($1, $2)",
					"INSERT INTO probe_bill (id, subject, words) VALUES ($1, $2, 'a name')",
				} {
					if _, err := tx.Exec(ctx, text, name, who); err != nil {
						return err
					}
				}
				if _, err := tx.Exec(ctx, "INSERT INTO probe_try (letter, number) VALUES ($1, 1), ($1, 2)", name); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, d *db.DB, table, where string) int64 {
	t.Helper()
	n, err := db.Get(context.Background(), d, nil, db.One[int64], "SELECT count(*) FROM "+table+" WHERE "+where)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// An erasure that is cut off after every batch, whatever was noted with it being
// kept, ends with all rows gone, each counted once, and nobody else's.
func TestAnErasureCutOffBetweenBatchesGoesOn(t *testing.T) {
	t.Parallel()
	const rows = 1100
	cut := errors.New("the power is gone")
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		write(t, d, rows)
		ctx := context.Background()
		total, batches := map[string]int64{}, 0
		for err := cut; err != nil; {
			lives, kept := true, false // the first batch of a life commits, the second is rolled back
			var inBatch string
			var n int64
			err = EraseRows(ctx, d, probed, leaver, func(_ *db.Tx, h holding.Held, rows int64) error {
				if !lives {
					return cut
				}
				if rows > batchRows {
					t.Errorf("a batch of %d rows of %s", rows, h.Table)
				}
				inBatch, n, kept, lives = h.Table, rows, true, false
				return nil
			})
			if err != nil && !errors.Is(err, cut) {
				t.Fatal(err)
			}
			if kept {
				total[inBatch] += n
				batches++
			}
			if batches > 100 {
				t.Fatal("it does not end")
			}
		}
		for table, want := range map[string]int64{"probe_try": 2 * rows, "probe_letter": rows, "probe_bill": rows} {
			if total[table] != want {
				t.Errorf("%s: %d rows counted, want %d", table, total[table], want)
			}
		}
		for table, want := range map[string]int64{"probe_try": 2 * rows, "probe_letter": rows, "probe_bill": 2 * rows} {
			if got := count(t, d, table, "1 = 1"); got != want {
				t.Errorf("%s: %d rows are left, want %d", table, got, want)
			}
		}
		if got := count(t, d, "probe_bill", "subject = 'sub_leaver' AND words <> ''") + count(t, d, "probe_bill", "subject = 'sub_stays' AND words = ''"); got != 0 {
			t.Errorf("%d bills hold a name that goes, or lack one that stays", got)
		}
		if batches < 10 {
			t.Errorf("%d batches, want more", batches)
		}
	}, probe)
}

// A condition that finds rows and then does not mean them ends with an error, not
// in a circle.
func TestRowsThatDoNotGoAreAnError(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		write(t, d, 3)
		wrong := []holding.Held{{Table: "probe_letter", By: holding.ByHandle, Where: "subject = $1", Each: "subject = $1 AND 1 = 2"}}
		if err := EraseRows(context.Background(), d, wrong, leaver, nil); !errors.Is(err, errStays) {
			t.Errorf("got %v, want %v", err, errStays)
		}
	}, probe)
}
