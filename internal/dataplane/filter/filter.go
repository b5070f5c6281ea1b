// Package filter decides what a session's packets may reach.
//
// It is the first wall; the second is nftables in the gateway's namespace
// (netcfg). It keeps no connection state and changes no packet.
//
//	from the client: source = a lease, or a network behind the client;
//	                 destination = an allowed subnet, the gateway's own address,
//	                 or another client and what is behind it unless isolated;
//	                 and what the access list of the server allows
//	to the client:   source as above; also an ICMP error from anywhere about a
//	                 packet that the client itself may send
//
// Invariants: a packet that cannot be read is refused; nothing goes to
// link-local or multicast addresses; a Filter never changes after New, so that
// any number of goroutines may use it; no allocation.
package filter

import (
	"net/netip"
	"slices"
)

// Rules say what the clients of one SSL server may reach. Either pool may be
// invalid: then that family has no clients.
type Rules struct {
	Pool, Pool6  netip.Prefix   // the clients themselves; the first host is the gateway
	Routed       []netip.Prefix // networks behind clients
	LocalSubnets []netip.Prefix
	FullTunnel   bool // every destination that is no client's is allowed
	Isolated     bool // clients do not reach one another
	ACL          *ACL // of packets from clients; nil allows all
}

// Filter is Rules ready for use.
type Filter struct {
	inside   []netip.Prefix // pools and networks behind clients
	gateways []netip.Addr
	subnets  []netip.Prefix
	full     bool
	isolated bool
	acl      *ACL
}

// New prepares rules.
func New(r Rules) *Filter {
	f := &Filter{full: r.FullTunnel, isolated: r.Isolated, acl: r.ACL}
	for _, p := range []netip.Prefix{r.Pool, r.Pool6} {
		if p.IsValid() {
			f.inside = append(f.inside, p.Masked())
			f.gateways = append(f.gateways, p.Masked().Addr().Next())
		}
	}
	for _, p := range r.Routed {
		f.inside = append(f.inside, p.Masked())
	}
	for _, s := range r.LocalSubnets {
		f.subnets = append(f.subnets, s.Masked())
	}
	return f
}

// Holder is who sends and receives on one session: its leases, as far as the
// client took them, and the networks behind it.
type Holder struct {
	IPv4, IPv6 netip.Addr // invalid = none
	Routed     []netip.Prefix
}

// Owns tells whether a is the holder's.
func (h *Holder) Owns(a netip.Addr) bool {
	return a == h.IPv4 || a == h.IPv6 || contains(h.Routed, a)
}

// FromClient tells whether the packet p of a session of h may enter the
// gateway's network.
func (f *Filter) FromClient(p []byte, h *Holder) bool {
	src, dst, ok := Addresses(p)
	return ok && h.Owns(src) && f.reachable(dst) && f.acl.Allows(p)
}

// ToClient tells whether the packet p may leave towards the client that has its
// destination.
func (f *Filter) ToClient(p []byte) bool {
	src, dst, ok := Addresses(p)
	return ok && (f.reachable(src) || f.answers(p, src, dst))
}

func (f *Filter) reachable(a netip.Addr) bool {
	if !routable(a) {
		return false
	}
	if contains(f.inside, a) {
		return !f.isolated || slices.Contains(f.gateways, a)
	}
	return f.full || contains(f.subnets, a)
}

// answers tells whether p is an ICMP error, of any router on the way, about a
// packet of dst to where that may send: without these no path MTU is found.
func (f *Filter) answers(p []byte, src, dst netip.Addr) bool {
	about, to, ok := quoted(p)
	return ok && about == dst && f.reachable(to) && routable(src) && !contains(f.inside, src)
}

func contains(all []netip.Prefix, a netip.Addr) bool {
	for _, p := range all {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// limitedBroadcast is the one IPv4 address that is neither multicast nor
// anybody's.
var limitedBroadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// routable tells whether packets to a leave a link at all.
func routable(a netip.Addr) bool {
	return !a.IsMulticast() && !a.IsLoopback() && !a.IsLinkLocalUnicast() && !a.IsUnspecified() && !a.Is4In6() && a != limitedBroadcast
}
