package payment

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/order"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// The rule of full refunds: so long after the purchase, so many in a calendar
// year of an account.
const (
	FullWithin  = 7 * 24 * time.Hour
	FullPerYear = 20
)

// providerWindow is how long after a payment providers pay back the way it came.
const providerWindow = 365 * 24 * time.Hour

// RefundRules are what an installation decides about refunds. Amounts are minor
// units.
type RefundRules struct {
	AutomaticUpTo     int64 // a refund by rule is approved without a person; 0: never
	SecondPersonAbove int64 // above it two persons approve
}

// Services are what is paid back, and are ended. service.Service fills it.
type Services interface {
	Period(ctx context.Context, q db.Q, service string) (from, until time.Time, err error)
	HoldRefund(ctx context.Context, service string) error
	EndRefund(ctx context.Context, service string) error
	DropRefund(ctx context.Context, service string) error
}

// RefundOffer is what goes back of an order if it is asked for now.
type RefundOffer struct {
	Rule     Rule
	Amount   money.Money
	Targets  []Target // where it may go, the usual first
	Until    time.Time
	Left     int // full refunds that the account has this year, after this one; of RuleFull
	Services int // that end
}

// Offer tells what of an order the account may have back now. order.ErrNotFound,
// ErrNotOffered, ErrRefundOpen, ErrChanged, ErrYear.
func (s *Service) Offer(ctx context.Context, owner account.ID, orderID string) (RefundOffer, error) {
	o, err := s.d.Orders.Get(ctx, owner, orderID)
	if err != nil {
		return RefundOffer{}, err
	}
	offer, _, err := s.offer(ctx, s.d.DB, o, false)
	return offer, err
}

// offer finds rule and amount by what the installation knows, read by q. force is
// a person's decision that the whole goes back, whatever the rule says.
func (s *Service) offer(ctx context.Context, q db.Q, o order.Order, force bool) (RefundOffer, Receipt, error) {
	rc, err := s.sourceOf(ctx, q, o)
	if err != nil {
		return RefundOffer{}, rc, err
	}
	left, err := s.leftOf(ctx, q, rc)
	if err != nil {
		return RefundOffer{}, rc, err
	}
	offer, err := s.ruleOf(ctx, q, o, force)
	if err != nil {
		return offer, rc, err
	}
	if offer.Amount.Minor > left {
		offer.Amount.Minor = left
	}
	offer.Services = len(affected(o, offer.Rule))
	offer.Targets = s.targets(rc)
	if offer.Amount.Minor <= 0 || len(offer.Targets) == 0 {
		return offer, rc, ErrNotOffered
	}
	return offer, rc, nil
}

// sourceOf is the money that paid the order. An order that was paid in another
// way than at a gateway has none here.
func (s *Service) sourceOf(ctx context.Context, q db.Q, o order.Order) (Receipt, error) {
	if !o.Refundable() || o.Receipt == "" {
		return Receipt{}, ErrNotOffered
	}
	rc, err := getReceipt(ctx, q, o.Receipt)
	if errs.IsNotFound(err) {
		return rc, ErrNotOffered
	}
	return rc, err
}

// leftOf is what was paid by a receipt and is not taken by refunds; one under way
// is ErrRefundOpen.
func (s *Service) leftOf(ctx context.Context, q db.Q, rc Receipt) (int64, error) {
	all, err := refundsOfReceipt(ctx, q, rc.ID)
	if err != nil {
		return 0, err
	}
	left := rc.Amount.Minor
	for _, r := range all {
		if !r.Phase.Over() {
			return 0, ErrRefundOpen.With("refund", r.No)
		}
		if r.Phase.takes() {
			left -= r.Amount.Minor
		}
	}
	return left, nil
}

func (s *Service) ruleOf(ctx context.Context, q db.Q, o order.Order, force bool) (RefundOffer, error) {
	now := s.d.Clock.Now()
	if sum := failedSum(o); sum > 0 {
		return RefundOffer{Rule: RuleUndelivered, Amount: money.New(sum, o.Total.Cur)}, nil
	}
	if o.Kind != order.KindNew && !force { // it goes back with what it changed: a person decides
		return RefundOffer{}, ErrNotOffered
	}
	changed, err := s.d.Orders.Changed(ctx, q, o)
	if err != nil {
		return RefundOffer{}, err
	}
	if changed && !force {
		return RefundOffer{}, ErrChanged
	}
	if force {
		return RefundOffer{Rule: RuleFull, Amount: o.Total}, nil
	}
	if until := o.PaidAt.Add(FullWithin); now.Before(until) {
		from, to := yearOf(now)
		used, err := countFull(ctx, q, o.Account, from, to)
		if err != nil {
			return RefundOffer{}, err
		}
		if used < FullPerYear {
			return RefundOffer{Rule: RuleFull, Amount: o.Total, Until: until, Left: FullPerYear - int(used) - 1}, nil
		}
	}
	amount, err := s.rest(ctx, q, o, now)
	return RefundOffer{Rule: RuleProrata, Amount: amount}, err
}

// rest is the share of what was paid that is for the time to come, line by line.
func (s *Service) rest(ctx context.Context, q db.Q, o order.Order, now time.Time) (money.Money, error) {
	sum := money.New(0, o.Total.Cur)
	for _, l := range o.Lines {
		if s.d.Services == nil || l.Service == "" || l.Kind != order.Recurring {
			continue
		}
		from, until, err := s.d.Services.Period(ctx, q, l.Service)
		if errs.IsNotFound(err) {
			continue
		}
		if err != nil {
			return sum, err
		}
		back, err := Policy{Kind: Prorata}.Back(l.Amount, from, until, now)
		if err == nil {
			sum, err = sum.Add(back)
		}
		if err != nil {
			return sum, err
		}
	}
	return sum, nil
}

// targets are where money of a receipt may go.
func (s *Service) targets(rc Receipt) (all []Target) {
	g, known := s.byID[rc.Gateway]
	if _, can := g.Gateway.(Refunder); known && can && s.d.Clock.Now().Before(rc.PaidAt.Add(providerWindow)) {
		all = append(all, ToOriginal)
	}
	if !s.d.Wallet.NoTopUp {
		all = append(all, TargetWallet)
	}
	return all
}

// affected are the lines that a refund by a rule is of.
func affected(o order.Order, rule Rule) (lines []order.Line) {
	for _, l := range o.Lines {
		if rule != RuleUndelivered || l.State == order.LineFailed || l.State == order.LineRefunded {
			lines = append(lines, l)
		}
	}
	return lines
}

func failedSum(o order.Order) (sum int64) {
	for _, l := range o.Lines {
		if l.State == order.LineFailed {
			sum += l.Amount.Minor
		}
	}
	return sum
}

// yearOf is the calendar year, in the billing zone, that a time lies in.
func yearOf(t time.Time) (from, to time.Time) {
	y := t.In(civil.Zone).Year()
	return time.Date(y, 1, 1, 0, 0, 0, 0, civil.Zone), time.Date(y+1, 1, 1, 0, 0, 0, 0, civil.Zone)
}
