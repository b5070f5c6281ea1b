package erasure

import (
	"context"
	"fmt"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// EraseRows deletes what is held of a person, in the order of held, and says of
// each table what was deleted and what a law keeps. It is one transaction;
// twice is not an error. It destroys no key: the caller does.
func EraseRows(ctx context.Context, d *db.DB, held []holding.Held, p holding.Person) ([]holding.Outcome, error) {
	var all []holding.Outcome
	err := d.InTx(ctx, func(tx *db.Tx) error {
		all = nil
		for _, h := range held {
			out, err := h.EraseTx(ctx, tx, p)
			if err != nil {
				return fmt.Errorf("erasing from %s: %w", h.Table, err)
			}
			all = append(all, out)
		}
		return nil
	})
	return all, err
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
		if _, err := EraseRows(ctx, main, held, person); err != nil {
			return err
		}
	}
	return nil
}
