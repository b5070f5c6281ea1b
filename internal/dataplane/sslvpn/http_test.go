package sslvpn

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
)

func TestLoginRounds(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	cases := []struct {
		name, request string
		status        int
		contains      string
		reason        string
	}{
		{"init", post(initDocument), 200, `name="password"`, ""},
		{"GET for old clients", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 200, `name="password"`, ""},
		{"wrong password", post(reply("ann", "no")), 200, `name="password"`, ""},
		{"right password", post(reply("ann", "pass")), 200, `id="success"`, ""},
		{"refused for good", post(reply("ann", "refuse")), 401, "", "Too many tries."},
		{"ended with a reason", post(reply("ann", "end")), 200, "No second factor.</error>", ""},
		{"control away", post(reply("ann", "away")), 503, "", "The service is unavailable. Please try again later."},
		{"manifest", "GET /1/VPNManifest.xml HTTP/1.1\r\nHost: x\r\n\r\n", 200, "<vpn", ""},
		{"unknown path", "GET /etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", 404, "", ""},
		{"no XML", post("hello"), 400, "", ""},
		{"urlencoded", "POST /auth HTTP/1.1\r\nHost: x\r\nCookie: webvpncontext=conv\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 26\r\n\r\nusername=ann&password=pass", 200, `id="success"`, ""},
	}
	for _, c := range cases {
		resp, body := r.dial(nil).request(c.request)
		if resp.StatusCode != c.status || !strings.Contains(body, c.contains) || resp.Header.Get("X-Reason") != c.reason {
			t.Errorf("%s: got %s %q, reason %q, want %d with %q, %q", c.name, resp.Status, body, resp.Header.Get("X-Reason"), c.status, c.contains, c.reason)
		}
	}
	for reason, want := range map[string]uint64{FailCredentials: 1, FailRefused: 2, FailUnavailable: 1, FailCertificate: 0} {
		if got := r.svc.Tally().LoginFails[reason]; got != want {
			t.Errorf("%d logins failed for %s, want %d", got, reason, want)
		}
	}
	if log := r.log.String(); strings.Contains(log, "pass") || strings.Contains(log, "ann") {
		t.Errorf("got what a person typed in the log: %s", log)
	}
}

func TestMalformedRequestsAreRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	cases := map[string]string{
		"both lengths": "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"two lengths":  "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
		"not HTTP":     "hello\r\n\r\n",
	}
	for name, request := range cases {
		resp, _, err := r.dial(nil).try(request)
		if err == nil && resp.StatusCode != 400 {
			t.Errorf("%s: got %s, want 400 or the connection closed", name, resp.Status)
		}
	}
}

func TestPanicEndsOneConnectionOnly(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if resp, _, err := r.dial(nil).try(post(reply("ann", "panic"))); err == nil {
		t.Errorf("got %s, want the connection closed", resp.Status)
	}
	r.dial(nil).login("ann")
	// The connection is closed before the panic is logged.
	for end := time.Now().Add(10 * time.Second); !strings.Contains(r.log.String(), "panic in a connection") && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if log := r.log.String(); !strings.Contains(log, "panic in a connection") || strings.Contains(log, "has a fault") {
		t.Errorf("got log %q, want the panic without its value", log)
	}
}

func TestNameChoosesTheServer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	second := r.spec.SSLServers[0]
	second.ID, second.ServerNames = "sslsrv-2", []string{"two.example.com"}
	r.spec.SSLServers = append(r.spec.SSLServers, second)
	r.apply()
	for _, name := range []string{"one.example.com", "two.example.com", "TWO.example.com"} {
		p := r.dial(&tls.Config{ServerName: name})
		leaf := p.tls.ConnectionState().PeerCertificates[0]
		if err := leaf.VerifyHostname(strings.ToLower(name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"three.example.com", ""} {
		if _, err := r.tryDial(&tls.Config{ServerName: name}); err == nil {
			t.Errorf("name %q: got a connection, want none while two servers share the port", name)
		}
	}
}

func TestTLSVersionsAndSuites(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const v12, v13 = tls.VersionTLS12, tls.VersionTLS13
	for _, c := range []struct {
		low, top  string
		version   uint16 // of the client
		suites    []uint16
		ok        bool
		described string
	}{
		{"1.2", "", v12, nil, true, "TLS 1.2"},
		{"1.2", "1.3", v13, nil, true, "TLS 1.3"},
		{"1.2", "1.2", v13, nil, false, "TLS 1.3 over the highest"},
		{"1.2", "1.2", v12, nil, true, "TLS 1.2 as the highest"},
		{"1.3", "", v12, nil, false, "TLS 1.2 below the lowest"},
		{"1.2", "", v12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256}, true, "an AEAD"},
		{"1.2", "", v12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA}, false, "CBC"},
	} {
		r.spec.SSLServers[0].TLSMin, r.spec.SSLServers[0].TLSMax = c.low, c.top
		r.apply()
		_, err := r.tryDial(&tls.Config{MinVersion: c.version, MaxVersion: c.version, CipherSuites: c.suites})
		if (err == nil) != c.ok {
			t.Errorf("%s: got %v, want accepted %v", c.described, err, c.ok)
		}
	}
	for _, id := range suites12 {
		if !slices.ContainsFunc(tls.CipherSuites(), func(s *tls.CipherSuite) bool { return s.ID == id && strings.HasPrefix(s.Name, "TLS_ECDHE_") }) {
			t.Errorf("%s is insecure or not ephemeral", tls.CipherSuiteName(id))
		}
	}
}

// TestAnswersToXMLPostSayIt: a client that is in the mode is told the same.
func TestAnswersToXMLPostSayIt(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for request, want := range map[string]string{
		strings.Replace(post(initDocument), "Host: x\r\n", "Host: x\r\nX-Transcend-Version: 1\r\nX-Aggregate-Auth: 1\r\n", 1): "1",
		post(initDocument):                  "",
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n": "",
	} {
		resp, _ := r.dial(nil).request(request)
		if got := resp.Header.Get("X-Aggregate-Auth"); got != want || resp.Header.Get("X-Transcend-Version") != "1" {
			t.Errorf("%.60q: got aggregate %q, version %q", request, got, resp.Header.Get("X-Transcend-Version"))
		}
	}
}

func TestRequiredCertificate(t *testing.T) {
	t.Parallel()
	good, revoked, foreign := selfSigned(t, nil), selfSigned(t, nil), selfSigned(t, nil)
	r := newRig(t, func(s *gwlink.SSLServer) {
		s.LoginMode = gwlink.LoginPasswordCertificate
		s.ClientCAs = [][]byte{good.Certificate[0]}
	})
	login := func(c *tls.Certificate) string {
		cfg := &tls.Config{}
		if c != nil {
			cfg.Certificates = []tls.Certificate{*c}
		}
		_, body := r.dial(cfg).request(post(reply("ann", "pass")))
		return body
	}
	refused := func(body string) bool {
		return strings.Contains(body, "A valid client certificate is required.</error>") && !strings.Contains(body, "<input")
	}
	if got := login(good); !strings.Contains(got, `id="success"`) {
		t.Errorf("issued certificate: got %s", got)
	}
	if got := login(foreign); !refused(got) {
		t.Errorf("foreign certificate: got %s", got)
	}
	if got := login(nil); !refused(got) {
		t.Errorf("no certificate: got %s", got)
	}
	leaf, err := x509.ParseCertificate(revoked.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	r.spec.SSLServers[0].ClientCAs = [][]byte{revoked.Certificate[0]}
	r.spec.SSLServers[0].RevokedSerials = []string{strings.ToUpper(leaf.SerialNumber.Text(16))}
	r.apply()
	if got := login(revoked); !refused(got) {
		t.Errorf("revoked certificate: got %s", got)
	}
	if got := r.svc.Tally().LoginFails[FailCertificate]; got != 3 {
		t.Errorf("%d logins failed for their certificate, want 3", got)
	}
}

func TestGrantsAreVerified(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for name, change := range map[string]func(*gwlink.Grant){
		"other server":  func(g *gwlink.Grant) { g.Server = "sslsrv-9" },
		"other gateway": func(g *gwlink.Grant) { g.Gateway = "vpngw-9" },
		"over":          func(g *gwlink.Grant) { g.NotAfter = g.NotBefore },
	} {
		r.grant(change)
		if resp, _ := r.dial(nil).request(post(reply("ann", "pass"))); resp.StatusCode != 503 {
			t.Errorf("%s: got %s, want 503", name, resp.Status)
		}
	}
}

func TestWhatCannotBeKeptIsNotOpened(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.sink.failWith(errors.New("disk full"))
	if resp, _ := r.dial(nil).request(post(reply("ann", "pass"))); resp.StatusCode != 503 || len(r.svc.Live()) != 0 {
		t.Errorf("got %s and %d sessions, want 503 and none", resp.Status, len(r.svc.Live()))
	}
}

func TestGroupsAreChosenByFormAndByPath(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(s *gwlink.SSLServer) {
		s.Groups = []gwlink.Group{{Name: "staff", Label: "Staff & co"}, {Name: "ops", Label: "Operations"}}
	})
	initAt := func(path, inner string) string {
		body := strings.Replace(initDocument, "</config-auth>", inner+"</config-auth>", 1)
		return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/xml\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body)
	}
	first := func(name, label string) string {
		return `<select name="group_list" label="Group:"><option value="` + name + `" selected="true">` + label + `</option>`
	}
	staff, ops := first("staff", "Staff &amp; co"), first("ops", "Operations")
	const alone, both = 1, 2
	for name, c := range map[string]struct {
		request, want string
		options       int
	}{
		"none":             {initAt("/", ""), staff, both},
		"group-select":     {initAt("/auth", "<group-select>ops</group-select>"), ops, both},
		"path":             {initAt("/ops", ""), ops, alone},
		"path in capitals": {initAt("/OPS/", ""), ops, alone},
		"group-access":     {initAt("/", "<group-access>https://x:8443/ops</group-access>"), ops, alone},
		"form over path":   {initAt("/ops", "<group-select>staff</group-select>"), staff, both},
		"GET":              {"GET /ops HTTP/1.1\r\nHost: x\r\n\r\n", ops, alone},
		"port in the path": {"GET /:8443/ops HTTP/1.1\r\nHost: x\r\n\r\n", ops, alone},
	} {
		if resp, body := r.dial(nil).request(c.request); resp.StatusCode != 200 || !strings.Contains(body, c.want) || strings.Count(body, "<option") != c.options {
			t.Errorf("%s: got %s %s, want %s and %d options", name, resp.Status, body, c.want, c.options)
		}
	}
	if resp, _ := r.dial(nil).request("GET /other HTTP/1.1\r\nHost: x\r\n\r\n"); resp.StatusCode != 404 {
		t.Errorf("no group: got %s", resp.Status)
	}
}

// TestRequestsBehindEachOtherAreAllAnswered: what comes with a body is the next
// request, however both are cut into records, and whatever its length says.
func TestRequestsBehindEachOtherAreAllAnswered(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	cookie := r.dial(nil).login("ann")
	long := strings.Replace(initDocument, "</config-auth>", "<!--"+strings.Repeat("x", 6000)+"--></config-auth>", 1)
	chunked := fmt.Sprintf("POST /auth HTTP/1.1\r\nHost: x\r\nContent-Type: application/xml\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(initDocument), initDocument)
	padded := "GET / HTTP/1.1\r\nHost: x\r\nX-Pad: " + strings.Repeat("x", 5000) + "\r\n\r\n"
	all := []string{post(initDocument), chunked, post(long), padded, post(reply("bob", "no")), "GET /1/VPNManifest.xml HTTP/1.1\r\nHost: x\r\n\r\n"}
	connect := "CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nHost: x\r\nX-CSTP-Base-MTU: 1500\r\nX-CSTP-Address-Type: IPv4\r\nCookie: webvpn=" + cookie + "\r\n\r\n"
	text := strings.Join(all, "") + connect
	for _, size := range []int{len(text), 4096, 999} {
		p := r.dial(nil)
		for part := range slices.Chunk([]byte(text), size) {
			if _, err := p.tls.Write(part); err != nil {
				t.Fatal(err)
			}
		}
		for i := range all {
			resp, err := http.ReadResponse(p.in, nil)
			if err != nil || resp.StatusCode != 200 {
				t.Fatalf("request %d in parts of %d bytes: got %v, %v", i, size, resp, err)
			}
			if _, err := io.Copy(io.Discard, resp.Body); err != nil {
				t.Fatal(err)
			}
		}
		resp, err := http.ReadResponse(p.in, &http.Request{Method: http.MethodConnect})
		if err != nil || resp.StatusCode != 200 || resp.Header.Get("X-Cstp-Address") != "10.98.0.2" {
			t.Fatalf("CONNECT behind them: got %v, %v", resp, err)
		}
		r.carries(p, "10.98.0.2")
	}
}
