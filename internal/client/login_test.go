//go:build linux

package client

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client/trust"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

var ann = Password("ann", []byte("pass"))

// person is a fresh Known.
func person() *Known {
	return &Known{Name: "ann", Password: openconnect.NewSecret([]byte("pass"))}
}

func TestRoundsGoOnUntilTheServerIsDone(t *testing.T) {
	t.Parallel()
	s := newScript(t, func(n int, q request) string {
		switch n {
		case 0:
			return ok(form("main", nameInput).AppendTo(nil), "Set-Cookie: webvpncontext=c0; Secure", "Set-Cookie: webvpnold=x")
		case 1:
			return ok(form("main", passwordInput).AppendTo(nil), "Set-Cookie: webvpnold=; Max-Age=0")
		case 2:
			return ok(form("challenge", input(openconnect.InputPassword, openconnect.FieldAnswer)).AppendTo(nil), "Connection: close")
		}
		return done()
	})
	s.cfg.Path = "/sales"
	k := person()
	k.Token, k.Clock = func() *Token { return TOTP("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ") }, clock.NewFake(time.Unix(59, 0))
	got, err := s.login(k.Answer)
	wantCookie(t, got, err)
	seen := s.seen()
	if len(seen) != 4 {
		t.Fatalf("got %d requests", len(seen))
	}
	if seen[0].doc.Type != openconnect.TypeInit || seen[0].RequestURI != "/sales" || seen[0].doc.GroupAccess != "https://"+s.cfg.Server+"/sales" {
		t.Errorf("got %s at %s for %s", seen[0].doc.Type, seen[0].RequestURI, seen[0].doc.GroupAccess)
	}
	if seen[1].doc.Fields["username"] != "ann" || seen[1].RequestURI != "/auth" || seen[1].Header.Get("Cookie") == "" {
		t.Errorf("got %v at %s with %q", seen[1].doc.Fields["username"], seen[1].RequestURI, seen[1].Header.Get("Cookie"))
	}
	if seen[2].doc.Fields["password"] != "pass" || seen[2].Header.Get("Cookie") != "webvpncontext=c0" {
		t.Errorf("got %q with %q", seen[2].doc.Fields["password"], seen[2].Header.Get("Cookie"))
	}
	if seen[3].doc.Fields["password"] != "287082" || seen[3].conn != 2 { // RFC 6238, appendix B; answer travels as password
		t.Errorf("got code %q on connection %d", seen[3].doc.Fields["password"], seen[3].conn)
	}
}

// TestNoCookieButThoseOfTheProtocol: TY-2.5. What else a server sets does not come
// back to it, and of the protocol's own nothing outlives the login.
func TestNoCookieButThoseOfTheProtocol(t *testing.T) {
	t.Parallel()
	s := newScript(t, func(n int, _ request) string {
		if n%2 == 0 {
			return ok(form("main", nameInput, passwordInput).AppendTo(nil), "Set-Cookie: webvpncontext=c0; Secure", "Set-Cookie: visitor=1; Max-Age=31536000")
		}
		return ok(openconnect.Complete{}.AppendTo(nil), "Set-Cookie: webvpn=the-cookie; Secure; HttpOnly", "Set-Cookie: ads=2")
	})
	for range 2 {
		got, err := s.login(person().Answer)
		wantCookie(t, got, err)
	}
	var sent []string
	for _, q := range s.seen() {
		sent = append(sent, q.Header.Get("Cookie"))
	}
	if want := []string{"", "webvpncontext=c0", "", "webvpncontext=c0"}; !slices.Equal(sent, want) {
		t.Errorf("got %q, want %q", sent, want)
	}
}

// TestALoginSaysAccountPasswordAndCertificateAlone: TY-2.2a. Nothing of the machine or
// of the person goes with it, and a server that wants more gets nothing.
func TestALoginSaysAccountPasswordAndCertificateAlone(t *testing.T) {
	t.Parallel()
	s := newScript(t, func(n int, _ request) string {
		if n == 0 {
			return ok(form("main", nameInput, passwordInput).AppendTo(nil))
		}
		return done()
	})
	got, err := s.login(person().Answer)
	wantCookie(t, got, err)
	for i, q := range s.seen() {
		d, said := q.doc, slices.Sorted(maps.Keys(q.doc.Fields))
		if d.DeviceID != device || len(d.DeviceAttributes)+len(d.MACAddresses)+len(d.Capabilities) > 0 || d.HostScanToken != "" {
			t.Errorf("request %d tells of the machine: %+v", i, d)
		}
		if want := [][]string{{}, {"password", "username"}}[i]; !slices.Equal(said, want) {
			t.Errorf("request %d says %q, want %q", i, said, want)
		}
		heads := slices.Sorted(maps.Keys(q.Header))
		if want := []string{"Accept", "Accept-Encoding", "Content-Length", "Content-Type", "User-Agent", "X-Aggregate-Auth", "X-Transcend-Version"}; !slices.Equal(heads, want) {
			t.Errorf("request %d has the headers %q, want %q", i, heads, want)
		}
	}
	for _, more := range []string{"phone", "email", "id_number"} {
		s := newScript(t, func(int, request) string {
			return ok(form("main", nameInput, passwordInput, input(openconnect.InputText, more)).AppendTo(nil))
		})
		k := person()
		k.Ask = func(openconnect.AuthRequest) (openconnect.Answers, error) {
			t.Errorf("%s: the person was asked", more)
			return openconnect.Answers{more: text("x")}, nil
		}
		if _, err := s.login(k.Answer); !errors.Is(err, ErrMore) || len(s.seen()) != 1 {
			t.Errorf("%s: got %v after %d requests", more, err, len(s.seen()))
		}
	}
}

// A server such as ocserv says 401 and closes when something was wrong.
func TestDeniedMeansWrongCredentials(t *testing.T) {
	t.Parallel()
	answer := func(n int, q request) string {
		switch {
		case q.doc.Type == openconnect.TypeInit:
			return ok(form("main", nameInput).AppendTo(nil))
		case q.doc.Fields["username"] != "":
			return ok(form("main", passwordInput).AppendTo(nil))
		case q.doc.Fields["password"] == "right":
			return done()
		}
		return denied
	}
	s := newScript(t, answer)
	if _, err := s.login(person().Answer); !errors.Is(err, ErrRefused) {
		t.Errorf("got %v, want %v", err, ErrRefused)
	}
	if n := len(s.seen()); n != 4 { // and was not sent again
		t.Errorf("got %d requests", n)
	}
	s = newScript(t, answer)
	asked := 0
	k := person()
	k.Ask = func(f openconnect.AuthRequest) (openconnect.Answers, error) {
		out := openconnect.Answers{}
		for _, in := range f.Inputs {
			out[in.Name] = text(map[string]string{"username": "ann", "password": "right"}[in.Name])
		}
		asked++
		return out, nil
	}
	got, err := s.login(k.Answer)
	wantCookie(t, got, err)
	if asked == 0 || s.seen()[3].conn != 2 {
		t.Errorf("asked %d times, on connection %d", asked, s.seen()[3].conn)
	}
}

func TestAServerThatDeniesForEverIsLeft(t *testing.T) {
	t.Parallel()
	s := newScript(t, func(n int, q request) string {
		if q.doc.Type == openconnect.TypeInit {
			return ok(form("main", passwordInput).AppendTo(nil))
		}
		return denied
	})
	_, err := s.login(func(f openconnect.AuthRequest) (openconnect.Answers, error) {
		return openconnect.Answers{"password": text("x")}, nil
	})
	var refused *RefusedError
	if !errors.As(err, &refused) || refused.Status != 401 {
		t.Errorf("got %v", err)
	}
	if n := len(s.seen()); n > 2*(maxDenied+1) {
		t.Errorf("got %d requests", n)
	}
}

func TestTheGroupIsChosen(t *testing.T) {
	t.Parallel()
	groups := []openconnect.Group{{Value: "g1", Label: "Guests"}, {Value: "g2", Label: "Sales"}, {Value: "g3", Label: "Service"}}
	s := newScript(t, func(n int, q request) string {
		f := form("main", nameInput, passwordInput)
		f.Groups, f.SelectedGroup = groups, "g1"
		switch {
		case q.doc.Type == openconnect.TypeInit && q.doc.GroupSelect != "":
			f.SelectedGroup = q.doc.GroupSelect
		case q.doc.Type == openconnect.TypeAuthReply:
			return done()
		}
		return ok(f.AppendTo(nil))
	})
	k := person()
	k.Group = "sal"
	got, err := s.login(k.Answer)
	wantCookie(t, got, err)
	last := s.seen()[len(s.seen())-1].doc
	if len(s.seen()) != 3 || last.GroupSelect != "g2" || last.Fields["password"] != "pass" {
		t.Errorf("got group %q and password %q after %d requests", last.GroupSelect, last.Fields["password"], len(s.seen()))
	}
	for _, group := range []string{"s", "none"} {
		k := person()
		k.Group = group
		if _, err := s.login(k.Answer); !errors.Is(err, ErrUnanswered) {
			t.Errorf("group %s: got %v", group, err)
		}
	}
}

// A group that the server does not change to is asked for once.
func TestAGroupThatStaysIsNoLoop(t *testing.T) {
	t.Parallel()
	s := newScript(t, func(n int, q request) string {
		if q.doc.Type == openconnect.TypeAuthReply {
			return done()
		}
		f := form("main", passwordInput)
		f.Groups, f.SelectedGroup = []openconnect.Group{{Value: "g1", Label: "one"}, {Value: "g2", Label: "two"}}, "g1"
		return ok(f.AppendTo(nil))
	})
	k := person()
	k.Group = "two"
	got, err := s.login(k.Answer)
	wantCookie(t, got, err)
}

func TestRefusalsSayWhy(t *testing.T) {
	t.Parallel()
	reason := func(status int) string {
		return fmt.Sprintf("HTTP/1.1 %d No\r\nX-Reason: not\u202enow\r\nContent-Length: 0\r\n\r\n", status)
	}
	refusal := form("main")
	refusal.Error = &openconnect.FormError{Text: "You may not."}
	many := form("main", nameInput)
	for _, c := range []struct {
		name   string
		answer string
		want   error
		text   string
	}{
		{"out of service", reason(503), ErrRefused, "not now"},
		{"forbidden", reason(403), ErrRefused, "not now"},
		{"a form that has nothing to fill in", ok(refusal.AppendTo(nil)), ErrRefused, "You may not."},
		{"no document", ok([]byte("<html>")), openconnect.ErrAnswer, ""},
		{"a document with entities", ok([]byte(`<!DOCTYPE x [<!ENTITY a "aaaa">]><config-auth type="complete"/>`)), openconnect.ErrAnswer, ""},
		{"no session", ok(openconnect.Complete{}.AppendTo(nil)), openconnect.ErrAnswer, ""},
		{"the same form for ever", ok(many.AppendTo(nil)), ErrRounds, ""},
		{"a redirect to itself", "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", ErrRedirected, ""},
		{"a redirect elsewhere", "HTTP/1.1 302 Found\r\nLocation: https://evil.example/\r\nContent-Length: 0\r\n\r\n", ErrRedirected, "evil.example"},
		{"a redirect out of TLS", "HTTP/1.1 302 Found\r\nLocation: http://evil.example/\r\nContent-Length: 0\r\n\r\n", openconnect.ErrAnswer, ""},
		{"what is not known", ok(form("main", input(openconnect.InputPassword, "secondary_password")).AppendTo(nil)), ErrUnanswered, "secondary_password"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newScript(t, func(int, request) string { return c.answer })
			_, err := s.login(person().Answer)
			if !errors.Is(err, c.want) || !strings.Contains(fmt.Sprint(err), c.text) || strings.ContainsRune(fmt.Sprint(err), 0x202e) {
				t.Errorf("got %v, want %v with %q", err, c.want, c.text)
			}
			if strings.Contains(fmt.Sprint(err), "pass\"") {
				t.Errorf("the password is in %v", err)
			}
		})
	}
}

func TestATargetElsewhereGetsNoPassword(t *testing.T) {
	t.Parallel()
	s := newScript(t, func(n int, q request) string {
		f := form("main", passwordInput)
		f.Action = "https://evil.example/auth"
		return ok(f.AppendTo(nil))
	})
	if _, err := s.login(person().Answer); !errors.Is(err, ErrRedirected) || len(s.seen()) != 1 {
		t.Errorf("got %v after %d requests", err, len(s.seen()))
	}
}

// A flood is a server that never comes to an end.
func TestFloodsAreBounded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ head, piece string }{
		"of a header":  {"HTTP/1.1 200 OK\r\nX-Reason: ", strings.Repeat("x", 16<<10)},
		"of headers":   {"HTTP/1.1 200 OK\r\n", strings.Repeat("X-Reason: x\r\n", 1<<10)},
		"of a body":    {"HTTP/1.1 200 OK\r\n\r\n", strings.Repeat("x", 16<<10)},
		"of promises":  {"HTTP/1.1 200 OK\r\nContent-Length: 2147483648\r\n\r\n", strings.Repeat("x", 16<<10)},
		"of chunks":    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "4000\r\n" + strings.Repeat("x", 0x4000) + "\r\n"},
		"of interim":   {"", "HTTP/1.1 100 Continue\r\n\r\n"},
		"of no header": {"", strings.Repeat("x", 16<<10)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cert := certificate(t)
			ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{*cert}})
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close()
			var sent atomic.Int64
			go func() {
				for {
					c2, err := ln.Accept()
					if err != nil {
						return
					}
					go func() {
						defer c2.Close()
						_, err := io.WriteString(c2, c.head)
						for err == nil {
							var n int
							n, err = io.WriteString(c2, c.piece)
							sent.Add(int64(n))
						}
					}()
				}
			}()
			cfg := Config{Permit: yes{}, Server: ln.Addr().String(), Trust: pinned(cert)}
			ctx, cancel := context.WithTimeout(context.Background(), waitLimit)
			defer cancel()
			if _, err := Login(ctx, cfg, ann); err == nil || ctx.Err() != nil {
				t.Errorf("login: got %v after %d bytes", err, sent.Load())
			}
			if _, err := Connect(ctx, cfg, text("cookie")); err == nil || ctx.Err() != nil {
				t.Errorf("connect: got %v after %d bytes", err, sent.Load())
			}
			if n := sent.Load(); n > 64<<20 { // most of it lies in buffers of the system
				t.Errorf("took %d bytes", n)
			}
		})
	}
}

func TestTheServerIsVerified(t *testing.T) {
	t.Parallel()
	s := newScript(t, func(int, request) string { return done() })
	own := s.cfg.Trust
	s.cfg.Trust, _ = trust.Of(nil, "")
	_, err := s.login(ann)
	var unknown *trust.StrangerError
	if !errors.As(err, &unknown) || !errors.Is(err, trust.ErrIssuer) || unknown.Pin != trust.Pin(s.cert.Leaf) {
		t.Errorf("the system's roots: got %v", err)
	}
	s.cfg.Trust.CA = []*x509.Certificate{s.cert.Leaf}
	known := s.cfg.Server
	s.cfg.Server = strings.Replace(known, "127.0.0.1", "localhost", 1)
	if _, err := s.login(ann); !errors.Is(err, trust.ErrName) {
		t.Errorf("a certificate for another name: got %v", err)
	}
	s.cfg.Server, s.cfg.Clock = known, clock.NewFake(s.cert.Leaf.NotAfter.Add(time.Hour))
	for name, a := range map[string]trust.Anchors{"of a known issuer": s.cfg.Trust, "that is pinned": own} {
		s.cfg.Trust = a
		if _, err := s.login(ann); !errors.Is(err, trust.ErrExpired) {
			t.Errorf("a certificate %s and over: got %v", name, err)
		}
	}
	s.cfg.Trust = trust.Anchors{}
	if _, err := s.login(ann); trust.Refused(err) == nil {
		t.Errorf("who trusts nobody: got %v", err)
	}
	s.cfg.Trust = own
	if len(s.seen()) != 0 {
		t.Error("something was asked of a server that is not trusted")
	}
	s.cfg.Clock = nil
	got, err := s.login(ann)
	wantCookie(t, got, err)
}

func TestAClientCertificateIsShownAndAskedFor(t *testing.T) {
	t.Parallel()
	asks := func(c *tls.Config) { c.ClientAuth = tls.RequestClientCert }
	answer := func(n int, q request) string {
		switch {
		case len(q.tls.PeerCertificates) > 0:
			return done()
		case q.doc.ClientCertFail:
			return ok(form("main").AppendTo(nil))
		}
		return ok(openconnect.AppendClientCertRequest(nil, ""))
	}
	s := newScript(t, answer, asks)
	if _, err := s.login(ann); !errors.Is(err, ErrCertificate) || !s.seen()[1].doc.ClientCertFail {
		t.Errorf("without: got %v", err)
	}
	s.cfg.Certificate = certificate(t)
	got, err := s.login(ann)
	wantCookie(t, got, err)
	for name, version := range map[string]uint16{"TLS 1.3": tls.VersionTLS13, "TLS 1.2": tls.VersionTLS12} {
		s = newScript(t, answer, func(c *tls.Config) { c.ClientAuth, c.MaxVersion = tls.RequireAnyClientCert, version })
		if _, err := s.login(ann); !errors.Is(err, ErrCertificate) {
			t.Errorf("%s, demanded in the handshake: got %v", name, err)
		}
	}
	s = newScript(t, func(int, request) string { return denied }, asks)
	if _, err := s.login(ann); !errors.Is(err, ErrCertificate) {
		t.Errorf("denied at once: got %v", err)
	}
}

// TestNothingLeavesWithoutConsent: no connection is made, and none is kept.
func TestNothingLeavesWithoutConsent(t *testing.T) {
	t.Parallel()
	var conns atomic.Int64
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan struct{})
	go func() {
		defer close(accepted)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			conns.Add(1)
			_ = c.Close()
		}
	}()
	no := errors.New("not yet")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // whoever needs no consent goes on trying
	defer cancel()
	for name, permit := range map[string]Permit{"nobody asked": nil, "not agreed": refusing{no}} {
		cfg := Config{Permit: permit, Server: ln.Addr().String(), DTLS: true}
		_, err := Login(ctx, cfg, ann)
		_, err2 := Connect(ctx, cfg, text("cookie"))
		err3 := Logout(ctx, cfg, text("cookie"))
		l := NewLink(cfg, text("cookie"), nil)
		err4 := l.Run(ctx)
		for i, err := range []error{err, err2, err3, err4} {
			if !errors.Is(err, ErrNoConsent) || permit != nil && !errors.Is(err, no) {
				t.Errorf("%s: %d: got %v", name, i, err)
			}
		}
		if n := l.Snapshot(); n.Cause != CauseConsent {
			t.Errorf("%s: got cause %s", name, n.Cause)
		}
	}
	_ = ln.Close()
	<-accepted
	if n := conns.Load(); n != 0 {
		t.Errorf("got %d connections", n)
	}
}

type refusing struct{ err error }

func (r refusing) Allows() error { return r.err }

// proxy is an HTTP proxy that wants a name and a password.
func proxy(t *testing.T, answer func(*http.Request) string) (at *url.URL, asked *atomic.Value) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	asked = &atomic.Value{}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				in := bufio.NewReader(c)
				r, err := http.ReadRequest(in)
				if err != nil {
					return
				}
				asked.Store(r.Host + " " + r.Header.Get("Proxy-Authorization"))
				text := answer(r)
				if _, err := io.WriteString(c, text); err != nil || !strings.HasPrefix(text, "HTTP/1.1 200") {
					return
				}
				s, err := net.Dial("tcp", r.Host)
				if err != nil {
					return
				}
				defer s.Close()
				go func() { _, _ = io.Copy(s, in); _ = s.Close() }()
				_, _ = io.Copy(c, s)
			}()
		}
	}()
	return &url.URL{Scheme: "http", Host: ln.Addr().String(), User: url.UserPassword("me", "secret")}, asked
}

func TestAProxyIsAskedForTheWay(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	var asked *atomic.Value
	b.cfg.Proxy, asked = proxy(t, func(*http.Request) string { return "HTTP/1.1 200 OK\r\n\r\n" })
	s := b.run("tls")
	if s.tunnel.DTLSMode != openconnect.DTLSOff {
		t.Error("a UDP channel was offered, which a proxy cannot carry")
	}
	if got, want := asked.Load(), b.cfg.Server+" Basic "+base64.StdEncoding.EncodeToString([]byte("me:secret")); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if at := b.link.Snapshot(); at.Server.IsValid() || at.Peer.String() != b.cfg.Proxy.Host {
		t.Errorf("got server %v, peer %v, want the proxy %s", at.Server, at.Peer, b.cfg.Proxy.Host)
	}
	packet := udp(s.Tunnel().IPv4.Addr().String(), "10.77.0.2", 100)
	b.host.Inject(packet)
	if got := b.next(b.lan); len(got) != len(packet) {
		t.Errorf("got %d bytes", len(got))
	}
	for _, text := range []string{"HTTP/1.1 407 Authenticate\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nhello", "?", ""} {
		cfg := b.cfg
		cfg.Proxy, _ = proxy(t, func(*http.Request) string { return text })
		if _, err := Login(context.Background(), cfg, ann); !errors.Is(err, ErrProxy) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: got %v, want %v", text, err, ErrProxy)
		}
	}
	cfg := b.cfg
	cfg.Proxy = &url.URL{Scheme: "socks5", Host: "127.0.0.1:1"}
	if _, err := Login(context.Background(), cfg, ann); !errors.Is(err, ErrProxy) {
		t.Errorf("socks5: got %v", err)
	}
}

func TestLogoutEndsTheSession(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	cookie := b.login()
	for i := range 2 { // the second time there is none
		if err := Logout(context.Background(), b.cfg, cookie); err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	b.eventually("the gateway has none", func() bool { return len(b.svc.Live()) == 0 })
	_, err := Connect(context.Background(), b.cfg, cookie)
	var refused *RefusedError
	if !errors.As(err, &refused) || refused.Status != http.StatusUnauthorized {
		t.Errorf("got %v", err)
	}
}

// TestWhatWasTypedIsWiped: the answers, and what was made of them.
func TestWhatWasTypedIsWiped(t *testing.T) {
	t.Parallel()
	s := newScript(t, func(n int, q request) string {
		if n > 0 {
			return done()
		}
		return ok(form("main", passwordInput).AppendTo(nil))
	})
	given := []byte("a password")
	got, err := s.login(func(openconnect.AuthRequest) (openconnect.Answers, error) {
		return openconnect.Answers{"password": openconnect.NewSecret(given)}, nil
	})
	wantCookie(t, got, err)
	if s.seen()[1].doc.Fields["password"] != "a password" || strings.Trim(string(given), "\x00") != "" {
		t.Errorf("sent %q, left %q", s.seen()[1].doc.Fields["password"], given)
	}
}

// TestALoginThatIsGivenUpEnds while the server says nothing.
func TestALoginThatIsGivenUpEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	s := newScript(t, func(n int, q request) string { cancel(); return "HTTP/1.1 200 OK\r\n" })
	ended := make(chan error, 1)
	go func() { _, err := Login(ctx, s.cfg, ann); ended <- err }()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("got no error")
		}
	case <-time.After(waitLimit):
		t.Fatal("it does not end")
	}
}
