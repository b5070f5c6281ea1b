package lease

import (
	"errors"
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

func TestPoolLeavesOutGatewayNetworkAndBroadcast(t *testing.T) {
	t.Parallel()
	p := New(netip.MustParsePrefix("10.9.0.0/29"))
	seen := map[string]bool{}
	for i := range 5 {
		a, err := p.Take(string(rune('a' + i)))
		if err != nil {
			t.Fatalf("lease %d: %v", i, err)
		}
		seen[a.String()] = true
	}
	for _, want := range []string{"10.9.0.2", "10.9.0.3", "10.9.0.4", "10.9.0.5", "10.9.0.6"} {
		if !seen[want] {
			t.Errorf("got %v, want %s among them", seen, want)
		}
	}
	if _, err := p.Take("z"); !errors.Is(err, ErrFull) {
		t.Errorf("sixth lease: got %v, want ErrFull", err)
	}
}

func TestHolderReturnsToItsAddressWhileFree(t *testing.T) {
	t.Parallel()
	p := New(netip.MustParsePrefix("10.9.0.0/24"))
	a, _ := p.Take("ann")
	b, _ := p.Take("bob")
	p.Release(a)
	p.Release(b)
	if got, _ := p.Take("bob"); got != b {
		t.Errorf("bob: got %s, want his former %s", got, b)
	}
	if got, _ := p.Take("cy"); got == a {
		t.Errorf("cy: got %s, which is remembered for ann", got)
	}
	if got, _ := p.Take("ann"); got != a {
		t.Errorf("ann: got %s, want her former %s", got, a)
	}
}

func TestTakeExactly(t *testing.T) {
	t.Parallel()
	p := New(netip.MustParsePrefix("10.9.0.0/29"))
	cases := []struct {
		addr string
		want error
	}{
		{"10.9.0.4", nil},
		{"10.9.0.4", ErrTaken},
		{"10.9.0.1", ErrRange},
		{"10.9.0.0", ErrRange},
		{"10.9.0.7", ErrRange},
		{"10.9.1.2", ErrRange},
		{"fd00::2", ErrRange},
	}
	for _, c := range cases {
		if err := p.TakeExactly(netip.MustParseAddr(c.addr), "x"); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.addr, err, c.want)
		}
	}
}

func TestNoAddressIsLeasedTwice(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := New(netip.MustParsePrefix("10.9.0.0/28"))
		held := map[netip.Addr]bool{}
		for _, op := range rapid.SliceOf(rapid.IntRange(0, 40)).Draw(t, "ops") {
			if op < 20 {
				a, err := p.Take(string(rune('a' + op)))
				if (err != nil) != (len(held) == 13) {
					t.Fatalf("take with %d held: %v", len(held), err)
				}
				if err == nil && held[a] {
					t.Fatalf("%s was leased twice", a)
				}
				if err == nil {
					held[a] = true
				}
				continue
			}
			for a := range held {
				p.Release(a)
				delete(held, a)
				break
			}
		}
		if p.Len() != len(held) {
			t.Fatalf("got %d leases, want %d", p.Len(), len(held))
		}
	})
}
