package payment

import (
	"fmt"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// PolicyKind is a way to find what of a paid period goes back.
type PolicyKind string

// Kinds of policy.
const (
	Prorata        PolicyKind = "prorata"
	Curve          PolicyKind = "curve"
	FullWithinDays PolicyKind = "full_within_days"
	NoRefund       PolicyKind = "none"
)

// Policy says what of a paid period goes back. Integers only: elapsed time in
// permille of the period, ratios in basis points.
type Policy struct {
	Kind  PolicyKind
	Days  int     // of FullWithinDays
	Curve []Point // of Curve: from 0 to 1000, never rising
}

// Point is a corner of a curve.
type Point struct {
	Elapsed int64 // permille of the period
	Ratio   int64 // basis points of its value
}

// Check holds a policy to what Back needs.
func (p Policy) Check() error {
	switch p.Kind {
	case Prorata, NoRefund:
		return nil
	case FullWithinDays:
		if p.Days < 0 {
			return fmt.Errorf("refund policy: %d days", p.Days)
		}
		return nil
	case Curve:
		return checkCurve(p.Curve)
	}
	return fmt.Errorf("refund policy %q", p.Kind)
}

func checkCurve(c []Point) error {
	if len(c) < 2 || c[0].Elapsed != 0 || c[len(c)-1].Elapsed != 1000 {
		return fmt.Errorf("refund curve: it goes from 0 to 1000")
	}
	for i, q := range c {
		if q.Ratio < 0 || q.Ratio > 10000 || i > 0 && (q.Elapsed <= c[i-1].Elapsed || q.Ratio > c[i-1].Ratio) {
			return fmt.Errorf("refund curve: point %d", i)
		}
	}
	return nil
}

// Back returns what of a value, paid for [from, until), goes back at a time. A
// period that has not begun goes back whole, whatever the policy but none; one
// that is over not at all.
func (p Policy) Back(value money.Money, from, until, at time.Time) (money.Money, error) {
	none := money.New(0, value.Cur)
	total := int64(until.Sub(from) / time.Second)
	left := int64(until.Sub(at) / time.Second)
	if err := p.Check(); err != nil || p.Kind == NoRefund || total <= 0 || left <= 0 {
		return none, err
	}
	if left >= total {
		return value, nil
	}
	num, den := left, total
	switch p.Kind {
	case FullWithinDays:
		if !at.Before(from.AddDate(0, 0, p.Days)) {
			return none, nil
		}
		return value, nil
	case Curve:
		elapsed, err := money.MulDiv(total-left, 1000, total)
		if err != nil {
			return none, err
		}
		if num, err = p.ratio(elapsed); err != nil {
			return none, err
		}
		den = 10000
	}
	minor, err := money.MulDiv(value.Minor, num, den)
	return money.New(minor, value.Cur), err
}

// ratio interpolates linearly between two corners.
func (p Policy) ratio(elapsed int64) (int64, error) {
	for i := 1; i < len(p.Curve); i++ {
		a, b := p.Curve[i-1], p.Curve[i]
		if elapsed > b.Elapsed {
			continue
		}
		down, err := money.MulDiv(a.Ratio-b.Ratio, elapsed-a.Elapsed, b.Elapsed-a.Elapsed)
		return a.Ratio - down, err
	}
	return 0, nil
}
