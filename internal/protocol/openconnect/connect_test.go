package openconnect

import (
	"bufio"
	"bytes"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// recordedConnect reads the CONNECT of stock openconnect as a server does.
func recordedConnect(t testing.TB) *http.Request {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(readFile(t, "connect-request.http"))))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestParseRecordedConnect(t *testing.T) {
	t.Parallel()
	r := recordedConnect(t)
	got, err := ParseConnect(r.RequestURI, r.Header)
	if err != nil {
		t.Fatal(err)
	}
	if string(got.Cookie.Reveal()) != "AVnKvavHX71N04PdLvYwIcWrxPyBR+jPFp5olMVe5Ao=" {
		t.Error("cookie differs")
	}
	if b := got.MasterSecret.Reveal(); len(b) != 48 || b[0] != 0x26 || b[47] != 0x12 {
		t.Error("master secret differs")
	}
	got.Cookie, got.MasterSecret = Secret{}, Secret{}
	want := ConnectRequest{
		UserAgent: "Open AnyConnect VPN Agent v9.01-3", Agent: AgentOpenConnect, Hostname: "vm",
		BaseMTU: 1500, MTU: 1390, IPv4: true, IPv6: true, FullIPv6: true,
		DTLSCiphers: []string{
			"PSK-NEGOTIATE", "OC-DTLS1_2-AES256-GCM", "OC2-DTLS1_2-CHACHA20-POLY1305", "OC-DTLS1_2-AES128-GCM",
			"DHE-RSA-AES256-SHA", "DHE-RSA-AES128-SHA", "AES256-SHA", "AES128-SHA",
		},
		DTLS12Ciphers: []string{
			"ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-GCM-SHA256",
			"DHE-RSA-AES256-SHA", "DHE-RSA-AES128-SHA", "AES256-SHA", "AES128-SHA",
		},
		AcceptEncoding: []string{"oc-lz4", "lzs"}, DTLSAcceptEncoding: []string{"oc-lz4", "lzs"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v want %+v", got, want)
	}
}

// header makes a request's headers from lines.
func header(lines ...string) http.Header {
	h := http.Header{"Cookie": {"webvpn=c"}}
	for _, l := range lines {
		name, value, _ := strings.Cut(l, ": ")
		h.Add(name, value)
	}
	return h
}

func TestParseConnectHeaders(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		lines []string
		check func(ConnectRequest) bool
	}{
		{"no address type", nil, func(r ConnectRequest) bool { return r.IPv4 && !r.IPv6 }},
		{"IPv6 only", []string{"X-CSTP-Address-Type: IPv6"}, func(r ConnectRequest) bool { return !r.IPv4 && r.IPv6 }},
		{"mobile licence", []string{"X-CSTP-License: mobile"}, func(r ConnectRequest) bool { return r.Mobile }},
		{"mobile platform", []string{"X-AnyConnect-Identifier-Platform: apple-ios"}, func(r ConnectRequest) bool { return r.Mobile }},
		{"desktop platform", []string{"X-AnyConnect-Identifier-Platform: linux-64"}, func(r ConnectRequest) bool { return !r.Mobile }},
		{"MTU nonsense", []string{"X-CSTP-Base-MTU: -5", "X-CSTP-MTU: 99999999999999999999"}, func(r ConnectRequest) bool { return r.BaseMTU == 0 && r.MTU == 0 }},
		{"lower-case master secret", []string{"X-DTLS-Master-Secret: " + strings.Repeat("ab", 48)}, func(r ConnectRequest) bool { return r.MasterSecret.Len() == 48 }},
		{"short master secret", []string{"X-DTLS-Master-Secret: " + strings.Repeat("ab", 47)}, func(r ConnectRequest) bool { return r.MasterSecret.Len() == 0 }},
		{"bad master secret", []string{"X-DTLS-Master-Secret: " + strings.Repeat("xy", 48)}, func(r ConnectRequest) bool { return r.MasterSecret.Len() == 0 }},
		{"extensions", []string{"X-Skybridge-Ext: coalesce, gso"}, func(r ConnectRequest) bool { return slices.Equal(r.Extensions, []string{"coalesce", "gso"}) }},
		{"endless list", []string{"X-DTLS-CipherSuite: " + strings.Repeat("a:", 10000)}, func(r ConnectRequest) bool { return len(r.DTLSCiphers) == maxListItems }},
	} {
		r, err := ParseConnect(TunnelPath, header(c.lines...))
		if err != nil || !c.check(r) {
			t.Errorf("%s: got %+v, %v", c.name, r, err)
		}
	}
}

func TestParseConnectTargetAndCookie(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		target, cookie string
		want           error
		value          string
	}{
		{"/CSCOSSLC/tunnel", "webvpn=a", nil, "a"},
		{"CSCOSSLC/tunnel", "webvpn=a==", nil, "a=="},
		{"/CSCOSSLC/tunnel", "x=1; webvpnc=bu:/&p:t; webvpn=b/+=; webvpncontext=2", nil, "b/+="},
		{"/CSCOSSLC/tunnel2", "webvpn=a", ErrTarget, ""},
		{"example.com:443", "webvpn=a", ErrTarget, ""},
		{"/CSCOSSLC/tunnel", "", ErrNoCookie, ""},
		{"/CSCOSSLC/tunnel", "webvpn=", ErrNoCookie, ""},
		{"/CSCOSSLC/tunnel", "webvpn", ErrNoCookie, ""},
		{"/CSCOSSLC/tunnel", "WEBVPN=a; xwebvpn=b", ErrNoCookie, ""},
	} {
		r, err := ParseConnect(c.target, http.Header{"Cookie": {c.cookie}})
		if !errors.Is(err, c.want) || string(r.Cookie.Reveal()) != c.value {
			t.Errorf("%s %s: got %q, %v want %q, %v", c.target, c.cookie, r.Cookie.Reveal(), err, c.value, c.want)
		}
	}
}

func TestChooseDTLS(t *testing.T) {
	t.Parallel()
	master := NewSecret(make([]byte, MasterSecretLen))
	psk := DTLSChoice{DTLSPSK, 0, "X-DTLS-CipherSuite", "PSK-NEGOTIATE"}
	for _, c := range []struct {
		name         string
		dtls, dtls12 string
		noExporter   bool
		noMaster     bool
		want         DTLSChoice
	}{
		{name: "first", dtls: "PSK-NEGOTIATE:AES128-SHA", want: psk},
		{name: "last of the list", dtls: "AES128-SHA:OC-DTLS1_2-AES256-GCM:PSK-NEGOTIATE", dtls12: "AES128-GCM-SHA256", want: psk},
		{name: "PSK without master secret", dtls: "PSK-NEGOTIATE", noMaster: true, want: psk},
		{name: "no exporter", dtls: "PSK-NEGOTIATE:OC-DTLS1_2-AES128-GCM", noExporter: true, want: DTLSChoice{DTLSResume, 0x009c, "X-DTLS-CipherSuite", "OC-DTLS1_2-AES128-GCM"}},
		{name: "ECDHE-RSA before plain", dtls12: "AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256", want: DTLSChoice{DTLSResume, 0xc02f, "X-DTLS12-CipherSuite", "ECDHE-RSA-AES128-GCM-SHA256"}},
		{name: "ECDHE-RSA 256", dtls12: "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384", want: DTLSChoice{DTLSResume, 0xc030, "X-DTLS12-CipherSuite", "ECDHE-RSA-AES256-GCM-SHA384"}},
		{name: "plain before OC", dtls: "OC-DTLS1_2-AES256-GCM", dtls12: "AES128-GCM-SHA256", want: DTLSChoice{DTLSResume, 0x009c, "X-DTLS12-CipherSuite", "AES128-GCM-SHA256"}},
		{name: "OC", dtls: "OC-DTLS1_2-AES128-GCM:OC-DTLS1_2-AES256-GCM", want: DTLSChoice{DTLSResume, 0x009d, "X-DTLS-CipherSuite", "OC-DTLS1_2-AES256-GCM"}},
		{name: "names in the wrong header", dtls: "AES256-GCM-SHA384", dtls12: "PSK-NEGOTIATE:OC-DTLS1_2-AES256-GCM"},
		{name: "ECDSA is never chosen", dtls12: "ECDHE-ECDSA-AES256-GCM-SHA384"},
		{name: "ECDSA is passed over", dtls12: "ECDHE-ECDSA-AES256-GCM-SHA384:AES256-GCM-SHA384", want: DTLSChoice{DTLSResume, 0x009d, "X-DTLS12-CipherSuite", "AES256-GCM-SHA384"}},
		{name: "DTLS 0.9 only", dtls: "AES256-SHA:AES128-SHA:DES-CBC3-SHA"},
		{name: "ChaCha resume", dtls: "OC2-DTLS1_2-CHACHA20-POLY1305"},
		{name: "resume without master secret", dtls: "OC-DTLS1_2-AES256-GCM", dtls12: "AES256-GCM-SHA384", noMaster: true},
		{name: "nothing"},
	} {
		r := ConnectRequest{DTLSCiphers: list(c.dtls, ":"), DTLS12Ciphers: list(c.dtls12, ":"), MasterSecret: master}
		if c.noMaster {
			r.MasterSecret = Secret{}
		}
		if got := ChooseDTLS(r, !c.noExporter); got != c.want {
			t.Errorf("%s: got %+v want %+v", c.name, got, c.want)
		}
	}
}

func TestClassifyAgent(t *testing.T) {
	t.Parallel()
	for agent, want := range map[string]Agent{
		"Open AnyConnect VPN Agent v9.01-3":                   AgentOpenConnect,
		"Open AnyConnect VPN Agent v3.99":                     AgentOpenConnectOld,
		"Open AnyConnect VPN Agent v30.1":                     AgentOpenConnect,
		"Open AnyConnect VPN Agent":                           AgentOpenConnect,
		"AnyConnect-compatible OpenConnect VPN Agent v9.12":   AgentOpenConnect,
		"OpenConnect VPN Agent v8":                            AgentOpenConnect,
		"Cisco AnyConnect VPN Agent for Apple iPhone 4.10":    AgentAnyConnectApple,
		"Cisco AnyConnect VPN Agent for Windows 4.10.01075":   AgentAnyConnect,
		"AnyConnect Windows 4.10":                             AgentAnyConnect,
		"anyconnect linux_64 5.1":                             AgentAnyConnect,
		"Clavister OneConnect VPN 3":                          AgentOneConnect,
		"AnyLink Secure Client 0.0.6":                         AgentAnyLink,
		"Cisco SVC IPPhone Client v1.0":                       AgentIPPhone,
		"Mozilla/5.0 AnyConnect":                              AgentUnknown,
		"":                                                    AgentUnknown,
		"Open AnyConnect VPN Agent v99999999999999999999999.": AgentOpenConnect,
	} {
		if got := ClassifyAgent(agent); got != want {
			t.Errorf("%q: got %d want %d", agent, got, want)
		}
	}
}

func FuzzParseConnect(f *testing.F) {
	f.Add(readFile(f, "connect-request.http"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
		if err != nil {
			return
		}
		c, err := ParseConnect(r.RequestURI, r.Header)
		if err != nil {
			return
		}
		if c.Cookie.Len() == 0 || c.MasterSecret.Len() != 0 && c.MasterSecret.Len() != MasterSecretLen {
			t.Errorf("impossible request %+v", c)
		}
		choice := ChooseDTLS(c, false)
		if choice.Mode == DTLSPSK || choice.Mode == DTLSResume && c.MasterSecret.Len() == 0 {
			t.Errorf("impossible choice %+v", choice)
		}
	})
}

// FuzzCookie: a cookie's value is a part of the header, without separators, and
// the last one of its name.
func FuzzCookie(f *testing.F) {
	f.Add("webvpn=abc; webvpncontext=def")
	f.Add("webvpn=1;webvpn=2 ; webvpn =3;;=;webvpn")
	f.Add("webvpnc=bu:/&p:t&iu:1/&sh:0123; webvpn=\x00=")
	f.Fuzz(func(t *testing.T, line string) {
		got := Cookie(http.Header{"Cookie": {line}}, "webvpn")
		if strings.Contains(got, ";") || !strings.Contains(line, got) {
			t.Errorf("got %q of %q", got, line)
		}
		if again := Cookie(http.Header{"Cookie": {line, "webvpn=last"}}, "webvpn"); again != "last" {
			t.Errorf("got %q after another line, want that", again)
		}
	})
}
