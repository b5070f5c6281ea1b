package filter

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

// segment is a packet with a protocol and a destination port; fragment is its
// offset in units of eight bytes.
func segment(dst string, proto byte, port uint16, fragment uint16) []byte {
	d := netip.MustParseAddr(dst)
	if d.Is4() {
		p := make([]byte, 40)
		p[0], p[3], p[9] = 0x45, 40, proto
		binary.BigEndian.PutUint16(p[6:], fragment)
		copy(p[12:], []byte{10, 9, 0, 5})
		copy(p[16:], d.AsSlice())
		binary.BigEndian.PutUint16(p[22:], port)
		return p
	}
	p := make([]byte, 68)
	p[0], p[5], p[6] = 0x60, 28, 44 // with a fragment header, also when whole
	copy(p[24:], d.AsSlice())
	p[40] = proto
	binary.BigEndian.PutUint16(p[42:], fragment<<3)
	binary.BigEndian.PutUint16(p[50:], port)
	return p
}

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func TestACL(t *testing.T) {
	t.Parallel()
	rules := []Rule{
		{Protocol: TCP, Destination: prefix("10.77.0.5/32"), Ports: []Ports{{22, 22}, {8000, 8010}}}, // deny
		{Allow: true, Protocol: TCP, Destination: prefix("10.77.0.0/24"), Ports: []Ports{{22, 22}, {80, 80}, {8000, 8999}}},
		{Allow: true, Protocol: UDP, Ports: []Ports{{53, 53}}},
		{Allow: true, Protocol: ICMP, Destination: prefix("10.77.0.0/24")},
		{Protocol: Any, Destination: prefix("10.77.1.7/32")},
		{Allow: true, Protocol: Any, Destination: prefix("10.77.1.0/24")},
		{Allow: true, Protocol: TCP, Destination: prefix("fd00:77::/64"), Ports: []Ports{{443, 443}}},
		{Allow: true, Protocol: ICMP, Destination: prefix("fd00:77::/64")},
	}
	acl := NewACL(rules, true)
	open := NewACL(rules, false)
	cases := []struct {
		name string
		p    []byte
		want bool
	}{
		{"ssh to a host", segment("10.77.0.6", 6, 22, 0), true},
		{"ssh to the one that is denied first", segment("10.77.0.5", 6, 22, 0), false},
		{"another port of it", segment("10.77.0.5", 6, 80, 0), true},
		{"end of a denied range", segment("10.77.0.5", 6, 8010, 0), false},
		{"beyond it", segment("10.77.0.5", 6, 8011, 0), true},
		{"a port that nobody allows", segment("10.77.0.6", 6, 23, 0), false},
		{"dns anywhere", segment("192.0.2.1", 17, 53, 0), true},
		{"dns by tcp", segment("192.0.2.1", 6, 53, 0), false},
		{"ping", segment("10.77.0.200", 1, 0, 0), true},
		{"ping elsewhere", segment("10.78.0.200", 1, 0, 0), false},
		{"icmp of the other family", segment("10.77.0.200", 58, 0, 0), false},
		{"any protocol", segment("10.77.1.6", 47, 0, 0), true},
		{"any protocol, denied host", segment("10.77.1.7", 47, 0, 0), false},
		{"first address of a network", segment("10.77.1.0", 6, 1, 0), true},
		{"last address of it", segment("10.77.1.255", 6, 1, 0), true},
		{"after it", segment("10.77.2.0", 6, 1, 0), false},
		{"over IPv6", segment("fd00:77::1", 6, 443, 0), true},
		{"over IPv6, last address", segment("fd00:77::ffff:ffff:ffff:ffff", 6, 443, 0), true},
		{"over IPv6, after it", segment("fd00:77:0:1::", 6, 443, 0), false},
		{"over IPv6, other port", segment("fd00:77::1", 6, 80, 0), false},
		{"over IPv6, ping", segment("fd00:77::1", 58, 0, 0), true},
		{"fragment of an allowed protocol", segment("10.77.0.5", 6, 22, 5), true},
		{"fragment to where nothing is allowed", segment("10.78.0.5", 6, 22, 5), false},
		{"fragment over IPv6", segment("fd00:77::1", 6, 9, 5), true},
		{"fragment over IPv6 to elsewhere", segment("fd00:78::1", 6, 9, 5), false},
		{"first fragment without ports", segment("10.77.0.6", 6, 80, 0)[:22], false},
	}
	for _, c := range cases {
		if len(c.p) == 22 {
			c.p[3], c.p[6] = 22, 0x20
		}
		if got := acl.Allows(c.p); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
	if !open.Allows(segment("10.77.0.6", 6, 23, 0)) || open.Allows(segment("10.77.0.5", 6, 22, 0)) {
		t.Error("with allow as the default: want what is not denied allowed, and the rest not")
	}
	if NewACL(rules[1:4], false) != nil || !NewACL(nil, false).Allows(segment("10.77.0.6", 6, 23, 0)) {
		t.Error("a list that denies nothing should cost nothing")
	}
	if NewACL(nil, true).Allows(segment("10.77.0.6", 6, 23, 0)) {
		t.Error("an empty list with deny as the default allows something")
	}
}

// TestACLIsTheFirstMatch compares the tables with a plain walk through rules.
func TestACLIsTheFirstMatch(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var rules []Rule
		for range rapid.IntRange(0, 12).Draw(t, "rules") {
			r := Rule{Allow: rapid.Bool().Draw(t, "allow"), Protocol: Protocol(rapid.IntRange(0, 3).Draw(t, "protocol"))}
			if rapid.Bool().Draw(t, "has destination") {
				a := netip.AddrFrom4([4]byte{10, byte(rapid.IntRange(0, 3).Draw(t, "b")), byte(rapid.IntRange(0, 1).Draw(t, "c") * 255), byte(rapid.IntRange(0, 255).Draw(t, "d"))})
				r.Destination = netip.PrefixFrom(a, rapid.IntRange(0, 32).Draw(t, "bits"))
			}
			if r.Protocol == TCP || r.Protocol == UDP {
				for range rapid.IntRange(0, 2).Draw(t, "ranges") {
					from := rapid.Uint16Range(1, 20).Draw(t, "from")
					r.Ports = append(r.Ports, Ports{from, from + rapid.Uint16Range(0, 5).Draw(t, "wide")})
				}
			}
			rules = append(rules, r)
		}
		deny := rapid.Bool().Draw(t, "deny")
		acl := NewACL(rules, deny)
		for range 20 {
			dst := netip.AddrFrom4([4]byte{10, byte(rapid.IntRange(0, 3).Draw(t, "b")), byte(rapid.IntRange(0, 1).Draw(t, "c") * 255), byte(rapid.IntRange(0, 255).Draw(t, "d"))})
			proto := rapid.SampledFrom([]byte{6, 17, 1, 47}).Draw(t, "proto")
			port := rapid.Uint16Range(1, 30).Draw(t, "port")
			if got, want := acl.Allows(segment(dst.String(), proto, port, 0)), plain(rules, deny, dst, proto, port); got != want {
				t.Fatalf("%s %d port %d: got %v, want %v of %+v", dst, proto, port, got, want, rules)
			}
		}
	})
}

func plain(rules []Rule, deny bool, dst netip.Addr, proto byte, port uint16) bool {
	for _, r := range rules {
		if (r.Protocol == Any || r.Protocol == protocolOf(proto, 1)) &&
			(!r.Destination.IsValid() || r.Destination.Contains(dst)) && (len(r.Ports) == 0 || holds(r.Ports, port)) {
			return r.Allow
		}
	}
	return !deny
}

func FuzzACL(f *testing.F) {
	acl := NewACL([]Rule{{Allow: true, Protocol: TCP, Ports: []Ports{{80, 80}}}}, true)
	f.Add(segment("10.77.0.5", 6, 80, 0))
	f.Add(segment("fd00::1", 6, 80, 3))
	f.Fuzz(func(t *testing.T, p []byte) {
		if _, _, ok := Addresses(p); ok {
			acl.Allows(p) // must not read beyond p
		}
	})
}

// manyRules is a long list: what decides comes last.
func manyRules() []Rule {
	var rules []Rule
	for i := range 99 {
		a := netip.AddrFrom4([4]byte{10, 77, byte(rand.IntN(4)), byte(i)})
		rules = append(rules, Rule{Protocol: TCP, Destination: netip.PrefixFrom(a, 32), Ports: []Ports{{22, 22}, {3389, 3389}}})
	}
	return append(rules, Rule{Allow: true, Destination: prefix("10.77.0.0/16")})
}

func TestACLDoesNotAllocate(t *testing.T) {
	f := New(Rules{Pool: prefix("10.9.0.0/24"), LocalSubnets: []netip.Prefix{prefix("10.77.0.0/16")}, ACL: NewACL(manyRules(), true)})
	p, holder := segment("10.77.2.9", 6, 443, 0), &Holder{IPv4: netip.MustParseAddr("10.9.0.5")}
	if n := testing.AllocsPerRun(100, func() {
		if !f.FromClient(p, holder) {
			t.Fatal("refused")
		}
	}); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}

func BenchmarkACL(b *testing.B) {
	p := segment("10.77.2.9", 6, 443, 0)
	for name, acl := range map[string]*ACL{"none": nil, "100 rules": NewACL(manyRules(), true)} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				acl.Allows(p)
			}
		})
	}
}

// TestACLReadsNothingBehindThePacketsEnd: bytes after it are of no packet, and
// what they say of ports is worth nothing.
func TestACLReadsNothingBehindThePacketsEnd(t *testing.T) {
	t.Parallel()
	acl := NewACL([]Rule{{Protocol: TCP, Ports: []Ports{{22, 22}}}}, false)
	p := segment("fd00:77::5", 6, 443, 0)
	binary.BigEndian.PutUint16(p[4:], 8) // the fragment header alone
	if acl.Allows(p) {
		t.Error("ports behind the packet's end were believed")
	}
}
