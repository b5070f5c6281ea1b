package vault

import (
	"context"
	"fmt"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// wrappedRow is a key directly under the key-encryption key.
type wrappedRow struct {
	name    string // handle, or field
	epoch   int64
	wrapped []byte
}

func scanWrapped(r db.Row) (w wrappedRow, err error) {
	return w, r.Scan(&w.name, &w.epoch, &w.wrapped)
}

// Rewrap moves every root and index key under another custodian's key, all or
// nothing, and uses that from then on. Data keys and sealed values stay as they
// are. Nothing else may use the key store meanwhile, in this process or another:
// they would go on with the old custodian.
func (v *Vault) Rewrap(ctx context.Context, to Custodian) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	proof, err := to.Wrap(ctx, []byte("key store"), bound("kek", to.ID()))
	if err != nil {
		return away(fmt.Errorf("asking the new custodian: %w", err))
	}
	err = v.db.InTx(ctx, func(tx *db.Tx) error {
		if err := v.rewrapRoots(ctx, tx, to); err != nil {
			return err
		}
		if err := v.rewrapBlinds(ctx, tx, to); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE keystore_kek SET state = 'retired' WHERE state = 'live'"); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "INSERT INTO keystore_kek (id, suite, state, proof, created_at) VALUES ($1, $2, 'live', $3, $4)",
			to.ID(), suiteStd, proof, db.Micros(v.clock.Now()))
		return err
	})
	if err != nil {
		return away(fmt.Errorf("moving keys to another custodian: %w", err))
	}
	v.custodian = to
	return nil
}

func (v *Vault) rewrapRoots(ctx context.Context, tx *db.Tx, to Custodian) error {
	roots, err := db.Select(ctx, tx, scanWrapped, "SELECT handle, 0, wrapped FROM keystore_root WHERE state = 'live'")
	if err != nil {
		return err
	}
	for _, r := range roots {
		wrapped, err := v.rewrap(ctx, to, r.wrapped, bound("root", r.name))
		if err != nil {
			return fmt.Errorf("root of %s: %w", r.name, err)
		}
		if _, err := tx.Exec(ctx, "UPDATE keystore_root SET wrapped = $1, kek = $2 WHERE handle = $3", wrapped, to.ID(), r.name); err != nil {
			return err
		}
	}
	return nil
}

func (v *Vault) rewrapBlinds(ctx context.Context, tx *db.Tx, to Custodian) error {
	keys, err := db.Select(ctx, tx, scanWrapped, "SELECT field, epoch, wrapped FROM keystore_blind")
	if err != nil {
		return err
	}
	for _, k := range keys {
		wrapped, err := v.rewrap(ctx, to, k.wrapped, bound("blind", k.name, fmt.Sprint(k.epoch)))
		if err != nil {
			return fmt.Errorf("index key of %s: %w", k.name, err)
		}
		_, err = tx.Exec(ctx, "UPDATE keystore_blind SET wrapped = $1, kek = $2 WHERE field = $3 AND epoch = $4", wrapped, to.ID(), k.name, k.epoch)
		if err != nil {
			return err
		}
	}
	return nil
}

func (v *Vault) rewrap(ctx context.Context, to Custodian, wrapped, aad []byte) ([]byte, error) {
	plain, err := v.custodian.Unwrap(ctx, wrapped, aad)
	if err != nil {
		return nil, err
	}
	return to.Wrap(ctx, plain, aad)
}

// held returns the custodian in use.
func (v *Vault) held() Custodian {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.custodian
}
