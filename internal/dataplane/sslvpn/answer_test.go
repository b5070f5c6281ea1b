package sslvpn

import (
	"io"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
)

// connectRaw sends a CONNECT and returns the lines of the answer's head in the
// exact case, as clients see them.
func (p *peer) connectRaw(cookie string, headers ...string) []string {
	p.t.Helper()
	lines := append([]string{"CONNECT /CSCOSSLC/tunnel HTTP/1.1", "Host: x", "Cookie: webvpn=" + cookie}, headers...)
	if _, err := io.WriteString(p.tls, strings.Join(lines, "\r\n")+"\r\n\r\n"); err != nil {
		p.t.Fatal(err)
	}
	var head []string
	for {
		line, err := p.in.ReadString('\n')
		if err != nil {
			p.t.Fatal(err)
		}
		if line == "\r\n" {
			return head
		}
		head = append(head, random.ReplaceAllString(strings.TrimSuffix(line, "\r\n"), "<random>"))
	}
}

var random = regexp.MustCompile(`[0-9a-f]{64}`)

// dual gives a server all that an answer can tell.
func dual(s *gwlink.SSLServer) {
	s.Name, s.Banner = "head office", "Welcome"
	s.Pool6 = netip.MustParsePrefix("fd00:98::/64")
	s.LocalSubnets = append(s.LocalSubnets, netip.MustParsePrefix("fd00:77::/64"))
	s.ExcludeRoutes = []netip.Prefix{netip.MustParsePrefix("10.77.0.9/32"), netip.MustParsePrefix("fd00:77::9/128")}
	s.DNS = []netip.Addr{netip.MustParseAddr("10.77.0.53"), netip.MustParseAddr("fd00:77::53")}
	s.SplitDNS, s.DefaultDomains = []string{"corp.example", "lab.example"}, []string{"corp.example", "example.com"}
	s.MobileDPD, s.IdleTimeout, s.MobileIdle, s.SessionTimeout, s.RekeyTime = 1800, 3600, 1200, 86400, 172800
}

// The clients, by what they say of themselves (spec OpenConnect, 5.1 and 5.2).
// All but openconnect are written after the specification and not verified.
var agents = map[string][]string{
	"openconnect": {
		"User-Agent: Open AnyConnect VPN Agent v9.01-3", "X-CSTP-Base-MTU: 1500", "X-CSTP-Address-Type: IPv6,IPv4", "X-CSTP-Full-IPv6-Capability: true",
		"X-DTLS-CipherSuite: PSK-NEGOTIATE:OC-DTLS1_2-AES256-GCM", "X-DTLS12-CipherSuite: ECDHE-RSA-AES256-GCM-SHA384:AES256-GCM-SHA384",
		"X-DTLS-Master-Secret: " + strings.Repeat("ab", 48),
	},
	"openconnect --disable-ipv6": {
		"User-Agent: Open AnyConnect VPN Agent v9.01-3", "X-CSTP-Base-MTU: 1500", "X-CSTP-Address-Type: IPv4",
	},
	"old IPv6": { // without the full capability
		"User-Agent: Open AnyConnect VPN Agent v9.01-3", "X-CSTP-Base-MTU: 1500", "X-CSTP-Address-Type: IPv6,IPv4",
	},
	"narrow path": {
		"User-Agent: Open AnyConnect VPN Agent v9.01-3", "X-CSTP-Base-MTU: 1345", "X-CSTP-Address-Type: IPv6,IPv4", "X-CSTP-Full-IPv6-Capability: true",
	},
	"Cisco desktop": {
		"User-Agent: AnyConnect Windows 4.10.05095", "X-CSTP-Base-MTU: 1500", "X-CSTP-Address-Type: IPv6,IPv4", "X-CSTP-Full-IPv6-Capability: true",
		"X-DTLS12-CipherSuite: ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384", "X-DTLS-Master-Secret: " + strings.Repeat("ab", 48),
	},
	"iOS": {
		"User-Agent: Cisco AnyConnect VPN Agent for Apple iPhone 4.10", "X-CSTP-Base-MTU: 1500", "X-CSTP-Address-Type: IPv6,IPv4",
		"X-CSTP-Full-IPv6-Capability: true", "X-CSTP-License: mobile", "X-AnyConnect-Identifier-Platform: apple-ios",
	},
	"Android": {
		"User-Agent: Cisco AnyConnect VPN Agent for Android 4.10", "X-CSTP-Base-MTU: 1500", "X-CSTP-Address-Type: IPv6,IPv4",
		"X-CSTP-Full-IPv6-Capability: true", "X-CSTP-License: mobile", "X-AnyConnect-Identifier-Platform: android",
	},
	"unknown": {"User-Agent: Curl"},
}

// head is the whole answer to openconnect with DTLS; the cases say in what
// theirs differ.
var head = []string{
	"HTTP/1.1 200 CONNECTED", "X-CSTP-Version: 1", "X-CSTP-Server-Name: head office", "X-CSTP-DPD: 30",
	"X-CSTP-Address: 10.98.0.2", "X-CSTP-Netmask: 255.255.255.0", "X-CSTP-Address-IP6: fd00:98::2/64",
	"X-CSTP-DNS: 10.77.0.53", "X-CSTP-DNS: fd00:77::53", "X-CSTP-Default-Domain: corp.example example.com",
	"X-CSTP-Split-DNS: corp.example", "X-CSTP-Split-DNS: lab.example", "X-CSTP-Tunnel-All-DNS: false",
	"X-CSTP-Split-Include: 10.77.0.0/255.255.255.0", "X-CSTP-Split-Include-IP6: fd00:77::/64",
	"X-CSTP-Split-Exclude: 10.77.0.9/255.255.255.255", "X-CSTP-Split-Exclude-IP6: fd00:77::9/128",
	"X-CSTP-Client-Bypass-Protocol: false", "X-CSTP-Keepalive: 60", "X-CSTP-Idle-Timeout: 3600", "X-CSTP-Smartcard-Removal-Disconnect: true",
	"X-CSTP-Rekey-Time: 172800", "X-CSTP-Rekey-Method: new-tunnel", "X-CSTP-Session-Timeout: 86400", "X-CSTP-Session-Timeout-Remaining: 86400",
	"X-CSTP-Disconnected-Timeout: 300", "X-CSTP-Keep: true", "X-CSTP-TCP-Keepalive: true", "X-CSTP-License: accept",
	"X-DTLS-DPD: 30", "X-DTLS-Port: 40443", "X-DTLS-Rekey-Time: 172810", "X-DTLS-Rekey-Method: new-tunnel", "X-DTLS-Keepalive: 60",
	"X-DTLS-App-ID: <random>", "X-DTLS-CipherSuite: PSK-NEGOTIATE",
	"X-CSTP-Base-MTU: 1500", "X-CSTP-MTU: 1400", "X-CSTP-Banner: Welcome",
}

// without drops the lines that begin so; "a=>b" puts b in the place of line a.
func without(changes ...string) []string {
	out := slices.Clone(head)
	for _, c := range changes {
		old, next, replace := strings.Cut(c, "=>")
		if !replace {
			out = slices.DeleteFunc(out, func(l string) bool { return strings.HasPrefix(l, c) })
			continue
		}
		i := slices.Index(out, old)
		out = slices.Replace(out, i, i+1, strings.Split(next, "\n")...)
	}
	return out
}

const mobileIdle = "X-CSTP-Idle-Timeout: 3600=>X-CSTP-Idle-Timeout: 1200"

const onlyIPv4 = "X-CSTP-Address-IP6,X-CSTP-DNS: fd,X-CSTP-Split-Include-IP6,X-CSTP-Split-Exclude-IP6"

// TestTheRestOfASessionIsTold: a client that comes back learns how long it may
// stay, whatever limits it.
func TestTheRestOfASessionIsTold(t *testing.T) {
	t.Parallel()
	at := clock.NewFake(time.Now())
	r := newRigWith(t, Config{Listen: loopback, Clock: at}, "127.0.0.1", func(s *gwlink.SSLServer) { s.SessionTimeout = 3600 })
	remaining := func(cookie string) string { return r.dial(nil).connect(cookie).Get("X-Cstp-Session-Timeout-Remaining") }
	rest := func(cookie string, after time.Duration) []string {
		first := remaining(cookie)
		at.Advance(after)
		return []string{first, remaining(cookie)}
	}
	r.grant(func(g *gwlink.Grant) { g.NotAfter = at.Now().Add(48 * time.Hour) })
	if got := rest(r.dial(nil).login("ann"), 1000*time.Second); !slices.Equal(got, []string{"3600", "2600"}) {
		t.Errorf("by the server's limit: got %v", got)
	}
	r.grant(func(g *gwlink.Grant) { g.NotAfter = at.Now().Add(500 * time.Second) })
	if got := rest(r.dial(nil).login("bob"), 100*time.Second); !slices.Equal(got, []string{"500", "400"}) {
		t.Errorf("by the grant: got %v", got)
	}
}

func TestWholeAnswer(t *testing.T) {
	t.Parallel()
	v4 := strings.Split(onlyIPv4, ",")
	cases := []struct {
		name, agent string
		change      func(*gwlink.SSLServer)
		want        []string
	}{
		{"openconnect", "openconnect", nil, head},
		{"a client that wants IPv4 only", "openconnect --disable-ipv6", nil, without(append(v4, "X-DTLS")...)},
		{"IPv6 in the old headers", "old IPv6", nil, without("X-DTLS",
			"X-CSTP-Address-IP6: fd00:98::2/64=>X-CSTP-Address: fd00:98::2\nX-CSTP-Netmask: fd00:98::2/64")},
		{"no IPv6 below 1280", "narrow path", nil, without(append(v4, "X-DTLS",
			"X-CSTP-Base-MTU: 1500=>X-CSTP-Base-MTU: 1345", "X-CSTP-MTU: 1400=>X-CSTP-MTU: 1279")...)},
		{"Cisco on a desktop", "Cisco desktop", nil, without("X-CSTP-DNS: fd00:77::53=>X-CSTP-DNS-IP6: fd00:77::53",
			"X-DTLS-App-ID: <random>=>X-DTLS-Session-ID: <random>\nX-DTLS-MTU: 1400", "X-DTLS-CipherSuite: PSK-NEGOTIATE=>X-DTLS12-CipherSuite: ECDHE-RSA-AES256-GCM-SHA384")},
		{"Cisco on an iPhone", "iOS", nil, without("X-DTLS", "X-CSTP-DNS: fd00:77::53=>X-CSTP-DNS-IP6: fd00:77::53", "X-CSTP-DPD: 30=>X-CSTP-DPD: 1800", mobileIdle)},
		{"Cisco on Android", "Android", nil, without("X-DTLS", "X-CSTP-DNS: fd00:77::53=>X-CSTP-DNS-IP6: fd00:77::53", "X-CSTP-DPD: 30=>X-CSTP-DPD: 1800", mobileIdle)},
		{"an unknown client knows IPv4", "unknown", nil, without(append(v4, "X-DTLS")...)},
		{"full tunnel on an iPhone", "iOS", func(s *gwlink.SSLServer) { s.FullTunnel = true }, without("X-DTLS", "X-CSTP-DNS: fd00:77::53=>X-CSTP-DNS-IP6: fd00:77::53",
			"X-CSTP-DPD: 30=>X-CSTP-DPD: 1800", mobileIdle, "X-CSTP-Split-Include: ", "X-CSTP-Split-Include-IP6: fd00:77::/64=>X-CSTP-Split-Include-IP6: 2000::/3",
			"X-CSTP-Tunnel-All-DNS: false=>X-CSTP-Tunnel-All-DNS: true")},
		{"full tunnel", "openconnect", func(s *gwlink.SSLServer) { s.FullTunnel = true }, without("X-CSTP-Split-Include",
			"X-CSTP-Tunnel-All-DNS: false=>X-CSTP-Tunnel-All-DNS: true")},
		{"bypass", "openconnect", func(s *gwlink.SSLServer) { s.ClientBypass = true }, without("X-CSTP-Client-Bypass-Protocol: false=>X-CSTP-Client-Bypass-Protocol: true")},
		{"no names and no banner", "openconnect", func(s *gwlink.SSLServer) {
			s.DNS, s.SplitDNS, s.DefaultDomains, s.Banner = nil, nil, nil, ""
		}, without("X-CSTP-DNS", "X-CSTP-Default", "X-CSTP-Split-DNS", "X-CSTP-Banner")},
		{
			"a family without subnets is no default route", "openconnect", func(s *gwlink.SSLServer) { s.LocalSubnets = s.LocalSubnets[:1] },
			without("X-CSTP-Split-Include-IP6: fd00:77::/64=>X-CSTP-Split-Include-IP6: fd00:98::/64"),
		},
		{"server without IPv6", "openconnect", func(s *gwlink.SSLServer) { s.Pool6 = netip.Prefix{} }, without(v4...)},
		{"networks behind others", "openconnect", func(s *gwlink.SSLServer) {
			s.ClientIsolation = false
			s.Clients = []gwlink.Client{
				{ID: "sslcli-ann", Routes: []netip.Prefix{netip.MustParsePrefix("192.168.1.0/24")}},
				{ID: "sslcli-bob", Routes: []netip.Prefix{netip.MustParsePrefix("192.168.2.0/24")}},
			}
		}, without("X-CSTP-Split-Include-IP6: fd00:77::/64=>X-CSTP-Split-Include-IP6: fd00:77::/64\nX-CSTP-Split-Include: 192.168.2.0/255.255.255.0")},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			at := clock.NewFake(time.Now())
			r := newRigWith(t, Config{Listen: loopback, Clock: at}, "127.0.0.1", dual, func(s *gwlink.SSLServer) {
				if c.change != nil {
					c.change(s)
				}
			})
			r.grant(func(g *gwlink.Grant) { g.NotAfter = at.Now().Add(48 * time.Hour) })
			p := r.dial(nil)
			got := p.connectRaw(p.login("ann"), agents[c.agent]...)
			for i := range got {
				if strings.HasPrefix(got[i], "X-DTLS-Port: ") {
					got[i] = "X-DTLS-Port: 40443"
				}
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("answer (-want +got):\n%s", d)
			}
		})
	}
}
