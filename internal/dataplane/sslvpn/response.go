package sslvpn

import (
	"net/netip"
	"slices"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

// response is the answer to a CONNECT, but for DTLS, and the address families
// that it gives.
func (h *httpConn) response(c *liveSession, req openconnect.ConnectRequest) (openconnect.ConnectResponse, families) {
	spec := h.srv.spec
	base := openconnect.ClampBaseMTU(req.BaseMTU, pathMTU(h.conn.Conn))
	mtu := openconnect.TunnelMTU(base, h.from.Addr().Is6(), openconnect.CipherGCM)
	if spec.MTU > 0 {
		mtu = min(mtu, spec.MTU)
	}
	given := familiesFor(c.rec, req, mtu)
	out := openconnect.ConnectResponse{
		Agent: req.Agent, ServerName: spec.Name, FullIPv6: req.FullIPv6,
		SplitDNS: spec.SplitDNS, DefaultDomains: spec.DefaultDomains, TunnelAllDNS: spec.FullTunnel,
		ClientBypassProtocol: spec.ClientBypass,
		DPD:                  h.srv.dpd(req.Mobile), Keepalive: seconds(spec.Keepalive), RekeyTime: h.srv.rekey(),
		IdleTimeout: h.srv.idle(req.Mobile), SessionTimeout: seconds(spec.SessionTimeout),
		DisconnectedTimeout: seconds(spec.CookieTimeout),
		BaseMTU:             base, MTU: mtu, Banner: spec.Banner, Notices: c.grant.Notices,
	}
	if spec.SessionTimeout > 0 {
		out.SessionRemaining = c.end(h.srv).Sub(h.svc.cfg.Clock.Now())
	}
	h.srv.addressAnswer(&out, c.rec, given)
	h.srv.routeAnswer(&out, c.grant.Client, given)
	return out, given
}

// addressAnswer writes the addresses of the families given, and the DNS servers
// that can be reached by them.
func (s *server) addressAnswer(out *openconnect.ConnectResponse, r Record, given families) {
	if given.v4 {
		out.IPv4 = netip.PrefixFrom(r.Inner, s.spec.Pool.Bits())
	}
	if given.v6 {
		out.IPv6 = netip.PrefixFrom(r.Inner6, s.spec.Pool6.Bits())
	}
	for _, a := range s.spec.DNS {
		if given.of(a.Is4()) {
			out.DNS = append(out.DNS, a)
		}
	}
}

// routeAnswer writes the routes of the families given. A client takes a family
// without routes for one that goes through the tunnel as a whole, so that a
// split tunnel names at least the pool of each.
func (s *server) routeAnswer(out *openconnect.ConnectResponse, client string, given families) {
	keep := func(all []netip.Prefix) (kept []netip.Prefix) {
		for _, p := range all {
			if given.of(p.Addr().Is4()) {
				kept = append(kept, p)
			}
		}
		return kept
	}
	out.SplitExclude = keep(s.spec.ExcludeRoutes)
	if s.spec.FullTunnel {
		return
	}
	out.SplitInclude = keep(append(slices.Clone(s.spec.LocalSubnets), s.othersNetworks(client)...))
	for _, pool := range []netip.Prefix{s.spec.Pool, s.spec.Pool6} {
		v4 := pool.Addr().Is4()
		has := slices.ContainsFunc(out.SplitInclude, func(p netip.Prefix) bool { return p.Addr().Is4() == v4 })
		if pool.IsValid() && given.of(v4) && !has {
			out.SplitInclude = append(out.SplitInclude, pool)
		}
	}
}

// othersNetworks are the networks behind other clients, where clients may reach
// one another.
func (s *server) othersNetworks(client string) (all []netip.Prefix) {
	if s.spec.ClientIsolation {
		return nil
	}
	for _, c := range s.spec.Clients {
		if c.ID != client {
			all = append(all, c.Routes...)
		}
	}
	return all
}

// rekey is when a client makes a new tunnel. A control that says nothing leaves
// it at what the specification asks for at least (OpenConnect, 10.3).
func (s *server) rekey() time.Duration {
	if s.spec.RekeyTime > 0 {
		return seconds(s.spec.RekeyTime)
	}
	return leastRekey
}

// idle is how long a session may be without data: people put phones away, and
// find them connected again.
func (s *server) idle(mobile bool) time.Duration {
	if mobile {
		return seconds(s.spec.MobileIdle)
	}
	return seconds(s.spec.IdleTimeout)
}

// dpd is the interval of dead peer detection: phones are woken less often.
func (s *server) dpd(mobile bool) time.Duration {
	if mobile && s.spec.MobileDPD > 0 {
		return seconds(s.spec.MobileDPD)
	}
	return seconds(s.spec.DPD)
}
