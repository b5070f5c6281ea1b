package filter

import (
	"net/netip"
	"testing"
)

// extended is an IPv6 packet with these extension headers of eight bytes each
// before UDP.
func extended(src, dst string, headers ...byte) []byte {
	p := packet(src, dst)
	udp := append([]byte(nil), p[headerLength:]...)
	p = p[:headerLength]
	next := &p[6]
	for _, h := range headers {
		*next = h
		e := make([]byte, 8)
		if h == authHeader {
			e = make([]byte, 16)
			e[1] = 2 // words less two
		}
		at := len(p)
		p = append(p, e...)
		next = &p[at]
	}
	*next = 17
	p = append(p, udp...)
	p[4], p[5] = byte((len(p)-headerLength)>>8), byte(len(p)-headerLength)
	return p
}

// unreachable is an ICMP error of router to client about a packet that client
// sent to server.
func unreachable(router, client, server string) []byte {
	about := packet(client, server)
	p := packet(router, client)
	if netip.MustParseAddr(router).Is4() {
		p = append(p[:20], append([]byte{3, 4, 0, 0, 0, 0, 0, 0}, about...)...)
		p[9], p[3] = protoICMP, byte(len(p))
		return p
	}
	p = append(p[:headerLength], append([]byte{2, 0, 0, 0, 0, 0, 5, 0}, about...)...)
	p[6], p[5] = protoICMPv6, byte(len(p)-headerLength)
	return p
}

func TestExtensionHeaders(t *testing.T) {
	t.Parallel()
	long := extended("fd00:9::5", "fd00:77::2", hopByHop)
	long[headerLength+1] = 200 // it would end far behind the packet
	later := extended("fd00:9::5", "fd00:77::2", fragment)
	later[headerLength+3] = 8 // not the first fragment
	huge := append(extended("fd00:9::5", "fd00:77::2", destination), make([]byte, 600)...)
	huge[4], huge[5], huge[headerLength+1] = byte((len(huge)-headerLength)>>8), byte((len(huge)-headerLength)&255), 40
	jumbo := extended("fd00:9::5", "fd00:77::2", hopByHop)
	jumbo[4], jumbo[5] = 0, 0
	for name, c := range map[string]struct {
		p    []byte
		want bool
	}{
		"hop by hop":              {extended("fd00:9::5", "fd00:77::2", hopByHop), true},
		"destination options":     {extended("fd00:9::5", "fd00:77::2", destination), true},
		"first fragment":          {extended("fd00:9::5", "fd00:77::2", fragment), true},
		"later fragment":          {later, true},
		"authentication":          {extended("fd00:9::5", "fd00:77::2", authHeader), true},
		"four":                    {extended("fd00:9::5", "fd00:77::2", hopByHop, destination, fragment, authHeader), true},
		"five":                    {extended("fd00:9::5", "fd00:77::2", hopByHop, destination, destination, destination, destination), false},
		"source route":            {extended("fd00:9::5", "fd00:77::2", routing), false},
		"source route behind":     {extended("fd00:9::5", "fd00:77::2", destination, routing), false},
		"longer than the packet":  {long, false},
		"more than the bound":     {huge, false},
		"cut in the extension":    {extended("fd00:9::5", "fd00:77::2", hopByHop)[:44], false},
		"jumbogram without bytes": {jumbo, false},
	} {
		if _, _, got := Addresses(c.p); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

func TestErrorsAboutOwnPacketsPass(t *testing.T) {
	t.Parallel()
	f := New(Rules{
		Pool: netip.MustParsePrefix("10.9.0.0/24"), Pool6: netip.MustParsePrefix("fd00:9::/64"), Isolated: true,
		LocalSubnets: []netip.Prefix{netip.MustParsePrefix("10.77.0.0/24"), netip.MustParsePrefix("fd00:77::/64")},
	})
	foreign := unreachable("2001:db8::9", "fd00:9::5", "fd00:77::2")
	foreign[headerLength+8+23] = 6 // about another client's packet
	echo := unreachable("2001:db8::9", "fd00:9::5", "fd00:77::2")
	echo[headerLength] = 128
	for name, c := range map[string]struct {
		p    []byte
		want bool
	}{
		"IPv6, from a router":                    {unreachable("2001:db8::9", "fd00:9::5", "fd00:77::2"), true},
		"IPv4, from a router":                    {unreachable("192.0.2.9", "10.9.0.5", "10.77.0.2"), true},
		"about what may not be sent":             {unreachable("2001:db8::9", "fd00:9::5", "fd00:78::2"), false},
		"about a packet of another":              {foreign, false},
		"from another client":                    {unreachable("fd00:9::6", "fd00:9::5", "fd00:77::2"), false},
		"from a link":                            {unreachable("fe80::1", "fd00:9::5", "fd00:77::2"), false},
		"an echo request with the look of one":   {echo, false},
		"cut":                                    {unreachable("192.0.2.9", "10.9.0.5", "10.77.0.2")[:46], false},
		"no error but foreign data":              {packet("2001:db8::9", "fd00:9::5"), false},
		"from inside the subnets, whatever else": {packet("fd00:77::2", "fd00:9::5"), true},
	} {
		if got := f.ToClient(c.p); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}
