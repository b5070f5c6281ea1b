package filter

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"sort"
)

// Protocol is what a Rule is about.
type Protocol uint8

// Protocols. ICMP is that of the packet's family.
const (
	Any Protocol = iota
	TCP
	UDP
	ICMP
)

// Rule is one line of an access list.
type Rule struct {
	Allow       bool
	Protocol    Protocol
	Destination netip.Prefix // invalid = everywhere, in both families
	Ports       []Ports      // destination ports of TCP or UDP; none = all
}

// Ports is a range of ports, both ends in it.
type Ports struct{ From, To uint16 }

// ACL decides which packets of clients go on, by the first rule that matches,
// else by a default. It looks at one direction only: what comes back is not
// asked for, so that the answers of a connection that it allowed pass, and it
// needs no memory of connections. A connection from the network to a client
// works where the client's answers are allowed.
//
// A fragment that is not the first has no ports. It matches a rule that allows
// ports by protocol and destination alone, and no rule that denies ports: without
// its first fragment, which was judged in full, it is worth nothing. A first
// fragment without its ports is refused, as is a packet whose headers cannot be
// walked.
//
// The rules are sorted into one table per family and protocol: the destinations
// at which the answer may change, and for what lies between two of them the
// rules that are left to be asked. So a packet costs a binary search and the
// rules for its very destination. No allocation.
type ACL struct {
	tables [2][4]table // by family and Protocol; Any is every other protocol
}

// table is sorted by the first address of each span.
type table struct {
	from  []address
	rules [][]verdict
	deny  bool // what no rule decides
}

// verdict is a rule of a span. Without ports it is the last one.
type verdict struct {
	ports []Ports
	allow bool
}

// address is an address as a number.
type address struct{ high, low uint64 }

func (a address) less(b address) bool { return a.high < b.high || a.high == b.high && a.low < b.low }

// next is the address after a; ok is false after the last one.
func (a address) next() (n address, ok bool) {
	n = address{a.high, a.low + 1}
	if n.low == 0 {
		n.high++
	}
	return n, n != address{}
}

func number(a netip.Addr) address {
	if a.Is4() {
		b := a.As4()
		return address{low: uint64(binary.BigEndian.Uint32(b[:]))}
	}
	b := a.As16()
	return address{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

// NewACL prepares rules; deny is for what none of them decides. Without a rule
// that denies it returns nil, which allows everything.
func NewACL(rules []Rule, deny bool) *ACL {
	if !deny && !slices.ContainsFunc(rules, func(r Rule) bool { return !r.Allow }) {
		return nil
	}
	a := &ACL{}
	for family, bits := range []int{32, 128} {
		for _, p := range []Protocol{Any, TCP, UDP, ICMP} {
			a.tables[family][p] = newTable(rules, p, bits, deny)
		}
	}
	return a
}

func newTable(rules []Rule, p Protocol, bits int, deny bool) table {
	t := table{deny: deny, from: []address{{}}}
	var mine []Rule
	for _, r := range rules {
		if (r.Protocol != Any && r.Protocol != p) || (r.Destination.IsValid() && r.Destination.Addr().BitLen() != bits) {
			continue
		}
		mine = append(mine, r)
		if !r.Destination.IsValid() {
			continue
		}
		t.from = append(t.from, number(r.Destination.Masked().Addr()))
		if end, ok := last(r.Destination).next(); ok {
			t.from = append(t.from, end)
		}
	}
	slices.SortFunc(t.from, func(a, b address) int {
		if a.less(b) {
			return -1
		}
		return 1
	})
	t.from = slices.Compact(t.from)
	for _, at := range t.from {
		t.rules = append(t.rules, verdicts(mine, at))
	}
	return t
}

// last is the last address of a prefix.
func last(p netip.Prefix) address {
	a, host := number(p.Masked().Addr()), p.Addr().BitLen()-p.Bits()
	if host >= 64 {
		return address{a.high | ones(host-64), ^uint64(0)}
	}
	return address{a.high, a.low | ones(host)}
}

func ones(n int) uint64 {
	if n >= 64 {
		return ^uint64(0)
	}
	return 1<<n - 1
}

// verdicts are the rules for an address, up to the one that decides whatever
// the ports are.
func verdicts(rules []Rule, at address) (all []verdict) {
	for _, r := range rules {
		if r.Destination.IsValid() && (at.less(number(r.Destination.Masked().Addr())) || last(r.Destination).less(at)) {
			continue
		}
		all = append(all, verdict{r.Ports, r.Allow})
		if len(r.Ports) == 0 {
			break
		}
	}
	return all
}

// Allows tells whether the packet p may go on. It must have passed Addresses.
func (a *ACL) Allows(p []byte) bool {
	if a == nil {
		return true
	}
	if p[0]>>4 == 4 {
		return a.allows4(p)
	}
	return a.allows6(p)
}

func (a *ACL) allows4(p []byte) bool {
	head := int(p[0]&15) * 4
	end := min(int(p[2])<<8|int(p[3]), len(p))
	dst := address{low: uint64(binary.BigEndian.Uint32(p[16:20]))}
	proto, later := protocolOf(p[9], 1), p[6]&0x1f|p[7] != 0
	return a.tables[0][proto].allows(dst, proto, p[min(head, end):end], later)
}

func (a *ACL) allows6(p []byte) bool {
	p = p[:min(len(p), 40+int(binary.BigEndian.Uint16(p[4:])))] // what is behind its end is not of it
	at, later, proto, ok := walk6(p)
	if !ok {
		return false
	}
	dst := address{binary.BigEndian.Uint64(p[24:32]), binary.BigEndian.Uint64(p[32:40])}
	class := protocolOf(proto, 58)
	return a.tables[1][class].allows(dst, class, p[at:], later)
}

func protocolOf(number, icmp byte) Protocol {
	switch number {
	case 6:
		return TCP
	case 17:
		return UDP
	case icmp:
		return ICMP
	}
	return Any
}

// allows judges one packet: payload is what follows the IP header, later a
// fragment that is not the first.
func (t *table) allows(dst address, proto Protocol, payload []byte, later bool) bool {
	at := sort.Search(len(t.from), func(i int) bool { return dst.less(t.from[i]) }) - 1
	port := -1
	if (proto == TCP || proto == UDP) && !later {
		if len(payload) < 4 {
			return false
		}
		port = int(payload[2])<<8 | int(payload[3])
	}
	for _, v := range t.rules[at] {
		switch {
		case len(v.ports) == 0, port >= 0 && holds(v.ports, uint16(port)):
			return v.allow
		case port < 0 && v.allow:
			return true // a later fragment, of an allowed port as far as one can tell
		}
	}
	return !t.deny
}

func holds(all []Ports, port uint16) bool {
	for _, r := range all {
		if r.From <= port && port <= r.To {
			return true
		}
	}
	return false
}

// maxHeaders bounds the extension headers of an IPv6 packet: real ones have one
// or two.
const maxHeaders = 4

// walk6 finds the upper layer behind extension headers (RFC 8200 section 4).
func walk6(p []byte) (at int, later bool, proto byte, ok bool) {
	proto, at = p[6], 40
	for range maxHeaders + 1 {
		var n int
		switch proto {
		case 0, 43, 60: // hop-by-hop, routing, destination options
			n = 8
			if len(p) >= at+2 {
				n = (int(p[at+1]) + 1) * 8
			}
		case 44: // fragment
			n = 8
		case 51: // authentication
			n = 8
			if len(p) >= at+2 {
				n = (int(p[at+1]) + 2) * 4
			}
		default:
			return at, false, proto, true
		}
		if len(p) < at+n {
			return 0, false, 0, false
		}
		if proto == 44 && (p[at+2] != 0 || p[at+3]&^7 != 0) {
			return at + n, true, p[at], true
		}
		proto, at = p[at], at+n
	}
	return 0, false, 0, false
}
