// Package filter decides what a session's packets may reach.
//
// It is the first wall; the second is nftables in the gateway's namespace
// (netcfg). It keeps no connection state and changes no packet.
//
//	from the client: source = the lease; destination = an allowed subnet, the
//	                 gateway's own address, or another client unless isolated;
//	                 and what the access list of the server allows
//	to the client:   source as above
//
// Invariants: a packet that cannot be read is refused; a Filter never changes
// after New, so that any number of goroutines may use it; no allocation.
package filter

import (
	"net/netip"
)

// Rules say what the clients of one SSL server may reach.
type Rules struct {
	Pool         netip.Prefix // the clients themselves; the first host is the gateway
	LocalSubnets []netip.Prefix
	FullTunnel   bool // every destination outside the pool is allowed
	Isolated     bool // clients do not reach one another
	ACL          *ACL // of packets from clients; nil allows all
}

// Filter is Rules ready for use.
type Filter struct {
	pool     netip.Prefix
	gateway  netip.Addr
	subnets  []netip.Prefix
	full     bool
	isolated bool
	acl      *ACL
}

// New prepares rules.
func New(r Rules) *Filter {
	f := &Filter{pool: r.Pool.Masked(), full: r.FullTunnel, isolated: r.Isolated, acl: r.ACL}
	f.gateway = f.pool.Addr().Next()
	for _, s := range r.LocalSubnets {
		f.subnets = append(f.subnets, s.Masked())
	}
	return f
}

// FromClient tells whether the packet p of the session that holds lease may
// enter the gateway's network.
func (f *Filter) FromClient(p []byte, lease netip.Addr) bool {
	src, dst, ok := Addresses(p)
	return ok && src == lease && f.reachable(dst) && f.acl.Allows(p)
}

// ToClient tells whether the packet p may leave towards a client.
func (f *Filter) ToClient(p []byte) bool {
	src, _, ok := Addresses(p)
	return ok && f.reachable(src)
}

func (f *Filter) reachable(a netip.Addr) bool {
	if f.pool.Contains(a) {
		return a == f.gateway || !f.isolated
	}
	if f.full {
		return !a.IsMulticast() && !a.IsLoopback()
	}
	for _, s := range f.subnets {
		if s.Contains(a) {
			return true
		}
	}
	return false
}

// Addresses reads source and destination of an IPv4 or IPv6 packet. ok is
// false for anything else, and when the packet's own length exceeds p.
func Addresses(p []byte) (src, dst netip.Addr, ok bool) {
	if len(p) < 20 {
		return src, dst, false
	}
	switch p[0] >> 4 {
	case 4:
		if n := int(p[2])<<8 | int(p[3]); n > len(p) || p[0]&15 < 5 {
			return src, dst, false
		}
		return netip.AddrFrom4([4]byte(p[12:16])), netip.AddrFrom4([4]byte(p[16:20])), true
	case 6:
		if len(p) < 40 {
			return src, dst, false
		}
		return netip.AddrFrom16([16]byte(p[8:24])), netip.AddrFrom16([16]byte(p[24:40])), true
	}
	return src, dst, false
}
