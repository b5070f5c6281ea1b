package filter

import (
	"net/netip"
	"testing"
)

func packet(src, dst string) []byte {
	s, d := netip.MustParseAddr(src), netip.MustParseAddr(dst)
	if s.Is4() {
		p := make([]byte, 28)
		p[0], p[3] = 0x45, 28
		copy(p[12:], s.AsSlice())
		copy(p[16:], d.AsSlice())
		return p
	}
	p := make([]byte, 48)
	p[0] = 0x60
	copy(p[8:], s.AsSlice())
	copy(p[24:], d.AsSlice())
	return p
}

func TestFromClient(t *testing.T) {
	t.Parallel()
	base := Rules{Pool: netip.MustParsePrefix("10.9.0.0/24"), LocalSubnets: []netip.Prefix{netip.MustParsePrefix("10.77.0.0/24")}}
	full, isolated := base, base
	full.FullTunnel = true
	isolated.Isolated = true
	lease := netip.MustParseAddr("10.9.0.5")
	cases := []struct {
		name  string
		rules Rules
		p     []byte
		want  bool
	}{
		{"to the local subnet", base, packet("10.9.0.5", "10.77.0.2"), true},
		{"foreign source", base, packet("10.9.0.6", "10.77.0.2"), false},
		{"outside the subnets", base, packet("10.9.0.5", "10.78.0.2"), false},
		{"to the gateway", isolated, packet("10.9.0.5", "10.9.0.1"), true},
		{"client to client", base, packet("10.9.0.5", "10.9.0.6"), true},
		{"client to client, isolated", isolated, packet("10.9.0.5", "10.9.0.6"), false},
		{"full tunnel", full, packet("10.9.0.5", "192.0.2.1"), true},
		{"full tunnel, multicast", full, packet("10.9.0.5", "224.0.0.1"), false},
		{"other family", base, packet("fd00::5", "fd00::6"), false},
		{"empty", base, nil, false},
		{"cut", base, packet("10.9.0.5", "10.77.0.2")[:24], false},
		{"no version", base, make([]byte, 40), false},
	}
	for _, c := range cases {
		if got := New(c.rules).FromClient(c.p, lease); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

func TestToClient(t *testing.T) {
	t.Parallel()
	f := New(Rules{
		Pool: netip.MustParsePrefix("10.9.0.0/24"), Isolated: true,
		LocalSubnets: []netip.Prefix{netip.MustParsePrefix("10.77.0.0/24")},
	})
	for src, want := range map[string]bool{"10.77.0.2": true, "10.9.0.1": true, "10.9.0.6": false, "192.0.2.1": false} {
		if got := f.ToClient(packet(src, "10.9.0.5")); got != want {
			t.Errorf("from %s: got %v, want %v", src, got, want)
		}
	}
}

func TestFilterDoesNotAllocate(t *testing.T) {
	f := New(Rules{Pool: netip.MustParsePrefix("10.9.0.0/24"), LocalSubnets: []netip.Prefix{netip.MustParsePrefix("10.77.0.0/24")}})
	p, lease := packet("10.9.0.5", "10.77.0.2"), netip.MustParseAddr("10.9.0.5")
	if n := testing.AllocsPerRun(100, func() { f.FromClient(p, lease); f.ToClient(p) }); n != 0 {
		t.Errorf("got %v allocations per packet, want 0", n)
	}
}

func FuzzAddresses(f *testing.F) {
	f.Add(packet("10.9.0.5", "10.77.0.2"))
	f.Add(packet("fd00::5", "fd00::6"))
	f.Fuzz(func(t *testing.T, p []byte) {
		if src, dst, ok := Addresses(p); ok && (!src.IsValid() || !dst.IsValid()) {
			t.Errorf("got invalid addresses of an accepted packet %x", p)
		}
	})
}
