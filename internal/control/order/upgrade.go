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

// segment is a part of a service's paid time, and what has been paid for it.
type segment struct {
	from, until time.Time
	value       int64 // minor units
}

// span is a paid period: months cost what the price list says of them.
type span struct {
	start, end time.Time
	months     int
}

// quoteUpgrade prices more of what an account has, for the rest of the paid
// period. It counts from the instant of the quote, which is its end less
// QuoteLife, so that the order costs what was quoted.
func (s *Service) quoteUpgrade(ctx context.Context, q db.Q, r QuoteRequest, expires time.Time) (Quote, error) {
	item, err := s.d.Services.Owned(ctx, q, r.Owner, r.Resource)
	if err != nil {
		return Quote{}, err
	}
	spans, segments, err := s.paidTime(ctx, q, item)
	if err != nil {
		return Quote{}, err
	}
	at := later(expires.Add(-QuoteLife), item.DeliveredAt)
	if item.State != service.Active || !at.Before(item.PaidThrough) {
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
	monthly, err := list.Monthly(r.Options)
	if err != nil {
		return Quote{}, err
	}
	p, err := prorate(monthly.Minor, spans, segments, at)
	if err != nil {
		return Quote{}, err
	}
	line := QuoteLine{Number: 1, Kind: Recurring, Amount: money.New(max(p.charge-p.credit, 0), list.Currency), Items: []QuoteItem{
		{Option: ItemCharge, Amount: money.New(p.charge, list.Currency)},
		{Option: ItemCredit, Amount: money.New(-p.credit, list.Currency)},
	}}
	out := Quote{
		Request: r, Catalogue: list.Version, Lines: []QuoteLine{line}, Total: line.Amount, ExpiresAt: expires,
		Rest: Rest{From: at, Until: item.PaidThrough, service: item.ID, value: max(p.charge, p.credit)}, // prices fell: what was paid stays the worth
	}
	if out.Rest.shares, err = p.shares(line.Amount); err != nil {
		return Quote{}, err
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

// paidTime is the paid time of a service: its periods, and what was paid for
// which part. The last upgrade has paid for all that was paid when it was made.
func (s *Service) paidTime(ctx context.Context, q db.Q, item service.Item) (spans []span, segments []segment, err error) {
	periods, err := s.d.Services.Periods(ctx, q, item.ID)
	if err != nil {
		return nil, nil, err
	}
	last, err := lastUpgrade(ctx, q, item.ID)
	if err != nil && !errs.IsNotFound(err) {
		return nil, nil, err
	}
	upgraded := err == nil
	for _, p := range periods {
		spans = append(spans, span{p.Start, p.End, p.Months})
		if upgraded && last.until.IsZero() && last.from.Before(p.End) && !last.from.Before(p.Start) {
			last.until = p.End // from before an upgrade said until when
		}
	}
	if upgraded {
		segments = append(segments, last)
	}
	for _, p := range periods {
		if upgraded && p.Start.Before(last.until) {
			continue
		}
		paid, err := s.paidBy(ctx, q, p.Order, p.Line)
		if err != nil {
			return nil, nil, err
		}
		segments = append(segments, segment{p.Start, p.End, paid})
	}
	return spans, segments, nil
}

func (s *Service) paidBy(ctx context.Context, q db.Q, orderID, line string) (int64, error) {
	o, err := getOrder(ctx, q, orderID)
	if err != nil {
		return 0, err
	}
	for _, l := range o.Lines {
		if l.ID == line {
			return l.Amount.Minor, nil
		}
	}
	return 0, ErrNotFound
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

// proration is the price of a change at an instant.
type proration struct {
	charge, credit int64
	parts          []service.Share // of the charge, by period
}

// prorate is the business specification's section 4.3 over all that is paid: the
// new price of each period for the part of it that is left, less what was paid
// for that time, each rounded half-even once, in whole seconds.
func prorate(monthly int64, spans []span, segments []segment, at time.Time) (p proration, err error) {
	for _, x := range spans {
		if !at.Before(x.end) {
			continue
		}
		full, err := money.MulDiv(monthly, int64(x.months), 1)
		if err != nil {
			return p, err
		}
		part, err := money.MulDiv(full, seconds(x.end.Sub(later(at, x.start))), seconds(x.end.Sub(x.start)))
		if err != nil {
			return p, err
		}
		p.charge += part
		p.parts = append(p.parts, service.Share{Start: x.start, End: x.end, Minor: part})
	}
	for _, g := range segments {
		if !at.Before(g.until) {
			continue
		}
		part, err := money.MulDiv(g.value, seconds(g.until.Sub(later(at, g.from))), seconds(g.until.Sub(g.from)))
		if err != nil {
			return p, err
		}
		p.credit += part
	}
	return p, nil
}

// shares divides what is due over the periods, as the charge is.
func (p proration) shares(due money.Money) ([]service.Share, error) {
	weights := make([]int64, len(p.parts))
	for i, part := range p.parts {
		weights[i] = part.Minor
	}
	if due.IsZero() || p.charge == 0 {
		return nil, nil
	}
	amounts, err := money.Allocate(due.Minor, weights)
	if err != nil {
		return nil, err
	}
	all := make([]service.Share, len(p.parts))
	for i, part := range p.parts {
		all[i] = service.Share{Start: part.Start, End: part.End, Minor: amounts[i]}
	}
	return all, nil
}

func seconds(d time.Duration) int64 { return max(int64(d/time.Second), 1) }

// claimUpgradeTx makes the order the only upgrade or renewal of its service under
// way: each is priced by what the one before has left. ErrUpgradePending while
// another waits for money or delivery.
func claimUpgradeTx(ctx context.Context, tx *db.Tx, serviceID, orderID string) error {
	return tx.ExecOne(ctx, ErrUpgradePending, `INSERT INTO order_upgrade (service, order_id) VALUES ($1, $2)
		ON CONFLICT (service) DO UPDATE SET order_id = excluded.order_id WHERE order_upgrade.order_id IN
		(SELECT id FROM order_order WHERE state IN ('completed', 'cancelled', 'expired', 'refunded'))`, serviceID, orderID)
}

func lastUpgrade(ctx context.Context, q db.Q, serviceID string) (segment, error) {
	return db.Get(ctx, q, ErrNotFound, func(r db.Row) (g segment, err error) {
		var from, until int64
		err = r.Scan(&g.value, &from, &until)
		g.from, g.until = db.FromMicros(from), db.FromMicros(until)
		return g, err
	}, `SELECT value_minor, starts_at, ends_at FROM order_line WHERE service_id = $1 AND starts_at > 0 AND state = 'delivered'
		ORDER BY starts_at DESC LIMIT 1`, serviceID)
}
