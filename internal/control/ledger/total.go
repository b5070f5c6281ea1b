package ledger

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// Total is what one journal moved, for a module that compares its documents with
// the books.
type Total struct {
	Key   string
	Kind  string
	Memo  string
	Moved money.Money // the sum of its debits
	Sold  money.Money // what it credited to what is paid and not earned
	At    time.Time   // it was recorded
}

// TotalsIn returns the totals of all journals of a kind, read by q.
func (s *Service) TotalsIn(ctx context.Context, q db.Q, kind string) ([]Total, error) {
	return db.Select(ctx, q, func(r db.Row) (t Total, err error) {
		var cur money.Currency
		var at int64
		err = r.Scan(&t.Key, &t.Kind, &t.Memo, &at, &cur, &t.Moved.Minor, &t.Sold.Minor)
		t.At, t.Moved.Cur, t.Sold.Cur = db.FromMicros(at), cur, cur
		return t, err
	}, `SELECT j.idem_key, j.kind, j.memo, j.recorded_at, p.currency,
		CAST(SUM(CASE WHEN p.amount > 0 THEN p.amount ELSE 0 END) AS BIGINT),
		CAST(SUM(CASE WHEN p.amount < 0 AND a.code LIKE 'liability:deferred:%' THEN -p.amount ELSE 0 END) AS BIGINT)
		FROM ledger_journal j JOIN ledger_posting p ON p.journal_id = j.id JOIN ledger_account a ON a.id = p.account_id
		WHERE j.kind = $1 GROUP BY j.idem_key, j.kind, j.memo, j.recorded_at, p.currency ORDER BY j.idem_key`, kind)
}
