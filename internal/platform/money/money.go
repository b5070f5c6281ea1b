// Package money is amounts: integer minor units with a currency. There is no
// float in it and none may be made of it.
package money

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// Currency is an ISO 4217 code that this installation knows.
type Currency string

// Currencies.
const (
	CNY Currency = "CNY"
	USD Currency = "USD"
	EUR Currency = "EUR"
	HKD Currency = "HKD"
	JPY Currency = "JPY"
)

var exponents = map[Currency]int{CNY: 2, USD: 2, EUR: 2, HKD: 2, JPY: 0}

// Currencies lists all that this installation knows, in the order of their codes.
func Currencies() []Currency { return slices.Sorted(maps.Keys(exponents)) }

// Money is an amount in minor units (fen for CNY).
type Money struct {
	Minor int64
	Cur   Currency
}

// Errors.
var (
	ErrCurrency = errs.New(errs.Unprocessable, "money.currency")
	ErrOverflow = errs.New(errs.Unprocessable, "money.overflow")
	ErrSyntax   = errs.New(errs.Invalid, "money.syntax")
)

// New returns minor units of a currency.
func New(minor int64, cur Currency) Money { return Money{minor, cur} }

// Parse reads a non-negative amount strictly: no sign, no leading zeros, at
// most 15 integer digits, at most as many decimals as the currency has.
func Parse(s string, cur Currency) (Money, error) {
	exp, ok := exponents[cur]
	if !ok {
		return Money{}, ErrCurrency
	}
	whole, frac, dot := strings.Cut(s, ".")
	if dot && (len(frac) == 0 || len(frac) > exp) {
		return Money{}, ErrSyntax
	}
	if len(whole) == 0 || len(whole) > 15 || (len(whole) > 1 && whole[0] == '0') {
		return Money{}, ErrSyntax
	}
	digits := whole + frac + strings.Repeat("0", exp-len(frac))
	if strings.Trim(digits, "0123456789") != "" {
		return Money{}, ErrSyntax
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return Money{}, ErrSyntax
	}
	return Money{n, cur}, nil
}

// String writes the amount with all decimals of its currency: "12.34".
func (m Money) String() string {
	exp := exponents[m.Cur]
	sign, n := "", uint64(m.Minor)
	if m.Minor < 0 {
		sign, n = "-", -n
	}
	s := strconv.FormatUint(n, 10)
	if exp == 0 {
		return sign + s
	}
	if len(s) <= exp {
		s = strings.Repeat("0", exp+1-len(s)) + s
	}
	return sign + s[:len(s)-exp] + "." + s[len(s)-exp:]
}

// Add returns m + o; ErrCurrency or ErrOverflow.
func (m Money) Add(o Money) (Money, error) {
	if m.Cur != o.Cur {
		return Money{}, ErrCurrency
	}
	sum := m.Minor + o.Minor
	if (sum > m.Minor) != (o.Minor > 0) {
		if o.Minor != 0 {
			return Money{}, ErrOverflow
		}
	}
	return Money{sum, m.Cur}, nil
}

// Neg returns -m; ErrOverflow for the smallest amount.
func (m Money) Neg() (Money, error) {
	if m.Minor == math.MinInt64 {
		return Money{}, ErrOverflow
	}
	return Money{-m.Minor, m.Cur}, nil
}

// Sub returns m - o.
func (m Money) Sub(o Money) (Money, error) {
	n, err := o.Neg()
	if err != nil {
		return Money{}, err
	}
	return m.Add(n)
}

// IsZero reports whether the amount is 0.
func (m Money) IsZero() bool { return m.Minor == 0 }

// MulDiv returns a*num/den rounded half-even with a 128-bit intermediate; den
// must be positive. Signs are handled on magnitudes.
func MulDiv(a, num, den int64) (int64, error) {
	if den <= 0 {
		return 0, ErrOverflow
	}
	neg := (a < 0) != (num < 0)
	hi, lo := bits.Mul64(magnitude(a), magnitude(num))
	if hi >= uint64(den) {
		return 0, ErrOverflow
	}
	q, r := bits.Div64(hi, lo, uint64(den))
	// r < den <= MaxInt64, so doubling it does not overflow a uint64.
	if twice := 2 * r; twice > uint64(den) || (twice == uint64(den) && q&1 == 1) {
		q++
	}
	if q > math.MaxInt64 {
		return 0, ErrOverflow
	}
	if neg {
		return -int64(q), nil
	}
	return int64(q), nil
}

func magnitude(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}

// Allocate splits total by weights with the largest remainder; ties go to the
// lowest index. The parts always sum to total. Weights must be non-negative
// and not all zero.
func Allocate(total int64, weights []int64) ([]int64, error) {
	sum := int64(0)
	for _, w := range weights {
		if w < 0 || sum > math.MaxInt64-w {
			return nil, ErrOverflow
		}
		sum += w
	}
	if sum == 0 {
		return nil, ErrOverflow
	}
	parts, rests := make([]int64, len(weights)), make([]uint64, len(weights))
	left := magnitude(total)
	for i, w := range weights {
		hi, lo := bits.Mul64(magnitude(total), uint64(w))
		q, r := bits.Div64(hi, lo, uint64(sum))
		parts[i], rests[i], left = int64(q), r, left-q
	}
	for ; left > 0; left-- {
		best := 0
		for i := range rests {
			if rests[i] > rests[best] {
				best = i
			}
		}
		parts[best]++
		rests[best] = 0
	}
	if total < 0 {
		for i := range parts {
			parts[i] = -parts[i]
		}
	}
	return parts, nil
}

type wire struct {
	Amount   string   `json:"amount"`
	Currency Currency `json:"currency"`
}

// MarshalJSON writes {"amount":"12.34","currency":"CNY"}.
func (m Money) MarshalJSON() ([]byte, error) {
	return json.Marshal(wire{m.String(), m.Cur})
}

// UnmarshalJSON reads what MarshalJSON writes; a JSON number is refused.
func (m *Money) UnmarshalJSON(b []byte) error {
	var w wire
	if err := json.Unmarshal(b, &w); err != nil {
		return fmt.Errorf("%w: %w", ErrSyntax, err)
	}
	text, negative := strings.CutPrefix(w.Amount, "-")
	v, err := Parse(text, w.Currency)
	if err != nil {
		return err
	}
	if negative {
		v.Minor = -v.Minor
	}
	*m = v
	return nil
}
