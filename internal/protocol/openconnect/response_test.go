package openconnect

import (
	"bufio"
	"bytes"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func prefixes(s ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range s {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}

func addrs(s ...string) []netip.Addr {
	var out []netip.Addr
	for _, a := range s {
		out = append(out, netip.MustParseAddr(a))
	}
	return out
}

// recordedResponse is what ocserv answered in the capture, in our terms.
func recordedResponse() ConnectResponse {
	offer := DTLSOffer{
		Choice: DTLSChoice{DTLSPSK, 0, headerDTLS, pskNegotiate}, Port: 443,
		DPD: 90 * time.Second, Keepalive: time.Hour, RekeyTime: 86428 * time.Second,
	}
	copy(offer.ID[:], "\x38\x84\x7c\x50\x46\xd4\x5f\x1b\x62\xed\xdb\x3a\xcd\x82\x8f\x27\x35\x59\x40\x04\x52\xec\xef\x1a\xc7\xee\x51\x9d\x36\xbf\x45\xa1")
	return ConnectResponse{
		ServerName: "ocserv 1.1.6", Hostname: "vm", Agent: AgentOpenConnect,
		IPv4: netip.MustParsePrefix("192.168.77.50/24"), IPv6: netip.MustParsePrefix("fd00:77::9a7c:c09f:b76e:58ef/128"), FullIPv6: true,
		DNS: addrs("192.168.77.1"), DefaultDomains: []string{"example.test"}, SplitInclude: prefixes("10.10.0.0/16"),
		DPD: 90 * time.Second, Keepalive: time.Hour, RekeyTime: 86418 * time.Second,
		BaseMTU: 1500, MTU: 1434, Banner: "Welcome", DTLS: &offer,
	}
}

// The answer has every line that ocserv sent to the same client, in the same
// case, except for times that say "none" where ocserv says 0.
func TestResponseLikeOcserv(t *testing.T) {
	t.Parallel()
	got := string(recordedResponse().AppendTo(nil))
	if !strings.HasPrefix(got, "HTTP/1.1 200 CONNECTED\r\nX-CSTP-Version: 1\r\n") || !strings.HasSuffix(got, "X-CSTP-Banner: Welcome\r\n\r\n") {
		t.Errorf("frame of the answer: %q", got)
	}
	for line := range strings.SplitSeq(strings.TrimSpace(string(readFile(t, "connect-response.http"))), "\r\n") {
		line = strings.Replace(line, "Timeout: 0", "Timeout: none", 1)
		line = strings.Replace(line, "Timeout-Remaining: 0", "Timeout-Remaining: none", 1)
		if !strings.Contains(got, line+"\r\n") {
			t.Errorf("missing %q", line)
		}
	}
}

// responseCases say which lines a change of the recorded answer brings and which
// texts it must not hold.
var responseCases = []struct {
	name   string
	change func(*ConnectResponse)
	with   []string
	not    []string
}{
	{"DTLS off", func(r *ConnectResponse) { r.DTLS = nil }, nil, []string{"X-DTLS"}},
	{"DTLS not possible", func(r *ConnectResponse) { r.DTLS = &DTLSOffer{Port: 443} }, nil, []string{"X-DTLS"}},
	{
		"resume", func(r *ConnectResponse) { r.DTLS.Choice = resumeNames[2] },
		[]string{"X-DTLS-Session-ID: 38847c5046d45f1b62eddb3acd828f273559400452ecef1ac7ee519d36bf45a1", "X-DTLS12-CipherSuite: AES256-GCM-SHA384", "X-DTLS-MTU: 1434", "X-DTLS-Rekey-Method: new-tunnel"},
		[]string{"App-ID", "PSK", "X-DTLS-CipherSuite"},
	},
	{"PSK", func(*ConnectResponse) {}, []string{"X-DTLS-App-ID: 3884"}, []string{"X-DTLS-Session-ID", "X-DTLS-MTU"}},
	{"IPv6 DNS for openconnect", func(r *ConnectResponse) { r.DNS = addrs("10.0.0.1", "fd00::1") }, []string{"X-CSTP-DNS: 10.0.0.1", "X-CSTP-DNS: fd00::1"}, []string{"DNS-IP6"}},
	{"IPv6 DNS for Cisco", func(r *ConnectResponse) { r.DNS, r.Agent = addrs("10.0.0.1", "fd00::1"), AgentAnyConnect }, []string{"X-CSTP-DNS: 10.0.0.1", "X-CSTP-DNS-IP6: fd00::1"}, nil},
	{"IPv6 without full capability", func(r *ConnectResponse) { r.FullIPv6 = false }, []string{"X-CSTP-Address: fd00:77::9a7c:c09f:b76e:58ef", "X-CSTP-Netmask: fd00:77::9a7c:c09f:b76e:58ef/128"}, []string{"Address-IP6"}},
	{"IPv6 only", func(r *ConnectResponse) { r.IPv4 = netip.Prefix{} }, []string{"X-CSTP-Address-IP6: fd00:77"}, []string{"X-CSTP-Address: ", "Netmask"}},
	{"iOS full tunnel", func(r *ConnectResponse) { r.Agent, r.SplitInclude = AgentAnyConnectApple, nil }, []string{"X-CSTP-Split-Include-IP6: 2000::/3"}, nil},
	{"iOS split tunnel", func(r *ConnectResponse) { r.Agent = AgentAnyConnectApple }, nil, []string{"2000::/3"}},
	{"full tunnel", func(r *ConnectResponse) { r.SplitInclude = nil }, nil, []string{"Split-Include"}},
	{"routes", func(r *ConnectResponse) {
		r.SplitInclude, r.SplitExclude = prefixes("10.1.2.3/12", "fd00:1::5/64"), prefixes("0.0.0.0/32", "fd00:2::/48")
	}, []string{"X-CSTP-Split-Include: 10.0.0.0/255.240.0.0", "X-CSTP-Split-Include-IP6: fd00:1::/64", "X-CSTP-Split-Exclude: 0.0.0.0/255.255.255.255", "X-CSTP-Split-Exclude-IP6: fd00:2::/48"}, nil},
	{"rekey is never off", func(r *ConnectResponse) { r.RekeyTime, r.DTLS.RekeyTime = 0, -5 }, []string{"X-CSTP-Rekey-Time: 1", "X-DTLS-Rekey-Time: 1"}, nil},
	{"rekey does not overflow", func(r *ConnectResponse) { r.RekeyTime = 1<<63 - 1 }, []string{"X-CSTP-Rekey-Time: 315360000"}, nil},
	{"times", func(r *ConnectResponse) {
		r.IdleTimeout, r.SessionTimeout, r.SessionRemaining, r.DisconnectedTimeout, r.LeaseDuration = 20*time.Minute, time.Hour, 90*time.Second, 5*time.Minute, 24*time.Hour
	}, []string{"X-CSTP-Idle-Timeout: 1200", "X-CSTP-Session-Timeout: 3600", "X-CSTP-Session-Timeout-Remaining: 90", "X-CSTP-Disconnected-Timeout: 300", "X-CSTP-Lease-Duration: 86400"}, nil},
	{"names", func(r *ConnectResponse) {
		r.DefaultDomains, r.SplitDNS, r.TunnelAllDNS, r.NBNS = []string{"a.test", "b.test"}, []string{"a.test", "c.test"}, true, addrs("10.0.0.9")
	}, []string{"X-CSTP-Default-Domain: a.test b.test", "X-CSTP-Split-DNS: a.test", "X-CSTP-Split-DNS: c.test", "X-CSTP-Tunnel-All-DNS: true", "X-CSTP-NBNS: 10.0.0.9"}, nil},
	{"no header is injected", func(r *ConnectResponse) { r.Banner = "a\r\nX-Evil: 1\n\nb\x00 " }, []string{"X-CSTP-Banner: a  X-Evil: 1  b"}, []string{"\nX-Evil"}},
	{"empty values", func(r *ConnectResponse) { r.Banner, r.Hostname, r.ServerName = " ", "\r\n", "" }, nil, []string{"Banner", "X-CSTP-Hostname", "Server-Name"}},
	{"notices", func(r *ConnectResponse) { r.Notices = 2 }, []string{"X-Skybridge-Notices: 2"}, nil},
	{"no notices", func(r *ConnectResponse) { r.Notices = 0 }, nil, []string{"X-Skybridge-Notices"}},
	{"extensions", func(r *ConnectResponse) { r.Extensions = []string{"gso"} }, []string{"X-Skybridge-Ext: gso"}, nil},
}

func TestResponseHeaders(t *testing.T) {
	t.Parallel()
	for _, c := range responseCases {
		r := recordedResponse()
		c.change(&r)
		got := string(r.AppendTo(nil))
		for _, w := range c.with {
			if !strings.Contains(got, "\r\n"+w) {
				t.Errorf("%s: no %q in\n%s", c.name, w, got)
			}
		}
		for _, n := range c.not {
			if strings.Contains(got, n) {
				t.Errorf("%s: %q in\n%s", c.name, n, got)
			}
		}
	}
}

func TestRefusal(t *testing.T) {
	t.Parallel()
	want := "HTTP/1.1 503 Service Unavailable\r\nX-Reason: no address left\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
	if got := string(AppendRefusal(nil, 503, "no address left")); got != want {
		t.Errorf("got %q want %q", got, want)
	}
	want = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
	if got := string(AppendRefusal(nil, 401, "")); got != want {
		t.Errorf("got %q want %q", got, want)
	}
}

// No text can break a line, end the head early or leave trailing blanks.
func FuzzConnectResponse(f *testing.F) {
	f.Add("Welcome", "example.test", "<xml>")
	f.Add("a\r\n\r\nb", " \t", "\x00\x7f")
	f.Fuzz(func(t *testing.T, banner, domain, xml string) {
		r := recordedResponse()
		r.Banner, r.DefaultDomains, r.SplitDNS, r.PostAuthXML, r.ProxyPACURL = banner, []string{domain, banner}, []string{domain}, xml, domain
		r.ServerName, r.Hostname, r.Extensions = xml, banner, []string{domain, xml}
		raw := r.AppendTo(nil)
		head, rest, ok := bytes.Cut(raw, []byte("\r\n\r\n"))
		if !ok || len(rest) != 0 {
			t.Fatalf("head does not end at the end: %q", raw)
		}
		for line := range bytes.SplitSeq(head, []byte("\r\n")) {
			if bytes.ContainsAny(line, "\r\n\x00") || bytes.HasSuffix(line, []byte(" ")) {
				t.Errorf("bad line %q", line)
			}
		}
		if _, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(raw)), &http.Request{Method: "CONNECT"}); err != nil {
			t.Errorf("not HTTP: %v", err)
		}
	})
}
