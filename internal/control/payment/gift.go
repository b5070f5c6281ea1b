package payment

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// spendableGifts is what is left of an account's gifts that are not over.
func spendableGifts(ctx context.Context, q db.Q, owner account.ID, cur money.Currency, now time.Time) (int64, error) {
	return db.Get(ctx, q, nil, db.One[int64], `SELECT CAST(COALESCE(sum(left_minor), 0) AS BIGINT) FROM payment_grant
		WHERE account_id = $1 AND currency = $2 AND kind = 'gift' AND state = 'booked' AND expires_at > $3`,
		string(owner), string(cur), db.Micros(now))
}

type portion struct {
	grant string
	minor int64
}

func scanPortion(r db.Row) (p portion, err error) { return p, r.Scan(&p.grant, &p.minor) }

// takeGiftsTx uses up an amount of an account's gifts, the one that ends first
// first, and notes for what: ref is an order or an attempt.
func takeGiftsTx(ctx context.Context, tx *db.Tx, owner account.ID, amount money.Money, ref string, now time.Time) error {
	if amount.IsZero() {
		return nil
	}
	all, err := db.Select(ctx, tx, scanPortion, `SELECT id, left_minor FROM payment_grant
		WHERE account_id = $1 AND currency = $2 AND kind = 'gift' AND state = 'booked' AND expires_at > $3 AND left_minor > 0
		ORDER BY expires_at, id`, string(owner), string(amount.Cur), db.Micros(now))
	if err != nil {
		return err
	}
	rest := amount.Minor
	for _, p := range all {
		part := min(rest, p.minor)
		if part == 0 {
			break
		}
		if err := tx.ExecOne(ctx, db.ErrRetry, "UPDATE payment_grant SET left_minor = left_minor - $1 WHERE id = $2 AND left_minor = $3", part, p.grant, p.minor); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "INSERT INTO payment_gift_use (grant_id, ref, amount_minor) VALUES ($1, $2, $3)", p.grant, ref, part); err != nil {
			return err
		}
		rest -= part
	}
	if rest > 0 {
		return ledger.ErrBelowMin
	}
	return nil
}

// returnGiftsTx gives back to the grants what was taken for ref.
func returnGiftsTx(ctx context.Context, tx *db.Tx, ref string) error {
	used, err := db.Select(ctx, tx, scanPortion, "SELECT grant_id, amount_minor FROM payment_gift_use WHERE ref = $1 ORDER BY grant_id", ref)
	if err != nil {
		return err
	}
	for _, p := range used {
		if err := tx.ExecOne(ctx, db.ErrRetry, "UPDATE payment_grant SET left_minor = left_minor + $1 WHERE id = $2", p.minor, p.grant); err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, "DELETE FROM payment_gift_use WHERE ref = $1", ref)
	return err
}
