package openconnect

import (
	"encoding/hex"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// ConnectResponse is the answer to a CONNECT. Durations are written in whole
// seconds.
type ConnectResponse struct {
	Agent Agent // decides header names, see Agent

	ServerName string
	Hostname   string

	// Addresses with the length of the pool's network; invalid means none. One of
	// them must be given, and the same ones for the same cookie.
	IPv4, IPv6 netip.Prefix
	FullIPv6   bool // ConnectRequest.FullIPv6

	DNS, NBNS      []netip.Addr
	DefaultDomains []string
	SplitDNS       []string
	TunnelAllDNS   bool
	// SplitInclude empty means that everything goes through the tunnel.
	SplitInclude, SplitExclude []netip.Prefix
	ClientBypassProtocol       bool

	DPD, Keepalive      time.Duration // 0 = off
	RekeyTime           time.Duration // clamped to 1 s ... 10 years; the method is always new-tunnel
	IdleTimeout         time.Duration // 0 = none, here and below
	SessionTimeout      time.Duration
	SessionRemaining    time.Duration
	DisconnectedTimeout time.Duration
	LeaseDuration       time.Duration

	BaseMTU, MTU int // must agree, see TunnelMTU

	Banner      string
	PostAuthXML string
	ProxyPACURL string
	DTLS        *DTLSOffer // nil: no X-DTLS header is written
	Extensions  []string   // accepted subset of the request's
	Notices     int        // of the operator that the person has not read; told to clients that know the header
}

// DTLSOffer is the DTLS part of a ConnectResponse.
type DTLSOffer struct {
	Choice         DTLSChoice
	ID             [32]byte // App-ID or Session-ID, from crypto/rand
	Port           int
	DPD, Keepalive time.Duration
	RekeyTime      time.Duration
}

const maxRekey = 10 * 365 * 24 * time.Hour

// AppendTo appends the head of the answer, up to and including the empty line.
// CSTP frames follow it.
func (r ConnectResponse) AppendTo(b []byte) []byte {
	h := headers{append(b, "HTTP/1.1 200 CONNECTED\r\n"...)}
	h.add("X-CSTP-Version", "1")
	h.optional("X-CSTP-Server-Name", r.ServerName)
	h.optional("X-CSTP-Hostname", r.Hostname)
	h.seconds("X-CSTP-DPD", r.DPD)
	r.addAddresses(&h)
	r.addNames(&h)
	r.addRoutes(&h)
	r.addTimes(&h)
	h.add("X-CSTP-License", "accept")
	h.optional("X-CSTP-MSIE-Proxy-PAC-URL", r.ProxyPACURL)
	h.optional("X-CSTP-Post-Auth-XML", r.PostAuthXML)
	h.optional(extHeader, strings.Join(r.Extensions, ","))
	if r.DTLS != nil && r.DTLS.Choice.Mode != DTLSOff {
		r.DTLS.add(&h, r.MTU)
	}
	h.add("X-CSTP-Base-MTU", strconv.Itoa(r.BaseMTU))
	h.add("X-CSTP-MTU", strconv.Itoa(r.MTU))
	h.optional("X-CSTP-Banner", r.Banner)
	if r.Notices > 0 {
		h.add(noticesHeader, strconv.Itoa(r.Notices))
	}
	return append(h.b, "\r\n"...)
}

func (r ConnectResponse) addAddresses(h *headers) {
	if r.IPv4.IsValid() {
		h.add("X-CSTP-Address", r.IPv4.Addr().String())
		h.add("X-CSTP-Netmask", mask(r.IPv4))
	}
	switch {
	case !r.IPv6.IsValid():
	case r.FullIPv6:
		h.add("X-CSTP-Address-IP6", r.IPv6.String())
	default:
		h.add("X-CSTP-Address", r.IPv6.Addr().String())
		h.add("X-CSTP-Netmask", r.IPv6.String())
	}
}

func (r ConnectResponse) addNames(h *headers) {
	for _, a := range r.DNS {
		name := "X-CSTP-DNS"
		if a.Is6() && r.Agent.cisco() {
			name = "X-CSTP-DNS-IP6"
		}
		h.add(name, a.String())
	}
	for _, a := range r.NBNS {
		h.add("X-CSTP-NBNS", a.String())
	}
	h.optional("X-CSTP-Default-Domain", strings.Join(r.DefaultDomains, " "))
	for _, d := range r.SplitDNS {
		h.optional("X-CSTP-Split-DNS", d)
	}
	h.add("X-CSTP-Tunnel-All-DNS", strconv.FormatBool(r.TunnelAllDNS))
}

func (r ConnectResponse) addRoutes(h *headers) {
	h.routes("X-CSTP-Split-Include", r.SplitInclude)
	if r.Agent == AgentAnyConnectApple && r.IPv6.IsValid() && r.FullIPv6 && len(r.SplitInclude) == 0 {
		h.add("X-CSTP-Split-Include-IP6", "2000::/3") // iOS takes no IPv6 default route
	}
	h.routes("X-CSTP-Split-Exclude", r.SplitExclude)
	h.add("X-CSTP-Client-Bypass-Protocol", strconv.FormatBool(r.ClientBypassProtocol))
}

func (r ConnectResponse) addTimes(h *headers) {
	h.seconds("X-CSTP-Keepalive", r.Keepalive)
	h.orNone("X-CSTP-Idle-Timeout", r.IdleTimeout)
	h.add("X-CSTP-Smartcard-Removal-Disconnect", "true")
	h.rekey("X-CSTP", r.RekeyTime)
	h.orNone("X-CSTP-Session-Timeout", r.SessionTimeout)
	h.orNone("X-CSTP-Session-Timeout-Remaining", r.SessionRemaining)
	h.orNone("X-CSTP-Disconnected-Timeout", r.DisconnectedTimeout)
	if r.LeaseDuration > 0 {
		h.seconds("X-CSTP-Lease-Duration", r.LeaseDuration)
	}
	h.add("X-CSTP-Keep", "true")
	h.add("X-CSTP-TCP-Keepalive", "true")
}

// add writes the headers of the chosen method. X-DTLS-MTU belongs to the legacy
// method and equals X-CSTP-MTU, because openconnect takes the larger of the two.
func (d DTLSOffer) add(h *headers, mtu int) {
	h.seconds("X-DTLS-DPD", d.DPD)
	h.add("X-DTLS-Port", strconv.Itoa(d.Port))
	h.rekey("X-DTLS", d.RekeyTime)
	h.seconds("X-DTLS-Keepalive", d.Keepalive)
	id := hex.EncodeToString(d.ID[:])
	if d.Choice.Mode == DTLSPSK {
		h.add("X-DTLS-App-ID", id)
	} else {
		h.add("X-DTLS-Session-ID", id)
		h.add("X-DTLS-MTU", strconv.Itoa(mtu))
	}
	h.add(d.Choice.Header, d.Choice.Name)
}

// AppendRefusal appends a whole answer without body that ends the connection:
// 401 for a dead cookie, 503 with the reason that openconnect prints only for
// that status.
func AppendRefusal(b []byte, status int, reason string) []byte {
	text := map[int]string{401: "Unauthorized", 503: "Service Unavailable"}[status]
	h := headers{append(b, "HTTP/1.1 "+strconv.Itoa(status)+" "+text+"\r\n"...)}
	h.optional("X-Reason", reason)
	h.add("Content-Length", "0")
	h.add("Connection", "close")
	return append(h.b, "\r\n"...)
}

// headers appends header lines in the exact case given.
type headers struct{ b []byte }

// add writes one header with its value made harmless.
func (h *headers) add(name, value string) {
	h.b = append(h.b, name...)
	h.b = append(h.b, ": "...)
	h.b = append(h.b, clean(value)...)
	h.b = append(h.b, "\r\n"...)
}

// optional leaves the header out when there is nothing in the value.
func (h *headers) optional(name, value string) {
	if clean(value) != "" {
		h.add(name, value)
	}
}

func (h *headers) seconds(name string, d time.Duration) {
	h.add(name, strconv.FormatInt(int64(max(d, 0)/time.Second), 10))
}

func (h *headers) orNone(name string, d time.Duration) {
	if d < time.Second {
		h.add(name, "none")
		return
	}
	h.seconds(name, d)
}

// rekey writes a time that is above zero and never overflows 32 bits when a
// client adds it to the current time. "none" would make Cisco clients give up
// and "ssl" asks for renegotiation, so the method is not a choice.
func (h *headers) rekey(prefix string, d time.Duration) {
	h.seconds(prefix+"-Rekey-Time", min(max(d, time.Second), maxRekey))
	h.add(prefix+"-Rekey-Method", "new-tunnel")
}

// routes writes IPv4 networks with their mask and IPv6 ones with their length.
func (h *headers) routes(name string, nets []netip.Prefix) {
	for _, p := range nets {
		if p.Addr().Is4() {
			h.add(name, p.Masked().Addr().String()+"/"+mask(p))
		} else {
			h.add(name+"-IP6", p.Masked().String())
		}
	}
}

func mask(p netip.Prefix) string {
	return net.IP(net.CIDRMask(p.Bits(), p.Addr().BitLen())).String()
}

// clean turns control characters into blanks and trims: a value can not end its
// line, and clients take trailing blanks as part of it.
func clean(value string) string {
	value = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, value)
	return strings.TrimSpace(value)
}
