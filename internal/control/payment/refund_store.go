package payment

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

func insertRefund(ctx context.Context, tx *db.Tx, r Refund) error {
	_, err := tx.Exec(ctx, `INSERT INTO payment_refund (refund_no, order_id, attempt_no, receipt_id, account_id, subject, gateway_account_id, rule, target,
		amount_minor, currency, phase, version, problem, requested_by, seconded_by, journal_id, tries, last_query, requested_at, sent_at, last_query_at,
		next_query_at, held_at, settled_at, ended_at, billed_day, wallet_minor, gift_minor)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, '', $14, '', $15, 0, '', $16, 0, 0, 0, 0, 0, 0, 0, $17, $18)`,
		r.No, r.Order, r.Attempt, r.Receipt, string(r.Account), string(r.Subject), r.Gateway, string(r.Rule), string(r.Target),
		r.Amount.Minor, string(r.Amount.Cur), string(r.Phase), r.Version, r.By, r.Journal, db.Micros(r.RequestedAt), r.Wallet.Minor, r.Gift.Minor)
	return err
}

// saveRefund compares and sets phase and version.
func saveRefund(ctx context.Context, tx *db.Tx, was, next Refund) (Refund, error) {
	next.Version = was.Version + 1
	err := tx.ExecOne(ctx, db.ErrRetry, `UPDATE payment_refund SET phase = $1, version = $2, problem = $3, seconded_by = $4, journal_id = $5, tries = $6,
		last_query = $7, sent_at = $8, last_query_at = $9, next_query_at = $10, held_at = $11, settled_at = $12, ended_at = $13, target = $14
		WHERE refund_no = $15 AND phase = $16 AND version = $17`,
		string(next.Phase), next.Version, next.Problem, next.Second, next.Journal, int64(next.Tries), next.LastQuery, db.Micros(next.SentAt),
		db.Micros(next.LastQueryAt), db.Micros(next.NextQueryAt), db.Micros(next.HeldAt), db.Micros(next.SettledAt), db.Micros(next.EndedAt),
		string(next.Target), was.No, string(was.Phase), was.Version)
	return next, err
}

const refundColumns = `SELECT refund_no, order_id, attempt_no, receipt_id, account_id, subject, gateway_account_id, rule, target, amount_minor, currency,
	phase, version, problem, requested_by, seconded_by, journal_id, tries, last_query, requested_at, sent_at, last_query_at, next_query_at, held_at,
	settled_at, ended_at, wallet_minor, gift_minor FROM payment_refund`

func scanRefund(row db.Row) (r Refund, err error) {
	var minor, tries, requested, sent, queried, next, held, settled, ended, wallet, gift int64
	var cur money.Currency
	err = row.Scan(&r.No, &r.Order, &r.Attempt, &r.Receipt, &r.Account, &r.Subject, &r.Gateway, &r.Rule, &r.Target, &minor, &cur,
		&r.Phase, &r.Version, &r.Problem, &r.By, &r.Second, &r.Journal, &tries, &r.LastQuery, &requested, &sent, &queried, &next, &held,
		&settled, &ended, &wallet, &gift)
	r.Amount, r.Wallet, r.Gift, r.Tries = money.New(minor, cur), money.New(wallet, cur), money.New(gift, cur), int(tries)
	r.RequestedAt, r.SentAt, r.LastQueryAt, r.NextQueryAt = db.FromMicros(requested), db.FromMicros(sent), db.FromMicros(queried), db.FromMicros(next)
	r.HeldAt, r.SettledAt, r.EndedAt = db.FromMicros(held), db.FromMicros(settled), db.FromMicros(ended)
	return r, err
}

func getRefund(ctx context.Context, q db.Q, no string) (Refund, error) {
	return db.Get(ctx, q, ErrNoRefund, scanRefund, refundColumns+" WHERE refund_no = $1", no)
}

func lockRefund(ctx context.Context, tx *db.Tx, no string) (Refund, error) {
	text := refundColumns + " WHERE refund_no = $1"
	if tx.Dialect() == db.Postgres {
		text += " FOR UPDATE"
	}
	return db.Get(ctx, tx, ErrNoRefund, scanRefund, text, no)
}

func refundsOf(ctx context.Context, q db.Q, orderID string) ([]Refund, error) {
	return db.Select(ctx, q, scanRefund, refundColumns+" WHERE order_id = $1 ORDER BY refund_no DESC", orderID)
}

func refundsOfReceipt(ctx context.Context, q db.Q, receipt string) ([]Refund, error) {
	return db.Select(ctx, q, scanRefund, refundColumns+" WHERE receipt_id = $1 ORDER BY refund_no", receipt)
}

func refundsOfAttempt(ctx context.Context, q db.Q, attempt string) ([]Refund, error) {
	return db.Select(ctx, q, scanRefund, refundColumns+" WHERE attempt_no = $1 ORDER BY refund_no", attempt)
}

// RefundFilter chooses refunds; empty fields choose all.
type RefundFilter struct {
	State   Phase
	Person  bool      // those that nobody but a person takes further
	Gateway string    // of the payment
	Day     civil.Day // on which it was asked for, in China's time
	Before  string    // number: older ones
}

func listRefunds(ctx context.Context, q db.Q, f RefundFilter, limit int) ([]Refund, error) {
	from, to := int64(0), int64(1<<62)
	if f.Day != (civil.Day{}) {
		from, to = db.Micros(f.Day.Start()), db.Micros(f.Day.End())
	}
	return db.Select(ctx, q, scanRefund, refundColumns+` WHERE ($1 = '' OR refund_no < $1) AND ($2 = '' OR phase = $2) AND ($3 = '' OR gateway_account_id = $3)
		AND requested_at >= $4 AND requested_at < $5
		AND ($6 = 0 OR phase IN ('review', 'failed') OR (phase = 'unknown' AND next_query_at = 0)) ORDER BY refund_no DESC LIMIT $7`,
		f.Before, string(f.State), f.Gateway, from, to, db.Bool(f.Person), int64(min(max(limit, 1), 100)))
}

func openRefunds(ctx context.Context, q db.Q, owner account.ID) ([]Refund, error) {
	return db.Select(ctx, q, scanRefund, refundColumns+" WHERE account_id = $1 AND phase NOT IN ('succeeded', 'rejected', 'cancelled') ORDER BY refund_no",
		string(owner))
}

// countFull counts an account's full refunds of the seven-day rule that were asked
// for in [from, to) and did not come to nothing.
func countFull(ctx context.Context, q db.Q, owner account.ID, from, to time.Time) (int64, error) {
	return db.Get(ctx, q, nil, db.One[int64], `SELECT count(*) FROM payment_refund WHERE account_id = $1 AND rule = 'full'
		AND phase NOT IN ('rejected', 'cancelled') AND requested_at >= $2 AND requested_at < $3`, string(owner), db.Micros(from), db.Micros(to))
}

func insertStep(ctx context.Context, tx *db.Tx, r Refund, e RefundEvent, by audit.Actor, reason string, at time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO payment_refund_step (refund_no, version, event, phase, actor_class, actor, reason, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, r.No, r.Version, string(e), string(r.Phase), by.Class, string(by.Handle), reason, db.Micros(at))
	return err
}

func stepsOf(ctx context.Context, q db.Q, no string) ([]RefundStep, error) {
	return db.Select(ctx, q, func(r db.Row) (s RefundStep, err error) {
		var at int64
		err = r.Scan(&s.Event, &s.Phase, &s.Class, &s.Actor, &s.Reason, &at)
		s.At = db.FromMicros(at)
		return s, err
	}, "SELECT event, phase, actor_class, actor, reason, at FROM payment_refund_step WHERE refund_no = $1 ORDER BY version", no)
}

// addRefunded adds to what went back of an attempt, which is never more than came.
func addRefunded(ctx context.Context, tx *db.Tx, attempt string, m money.Money) error {
	_, err := tx.Exec(ctx, "UPDATE payment_attempt SET refunded_minor = refunded_minor + $1 WHERE attempt_no = $2", m.Minor, attempt)
	return err
}

func getReceipt(ctx context.Context, q db.Q, receipt string) (Receipt, error) {
	return db.Get(ctx, q, ErrNotFound, scanReceipt, receiptColumns+" WHERE id = $1", receipt)
}
