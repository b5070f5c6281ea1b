package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client/trust"
)

const (
	reachLimit = 5 * time.Second
	clockLimit = 2 * time.Minute // what certificates and codes bear
	soon       = 14 * 24 * time.Hour
	narrow     = 1280 // what IPv6 needs
)

func (d *doctor) daemon(ctx context.Context) Check {
	if d.t.Daemon == nil {
		return skipped("not_asked")
	}
	ctx, cancel := context.WithTimeout(ctx, reachLimit)
	defer cancel()
	if err := d.t.Daemon(ctx); err != nil {
		return fail("daemon_away", err)
	}
	return ok()
}

func (d *doctor) device(context.Context) Check {
	if d.t.Device != "" {
		return ok() // there is one, so one can be made
	}
	return tunDevice()
}

func (d *doctor) resolver(context.Context) Check { return resolver() }

func (d *doctor) name(ctx context.Context) Check {
	if d.t.Server == "" {
		return skipped("no_server")
	}
	host, port, err := net.SplitHostPort(d.t.Server)
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
		var dns *net.DNSError
		if errors.As(err, &dns) && dns.IsNotFound {
			return fail("no_such_name", err)
		}
		return fail("no_resolver", err)
	}
	for _, a := range found {
		d.addrs = append(d.addrs, netip.AddrPortFrom(a.Unmap(), uint16(n)))
	}
	return ok()
}

func (d *doctor) tcp(ctx context.Context) Check {
	if len(d.addrs) == 0 {
		return skipped("no_address")
	}
	var first error
	for _, a := range d.addrs {
		c, err := (&net.Dialer{Timeout: reachLimit}).DialContext(ctx, "tcp", a.String())
		if err == nil {
			_ = c.Close()
			d.reach = a
			return ok()
		}
		first = errors.Join(first, err)
	}
	if refused(first) {
		return fail("port_closed", first)
	}
	return fail("unreachable", first)
}

func (d *doctor) certificate(ctx context.Context) Check {
	if !d.reach.IsValid() || d.t.Secure == nil {
		return skipped("no_address")
	}
	ctx, cancel := context.WithTimeout(ctx, reachLimit)
	defer cancel()
	a, err := d.t.Secure(ctx, d.reach)
	switch {
	case errors.Is(err, trust.ErrExpired), errors.Is(err, trust.ErrNotYet):
		return fail("certificate_dates", err)
	case trust.Refused(err) != nil:
		return fail("not_trusted", err)
	case err != nil:
		return fail("no_tls", err)
	}
	d.answer, d.known = a, true
	if left := time.Until(a.NotAfter); left < soon {
		return warn("certificate_ends", "days", fmt.Sprint(int(left.Hours()/24)))
	}
	return ok()
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
func (d *doctor) udp(context.Context) Check {
	switch {
	case d.t.Device == "":
		return skipped("not_connected")
	case !d.t.WantDTLS:
		return skipped("dtls_off")
	case d.t.Channel != "dtls":
		return warn("udp_blocked")
	}
	return ok()
}

func (d *doctor) mtu(context.Context) Check {
	if !d.reach.IsValid() {
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

// routes looks for networks of this machine that lie inside the tunnel's: what
// is near wins, and the far one is not reached.
func (d *doctor) routes(context.Context) Check {
	if d.t.Device == "" {
		return skipped("not_connected")
	}
	links, err := net.Interfaces()
	if err != nil {
		return fail("routes_unknown", err)
	}
	for _, l := range links {
		if l.Name == d.t.Device || l.Flags&net.FlagLoopback != 0 || l.Flags&net.FlagUp == 0 {
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
			for _, far := range d.t.Includes {
				if far.Bits() > 0 && far.Overlaps(near.Masked()) {
					return warn("route_conflict", "near", near.Masked().String(), "far", far.String(), "link", l.Name)
				}
			}
		}
	}
	return ok()
}

// dns asks the name servers of the tunnel for those of the root: any answer will
// do.
func (d *doctor) dns(ctx context.Context) Check {
	if d.t.Device == "" || len(d.t.DNS) == 0 {
		return skipped("no_dns")
	}
	var err error
	for _, server := range d.t.DNS {
		if err = answers(ctx, netip.AddrPortFrom(server, 53)); err == nil {
			return ok()
		}
	}
	return fail("dns_silent", err)
}

// question is a DNS message (RFC 1035 section 4): id 0x5b5b, recursion desired,
// one question: NS of the root.
var question = []byte{0x5b, 0x5b, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1}

const dnsLimit = 2 * time.Second

func answers(ctx context.Context, server netip.AddrPort) error {
	c, err := (&net.Dialer{}).DialContext(ctx, "udp", server.String())
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(dnsLimit))
	if _, err := c.Write(question); err != nil {
		return err
	}
	b := make([]byte, 512)
	n, err := c.Read(b)
	if err == nil && (n < 12 || b[0] != question[0] || b[1] != question[1] || b[2]&0x80 == 0) {
		err = errors.New("not an answer")
	}
	return err
}
