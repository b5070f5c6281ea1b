package openconnect

import (
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

const (
	// TunnelPath is the target of CONNECT. Some clients leave the slash out.
	TunnelPath = "/CSCOSSLC/tunnel"

	// MasterSecretLen is the length of X-DTLS-Master-Secret in bytes.
	MasterSecretLen = 48

	maxListItems = 128
)

// Errors of ParseConnect.
var (
	ErrTarget   = errors.New("openconnect: CONNECT to something else than the tunnel")
	ErrNoCookie = errors.New("openconnect: CONNECT without a webvpn cookie")
)

// ConnectRequest is what a client says in its CONNECT.
type ConnectRequest struct {
	Cookie    Secret // value of the webvpn cookie, never empty
	UserAgent string
	Agent     Agent
	Hostname  string // the client machine's name; personal data
	License   string
	Mobile    bool // a mobile licence or platform: longer DPD and idle times

	BaseMTU int // path MTU of the TCP connection; 0 when absent
	MTU     int // the client's own guess of the tunnel MTU; 0 when absent

	IPv4, IPv6 bool // address families wanted
	FullIPv6   bool // takes X-CSTP-Address-IP6

	DTLSCiphers   []string // X-DTLS-CipherSuite
	DTLS12Ciphers []string // X-DTLS12-CipherSuite
	MasterSecret  Secret   // 48 bytes; empty when absent or malformed

	AcceptEncoding     []string // X-CSTP-Accept-Encoding
	DTLSAcceptEncoding []string
	Extensions         []string // X-Skybridge-Ext
}

// ParseConnect reads the request target and the headers of a CONNECT, with names
// in Go's canonical form as http.ReadRequest leaves them. Headers that do not
// make sense count as absent; only the target and the cookie can fail.
func ParseConnect(target string, h http.Header) (ConnectRequest, error) {
	if target != TunnelPath && target != TunnelPath[1:] {
		return ConnectRequest{}, ErrTarget
	}
	cookie := Cookie(h, "webvpn")
	if cookie == "" {
		return ConnectRequest{}, ErrNoCookie
	}
	r := ConnectRequest{
		Cookie:             NewSecret([]byte(cookie)),
		UserAgent:          h.Get("User-Agent"),
		Agent:              ClassifyAgent(h.Get("User-Agent")),
		Hostname:           h.Get("X-Cstp-Hostname"),
		License:            h.Get("X-Cstp-License"),
		BaseMTU:            number(h.Get("X-Cstp-Base-Mtu")),
		MTU:                number(h.Get("X-Cstp-Mtu")),
		FullIPv6:           strings.EqualFold(h.Get("X-Cstp-Full-Ipv6-Capability"), "true"),
		DTLSCiphers:        list(h.Get("X-Dtls-Ciphersuite"), ":"),
		DTLS12Ciphers:      list(h.Get("X-Dtls12-Ciphersuite"), ":"),
		MasterSecret:       masterSecret(h.Get("X-Dtls-Master-Secret")),
		AcceptEncoding:     list(h.Get("X-Cstp-Accept-Encoding"), ","),
		DTLSAcceptEncoding: list(h.Get("X-Dtls-Accept-Encoding"), ","),
		Extensions:         list(h.Get(extHeader), ","),
	}
	r.families(h.Get("X-Cstp-Address-Type"))
	platform := h.Get("X-Anyconnect-Identifier-Platform")
	r.Mobile = strings.EqualFold(r.License, "mobile") || platform == "android" || platform == "apple-ios"
	return r, nil
}

// families reads X-CSTP-Address-Type; clients that do not send it know IPv4.
func (r *ConnectRequest) families(value string) {
	types := list(value, ",")
	has := func(name string) bool {
		return slices.ContainsFunc(types, func(t string) bool { return strings.EqualFold(t, name) })
	}
	r.IPv4 = len(types) == 0 || has("IPv4")
	r.IPv6 = has("IPv6")
}

// Cookie returns the value of the last cookie of a name in the Cookie headers,
// "" when there is none. Unlike net/http it keeps values as they are.
func Cookie(h http.Header, name string) string {
	value := ""
	for _, line := range h.Values("Cookie") {
		for part := range strings.SplitSeq(line, ";") {
			if n, v, ok := strings.Cut(strings.TrimSpace(part), "="); ok && n == name {
				value = v
			}
		}
	}
	return value
}

// number reads a small decimal; anything else is 0.
func number(s string) int {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil || n < 0 || n > 1<<16 {
		return 0
	}
	return n
}

// list splits a header value, without blanks and empty items, up to a bound that
// is far above what any client sends.
func list(s, sep string) []string {
	var out []string
	for item := range strings.SplitSeq(s, sep) {
		if item = strings.TrimSpace(item); item != "" && len(out) < maxListItems {
			out = append(out, item)
		}
	}
	return out
}

func masterSecret(s string) Secret {
	b, err := hex.DecodeString(strings.TrimSpace(s))
	if err != nil || len(b) != MasterSecretLen {
		return Secret{}
	}
	return NewSecret(b)
}
