package erasure

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// Bounds of one transaction: who else writes waits for one of them, not for the
// erasure.
const (
	batchRows = 500
	batchTime = 50 * time.Millisecond
	stride    = 100 // rows of one statement

	// sought is how many rows are looked for at a time, outside any transaction.
	sought = 10_000
)

// errStays says that rows that were found could not be deleted. Another process
// may have been faster; else a condition of the table is wrong.
var errStays = errors.New("rows are found and do not go")

// Noted keeps, in the transaction of a batch, how many rows of a table went or were
// cleared in it.
type Noted func(tx *db.Tx, h holding.Held, rows int64) error

// EraseRows ends what is held of a person, in the order of held. Its transactions
// are of at most 500 rows or 50 ms each; cut off between two of them, and run
// again, it ends as if it had not been. note may be nil. It destroys no key: the
// caller does.
func EraseRows(ctx context.Context, d *db.DB, held []holding.Held, p holding.Person, note Noted) error {
	if note == nil {
		note = func(*db.Tx, holding.Held, int64) error { return nil }
	}
	for _, h := range held {
		if err := eraseTable(ctx, d, h, p, note); err != nil {
			return fmt.Errorf("erasing from %s: %w", h.Table, err)
		}
	}
	return nil
}

func eraseTable(ctx context.Context, d *db.DB, h holding.Held, p holding.Person, note Noted) error {
	for {
		at, err := h.Due(ctx, d, p, sought)
		if err != nil || len(at) == 0 {
			return err
		}
		var all int64
		for len(at) > 0 {
			done, rows, err := batch(ctx, d, h, p, at, note)
			if err != nil {
				return err
			}
			fault.Point("erasure-between-rows")
			at, all = at[done:], all+rows
		}
		if all == 0 {
			return errStays
		}
	}
}

// batch is one transaction at the first places; done is how many of them it took.
func batch(ctx context.Context, d *db.DB, h holding.Held, p holding.Person, at []db.Place, note Noted) (done int, rows int64, err error) {
	err = d.InTx(ctx, func(tx *db.Tx) error {
		done, rows = 0, 0
		took := clock.Steady()
		for done < min(len(at), batchRows) && took() < batchTime {
			next := min(done+stride, len(at))
			n, err := h.EraseTx(ctx, tx, p, at[done:next])
			if err != nil {
				return err
			}
			done, rows = next, rows+n
		}
		return note(tx, h, rows)
	})
	return done, rows, err
}

// Replay brings databases that came from a backup to where erasures had left
// them: keys destroyed, rows deleted. It runs before the service opens, needs
// only the file of tombstones and the two databases, and changes nothing where
// everything is gone already.
func Replay(ctx context.Context, main *db.DB, v *vault.Vault, file string, held []holding.Held) error {
	all, err := vault.ReadTombstones(file)
	if err != nil {
		return err
	}
	if err := v.ReplayKeys(ctx, file, all); err != nil {
		return err
	}
	for _, t := range all {
		person := holding.Person{Handle: t.Handle, Account: t.Account, Client: t.Client}
		if err := EraseRows(ctx, main, held, person, nil); err != nil {
			return err
		}
	}
	return nil
}
