package egress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
)

// dial connects to the permit's endpoint, whatever address it is asked for. It
// resolves the name once, holds every address to the rules and connects to one
// of these, so that a second resolution cannot lead elsewhere.
func (p *Permit) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, ConnectTimeout)
	defer cancel()
	all, err := p.e.d.Lookup(ctx, "ip", p.base.Hostname())
	if err != nil {
		return nil, fmt.Errorf("resolving the recipient: %w", err)
	}
	for _, a := range all {
		if !p.allowed(a.Unmap()) {
			return nil, ErrAddress
		}
	}
	var d net.Dialer
	var failed error
	for _, a := range all {
		conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(a.Unmap().String(), p.base.Port()))
		if err == nil {
			return conn, nil
		}
		failed = errors.Join(failed, err)
	}
	return nil, fmt.Errorf("reaching the recipient: %w", failed)
}

func (p *Permit) allowed(a netip.Addr) bool {
	switch {
	case p.e.d.Registry.demo:
		return a.IsLoopback()
	case p.infra:
		return a.IsGlobalUnicast() // private networks too
	}
	return public(a)
}

// special are the blocks of the IANA special-purpose registries that
// IsGlobalUnicast lets through.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("192.88.99.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001::/23"),
	netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("3fff::/20"),
	netip.MustParsePrefix("fec0::/10"),
}

// public reports whether an address is of the public internet.
func public(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
