package payment

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

func insertAttempt(ctx context.Context, tx *db.Tx, a Attempt) error {
	_, err := tx.Exec(ctx, `INSERT INTO payment_attempt (attempt_no, purpose, order_id, account_id, subject, gateway_account_id, method,
		amount_minor, currency, state, version, close_confirmed, provider_trade_no, refunded_minor, disputed, created_at, expire_at,
		paid_at, last_notify_at, last_query_at, last_query, next_query_at, nudged_at, hold, hold_wallet_minor, hold_gift_minor)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, '', 0, 0, $12, $13, 0, 0, 0, '', $14, 0, $15, $16, $17)`,
		a.No, string(a.Purpose), a.Order, string(a.Account), string(a.Subject), a.Gateway, a.Method, a.Amount.Minor, string(a.Amount.Cur),
		string(a.State), a.Version, db.Micros(a.CreatedAt), db.Micros(a.ExpireAt), db.Micros(a.NextQueryAt),
		string(a.Hold.State), a.Hold.Wallet.Minor, a.Hold.Gift.Minor)
	return err
}

// saveAttempt compares and sets state and version.
func saveAttempt(ctx context.Context, tx *db.Tx, was, next Attempt) (Attempt, error) {
	next.Version = was.Version + 1
	err := tx.ExecOne(ctx, db.ErrRetry, `UPDATE payment_attempt SET state = $1, version = $2, close_confirmed = $3, provider_trade_no = $4,
		paid_at = $5, last_notify_at = $6, last_query_at = $7, last_query = $8, next_query_at = $9, hold = $10
		WHERE attempt_no = $11 AND state = $12 AND version = $13`,
		string(next.State), next.Version, db.Bool(next.CloseConfirmed), next.TradeNo, db.Micros(next.PaidAt), db.Micros(next.LastNotifyAt),
		db.Micros(next.LastQueryAt), next.LastQuery, db.Micros(next.NextQueryAt), string(next.Hold.State), was.No, string(was.State), was.Version)
	return next, err
}

const attemptColumns = `SELECT attempt_no, purpose, order_id, account_id, subject, gateway_account_id, method, amount_minor, currency, state,
	version, close_confirmed, provider_trade_no, created_at, expire_at, paid_at, last_notify_at, last_query_at, last_query, next_query_at,
	hold, hold_wallet_minor, hold_gift_minor FROM payment_attempt`

func scanAttempt(r db.Row) (a Attempt, err error) {
	var confirmed, created, expire, paid, notified, queried, next int64
	err = r.Scan(&a.No, &a.Purpose, &a.Order, &a.Account, &a.Subject, &a.Gateway, &a.Method, &a.Amount.Minor, &a.Amount.Cur, &a.State,
		&a.Version, &confirmed, &a.TradeNo, &created, &expire, &paid, &notified, &queried, &a.LastQuery, &next, &a.Hold.State, &a.Hold.Wallet.Minor,
		&a.Hold.Gift.Minor)
	a.Hold.Wallet.Cur, a.Hold.Gift.Cur = a.Amount.Cur, a.Amount.Cur
	a.CloseConfirmed = confirmed != 0
	a.CreatedAt, a.ExpireAt, a.PaidAt = db.FromMicros(created), db.FromMicros(expire), db.FromMicros(paid)
	a.LastNotifyAt, a.LastQueryAt, a.NextQueryAt = db.FromMicros(notified), db.FromMicros(queried), db.FromMicros(next)
	return a, err
}

func getAttempt(ctx context.Context, q db.Q, no string) (Attempt, error) {
	return db.Get(ctx, q, ErrNotFound, scanAttempt, attemptColumns+" WHERE attempt_no = $1", no)
}

func lockAttempt(ctx context.Context, tx *db.Tx, gateway, no string) (Attempt, error) {
	text := attemptColumns + " WHERE attempt_no = $1 AND gateway_account_id = $2"
	if tx.Dialect() == db.Postgres {
		text += " FOR UPDATE"
	}
	return db.Get(ctx, tx, ErrNotFound, scanAttempt, text, no, gateway)
}

func attemptsOf(ctx context.Context, q db.Q, orderID string) ([]Attempt, error) {
	return db.Select(ctx, q, scanAttempt, attemptColumns+" WHERE order_id = $1 ORDER BY attempt_no DESC", orderID)
}

func topUpsOf(ctx context.Context, q db.Q, owner string, limit int) ([]Attempt, error) {
	return db.Select(ctx, q, scanAttempt, attemptColumns+" WHERE account_id = $1 AND purpose = 'topup' ORDER BY attempt_no DESC LIMIT $2", owner, int64(limit))
}

func listAttempts(ctx context.Context, q db.Q, before string, limit int) ([]Attempt, error) {
	return db.Select(ctx, q, scanAttempt, attemptColumns+" WHERE ($1 = '' OR attempt_no < $1) ORDER BY attempt_no DESC LIMIT $2",
		before, int64(min(max(limit, 1), 100)))
}

// insertEvent notes a message and returns Received, or the state of the same
// message that came before.
func insertEvent(ctx context.Context, tx *db.Tx, gateway string, f Fact, from Source, digest string, now time.Time) (Result, error) {
	n, err := tx.Exec(ctx, `INSERT INTO payment_event (gateway_account_id, kind, dedupe_key, attempt_no, provider_trade_no, amount_minor, currency,
		status, state, source, digest, received_at, processed_at) VALUES ($1, 'pay', $2, $3, $4, $5, $6, $7, 'received', $8, $9, $10, 0)
		ON CONFLICT (gateway_account_id, kind, dedupe_key) DO NOTHING`,
		gateway, f.DedupeKey, f.AttemptNo, f.TradeNo, f.Amount.Minor, string(f.Amount.Cur), string(f.State), string(from), digest, db.Micros(now))
	if err != nil || n == 1 {
		return Received, err
	}
	return db.Get(ctx, tx, ErrNotFound, db.One[Result],
		"SELECT state FROM payment_event WHERE gateway_account_id = $1 AND kind = 'pay' AND dedupe_key = $2", gateway, f.DedupeKey)
}

func markEvent(ctx context.Context, tx *db.Tx, gateway, key string, r Result, now time.Time) error {
	return tx.ExecOne(ctx, db.ErrRetry, `UPDATE payment_event SET state = $1, processed_at = $2
		WHERE gateway_account_id = $3 AND kind = 'pay' AND dedupe_key = $4`, string(r), db.Micros(now), gateway, key)
}

type orphan struct{ gateway, attempt string }

func selectOrphans(ctx context.Context, q db.Q, since time.Time) ([]orphan, error) {
	return db.Select(ctx, q, func(r db.Row) (o orphan, err error) { return o, r.Scan(&o.gateway, &o.attempt) },
		"SELECT gateway_account_id, attempt_no FROM payment_event WHERE state = 'orphan' AND received_at >= $1 ORDER BY received_at LIMIT 100",
		db.Micros(since))
}

// insertReceipt reports false when the trade has a receipt already.
func insertReceipt(ctx context.Context, tx *db.Tx, r Receipt) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO payment_receipt (id, gateway_account_id, provider_trade_no, attempt_no, amount_minor, currency,
		disposition, journal_id, paid_at, received_at) VALUES ($1, $2, $3, $4, $5, $6, '', '', $7, $8)
		ON CONFLICT (gateway_account_id, provider_trade_no) DO NOTHING`,
		r.ID, r.Gateway, r.TradeNo, r.Attempt, r.Amount.Minor, string(r.Amount.Cur), db.Micros(r.PaidAt), db.Micros(r.ReceivedAt))
	return n == 1, err
}

func completeReceipt(ctx context.Context, tx *db.Tx, r Receipt) error {
	return tx.ExecOne(ctx, db.ErrRetry, "UPDATE payment_receipt SET disposition = $1, journal_id = $2 WHERE id = $3 AND journal_id = ''",
		string(r.Disposition), r.Journal, r.ID)
}

const receiptColumns = `SELECT id, gateway_account_id, provider_trade_no, attempt_no, amount_minor, currency, disposition, journal_id,
	paid_at, received_at FROM payment_receipt`

func scanReceipt(row db.Row) (r Receipt, err error) {
	var minor, paid, received int64
	var cur money.Currency
	err = row.Scan(&r.ID, &r.Gateway, &r.TradeNo, &r.Attempt, &minor, &cur, &r.Disposition, &r.Journal, &paid, &received)
	r.Amount, r.PaidAt, r.ReceivedAt = money.New(minor, cur), db.FromMicros(paid), db.FromMicros(received)
	return r, err
}

func receiptsOf(ctx context.Context, q db.Q, attempt string) ([]Receipt, error) {
	return db.Select(ctx, q, scanReceipt, receiptColumns+" WHERE attempt_no = $1 ORDER BY id", attempt)
}

func receiptOfTrade(ctx context.Context, q db.Q, gateway, trade string) (Receipt, error) {
	return db.Get(ctx, q, ErrNotFound, scanReceipt, receiptColumns+" WHERE gateway_account_id = $1 AND provider_trade_no = $2", gateway, trade)
}

func receiptsInSuspense(ctx context.Context, q db.Q, before string, limit int) ([]Receipt, error) {
	if before == "" {
		before = "rcp_~" // sorts after every id
	}
	return db.Select(ctx, q, scanReceipt, receiptColumns+" WHERE disposition = 'suspense' AND id < $1 ORDER BY id DESC LIMIT $2", before, int64(limit))
}

func receiptsAfter(ctx context.Context, q db.Q, after string, limit int) ([]Receipt, error) {
	return db.Select(ctx, q, scanReceipt, receiptColumns+" WHERE id > $1 ORDER BY id LIMIT $2", after, int64(limit))
}
