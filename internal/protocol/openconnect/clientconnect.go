package openconnect

import (
	"encoding/hex"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Connect is a client's CONNECT.
type Connect struct {
	Host, Agent string
	Cookie      Secret
	BaseMTU     int          // path MTU of the TCP connection
	Had         []netip.Addr // addresses of the tunnel before, when it comes back

	PSK          bool   // offer PSK-NEGOTIATE: the TLS connection can export the key
	MasterSecret Secret // 48 bytes: offer to resume from it as well; empty = do not

	Extensions []string // private ones that it would like; a stock server ignores them
}

// AppendTo appends the head. It holds secrets: wipe it after it was sent.
func (c Connect) AppendTo(b []byte) []byte {
	h := headers{append(b, "CONNECT "+TunnelPath+" HTTP/1.1\r\n"...)}
	h.add("Host", c.Host)
	h.add("User-Agent", c.Agent)
	h.secret("Cookie: webvpn=", c.Cookie.Reveal())
	h.add("X-CSTP-Version", "1")
	h.add("X-CSTP-Base-MTU", strconv.Itoa(c.BaseMTU))
	h.add("X-CSTP-Address-Type", "IPv6,IPv4")
	h.add("X-CSTP-Full-IPv6-Capability", "true")
	for _, a := range c.Had {
		h.add("X-CSTP-Address", a.String())
	}
	c.offerDTLS(&h)
	h.optional(extHeader, strings.Join(c.Extensions, ","))
	return append(h.b, "\r\n"...)
}

// offerDTLS names what the client knows: of the old names those of DTLS 1.2.
func (c Connect) offerDTLS(h *headers) {
	names := map[string][]string{}
	if c.PSK {
		names[headerDTLS] = []string{pskNegotiate}
	}
	if c.MasterSecret.Len() == MasterSecretLen {
		master := hex.AppendEncode(nil, c.MasterSecret.Reveal())
		h.secret("X-DTLS-Master-Secret: ", master)
		clear(master)
		for _, n := range resumeNames {
			names[n.Header] = append(names[n.Header], n.Name)
		}
	}
	for _, header := range []string{headerDTLS, headerDTLS12} {
		h.optional(header, strings.Join(names[header], ":"))
	}
}

// secret appends a line without a copy. What would end the line is left out.
func (h *headers) secret(head string, value []byte) {
	h.b = slices.Grow(h.b, len(head)+len(value)+1024) // growing later would leave copies
	h.b = append(h.b, head...)
	for _, v := range value {
		if v >= ' ' && v != 0x7f {
			h.b = append(h.b, v)
		}
	}
	h.b = append(h.b, "\r\n"...)
}
