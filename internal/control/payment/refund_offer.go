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
	PaidBy(ctx context.Context, q db.Q, line string) (from, until time.Time, err error)
	HoldRefund(ctx context.Context, service string) error
	EndRefund(ctx context.Context, service string) error
	DropRefund(ctx context.Context, service string) error
	GiveBackTx(ctx context.Context, tx *db.Tx, line string, amount money.Money) error // of what is not earned
	KeepTx(ctx context.Context, tx *db.Tx, line string, amount money.Money) (over money.Money, err error)
}

// RefundOffer is what goes back of an order if it is asked for now.
type RefundOffer struct {
	Rule     Rule
	Amount   money.Money
	From     Split    // where Amount was paid from
	Targets  []Target // where what was paid outside may go, the usual first; the rest goes to the wallet
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
func (s *Service) offer(ctx context.Context, q db.Q, o order.Order, force bool) (RefundOffer, source, error) {
	src, err := s.sourceOf(ctx, q, o)
	if err != nil {
		return RefundOffer{}, src, err
	}
	left, err := s.leftOf(ctx, q, src)
	if err != nil {
		return RefundOffer{}, src, err
	}
	offer, err := s.ruleOf(ctx, q, o, force)
	if err != nil {
		return offer, src, err
	}
	if offer.Amount.Minor > left.Sum().Minor {
		offer.Amount = left.Sum()
	}
	if offer.Amount.Minor <= 0 {
		return offer, src, ErrNotOffered
	}
	if offer.From, err = left.share(offer.Amount); err != nil {
		return offer, src, err
	}
	offer.Services = len(affected(o, offer.Rule))
	offer.Targets = s.targets(src, offer.From)
	if len(offer.Targets) == 0 {
		return offer, src, ErrNotOffered
	}
	return offer, src, nil
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
		from, until, err := s.d.Services.PaidBy(ctx, q, l.ID)
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

// targets are where a part of a source may go. Nothing but what was paid outside
// goes anywhere but back to the wallet.
func (s *Service) targets(src source, part Split) (all []Target) {
	if part.Outside.IsZero() {
		return []Target{TargetWallet}
	}
	g, known := s.byID[src.Gateway]
	if _, can := g.Gateway.(Refunder); known && can && s.d.Clock.Now().Before(src.PaidAt.Add(providerWindow)) {
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
