package sslvpn

import (
	"errors"
	"net/netip"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/filter"
	"github.com/skybridge-cloud/skybridge/internal/dataplane/lease"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

// take leases one address of each family that the server has a pool of: whether
// the client wants both is known at CONNECT only, and it may change its mind.
func (s *server) take(r *Record, g gwlink.Grant) (err error) {
	if r.Inner, err = takeOne(s.pool, g.FixedInner, g.Client); err != nil || s.pool6 == nil {
		return err
	}
	if r.Inner6, err = takeOne(s.pool6, g.FixedInner6, g.Client); err != nil {
		s.pool.Release(r.Inner)
	}
	return err
}

func takeOne(p *lease.Pool, fixed netip.Addr, holder string) (netip.Addr, error) {
	if fixed.IsValid() {
		return fixed, p.TakeExactly(fixed, holder)
	}
	return p.Take(holder)
}

// errNoIPv6 says that a session has an address of a pool that is no more.
var errNoIPv6 = errors.New("the server has no ipv6 pool any more")

// takeBack leases the addresses of a session of before.
func (s *server) takeBack(r Record, holder string) error {
	if r.Inner6.IsValid() && s.pool6 == nil {
		return errNoIPv6
	}
	if err := s.pool.TakeExactly(r.Inner, holder); err != nil || !r.Inner6.IsValid() {
		return err
	}
	err := s.pool6.TakeExactly(r.Inner6, holder)
	if err != nil {
		s.pool.Release(r.Inner)
	}
	return err
}

func (s *server) release(r Record) {
	s.pool.Release(r.Inner)
	if s.pool6 != nil && r.Inner6.IsValid() {
		s.pool6.Release(r.Inner6)
	}
}

// keeps tells whether a session keeps its addresses: in new pools they are leased
// anew, so that nobody else gets them. The client's lock is held.
func (s *server) keeps(c *liveSession) bool {
	old, r := c.server.Load(), c.rec
	if !s.spec.Pool.Contains(r.Inner) || (r.Inner6.IsValid() && !s.spec.Pool6.Contains(r.Inner6)) {
		return false
	}
	if old.pool != s.pool && s.pool.TakeExactly(r.Inner, c.grant.Client) != nil {
		return false
	}
	if !r.Inner6.IsValid() || old.pool6 == s.pool6 || s.pool6.TakeExactly(r.Inner6, c.grant.Client) == nil {
		return true
	}
	if old.pool != s.pool {
		s.pool.Release(r.Inner)
	}
	return false
}

// families are the address families that a client was given at CONNECT.
type families struct{ v4, v6 bool }

// familiesFor is what a client gets: the families that it wants, IPv6 only
// where a tunnel MTU carries it, and IPv4 rather than nothing.
func familiesFor(r Record, req openconnect.ConnectRequest, mtu int) families {
	f := families{v4: req.IPv4, v6: req.IPv6 && r.Inner6.IsValid() && openconnect.FitsIPv6(mtu)}
	f.v4 = f.v4 || !f.v6
	return f
}

// of tells whether an address or prefix of a family is for the client.
func (f families) of(v4 bool) bool { return (v4 && f.v4) || (!v4 && f.v6) }

// holdLocked makes the session's addresses and networks those of its server's
// present configuration and of its last CONNECT.
func (c *liveSession) holdLocked() {
	var h filter.Holder
	if c.families.v4 {
		h.IPv4 = c.rec.Inner
	}
	if c.families.v6 {
		h.IPv6 = c.rec.Inner6
	}
	for _, p := range c.server.Load().clients[c.grant.Client].Routes {
		if c.families.of(p.Addr().Is4()) {
			h.Routed = append(h.Routed, p.Masked())
		}
	}
	c.holder.Store(&h)
}
