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
	p[0], p[5], p[6] = 0x60, 8, 17
	copy(p[8:], s.AsSlice())
	copy(p[24:], d.AsSlice())
	return p
}

func TestFromClient(t *testing.T) {
	t.Parallel()
	base := Rules{
		Pool: netip.MustParsePrefix("10.9.0.0/24"), Pool6: netip.MustParsePrefix("fd00:9::/64"),
		Routed:       []netip.Prefix{netip.MustParsePrefix("192.168.5.0/24"), netip.MustParsePrefix("192.168.6.0/24"), netip.MustParsePrefix("fd00:5::/64")},
		LocalSubnets: []netip.Prefix{netip.MustParsePrefix("10.77.0.0/24"), netip.MustParsePrefix("fd00:77::/64")},
	}
	full, isolated := base, base
	full.FullTunnel = true
	isolated.Isolated = true
	holder := &Holder{IPv4: netip.MustParseAddr("10.9.0.5"), IPv6: netip.MustParseAddr("fd00:9::5"), Routed: base.Routed[:1]}
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
		{"full tunnel, metadata of a cloud", full, packet("10.9.0.5", "169.254.169.254"), false},
		{"full tunnel, broadcast", full, packet("10.9.0.5", "255.255.255.255"), false},
		{"network behind the client", base, packet("192.168.5.7", "10.77.0.2"), true},
		{"network behind another client", base, packet("192.168.6.7", "10.77.0.2"), false},
		{"to a network behind another client", base, packet("10.9.0.5", "192.168.6.7"), true},
		{"to a network behind another client, isolated", isolated, packet("10.9.0.5", "192.168.6.7"), false},
		{"full tunnel, network behind another client, isolated", func() Rules { r := full; r.Isolated = true; return r }(), packet("10.9.0.5", "192.168.6.7"), false},
		{"IPv6 to the local subnet", base, packet("fd00:9::5", "fd00:77::2"), true},
		{"IPv6 of a foreign source", base, packet("fd00:9::6", "fd00:77::2"), false},
		{"IPv6 network behind another client", base, packet("fd00:5::6", "fd00:77::2"), false},
		{"IPv6 outside the subnets", base, packet("fd00:9::5", "fd00:78::2"), false},
		{"IPv6 to the gateway", isolated, packet("fd00:9::5", "fd00:9::1"), true},
		{"IPv6 client to client, isolated", isolated, packet("fd00:9::5", "fd00:9::6"), false},
		{"IPv6 full tunnel", full, packet("fd00:9::5", "2001:db8::1"), true},
		{"IPv6 from link-local", full, packet("fe80::1", "fd00:77::2"), false},
		{"IPv6 to link-local", full, packet("fd00:9::5", "fe80::1"), false},
		{"IPv6 to multicast", full, packet("fd00:9::5", "ff02::1"), false},
		{"IPv6 to loopback", full, packet("fd00:9::5", "::1"), false},
		{"IPv6 to a mapped address", full, packet("fd00:9::5", "::ffff:10.77.0.2"), false},
		{"IPv6 longer than it is", base, packet("fd00:9::5", "fd00:77::2")[:44], false},
		{"empty", base, nil, false},
		{"cut", base, packet("10.9.0.5", "10.77.0.2")[:24], false},
		{"no version", base, make([]byte, 40), false},
	}
	for _, c := range cases {
		if got := New(c.rules).FromClient(c.p, holder); got != c.want {
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
	h := &Holder{IPv4: netip.MustParseAddr("10.9.0.5"), Routed: []netip.Prefix{netip.MustParsePrefix("192.168.5.0/24")}}
	for _, p := range [][]byte{packet("10.9.0.5", "10.77.0.2"), extended("fd00:9::5", "fd00:77::2", hopByHop, destination), unreachable("2001:db8::9", "fd00:9::5", "fd00:77::2")} {
		if n := testing.AllocsPerRun(100, func() { f.FromClient(p, h); f.ToClient(p) }); n != 0 {
			t.Errorf("got %v allocations per packet, want 0", n)
		}
	}
}

func FuzzAddresses(f *testing.F) {
	f.Add(packet("10.9.0.5", "10.77.0.2"))
	f.Add(packet("fd00::5", "fd00::6"))
	f.Add(extended("fd00::5", "fd00::6", hopByHop, fragment, authHeader))
	f.Add(unreachable("2001:db8::9", "fd00:9::5", "fd00:77::2"))
	f.Add(unreachable("192.0.2.9", "10.9.0.5", "10.77.0.2"))
	f.Fuzz(func(t *testing.T, p []byte) {
		src, dst, ok := Addresses(p)
		if ok && (!src.IsValid() || !dst.IsValid()) {
			t.Errorf("got invalid addresses of an accepted packet %x", p)
		}
		if ok {
			_, _, _ = quoted(p)
		}
	})
}
