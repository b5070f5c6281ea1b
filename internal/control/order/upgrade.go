package order

import (
	"context"
	"maps"
	"strconv"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/catalog"
	"github.com/skybridge-cloud/skybridge/internal/control/service"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// segment is the present part of a service's paid period, and what has been
// paid for it.
type segment struct {
	from, until time.Time
	value       int64 // minor units
}

// quoteUpgrade prices more of what an account has, for the rest of the paid
// period. It counts from the instant of the quote, which is its end less
// QuoteLife, so that the order costs what was quoted.
func (s *Service) quoteUpgrade(ctx context.Context, q db.Q, r QuoteRequest, expires time.Time) (Quote, error) {
	item, err := s.d.Services.Owned(ctx, q, r.Owner, r.Resource)
	if err != nil {
		return Quote{}, err
	}
	now, err := s.presentSegment(ctx, q, item)
	if err != nil {
		return Quote{}, err
	}
	at := later(expires.Add(-QuoteLife), now.from)
	if item.State != service.Active || !at.Before(now.until) {
		return Quote{}, ErrNotRunning
	}
	r, err = raised(r, item)
	if err != nil {
		return Quote{}, err
	}
	list, err := s.d.Catalog.Current(ctx, q, item.Product, item.Region)
	if err != nil {
		return Quote{}, err
	}
	line, err := prorate(list, r, now, at, item.PaidThrough.Sub(item.DeliveredAt))
	if err != nil {
		return Quote{}, err
	}
	out := Quote{
		Request: r, Catalogue: list.Version, Lines: []QuoteLine{line}, Total: line.Amount, ExpiresAt: expires,
		Rest: Rest{From: at, Until: now.until, service: item.ID, value: line.Items[0].Amount.Minor},
	}
	if out.Rest.value < -line.Items[1].Amount.Minor { // prices fell: what was paid stays the worth
		out.Rest.value = -line.Items[1].Amount.Minor
	}
	out.Hash = out.digest()
	return out, nil
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// presentSegment is the last upgrade of a service, or its whole period as the
// order that made it was paid.
func (s *Service) presentSegment(ctx context.Context, q db.Q, item service.Item) (segment, error) {
	last, err := lastUpgrade(ctx, q, item.ID)
	if err == nil {
		last.until = item.PaidThrough
		return last, nil
	}
	if !errs.IsNotFound(err) {
		return segment{}, err
	}
	o, err := getOrder(ctx, q, item.Order)
	if err != nil {
		return segment{}, err
	}
	for _, l := range o.Lines {
		if l.ID == item.Line {
			return segment{item.DeliveredAt, item.PaidThrough, l.Amount.Minor}, nil
		}
	}
	return segment{}, ErrNotFound
}

// raised completes a request by what the service has now. Every option must be
// the same or more: ErrDowngrade, ErrNoChange, catalog.ErrOption.
func raised(r QuoteRequest, item service.Item) (QuoteRequest, error) {
	options := maps.Clone(item.Options)
	for name, value := range r.Options {
		was, known := options[name]
		old, err := strconv.Atoi(was)
		wanted, err2 := strconv.Atoi(value)
		if !known || err != nil || err2 != nil {
			return r, catalog.ErrOption.With("option", name)
		}
		if wanted < old {
			return r, ErrDowngrade.With("option", name).With("present", was)
		}
		options[name] = value
	}
	if maps.Equal(options, item.Options) {
		return r, ErrNoChange
	}
	r.Product, r.Region, r.Cycle, r.Count, r.Options = item.Product, item.Region, item.Months, 1, options
	return r, nil
}

// Items of an upgrade's quote.
const (
	ItemCharge = "charge" // the new price, for the rest of the period
	ItemCredit = "credit" // what was paid for the rest of the period
)

// prorate is the business specification's section 4.3: the new price of the
// whole period for the part of it that is left, less what was paid for that
// part, each rounded half-even once, in whole seconds. Less than nothing is
// nothing.
func prorate(list catalog.PriceList, r QuoteRequest, now segment, at time.Time, whole time.Duration) (QuoteLine, error) {
	monthly, err := list.Monthly(r.Options)
	if err != nil {
		return QuoteLine{}, err
	}
	period, err := money.MulDiv(monthly.Minor, int64(r.Cycle), 1)
	if err != nil {
		return QuoteLine{}, err
	}
	left := seconds(now.until.Sub(at))
	charge, err := money.MulDiv(period, left, seconds(whole))
	if err != nil {
		return QuoteLine{}, err
	}
	credit, err := money.MulDiv(now.value, left, seconds(now.until.Sub(now.from)))
	if err != nil {
		return QuoteLine{}, err
	}
	return QuoteLine{Number: 1, Kind: Recurring, Amount: money.New(max(charge-credit, 0), list.Currency), Items: []QuoteItem{
		{Option: ItemCharge, Amount: money.New(charge, list.Currency)},
		{Option: ItemCredit, Amount: money.New(-credit, list.Currency)},
	}}, nil
}

func seconds(d time.Duration) int64 { return max(int64(d/time.Second), 1) }

// claimUpgradeTx makes the order the only upgrade of its service under way:
// each is priced by what the one before has left. ErrUpgradePending while
// another waits for money or delivery.
func claimUpgradeTx(ctx context.Context, tx *db.Tx, serviceID, orderID string) error {
	return tx.ExecOne(ctx, ErrUpgradePending, `INSERT INTO order_upgrade (service, order_id) VALUES ($1, $2)
		ON CONFLICT (service) DO UPDATE SET order_id = excluded.order_id WHERE order_upgrade.order_id IN
		(SELECT id FROM order_order WHERE state IN ('completed', 'cancelled', 'expired', 'refunded'))`, serviceID, orderID)
}

func lastUpgrade(ctx context.Context, q db.Q, serviceID string) (segment, error) {
	return db.Get(ctx, q, ErrNotFound, func(r db.Row) (g segment, err error) {
		var at int64
		err = r.Scan(&g.value, &at)
		g.from = db.FromMicros(at)
		return g, err
	}, `SELECT value_minor, starts_at FROM order_line WHERE service_id = $1 AND starts_at > 0 AND state = 'delivered'
		ORDER BY starts_at DESC LIMIT 1`, serviceID)
}
