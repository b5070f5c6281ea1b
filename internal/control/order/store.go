package order

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/service"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// insertOrder reports false when the idempotency key is taken.
func insertOrder(ctx context.Context, tx *db.Tx, o Order, key, digest string) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO order_order (id, account_id, subject, kind, state, version, currency, total_minor,
		catalogue_version, quote_hash, idem_key, idem_digest, receipt, placed_at, expires_at, paid_at, ended_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
		ON CONFLICT (account_id, idem_key) DO NOTHING`,
		o.ID, string(o.Account), string(o.Subject), string(o.Kind), string(o.State), o.Version, string(o.Total.Cur), o.Total.Minor,
		o.Catalogue, o.QuoteHash, key, digest, o.Receipt, db.Micros(o.PlacedAt), db.Micros(o.ExpiresAt), db.Micros(o.PaidAt), db.Micros(o.EndedAt))
	if err != nil || n == 0 {
		return false, err
	}
	for _, l := range o.Lines {
		if err := insertLine(ctx, tx, o.ID, l); err != nil {
			return false, fmt.Errorf("inserting line %d of %s: %w", l.Number, o.ID, err)
		}
	}
	return true, nil
}

func insertLine(ctx context.Context, tx *db.Tx, orderID string, l Line) error {
	_, err := tx.Exec(ctx, `INSERT INTO order_line (id, order_id, number, kind, product, region, options, months, amount_minor,
		configuration, state, service_id, problem, resource, value_minor, starts_at, ends_at, shares)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`,
		l.ID, orderID, int64(l.Number), string(l.Kind), l.Product, l.Region, text(l.Options), int64(l.Months), l.Amount.Minor,
		text(l.Configuration), string(l.State), l.Service, l.Problem, l.Resource, l.Value, db.Micros(l.StartsAt),
		db.Micros(l.EndsAt), sharesText(l.Shares))
	return err
}

func updateLine(ctx context.Context, tx *db.Tx, l Line) error {
	return tx.ExecOne(ctx, db.ErrRetry, "UPDATE order_line SET state = $1, service_id = $2, problem = $3 WHERE id = $4",
		string(l.State), l.Service, l.Problem, l.ID)
}

// updateOrder compares and sets state and version.
func updateOrder(ctx context.Context, tx *db.Tx, was, next Order) error {
	return tx.ExecOne(ctx, db.ErrRetry, `UPDATE order_order SET state = $1, version = $2, receipt = $3, paid_at = $4, ended_at = $5
		WHERE id = $6 AND state = $7 AND version = $8`,
		string(next.State), next.Version, next.Receipt, db.Micros(next.PaidAt), db.Micros(next.EndedAt),
		was.ID, string(was.State), was.Version)
}

func countOpen(ctx context.Context, q db.Q, owner account.ID) (int64, error) {
	return db.Get(ctx, q, nil, db.One[int64], "SELECT count(*) FROM order_order WHERE account_id = $1 AND state = $2",
		string(owner), string(PendingPayment))
}

func getByKey(ctx context.Context, q db.Q, owner account.ID, key string) (orderID, digest string, err error) {
	type pair struct{ id, digest string }
	p, err := db.Get(ctx, q, ErrNotFound, func(r db.Row) (p pair, err error) { return p, r.Scan(&p.id, &p.digest) },
		"SELECT id, idem_digest FROM order_order WHERE account_id = $1 AND idem_key = $2", string(owner), key)
	return p.id, p.digest, err
}

const orderColumns = `SELECT id, account_id, subject, kind, state, version, currency, total_minor, catalogue_version, quote_hash,
	receipt, placed_at, expires_at, paid_at, ended_at FROM order_order`

func scanOrder(r db.Row) (o Order, err error) {
	var placed, expires, paid, ended int64
	err = r.Scan(&o.ID, &o.Account, &o.Subject, &o.Kind, &o.State, &o.Version, &o.Total.Cur, &o.Total.Minor, &o.Catalogue, &o.QuoteHash,
		&o.Receipt, &placed, &expires, &paid, &ended)
	o.PlacedAt, o.ExpiresAt, o.PaidAt, o.EndedAt = db.FromMicros(placed), db.FromMicros(expires), db.FromMicros(paid), db.FromMicros(ended)
	return o, err
}

func getOrder(ctx context.Context, q db.Q, orderID string) (Order, error) {
	o, err := db.Get(ctx, q, ErrNotFound, scanOrder, orderColumns+" WHERE id = $1", orderID)
	if err != nil {
		return Order{}, err
	}
	return withLines(ctx, q, o)
}

func lockOrder(ctx context.Context, tx *db.Tx, orderID string) (Order, error) {
	text := orderColumns + " WHERE id = $1"
	if tx.Dialect() == db.Postgres {
		text += " FOR UPDATE"
	}
	o, err := db.Get(ctx, tx, ErrNotFound, scanOrder, text, orderID)
	if err != nil {
		return Order{}, err
	}
	return withLines(ctx, tx, o)
}

func withLines(ctx context.Context, q db.Q, o Order) (Order, error) {
	var err error
	o.Lines, err = db.Select(ctx, q, func(r db.Row) (l Line, err error) {
		var options, configuration, shares string
		var starts, ends int64
		err = r.Scan(&l.ID, &l.Number, &l.Kind, &l.Product, &l.Region, &options, &l.Months, &l.Amount.Minor,
			&configuration, &l.State, &l.Service, &l.Problem, &l.Resource, &l.Value, &starts, &ends, &shares)
		l.StartsAt, l.EndsAt = db.FromMicros(starts), db.FromMicros(ends)
		if err != nil {
			return l, err
		}
		l.Amount.Cur = o.Total.Cur
		if l.Shares, err = readShares(shares); err != nil {
			return l, err
		}
		if err := json.Unmarshal([]byte(options), &l.Options); err != nil {
			return l, err
		}
		return l, json.Unmarshal([]byte(configuration), &l.Configuration)
	}, `SELECT id, number, kind, product, region, options, months, amount_minor, configuration, state, service_id, problem,
		resource, value_minor, starts_at, ends_at, shares FROM order_line WHERE order_id = $1 ORDER BY number`, o.ID)
	return o, err
}

// listOrders lists newest first; an empty owner lists all accounts.
func listOrders(ctx context.Context, q db.Q, owner, before string, limit int) ([]Order, error) {
	limit = min(max(limit, 1), 100)
	all, err := db.Select(ctx, q, scanOrder, orderColumns+` WHERE ($1 = '' OR account_id = $1) AND ($2 = '' OR id < $2)
		ORDER BY id DESC LIMIT $3`, owner, before, int64(limit))
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i], err = withLines(ctx, q, all[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func paidAfter(ctx context.Context, q db.Q, after string, limit int) ([]Order, error) {
	all, err := db.Select(ctx, q, scanOrder, orderColumns+" WHERE paid_at > 0 AND receipt <> '' AND id > $1 ORDER BY id LIMIT $2", after, int64(limit))
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i], err = withLines(ctx, q, all[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func text(m map[string]string) string {
	raw, err := json.Marshal(m) // keys are sorted
	if err != nil {
		panic(err) // strings only
	}
	return string(raw)
}

// share is a service.Share as it is kept: microseconds and minor units.
type share [3]int64

func sharesText(all []service.Share) string {
	rows := make([]share, 0, len(all))
	for _, p := range all {
		rows = append(rows, share{db.Micros(p.Start), db.Micros(p.End), p.Minor})
	}
	raw, err := json.Marshal(rows)
	if err != nil {
		panic(err) // integers only
	}
	return string(raw)
}

func readShares(text string) (all []service.Share, err error) {
	var rows []share
	if err := json.Unmarshal([]byte(text), &rows); err != nil {
		return nil, err
	}
	for _, r := range rows {
		all = append(all, service.Share{Start: db.FromMicros(r[0]), End: db.FromMicros(r[1]), Minor: r[2]})
	}
	return all, nil
}
