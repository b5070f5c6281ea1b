package openconnect

import (
	"bytes"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// answers makes Answers of names and values.
func answers(pairs ...string) Answers {
	a := Answers{}
	for i := 0; i+1 < len(pairs); i += 2 {
		a[pairs[i]] = NewSecret([]byte(pairs[i+1]))
	}
	return a
}

func TestGroupsAreReadByOurClient(t *testing.T) {
	t.Parallel()
	sent := AuthRequest{
		ID: FormMain, Groups: []Group{{"g1", "One"}, {"g2", "Two & more"}}, SelectedGroup: "g2",
		Inputs: []Input{{Type: InputPassword, Name: FieldPassword}},
	}
	got, err := ParseAnswer(sent.AppendTo(nil))
	if err != nil {
		t.Fatal(err)
	}
	want := []Input{sent.Inputs[0], {
		Type: InputSelect, Name: FieldGroup, Label: "Group:", Value: "g2", Options: []Group{{"g2", "Two & more"}, {"g1", "One"}},
	}}
	if diff := cmp.Diff(want, got.Form.Inputs); diff != "" {
		t.Error(diff)
	}
	ocserv, err := ParseAnswer(readFile(t, "auth-request-username.xml"))
	if in := ocserv.Form.Inputs; err != nil || len(in) != 2 || in[1].Value != "grp1" || len(in[1].Options) != 2 { // which marks none
		t.Errorf("got %+v, %v", in, err)
	}
	for wanted, value := range map[string]string{"g1": "g1", "two": "g2", "o": "g1", "ONE": "g1", "three": "", "": ""} {
		if got := MatchGroup(want[1].Options, wanted); got != value {
			t.Errorf("%q: got %q, want %q", wanted, got, value)
		}
	}
}

func TestRepliesUseTheElementsOfStockClients(t *testing.T) {
	t.Parallel()
	fields := answers("answer", "<12&34>", FieldGroup, "g2", "verify_pin", "1", "secondary_password", "56")
	raw := AppendReply(nil, "v1", "linux-64", Answer{}, fields)
	got, err := ParseDocument("application/xml", raw)
	if err != nil {
		t.Fatal(err)
	}
	if got.GroupSelect != "g2" || got.Fields["password"] != "<12&34>" || got.Fields["secondary_password"] != "56" || len(got.Fields) != 2 {
		t.Errorf("got group %q and %q", got.GroupSelect, map[string]string(got.Fields))
	}
	fields.Zero()
	if s := string(fields["answer"].Reveal()); strings.Trim(s, "\x00") != "" {
		t.Errorf("after Zero: got %q", s)
	}
	first, err := ParseDocument("application/xml", Init{Version: "v1", Device: "linux-64", Group: "g2", NoCertificate: true}.AppendTo(nil, Answer{}))
	if err != nil || first.GroupSelect != "g2" || !first.ClientCertFail {
		t.Errorf("got %+v, %v", first, err)
	}
	asks, err := ParseAnswer(AppendClientCertRequest(nil, "o"))
	if err != nil || !asks.WantsCertificate {
		t.Errorf("got %+v, %v", asks, err)
	}
}

// TestARoomForAReplyIsEnough: growing would leave copies of what was typed.
func TestARoomForAReplyIsEnough(t *testing.T) {
	t.Parallel()
	worst := answers("password", strings.Repeat("\"\n\xff&", 500), FieldGroup, strings.Repeat("'", 900))
	n := len(AppendReply(nil, "v1", "linux-64", Answer{}, worst))
	if empty := len(AppendReply(nil, "v1", "linux-64", Answer{}, nil)); n-empty > replyRoom(worst) {
		t.Errorf("got %d bytes more, with room for %d", n-empty, replyRoom(worst))
	}
}

func TestPrintable(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Hi\nthere": "Hi\nthere", "\x1b[31mred\a": "[31mred", "a\u202eb": "a b", "a\u0085b": "a b", "  x ": "x", "密码": "密码",
		strings.Repeat("x", 5000): strings.Repeat("x", 4096), "\xff": "\ufffd",
	} {
		if got := Printable(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// tunnelHeader makes a CONNECT answer's headers of lines.
func tunnelHeader(lines ...string) http.Header {
	h := http.Header{}
	for _, l := range append([]string{"X-CSTP-Address: 10.98.0.2", "X-CSTP-MTU: 1400"}, lines...) {
		name, value, _ := strings.Cut(l, ": ")
		h.Add(name, value)
	}
	return h
}

func TestWhatATunnelIs(t *testing.T) {
	t.Parallel()
	id := strings.Repeat("0a", 32)
	got, err := ParseTunnel(tunnelHeader(
		"X-CSTP-Netmask: 255.255.255.0", "X-CSTP-Default-Domain: Example.com. corp.example", "X-CSTP-Split-DNS: a.example", "X-CSTP-Split-DNS: b.example,c.example",
		"X-CSTP-Tunnel-All-DNS: true", "X-CSTP-Client-Bypass-Protocol: true", "X-CSTP-Banner: Hello", "X-Skybridge-Notices: 3", "X-CSTP-Session-Timeout: 3600",
		"X-CSTP-Session-Timeout-Remaining: 1800", "X-CSTP-Idle-Timeout: none", "X-CSTP-Disconnected-Timeout: 300", "X-CSTP-Base-MTU: 1500",
		"X-CSTP-Split-Exclude: 0.0.0.0/255.255.255.255", "X-CSTP-Split-Exclude: 10.9.0.0/255.255.0.0", "X-CSTP-DNS: 10.0.0.1", "X-CSTP-DNS-IP6: fd00::1",
		"X-DTLS-Session-ID: "+id, "X-DTLS12-CipherSuite: AES128-GCM-SHA256", "X-DTLS-Port: 4443", "X-DTLS-DPD: 30", "X-DTLS-MTU: 1420",
	))
	if err != nil {
		t.Fatal(err)
	}
	want := Tunnel{
		IPv4: netip.MustParsePrefix("10.98.0.2/24"), MTU: 1420, BaseMTU: 1500, ClientBypass: true,
		SplitExclude: []netip.Prefix{netip.MustParsePrefix("10.9.0.0/16")}, LocalLAN: true,
		DNS:     []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("fd00::1")},
		Domains: []string{"example.com", "corp.example"}, SplitDNS: []string{"a.example", "b.example", "c.example"}, TunnelAllDNS: true,
		SessionTimeout: time.Hour, SessionLeft: 30 * time.Minute, DisconnectedTimeout: 5 * time.Minute, Banner: "Hello", Notices: 3,
		DTLSMode: DTLSResume, DTLSSuite: 0x009c, DTLSPort: 4443, DTLSID: bytes.Repeat([]byte{10}, 32), DTLSDPD: 30 * time.Second,
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	old, err := ParseTunnel(tunnelHeader("X-CSTP-Netmask: 255.255.255.0", "X-CSTP-Address: fd00::2", "X-CSTP-Netmask: fd00::2/64"))
	if err != nil || old.IPv6 != netip.MustParsePrefix("fd00::2/64") || old.IPv4 != netip.MustParsePrefix("10.98.0.2/24") {
		t.Errorf("the older form: got %s and %s, %v", old.IPv4, old.IPv6, err)
	}
}

func TestHostileTunnelsAreBounded(t *testing.T) {
	t.Parallel()
	id := strings.Repeat("0a", 32)
	for name, c := range map[string]struct {
		lines []string
		ok    func(Tunnel) bool
	}{
		"names that are none":        {[]string{"X-CSTP-Default-Domain: a/b $(x) -x ok.example a..b"}, func(t Tunnel) bool { return slices.Equal(t.Domains, []string{"ok.example"}) }},
		"a long name":                {[]string{"X-CSTP-Split-DNS: " + strings.Repeat("a.", 200)}, func(t Tunnel) bool { return len(t.SplitDNS) == 0 }},
		"many names":                 {slices.Repeat([]string{"X-CSTP-Split-DNS: a.example"}, 5000), func(t Tunnel) bool { return len(t.SplitDNS) == maxDomains }},
		"many routes":                {slices.Repeat([]string{"X-CSTP-Split-Include: 10.0.0.0/8"}, 5000), func(t Tunnel) bool { return len(t.SplitInclude) == maxRoutes }},
		"a long banner":              {[]string{"X-CSTP-Banner: " + strings.Repeat("x", 1<<20)}, func(t Tunnel) bool { return len(t.Banner) == maxText }},
		"times beyond reason":        {[]string{"X-CSTP-Rekey-Time: 2147483647", "X-CSTP-DPD: -5", "X-CSTP-Keepalive: 99999999999999"}, func(t Tunnel) bool { return t.RekeyTime == maxTime && t.DPD == 0 && t.Keepalive == 0 }},
		"no new keys":                {[]string{"X-CSTP-Rekey-Time: 100", "X-CSTP-Rekey-Method: none"}, func(t Tunnel) bool { return t.RekeyTime == 0 }},
		"a port that is none":        {[]string{"X-DTLS-App-ID: " + id, "X-DTLS-CipherSuite: PSK-NEGOTIATE", "X-DTLS-Port: 65536"}, func(t Tunnel) bool { return t.DTLSMode == DTLSOff }},
		"many notices":               {[]string{"X-Skybridge-Notices: 5000"}, func(t Tunnel) bool { return t.Notices == 99 }},
		"notices below none":         {[]string{"X-Skybridge-Notices: -1"}, func(t Tunnel) bool { return t.Notices == 0 }},
		"a short id":                 {[]string{"X-DTLS-App-ID: 0a", "X-DTLS-CipherSuite: PSK-NEGOTIATE", "X-DTLS-Port: 443"}, func(t Tunnel) bool { return t.DTLSMode == DTLSOff }},
		"the id of the other method": {[]string{"X-DTLS-App-ID: " + id, "X-DTLS-CipherSuite: OC-DTLS1_2-AES256-GCM", "X-DTLS-Port: 443"}, func(t Tunnel) bool { return t.DTLSMode == DTLSOff }},
		"a suite that was not named": {[]string{"X-DTLS-Session-ID: " + id, "X-DTLS-CipherSuite: AES128-SHA", "X-DTLS-Port: 443"}, func(t Tunnel) bool { return t.DTLSMode == DTLSOff }},
		"an address of all":          {[]string{"X-CSTP-Address-IP6: ::/64"}, func(t Tunnel) bool { return !t.IPv6.IsValid() }},
		"the own loopback":           {[]string{"X-CSTP-Address-IP6: ::1/128"}, func(t Tunnel) bool { return !t.IPv6.IsValid() }},
		"a mapped address":           {[]string{"X-CSTP-Address-IP6: ::ffff:10.0.0.1/128"}, func(t Tunnel) bool { return !t.IPv6.IsValid() }},
		"a route with a zone":        {[]string{"X-CSTP-Split-Include-IP6: fe80::1%eth0/64"}, func(t Tunnel) bool { return len(t.SplitInclude) == 0 }},
	} {
		got, err := ParseTunnel(tunnelHeader(c.lines...))
		if err != nil || !c.ok(got) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
	for _, mtu := range []string{"0", "575", "16377", "-1", "x"} {
		h := tunnelHeader()
		h.Set("X-CSTP-MTU", mtu)
		if _, err := ParseTunnel(h); err == nil {
			t.Errorf("an MTU of %s was taken", mtu)
		}
	}
}

func TestConnectIsReadByOurServer(t *testing.T) {
	t.Parallel()
	c := Connect{
		Host: "vpn.example", Agent: "agent", Cookie: NewSecret([]byte("coo\r\nkie")), BaseMTU: 1400, PSK: true, Extensions: []string{"gso"},
		MasterSecret: NewSecret(bytes.Repeat([]byte{3}, MasterSecretLen)), Had: []netip.Addr{netip.MustParseAddr("10.98.0.2")},
	}
	raw := string(c.AppendTo(nil))
	target, rest, _ := strings.Cut(strings.TrimPrefix(raw, "CONNECT "), " HTTP/1.1\r\n")
	h := http.Header{}
	for _, line := range strings.Split(strings.TrimSuffix(rest, "\r\n\r\n"), "\r\n") {
		name, value, _ := strings.Cut(line, ": ")
		h.Add(name, value)
	}
	got, err := ParseConnect(target, h)
	if err != nil || string(got.Cookie.Reveal()) != "cookie" || got.BaseMTU != 1400 || !got.FullIPv6 || !got.MasterSecret.Equal(c.MasterSecret) ||
		!slices.Contains(got.DTLSCiphers, pskNegotiate) || len(got.DTLS12Ciphers) != 4 || !slices.Equal(got.Extensions, c.Extensions) {
		t.Errorf("got %+v, %v", got, err)
	}
	c.PSK, c.MasterSecret = false, Secret{}
	if raw := string(c.AppendTo(nil)); strings.Contains(raw, "DTLS") {
		t.Errorf("without a UDP channel: got %q", raw)
	}
}
