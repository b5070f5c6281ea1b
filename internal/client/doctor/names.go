package doctor

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"strings"
	"time"
)

// dnsLimit is how long a name server may take.
const dnsLimit = 2 * time.Second

// What a name server says instead of an answer (RFC 1035 section 4.1.1).
const (
	rcodeFailure = 2 // SERVFAIL
	rcodeNone    = 3 // NXDOMAIN
	rcodeRefused = 5 // REFUSED
)

// dns asks the name servers of the tunnel for the domain that they are there for;
// for the root where none is named, of which any answer but a failure will do.
func (d *doctor) dns(ctx context.Context) Check {
	if !d.up() || len(d.conn.DNS) == 0 {
		return skipped("no_dns")
	}
	domain := ""
	for _, name := range append(append([]string{}, d.conn.SplitDNS...), d.conn.Domains...) {
		if domain == "" {
			domain = strings.Trim(name, ".*")
		}
	}
	var silent error
	said := false
	for _, server := range d.conn.DNS {
		rcode, err := ask(ctx, netip.AddrPortFrom(server, 53), domain)
		switch {
		case err != nil:
			silent = err
		case rcode == rcodeFailure, domain != "" && (rcode == rcodeRefused || rcode == rcodeNone):
			said = true
		default:
			return ok()
		}
	}
	if said {
		return fail("dns_empty", nil)
	}
	return fail("dns_silent", silent)
}

// ask asks a name server for the NS records of a domain and returns its RCODE.
func ask(ctx context.Context, server netip.AddrPort, domain string) (rcode int, err error) {
	c, err := (&net.Dialer{}).DialContext(ctx, "udp", server.String())
	if err != nil {
		return 0, err
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(dnsLimit))
	q := question(domain)
	if _, err := c.Write(q); err != nil {
		return 0, err
	}
	b := make([]byte, 512)
	n, err := c.Read(b)
	if err != nil {
		return 0, err
	}
	if n < 12 || b[0] != q[0] || b[1] != q[1] || b[2]&0x80 == 0 {
		return 0, errors.New("not an answer")
	}
	return int(b[3] & 15), nil
}

// question is a DNS message (RFC 1035 section 4) with an id of ours, recursion
// desired and one question: NS of a domain, empty for the root. A name that cannot
// be asked for becomes the root.
func question(domain string) []byte {
	q := []byte{0x5b, 0x5b, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0}
	head := len(q)
	for label := range strings.SplitSeq(domain, ".") {
		if domain == "" || len(label) == 0 || len(label) > 63 {
			q = q[:head]
			break
		}
		q = append(append(q, byte(len(label))), label...)
	}
	q = append(q, 0)
	q = binary.BigEndian.AppendUint16(q, 2)    // NS
	return binary.BigEndian.AppendUint16(q, 1) // IN
}
