package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
	"github.com/skybridge-cloud/skybridge/internal/client/trust"
)

const (
	reachLimit = 5 * time.Second
	clockLimit = 2 * time.Minute // what certificates and codes bear
	soon       = 14 * 24 * time.Hour
	narrow     = 1280             // what IPv6 needs
	settling   = 15 * time.Second // a tunnel needs at most to have its UDP channel
	segment    = 536              // of TCP, that every path carries (RFC 9293 section 3.7.1)
)

func (d *doctor) daemon(ctx context.Context) Check {
	if d.t.Status == nil {
		return skipped("not_asked")
	}
	err := d.ask(ctx)
	switch {
	case err == nil:
		return ok()
	case errors.Is(err, ipc.ErrNotAllowed), errors.Is(err, ipc.ErrForbidden):
		return fail("daemon_closed", err)
	case errors.Is(err, ipc.ErrVersion):
		return fail("daemon_version", err)
	}
	return fail("daemon_away", err)
}

// causeLeft is that of a connection whose daemon was killed: its kill switch goes on.
const causeLeft = "left"

// left looks for what a killed daemon did to this machine's network. A daemon that
// runs has undone it, but for kill switches.
func (d *doctor) left(context.Context) Check {
	if d.asked {
		if slices.Contains(d.others, causeLeft) {
			return fail(causeLeft, nil)
		}
		return ok()
	}
	if d.t.Traces == nil {
		return skipped("not_asked")
	}
	there, err := d.t.Traces()
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return skipped("not_on_this_system")
	case err != nil:
		return fail("routes_unknown", err)
	case there:
		return fail("left_behind", nil)
	}
	return ok()
}

// connection says why the profile is not connected, if it was tried.
func (d *doctor) connection(context.Context) Check {
	switch c := d.conn; {
	case d.t.Profile == "":
		return skipped("no_server")
	case c == nil || c.State == ipc.Down || c.Cause == causeLeft:
		return skipped("not_connected")
	case c.State == ipc.Paused:
		return skipped("trusted")
	case c.Cause != "":
		return Check{State: Fail, Cause: c.Cause, With: parameters(c.With), Detail: c.Text}
	}
	return ok()
}

func parameters(of map[string]string) map[string]any {
	out := map[string]any{}
	for name, v := range of {
		out[name] = v
	}
	return out
}

func (d *doctor) device(context.Context) Check {
	if d.up() {
		return ok() // there is one, so one can be made
	}
	return tunDevice()
}

func (d *doctor) resolver(context.Context) Check { return resolver() }

func (d *doctor) name(ctx context.Context) Check {
	if d.t.Server == "" {
		return skipped("no_server")
	}
	at := d.t.Server
	if d.t.Proxy != "" {
		at = d.t.Proxy
	}
	host, port, err := net.SplitHostPort(at)
	if err != nil {
		return fail("bad_server", err)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return fail("bad_server", err)
	}
	ctx, cancel := context.WithTimeout(ctx, reachLimit)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return unnamed(err)
	}
	for _, a := range found {
		d.addrs = append(d.addrs, netip.AddrPortFrom(a.Unmap(), uint16(n)))
	}
	return ok()
}

// misbehaving is what package net calls a name server that answers that it cannot.
const misbehaving = "server misbehaving"

func unnamed(err error) Check {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return fail("no_such_name", err)
	case errors.As(err, &dns) && dns.Err == misbehaving:
		return fail("resolver_fails", err)
	}
	return fail("no_resolver", err)
}

func (d *doctor) tcp(ctx context.Context) Check {
	if len(d.addrs) == 0 {
		return skipped("no_address")
	}
	var all error
	for _, a := range d.addrs {
		c, err := (&net.Dialer{Timeout: reachLimit}).DialContext(ctx, "tcp", a.String())
		if err == nil {
			_ = c.Close()
			d.reach = a
			return ok()
		}
		all = errors.Join(all, err)
	}
	switch {
	case d.t.Proxy != "":
		return fail("proxy_away", all)
	case refused(all):
		return fail("port_closed", all)
	case !slices.ContainsFunc(d.addrs, func(a netip.AddrPort) bool { return routed(a.Addr()) }):
		return fail("no_route", all)
	}
	return fail("unreachable", all)
}

func (d *doctor) certificate(ctx context.Context) Check {
	if !d.reach.IsValid() || d.t.Secure == nil {
		return skipped("no_address")
	}
	a, err := d.secure(ctx, 0)
	if errors.Is(err, context.DeadlineExceeded) { // do short packets get through where long ones vanish?
		short, e := d.secure(ctx, segment)
		if e == nil || trust.Refused(e) != nil {
			a, err, d.hole = short, e, true
		}
	}
	switch refusal := trust.Refused(err); {
	case refusal != nil:
		return Check{State: Fail, Cause: refusal.Code, With: refusal.Params, Detail: err.Error()}
	case err != nil:
		return fail("no_tls", err)
	}
	d.answer, d.known = a, true
	if left := time.Until(a.NotAfter); left < soon {
		return warn("certificate_ends", "days", fmt.Sprint(int(left.Hours()/24)))
	}
	return ok()
}

func (d *doctor) secure(ctx context.Context, segment int) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, reachLimit)
	defer cancel()
	a, err := d.t.Secure(ctx, d.reach, segment)
	if err != nil && ctx.Err() != nil {
		return a, errors.Join(ctx.Err(), err) // what a deadline breaks says so in many words
	}
	return a, err
}

func (d *doctor) clock(context.Context) Check {
	if !d.known || d.answer.Date.IsZero() {
		return skipped("clock_unknown")
	}
	off := time.Since(d.answer.Date).Round(time.Second)
	if off.Abs() > clockLimit {
		return fail("clock_wrong", nil, "offset", off.String())
	}
	return ok()
}

// udp is known only inside a session: to a stranger's datagram a gateway is silent.
func (d *doctor) udp(ctx context.Context) Check {
	switch {
	case !d.up():
		return skipped("not_connected")
	case !d.t.WantDTLS || d.conn.UDPPort == 0:
		return skipped("dtls_off")
	}
	for d.up() && d.conn.Channel != "dtls" && time.Since(d.conn.Since) < settling {
		select {
		case <-time.After(settling / 30):
		case <-ctx.Done():
			return skipped("not_asked")
		}
		if err := d.ask(ctx); err != nil {
			return skipped("not_connected")
		}
	}
	switch {
	case !d.up():
		return skipped("not_connected")
	case d.conn.Channel != "dtls":
		return warn("udp_blocked")
	}
	return ok()
}

// mtu says what packets the path carries: what the tunnel found, else what was seen
// of long packets and what the system believes.
func (d *doctor) mtu(context.Context) Check {
	switch c := d.conn; {
	case d.hole:
		return fail("mtu_hole", nil)
	case d.up() && c.MTU < c.FullMTU:
		return warn("mtu_narrow", "mtu", strconv.Itoa(c.MTU))
	case d.up() && c.MTU > 0:
		return Check{State: OK, With: with([]string{"mtu", strconv.Itoa(c.MTU)})}
	case !d.reach.IsValid():
		return skipped("no_address")
	}
	n, err := pathMTU(d.reach)
	if err != nil {
		return Check{State: Skipped, Cause: "mtu_unknown", Detail: err.Error()}
	}
	if n < narrow+100 {
		return warn("mtu_narrow", "mtu", strconv.Itoa(n))
	}
	return Check{State: OK, With: with([]string{"mtu", strconv.Itoa(n)})}
}

// routes looks for what takes packets elsewhere than they should go: to the server,
// and into the tunnel.
func (d *doctor) routes(context.Context) Check {
	if d.up() {
		return d.near()
	}
	if len(d.addrs) == 0 || d.reach.IsValid() {
		return skipped("not_connected")
	}
	for _, a := range d.addrs {
		if to, link, astray := astray(a.Addr()); astray {
			return fail("server_route", nil, "route", to, "link", link)
		}
	}
	return ok()
}

// near looks for networks of this machine that lie inside the tunnel's: what is near
// wins, and the far one is not reached.
func (d *doctor) near() Check {
	links, err := net.Interfaces()
	if err != nil {
		return fail("routes_unknown", err)
	}
	for _, l := range links {
		if l.Name == d.conn.Device || l.Flags&net.FlagLoopback != 0 || l.Flags&net.FlagUp == 0 {
			continue
		}
		addrs, err := l.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addrs {
			near, err := netip.ParsePrefix(a.String())
			if err != nil || near.Addr().IsLinkLocalUnicast() || near.IsSingleIP() {
				continue
			}
			for _, far := range d.conn.Include {
				if far.Bits() > 0 && far.Overlaps(near.Masked()) {
					return warn("route_conflict", "near", near.Masked().String(), "far", far.String(), "link", l.Name)
				}
			}
		}
	}
	return ok()
}
