package payment

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

func newBill(g GatewayAccount, d civil.Day) ProviderBill {
	zero := money.New(0, g.Currency)
	return ProviderBill{ID: id.New("bil"), Gateway: g.ID, Day: d, State: BillWaiting, Paid: zero, Returned: zero, Fee: zero, NextAt: firstDue(d), Version: 1}
}

func insertBill(ctx context.Context, tx *db.Tx, b ProviderBill) error {
	_, err := tx.Exec(ctx, `INSERT INTO payment_bill (id, gateway_account_id, day, state, version, readings, tries, problem, digest, payments, refunds,
		currency, paid_minor, returned_minor, fee_minor, read_at, next_at) VALUES ($1, $2, $3, $4, $5, 0, 0, '', '', 0, 0, $6, 0, 0, 0, 0, $7)
		ON CONFLICT (gateway_account_id, day) DO NOTHING`,
		b.ID, b.Gateway, db.Micros(b.Day.Start()), string(b.State), b.Version, string(b.Paid.Cur), db.Micros(b.NextAt))
	return err
}

// saveBill compares and sets the version.
func saveBill(ctx context.Context, tx *db.Tx, was, next ProviderBill) error {
	return tx.ExecOne(ctx, db.ErrRetry, `UPDATE payment_bill SET state = $1, version = $2, readings = $3, tries = $4, problem = $5, digest = $6, payments = $7,
		refunds = $8, paid_minor = $9, returned_minor = $10, fee_minor = $11, read_at = $12, next_at = $13 WHERE id = $14 AND version = $15`,
		string(next.State), was.Version+1, int64(next.Readings), int64(next.Tries), next.Problem, next.Digest, int64(next.Payments), int64(next.Refunds),
		next.Paid.Minor, next.Returned.Minor, next.Fee.Minor, db.Micros(next.ReadAt), db.Micros(next.NextAt), was.ID, was.Version)
}

const billColumns = `SELECT id, gateway_account_id, day, state, version, readings, tries, problem, digest, payments, refunds, currency, paid_minor,
	returned_minor, fee_minor, read_at, next_at FROM payment_bill`

func scanBill(r db.Row) (b ProviderBill, err error) {
	var day, read, next int64
	var cur money.Currency
	err = r.Scan(&b.ID, &b.Gateway, &day, &b.State, &b.Version, &b.Readings, &b.Tries, &b.Problem, &b.Digest, &b.Payments, &b.Refunds, &cur,
		&b.Paid.Minor, &b.Returned.Minor, &b.Fee.Minor, &read, &next)
	b.Paid.Cur, b.Returned.Cur, b.Fee.Cur = cur, cur, cur
	b.Day, b.ReadAt, b.NextAt = civil.DayOf(db.FromMicros(day)), db.FromMicros(read), db.FromMicros(next)
	return b, err
}

func getBill(ctx context.Context, q db.Q, billID string) (ProviderBill, error) {
	return db.Get(ctx, q, ErrNoBill, scanBill, billColumns+" WHERE id = $1", billID)
}

func billOfDay(ctx context.Context, q db.Q, gateway string, d civil.Day) (ProviderBill, error) {
	return db.Get(ctx, q, ErrNoBill, scanBill, billColumns+" WHERE gateway_account_id = $1 AND day = $2", gateway, db.Micros(d.Start()))
}

func billsSince(ctx context.Context, q db.Q, gateway string, d civil.Day) (map[civil.Day]ProviderBill, error) {
	all, err := db.Select(ctx, q, scanBill, billColumns+" WHERE gateway_account_id = $1 AND day >= $2", gateway, db.Micros(d.Start()))
	known := map[civil.Day]ProviderBill{}
	for _, b := range all {
		known[b.Day] = b
	}
	return known, err
}

// BillFilter chooses bills; empty fields choose all. Those after a day and a
// gateway are of an earlier day, or of that one and a gateway behind it by name.
type BillFilter struct {
	Gateway      string
	State        BillState
	AfterDay     civil.Day
	AfterGateway string
}

// Bills lists bills, newest day first, for staff with payment.read.
func (s *Service) Bills(ctx context.Context, p account.Principal, f BillFilter, limit int) ([]ProviderBill, error) {
	if !p.Can(account.PermPaymentRead) {
		return nil, ErrStaffOnly
	}
	after := int64(1<<62 - 1)
	if f.AfterDay != (civil.Day{}) {
		after = db.Micros(f.AfterDay.Start())
	}
	return db.Select(ctx, s.d.DB, scanBill, billColumns+` WHERE ($1 = '' OR gateway_account_id = $1) AND ($2 = '' OR state = $2)
		AND (day < $3 OR (day = $3 AND gateway_account_id > $4)) ORDER BY day DESC, gateway_account_id LIMIT $5`,
		f.Gateway, string(f.State), after, f.AfterGateway, int64(min(max(limit, 1), 100)))
}

// Bill returns one, for staff with payment.read. ErrNoBill.
func (s *Service) Bill(ctx context.Context, p account.Principal, billID string) (ProviderBill, error) {
	if !p.Can(account.PermPaymentRead) {
		return ProviderBill{}, ErrStaffOnly
	}
	return getBill(ctx, s.d.DB, billID)
}
