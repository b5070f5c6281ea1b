package money

import (
	"encoding/json"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestParseIsStrict(t *testing.T) {
	t.Parallel()
	cases := []struct {
		in   string
		cur  Currency
		want int64
		ok   bool
	}{
		{"1", CNY, 100, true},
		{"1.0", CNY, 100, true},
		{"1.00", CNY, 100, true},
		{"0.01", CNY, 1, true},
		{"0", CNY, 0, true},
		{"999999999999999.99", CNY, 99999999999999999, true},
		{"12", JPY, 12, true},
		{"12.0", JPY, 0, false},
		{"1.000", CNY, 0, false},
		{"01", CNY, 0, false},
		{"", CNY, 0, false},
		{".5", CNY, 0, false},
		{"1.", CNY, 0, false},
		{"-1", CNY, 0, false},
		{"+1", CNY, 0, false},
		{"1e3", CNY, 0, false},
		{" 1", CNY, 0, false},
		{"１", CNY, 0, false},
		{"1000000000000000", CNY, 0, false},
		{"1", "XXX", 0, false},
	}
	for _, c := range cases {
		got, err := Parse(c.in, c.cur)
		if (err == nil) != c.ok || got.Minor != c.want {
			t.Errorf("Parse(%q, %s): got %v, %v, want %d, ok %v", c.in, c.cur, got.Minor, err, c.want, c.ok)
		}
	}
}

func TestMulDivRoundsHalfEven(t *testing.T) {
	t.Parallel()
	cases := []struct{ a, num, den, want int64 }{
		{5, 1, 2, 2},
		{7, 1, 2, 4},
		{-5, 1, 2, -2},
		{-7, 1, 2, -4},
		{10, 1, 3, 3},
		{20, 1, 3, 7},
		{math.MaxInt64, math.MaxInt64, math.MaxInt64, math.MaxInt64},
	}
	for _, c := range cases {
		if got, err := MulDiv(c.a, c.num, c.den); err != nil || got != c.want {
			t.Errorf("MulDiv(%d, %d, %d): got %d, %v, want %d", c.a, c.num, c.den, got, err, c.want)
		}
	}
	if _, err := MulDiv(math.MaxInt64, 3, 2); err == nil {
		t.Error("an overflow went unnoticed")
	}
	if _, err := MulDiv(1, 1, 0); err == nil {
		t.Error("a division by zero went unnoticed")
	}
}

func TestArithmeticAgreesWithBigIntegers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Int64().Draw(t, "a"), rapid.Int64().Draw(t, "b")
		want := new(big.Int).Add(big.NewInt(a), big.NewInt(b))
		got, err := New(a, CNY).Add(New(b, CNY))
		if want.IsInt64() != (err == nil) || (err == nil && got.Minor != want.Int64()) {
			t.Fatalf("%d + %d: got %d, %v, want %s", a, b, got.Minor, err, want)
		}
	})
}

func TestAllocateLosesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.Int64Range(-1e12, 1e12).Draw(t, "total")
		weights := rapid.SliceOfN(rapid.Int64Range(0, 1e6), 1, 8).Draw(t, "weights")
		weights[0]++
		parts, err := Allocate(total, weights)
		if err != nil {
			t.Fatal(err)
		}
		sum := int64(0)
		for _, p := range parts {
			sum += p
		}
		if sum != total {
			t.Fatalf("parts %v sum to %d, want %d", parts, sum, total)
		}
	})
}

func TestJSONIsTextWithCurrency(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(New(1234, CNY))
	if err != nil || string(b) != `{"amount":"12.34","currency":"CNY"}` {
		t.Errorf("got %s, %v", b, err)
	}
	var m Money
	if json.Unmarshal([]byte(`{"amount":12.34,"currency":"CNY"}`), &m) == nil {
		t.Error("a JSON number was accepted")
	}
	if err := json.Unmarshal([]byte(`{"amount":"-0.05","currency":"CNY"}`), &m); err != nil || m.Minor != -5 {
		t.Errorf("got %v, %v, want -5", m, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("1.00")
	f.Fuzz(func(t *testing.T, s string) {
		m, err := Parse(s, CNY)
		if err != nil {
			return
		}
		again, err := Parse(m.String(), CNY)
		if err != nil || again != m {
			t.Errorf("%q: %v printed as %q parses to %v, %v", s, m.Minor, m.String(), again.Minor, err)
		}
	})
}
