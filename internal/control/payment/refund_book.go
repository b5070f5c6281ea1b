package payment

import (
	"context"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/control/order"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// Part is what of a refund is of one line of its order.
type Part struct {
	Line   order.Line
	Amount money.Money
}

// Parts shares the amount of a refund out over the lines of its order that it is
// of, by what was paid for each. Nothing is lost: the parts sum to the amount.
func (r Refund) Parts(o order.Order) ([]Part, error) {
	lines := affected(o, r.Rule)
	weights := make([]int64, len(lines))
	for i, l := range lines {
		weights[i] = l.Amount.Minor
	}
	shares, err := money.Allocate(r.Amount.Minor, weights)
	if err != nil {
		return nil, err
	}
	parts := make([]Part, len(lines))
	for i, l := range lines {
		parts[i] = Part{l, money.New(shares[i], r.Amount.Cur)}
	}
	return parts, nil
}

// SoldBy names the journal that paid an order, by its key in the books.
func SoldBy(o order.Order) string {
	if strings.HasPrefix(o.Receipt, journalPrefix) {
		return "wpay:" + o.ID
	}
	return "pay:" + o.Receipt
}

// ReturnedBy takes the number of a refund out of the key of the journal that
// settled it; false for other journals, and for those of money that no order was
// paid with.
func ReturnedBy(t ledger.Total) (no string, ok bool) {
	if t.Kind != "refund" || t.Memo == string(RuleSuspense) {
		return "", false
	}
	for _, prefix := range []string{"rfs:", "rfw:"} {
		if no, ok = strings.CutPrefix(t.Key, prefix); ok {
			return no, true
		}
	}
	return "", false
}

// SettledIn returns the refunds of an order that are paid back, oldest first, read
// by q.
func (s *Service) SettledIn(ctx context.Context, q db.Q, orderID string) (settled []Refund, err error) {
	all, err := refundsOf(ctx, q, orderID)
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Phase == PhaseSucceeded {
			settled = append(settled, all[i])
		}
	}
	return settled, err
}
