package service

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

const columns = `SELECT id, account, subject, order_id, line, product, region, options, configuration, months, resource, state, attempt, problem,
	reasons, paid_through, overdue_since, cancel_at_end, locked, version, created_at, delivered_at,
	currency, value_minor, anchor, anchor_months, auto_renew, looked_at, next_due, overdue_stop, final_notice, data_until FROM service_item`

func scan(r db.Row) (v Item, err error) {
	var options, configuration, reasons string
	var months, attempt, paid, overdue, cancel, locked, created, delivered int64
	var anchor, anchorMonths, auto, looked, next, stop, final, data int64
	err = r.Scan(&v.ID, &v.Account, &v.Subject, &v.Order, &v.Line, &v.Product, &v.Region, &options, &configuration, &months, &v.Resource, &v.State,
		&attempt, &v.Problem, &reasons, &paid, &overdue, &cancel, &locked, &v.Version, &created, &delivered,
		&v.Paid.Cur, &v.Paid.Minor, &anchor, &anchorMonths, &auto, &looked, &next, &stop, &final, &data)
	if err != nil {
		return Item{}, err
	}
	v.Months, v.Attempt, v.CancelAtEnd, v.Locked = int(months), int(attempt), cancel != 0, locked != 0
	v.PaidThrough, v.OverdueSince = db.FromMicros(paid), db.FromMicros(overdue)
	v.CreatedAt, v.DeliveredAt = db.FromMicros(created), db.FromMicros(delivered)
	v.Anchor, v.AnchorMonths, v.AutoRenew = db.FromMicros(anchor), int(anchorMonths), auto != 0
	v.LookedAt, v.NextDue, v.OverdueStop = db.FromMicros(looked), db.FromMicros(next), db.FromMicros(stop)
	v.FinalNotice, v.DataUntil = db.FromMicros(final), db.FromMicros(data)
	v.Reasons = splitReasons(reasons)
	if err := json.Unmarshal([]byte(options), &v.Options); err != nil {
		return Item{}, fmt.Errorf("options of %s: %w", v.ID, err)
	}
	if err := json.Unmarshal([]byte(configuration), &v.Configuration); err != nil {
		return Item{}, fmt.Errorf("configuration of %s: %w", v.ID, err)
	}
	return v, nil
}

func joinReasons(all []Reason) string {
	texts := make([]string, 0, len(all))
	for _, r := range all {
		texts = append(texts, string(r))
	}
	return strings.Join(texts, ",")
}

func splitReasons(text string) (all []Reason) {
	if text == "" {
		return nil
	}
	for t := range strings.SplitSeq(text, ",") {
		all = append(all, Reason(t))
	}
	return all
}

func byID(ctx context.Context, q db.Q, service string) (Item, error) {
	return db.Get(ctx, q, ErrNotFound, scan, columns+" WHERE id = $1", service)
}

func byKey(ctx context.Context, q db.Q, key string) (Item, error) {
	return db.Get(ctx, q, ErrNotFound, scan, columns+" WHERE provider_key = $1", key)
}

func forOwner(ctx context.Context, q db.Q, owner account.ID, service string) (Item, error) {
	return db.Get(ctx, q, ErrNotFound, scan, columns+" WHERE id = $1 AND account = $2", service, string(owner))
}

func insert(ctx context.Context, tx *db.Tx, v Item) (bool, error) {
	options, err := json.Marshal(v.Options)
	if err != nil {
		return false, fmt.Errorf("options of %s: %w", v.ID, err)
	}
	configuration, err := json.Marshal(v.Configuration)
	if err != nil {
		return false, fmt.Errorf("configuration of %s: %w", v.ID, err)
	}
	n, err := tx.Exec(ctx, `INSERT INTO service_item (id, account, subject, order_id, line, product, region, options, configuration, months, resource,
		state, attempt, provider_key, problem, reasons, paid_through, overdue_since, cancel_at_end, locked, version, created_at, delivered_at,
		currency, value_minor)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '', $11, $12, $13, '', '', 0, 0, 0, 0, 1, $14, 0, $15, $16) ON CONFLICT DO NOTHING`,
		v.ID, string(v.Account), string(v.Subject), v.Order, v.Line, v.Product, v.Region, string(options), string(configuration), int64(v.Months),
		string(v.State), int64(v.Attempt), v.Key(), db.Micros(v.CreatedAt), string(v.Paid.Cur), v.Paid.Minor)
	return n == 1, err
}

// save writes a service that was read in the same transaction.
func save(ctx context.Context, tx *db.Tx, v Item) error {
	options, err := json.Marshal(v.Options)
	if err != nil {
		return fmt.Errorf("options of %s: %w", v.ID, err)
	}
	return tx.ExecOne(ctx, db.ErrRetry, `UPDATE service_item SET resource = $1, state = $2, attempt = $3, provider_key = $4, problem = $5, reasons = $6,
		paid_through = $7, overdue_since = $8, cancel_at_end = $9, locked = $10, delivered_at = $11, options = $12, version = version + 1,
		anchor = $13, anchor_months = $14, auto_renew = $15, looked_at = $16, next_due = $17, overdue_stop = $18, final_notice = $19, data_until = $20
		WHERE id = $21 AND version = $22`,
		v.Resource, string(v.State), int64(v.Attempt), v.Key(), v.Problem, joinReasons(v.Reasons), db.Micros(v.PaidThrough), db.Micros(v.OverdueSince),
		db.Bool(v.CancelAtEnd), db.Bool(v.Locked), db.Micros(v.DeliveredAt), string(options),
		db.Micros(v.Anchor), int64(v.AnchorMonths), db.Bool(v.AutoRenew), db.Micros(v.LookedAt), db.Micros(v.NextDue), db.Micros(v.OverdueStop),
		db.Micros(v.FinalNotice), db.Micros(v.DataUntil), v.ID, v.Version)
}

func inState(ctx context.Context, q db.Q, state State) ([]Item, error) {
	return db.Select(ctx, q, scan, columns+" WHERE state = $1 ORDER BY id", string(state))
}

// ofSubject returns what a person bought and that is not over.
func ofSubject(ctx context.Context, q db.Q, subject id.Handle) ([]Item, error) {
	return db.Select(ctx, q, scan, columns+" WHERE subject = $1 AND state IN ('provisioning', 'active', 'suspended') ORDER BY id", string(subject))
}
