package openconnect

import (
	"encoding/hex"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// ErrTunnel says that an answer to CONNECT gives no tunnel that can be used.
var ErrTunnel = errors.New("openconnect: CONNECT was answered without a tunnel")

// Tunnel is an answer to CONNECT as its client reads it. Lists, texts and times
// have bounds, whatever the server says.
type Tunnel struct {
	IPv4, IPv6   netip.Prefix // invalid = none; one of them is given
	MTU          int          // of the tunnel device, 576 ... 16376
	BaseMTU      int          // of the link that MTU was computed from; 0 = not told
	ClientBypass bool         // a family without an address goes outside the tunnel, else it is dropped

	SplitInclude []netip.Prefix // empty = everything goes through the tunnel
	SplitExclude []netip.Prefix
	LocalLAN     bool // the client's own networks stay outside the tunnel as well

	DNS          []netip.Addr
	Domains      []string // to complete names with
	SplitDNS     []string // the only domains that DNS is for; empty = all
	TunnelAllDNS bool

	DPD, Keepalive      time.Duration // 0 = off
	RekeyTime           time.Duration
	IdleTimeout         time.Duration // 0 = none, here and below
	SessionTimeout      time.Duration
	SessionLeft         time.Duration // of SessionTimeout, at the time of the answer
	DisconnectedTimeout time.Duration // how long the cookie outlives the connection

	Banner     string   // Printable
	Extensions []string // that both ends may use from now on
	Notices    int      // of the operator that the person has not read, at most 99

	DTLSMode  DTLSMode
	DTLSSuite uint16 // DTLSResume
	DTLSPort  int
	DTLSID    []byte // 32 bytes: App-ID or Session-ID
	DTLSDPD   time.Duration
}

const (
	maxRoutes    = 1024
	maxAddresses = 4
	maxDomains   = 128
	maxDomainLen = 253 // RFC 1035 section 2.3.4, as text
	maxTime      = 10 * 365 * 24 * time.Hour
)

// localLAN is the exception by which servers mean the client's own networks.
var localLAN = netip.MustParsePrefix("0.0.0.0/32")

// ParseTunnel reads the headers of a CONNECT answer, with names in Go's
// canonical form. What makes no sense counts as absent, as long as there is an
// address and an MTU.
func ParseTunnel(h http.Header) (Tunnel, error) {
	t := Tunnel{
		MTU: max(number(h.Get("X-Cstp-Mtu")), number(h.Get("X-Dtls-Mtu"))), BaseMTU: number(h.Get("X-Cstp-Base-Mtu")),
		ClientBypass: isTrue(h, "X-Cstp-Client-Bypass-Protocol"),
		SplitInclude: slices.Concat(routes(h.Values("X-Cstp-Split-Include")), routes(h.Values("X-Cstp-Split-Include-Ip6"))),
		SplitExclude: slices.Concat(routes(h.Values("X-Cstp-Split-Exclude")), routes(h.Values("X-Cstp-Split-Exclude-Ip6"))),
		DNS:          addresses(slices.Concat(h.Values("X-Cstp-Dns"), h.Values("X-Cstp-Dns-Ip6"))),
		Domains:      domains(h.Values("X-Cstp-Default-Domain")), SplitDNS: domains(h.Values("X-Cstp-Split-Dns")),
		TunnelAllDNS: isTrue(h, "X-Cstp-Tunnel-All-Dns"),
		DPD:          duration(h, "X-Cstp-Dpd"), Keepalive: duration(h, "X-Cstp-Keepalive"), RekeyTime: duration(h, "X-Cstp-Rekey-Time"),
		IdleTimeout: duration(h, "X-Cstp-Idle-Timeout"), SessionTimeout: duration(h, "X-Cstp-Session-Timeout"),
		SessionLeft: duration(h, "X-Cstp-Session-Timeout-Remaining"), DisconnectedTimeout: duration(h, "X-Cstp-Disconnected-Timeout"),
		Banner: Printable(h.Get("X-Cstp-Banner")), Extensions: list(h.Get(extHeader), ","), Notices: min(number(h.Get(noticesHeader)), 99),
	}
	t.addresses(h)
	if n := len(t.SplitExclude); n > 0 {
		t.SplitExclude = slices.DeleteFunc(t.SplitExclude, func(p netip.Prefix) bool { return p == localLAN })
		t.LocalLAN = len(t.SplitExclude) < n
	}
	if strings.EqualFold(h.Get("X-Cstp-Rekey-Method"), "none") {
		t.RekeyTime = 0
	}
	if t.MTU < minTunnelMTU || t.MTU > MaxPayload || !t.IPv4.IsValid() && !t.IPv6.IsValid() {
		return Tunnel{}, ErrTunnel
	}
	t.dtls(h)
	return t, nil
}

// dtls reads the choice of the UDP channel; without all that it needs there is
// none.
func (t *Tunnel) dtls(h http.Header) {
	port := number(h.Get("X-Dtls-Port"))
	if port < 1 || port > 65535 {
		return
	}
	mode, suite, name := DTLSPSK, uint16(0), "X-Dtls-App-Id"
	if h.Get("X-Dtls-Ciphersuite") != pskNegotiate {
		i := slices.IndexFunc(resumeNames, func(c DTLSChoice) bool { return h.Get(c.Header) == c.Name })
		if i < 0 {
			return
		}
		mode, suite, name = DTLSResume, resumeNames[i].Suite, "X-Dtls-Session-Id"
	}
	id, err := hex.DecodeString(h.Get(name))
	if err != nil || len(id) != 32 {
		return
	}
	t.DTLSMode, t.DTLSSuite, t.DTLSPort, t.DTLSID, t.DTLSDPD = mode, suite, port, id, duration(h, "X-Dtls-Dpd")
}

// addresses reads both forms of an IPv6 address: of its own, and as older
// servers send it, beside the IPv4 one with its mask as a prefix.
func (t *Tunnel) addresses(h http.Header) {
	for _, v := range h.Values("X-Cstp-Address") {
		if a, err := netip.ParseAddr(v); err == nil && a.Is4() {
			t.IPv4 = netip.PrefixFrom(a, maskBits(firstMask(h)))
		}
	}
	for _, v := range append(h.Values("X-Cstp-Netmask"), h.Get("X-Cstp-Address-Ip6")) {
		if p, err := netip.ParsePrefix(v); err == nil && p.Addr().Is6() && !p.Addr().Is4In6() {
			t.IPv6 = p
		}
	}
	if !usable(t.IPv4) {
		t.IPv4 = netip.Prefix{}
	}
	if !usable(t.IPv6) {
		t.IPv6 = netip.Prefix{}
	}
}

// usable tells whether a host may have the address.
func usable(p netip.Prefix) bool {
	a := p.Addr()
	return p.IsValid() && !a.IsUnspecified() && !a.IsLoopback() && !a.IsMulticast()
}

func firstMask(h http.Header) string {
	for _, v := range h.Values("X-Cstp-Netmask") {
		if !strings.Contains(v, "/") {
			return v
		}
	}
	return ""
}
