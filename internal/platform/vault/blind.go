package vault

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// blindRow is an index key of one field and epoch.
type blindRow struct {
	epoch   int64
	wrapped []byte
}

// Blind returns the blind index of a value: equality only, under a random key
// of the field, with the key's epoch before it ("1:9f..."). normalised must be
// in one form for equal values (NFC, mail domain folded, upper-case X). The
// index is personal data: an ID number is enumerable, so it stays behind rate
// limits and is erased with its subject.
func (v *Vault) Blind(ctx context.Context, field, normalised string) (string, error) {
	row, err := v.blindRow(ctx, field)
	if errs.IsNotFound(err) {
		row, err = v.makeBlind(ctx, field)
	}
	if err != nil {
		return "", away(fmt.Errorf("indexing %s: %w", field, err))
	}
	epoch := strconv.FormatInt(row.epoch, 10)
	key, err := v.cached(strings.Join([]string{"blind", field, epoch}, ":"), func() ([]byte, error) {
		return v.held().Unwrap(ctx, row.wrapped, bound("blind", field, epoch))
	})
	if err != nil {
		return "", away(fmt.Errorf("indexing %s: %w", field, err))
	}
	m := hmac.New(sha256.New, key)
	m.Write(bound(field, normalised))
	return epoch + ":" + hex.EncodeToString(m.Sum(nil)), nil
}

func (v *Vault) blindRow(ctx context.Context, field string) (blindRow, error) {
	return db.Get(ctx, v.db, errNoKey, func(r db.Row) (b blindRow, err error) {
		return b, r.Scan(&b.epoch, &b.wrapped)
	}, "SELECT epoch, wrapped FROM keystore_blind WHERE field = $1 ORDER BY epoch DESC LIMIT 1", field)
}

func (v *Vault) makeBlind(ctx context.Context, field string) (blindRow, error) {
	wrapped, err := v.held().Wrap(ctx, random(keySize), bound("blind", field, "1"))
	if err != nil {
		return blindRow{}, err
	}
	err = v.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO keystore_blind (field, epoch, wrapped, kek, created_at)
			VALUES ($1, 1, $2, $3, $4) ON CONFLICT (field, epoch) DO NOTHING`,
			field, wrapped, v.held().ID(), db.Micros(v.clock.Now()))
		return err
	})
	if err != nil {
		return blindRow{}, err
	}
	return v.blindRow(ctx, field)
}
