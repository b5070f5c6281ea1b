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
		if got := p.Free(); got != 5-i {
			t.Errorf("got %d free after %d leases, want %d", got, i, 5-i)
		}
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
	if _, err := p.Take("z"); !errors.Is(err, ErrFull) || p.Free() != 0 {
		t.Errorf("sixth lease: got %v and %d free, want ErrFull and none", err, p.Free())
	}
	p.Release(netip.MustParseAddr("10.9.0.4"))
	p.Release(netip.MustParseAddr("10.9.0.5"))
	p.Keep(map[netip.Addr]string{netip.MustParseAddr("10.9.0.4"): "x", netip.MustParseAddr("10.9.0.6"): "y"})
	if got := p.Free(); got != 1 {
		t.Errorf("one is free and one kept: got %d", got)
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

func TestKeptAddressesAreForTheirHolders(t *testing.T) {
	t.Parallel()
	p := New(netip.MustParsePrefix("10.0.0.0/29")) // .2 to .6
	a := netip.MustParseAddr("10.0.0.2")
	p.Keep(map[netip.Addr]string{a: "bob"})
	for range 4 {
		if got, err := p.Take("ann"); err != nil || got == a {
			t.Fatalf("got %s, %v", got, err)
		}
	}
	if _, err := p.Take("ann"); !errors.Is(err, ErrFull) {
		t.Errorf("got %v, want ErrFull: the last one is bob's", err)
	}
	if err := p.TakeExactly(a, "bob"); err != nil {
		t.Error(err)
	}
	p.Release(a)
	p.Keep(nil)
	if got, err := p.Take("ann"); err != nil || got != a {
		t.Errorf("no longer kept: got %s, %v", got, err)
	}
}

func TestComingBackOftenCostsNoMemory(t *testing.T) {
	t.Parallel()
	p := New(netip.MustParsePrefix("10.0.0.0/24"))
	for range 10_000 {
		a, err := p.Take("ann")
		if err != nil {
			t.Fatal(err)
		}
		p.Release(a)
	}
	if len(p.freed) > 256 {
		t.Errorf("got %d entries of freed addresses", len(p.freed))
	}
}
