package openconnect

import (
	"encoding/hex"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ErrTunnel says that an answer to CONNECT gives no tunnel that can be used.
var ErrTunnel = errors.New("openconnect: CONNECT was answered without a tunnel")

// Tunnel is an answer to CONNECT as its client reads it.
type Tunnel struct {
	IPv4, IPv6     netip.Prefix // invalid = none; one of them is given
	MTU            int          // of the tunnel device, 576 ... 16384
	SplitInclude   []netip.Prefix
	SplitExclude   []netip.Prefix
	DNS            []netip.Addr
	DPD, Keepalive time.Duration // 0 = off
	RekeyTime      time.Duration
	Extensions     []string // that both ends may use from now on

	DTLSMode DTLSMode // DTLSOff or DTLSPSK; resumption is for others' clients
	DTLSPort int
	AppID    []byte // 32 bytes
	DTLSDPD  time.Duration
}

const (
	maxRoutes    = 1024
	maxAddresses = 4
)

// ParseTunnel reads the headers of a CONNECT answer, with names in Go's
// canonical form. What makes no sense counts as absent, as long as there is an
// address and an MTU.
func ParseTunnel(h http.Header) (Tunnel, error) {
	t := Tunnel{
		MTU: number(h.Get("X-Cstp-Mtu")), DNS: addresses(h.Values("X-Cstp-Dns")),
		DPD: duration(h, "X-Cstp-Dpd"), Keepalive: duration(h, "X-Cstp-Keepalive"), RekeyTime: duration(h, "X-Cstp-Rekey-Time"),
		SplitInclude: slices.Concat(routes(h.Values("X-Cstp-Split-Include")), routes(h.Values("X-Cstp-Split-Include-Ip6"))),
		SplitExclude: slices.Concat(routes(h.Values("X-Cstp-Split-Exclude")), routes(h.Values("X-Cstp-Split-Exclude-Ip6"))),
		Extensions:   list(h.Get("X-Skybridge-Ext"), ","),
	}
	t.addresses(h)
	if t.MTU < minTunnelMTU || t.MTU > MaxPayload || !t.IPv4.IsValid() && !t.IPv6.IsValid() {
		return Tunnel{}, ErrTunnel
	}
	id, err := hex.DecodeString(h.Get("X-Dtls-App-Id"))
	port := number(h.Get("X-Dtls-Port"))
	if err == nil && len(id) == 32 && port > 0 && h.Get("X-Dtls-Ciphersuite") == pskNegotiate {
		t.DTLSMode, t.AppID, t.DTLSPort, t.DTLSDPD = DTLSPSK, id, port, duration(h, "X-Dtls-Dpd")
	}
	return t, nil
}

func (t *Tunnel) addresses(h http.Header) {
	for _, v := range h.Values("X-Cstp-Address") {
		if a, err := netip.ParseAddr(v); err == nil && a.Is4() {
			t.IPv4 = netip.PrefixFrom(a, maskBits(h.Get("X-Cstp-Netmask")))
		}
	}
	if p, err := netip.ParsePrefix(h.Get("X-Cstp-Address-Ip6")); err == nil && p.Addr().Is6() {
		t.IPv6 = p
	}
}

func addresses(values []string) []netip.Addr {
	var out []netip.Addr
	for _, v := range values {
		v, _, _ = strings.Cut(strings.TrimSpace(v), "/")
		if a, err := netip.ParseAddr(v); err == nil && a.Zone() == "" && len(out) < maxAddresses {
			out = append(out, a.Unmap())
		}
	}
	return out
}

// maskBits is the length of a dotted mask; 32 when it makes no sense.
func maskBits(mask string) int {
	ip := net.ParseIP(mask).To4()
	if ip == nil {
		return 32
	}
	n, size := net.IPMask(ip).Size()
	if size == 0 {
		return 32
	}
	return n
}

// routes reads networks with a dotted mask or a length.
func routes(values []string) []netip.Prefix {
	var out []netip.Prefix
	for _, v := range values {
		addr, mask, _ := strings.Cut(v, "/")
		a, err := netip.ParseAddr(addr)
		if err != nil || len(out) == maxRoutes {
			continue
		}
		bits := a.BitLen()
		if n, err := strconv.Atoi(mask); err == nil {
			bits = n
		} else if a.Is4() {
			bits = maskBits(mask)
		}
		if p, err := a.Prefix(bits); err == nil {
			out = append(out, p)
		}
	}
	return out
}

func duration(h http.Header, name string) time.Duration {
	n, err := strconv.ParseInt(h.Get(name), 10, 32)
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(n) * time.Second
}

// AppendConnect appends the client's CONNECT. extensions are the private ones it
// would like; a stock server ignores them.
func AppendConnect(b []byte, host, agent string, cookie Secret, baseMTU int, dtls bool, extensions []string) []byte {
	h := headers{append(b, "CONNECT "+TunnelPath+" HTTP/1.1\r\n"...)}
	h.add("Host", host)
	h.add("User-Agent", agent)
	h.add("Cookie", "webvpn="+string(cookie.Reveal()))
	h.add("X-CSTP-Version", "1")
	h.add("X-CSTP-Base-MTU", strconv.Itoa(baseMTU))
	h.add("X-CSTP-Address-Type", "IPv6,IPv4")
	h.add("X-CSTP-Full-IPv6-Capability", "true")
	if dtls {
		h.add("X-DTLS-CipherSuite", pskNegotiate)
	}
	h.optional("X-Skybridge-Ext", strings.Join(extensions, ","))
	return append(h.b, "\r\n"...)
}
