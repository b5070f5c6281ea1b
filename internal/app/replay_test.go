package app

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"html"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/dataplane/ban"
	"github.com/skybridge-cloud/skybridge/internal/dataplane/sslvpn"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/netio/netiotest"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/tun"
	"github.com/skybridge-cloud/skybridge/internal/tun/tuntest"
)

// gatewayRig is the node's SSL VPN in this process, before the rig's control
// plane and without a network behind it.
type gatewayRig struct {
	svc    *sslvpn.Service
	server gwlink.SSLServer
	client tls.Certificate
}

// asker forwards logins as a node does.
type asker struct {
	vpn  *vpn.Service
	node string
}

func (a asker) Login(ctx context.Context, r gwlink.LoginRequest) (gwlink.LoginAnswer, error) {
	return a.vpn.Login(ctx, a.node, r)
}

// forgetful is a node's memory of sessions that keeps nothing.
type forgetful struct{}

func (forgetful) Opened(sslvpn.Record) error  { return nil }
func (forgetful) Closed(gwlink.SessionClosed) {}

// gateway runs the gateway that a person bought, on a port of loopback.
func (p *person) gateway() *gatewayRig {
	p.in.t.Helper()
	queue, logger := tuntest.New(64), slog.New(slog.NewTextHandler(p.in.log, nil))
	svc := sslvpn.New(sslvpn.Config{
		Auth: asker{p.in.modules.vpn, p.in.node.ID}, Sink: forgetful{}, Clock: clock.System{}, Log: logger,
		Listen: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, MaxBanScore: ban.DefaultMax,
	})
	p.in.t.Cleanup(func() { _, _ = queue.Close(), svc.Close() })
	d := p.in.report()
	own := slices.IndexFunc(d.Gateways, func(g gwlink.Gateway) bool { return g.ID == p.ids["vpn-gateways"] })
	if own < 0 {
		p.in.t.Fatal("the node has no gateway of theirs")
	}
	spec := d.Gateways[own]
	spec.SSLServers[0].Port, spec.SSLServers[0].UDP = netiotest.FreePort(p.in.t), false
	cert, err := certificate(p.in.cfg)
	must(p.in.t, err)
	id := spec.SSLServers[0].ID
	must(p.in.t, svc.Apply(d.GrantKeys, []sslvpn.Gateway{{Spec: spec, Queues: []tun.Queue{queue}, Certificates: map[string]*tls.Certificate{id: &cert}}}, nil)[spec.ID])
	return &gatewayRig{svc, spec.SSLServers[0], p.certificate()}
}

// certificate unpacks the bundle of a person's SSL client.
func (p *person) certificate() tls.Certificate {
	p.in.t.Helper()
	raw := p.do(200, "GET", "/ssl-clients/"+p.ids["ssl-clients"]+"/bundle", nil).text
	z, err := zip.NewReader(strings.NewReader(raw), int64(len(raw)))
	must(p.in.t, err)
	chain, err := fs.ReadFile(z, "client.pem")
	must(p.in.t, err)
	key, err := fs.ReadFile(z, "key.pem")
	must(p.in.t, err)
	c, err := tls.X509KeyPair(chain, key)
	must(p.in.t, err)
	return c
}

// caller is one client's connection.
type caller struct {
	conn   *tls.Conn
	in     *bufio.Reader
	opaque string // of the last form
}

// dial connects from an address of loopback of its own.
func (g *gatewayRig) dial(t *testing.T, n int) *caller {
	t.Helper()
	from := &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(n+1))}
	raw, err := (&net.Dialer{LocalAddr: from}).Dial("tcp", fmt.Sprintf("127.0.0.1:%d", g.server.Port))
	must(t, err)
	t.Cleanup(func() { _ = raw.Close() })
	must(t, raw.SetDeadline(time.Now().Add(2*time.Minute)))
	c := tls.Client(raw, &tls.Config{InsecureSkipVerify: true, ServerName: g.server.ServerNames[0], Certificates: []tls.Certificate{g.client}})
	must(t, c.Handshake())
	return &caller{conn: c, in: bufio.NewReader(c)}
}

var opaque = regexp.MustCompile(`<opaque[^>]*>([^<]*)</opaque>`)

// answer posts the fields of a form, in pairs, and returns what came back.
func (c *caller) answer(fields ...string) (int, string, error) {
	var body bytes.Buffer
	fmt.Fprintf(&body, `<config-auth client="vpn" type="auth-reply"><opaque is-for="sg">%s</opaque><auth>`, html.EscapeString(c.opaque))
	for i := 0; i+1 < len(fields); i += 2 {
		fmt.Fprintf(&body, "<%s>%s</%s>", fields[i], html.EscapeString(fields[i+1]), fields[i])
	}
	body.WriteString("</auth></config-auth>")
	if _, err := fmt.Fprintf(c.conn, "POST /auth HTTP/1.1\r\nHost: x\r\nContent-Type: application/xml\r\nContent-Length: %d\r\n\r\n%s", body.Len(), body.String()); err != nil {
		return 0, "", err
	}
	r, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return 0, "", err
	}
	text, err := io.ReadAll(r.Body)
	if found := opaque.FindSubmatch(text); found != nil {
		c.opaque = html.UnescapeString(string(found[1]))
	}
	return r.StatusCode, string(text), err
}

// TestACodeOpensOneOfFiftyConnections signs in with one code from fifty
// connections of fifty sources at once, over TLS, through node and control.
func TestACodeOpensOneOfFiftyConnections(t *testing.T) {
	in := install(t)
	p := in.customer("replayer", 1)
	g := p.gateway()
	secret := p.do(200, "POST", "/ssl-clients/"+p.ids["ssl-clients"]+"/secret", nil)
	const n = 50
	callers := make([]*caller, n)
	for i := range n {
		c := g.dial(t, i)
		status, text, err := c.answer("username", secret.str("user_name"), "password", secret.str("password"))
		if err != nil || status != 200 || !strings.Contains(text, `id="challenge"`) || c.opaque == "" {
			t.Fatalf("login %d: got %d %s, %v, want the challenge", i, status, text, err)
		}
		callers[i] = c
	}
	code, err := totp.GenerateCode(secret.str("totp_secret"), time.Now())
	must(t, err)
	var mu sync.Mutex
	var wg sync.WaitGroup
	opened, asked := 0, 0
	for _, c := range callers {
		wg.Go(func() {
			status, text, err := c.answer("secondary_password", code)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil && status == 200 && strings.Contains(text, `id="success"`):
				opened++
			case err == nil && status == 200 && strings.Contains(text, "Login failed.</error>"):
				asked++
			default:
				t.Errorf("got %d %.200s, %v", status, text, err)
			}
		})
	}
	wg.Wait()
	if opened != 1 || asked != n-1 || len(g.svc.Live()) != 1 {
		t.Errorf("one code opened %d of %d connections, %d were asked again, %d sessions live; want 1, %d, 1", opened, n, asked, len(g.svc.Live()), n-1)
	}
}

func TestAWrongPasswordIsAskedAgainUntilThePairIsLocked(t *testing.T) {
	in := install(t)
	p := in.customer("mistyper", 1)
	g := p.gateway()
	secret := p.do(200, "POST", "/ssl-clients/"+p.ids["ssl-clients"]+"/secret", nil)
	c := g.dial(t, 0)
	for i := range 4 {
		status, text, err := c.answer("username", secret.str("user_name"), "password", "wrong")
		if err != nil || status != 200 || !strings.Contains(text, `<error id="13">Login failed.</error>`) || !strings.Contains(text, `name="password"`) {
			t.Fatalf("wrong password %d: got %d %s, %v, want the form again with the error", i+1, status, text, err)
		}
	}
	if status, text, err := c.answer("username", secret.str("user_name"), "password", secret.str("password")); err != nil || status != 200 || !strings.Contains(text, `id="challenge"`) {
		t.Errorf("the right one on the same connection: got %d %s, %v, want the challenge", status, text, err)
	}
	c = g.dial(t, 1)
	for i := range 5 {
		status, _, err := c.answer("username", secret.str("user_name"), "password", "wrong")
		if want := map[bool]int{true: 200, false: 401}[i < 4]; err != nil || status != want {
			t.Errorf("wrong password %d: got %d, %v, want %d", i+1, status, err, want)
		}
	}
}

func TestAGuesserIsToldWhyAndOthersAreNotRefused(t *testing.T) {
	in := install(t)
	p := in.customer("victim", 1)
	g := p.gateway()
	c := g.dial(t, 0)
	for i := range ban.DefaultMax / ban.Failure {
		if status, _, err := c.answer("username", fmt.Sprintf("name-%d", i), "password", "guess"); err != nil || status != 200 {
			t.Fatalf("guess %d: got %d, %v", i+1, status, err)
		}
	}
	status, _, err := c.answer("username", "name", "password", "guess")
	if err != nil || status != 503 {
		t.Errorf("after eight guesses: got %d, %v, want 503", status, err)
	}
	secret := p.do(200, "POST", "/ssl-clients/"+p.ids["ssl-clients"]+"/secret", nil)
	status, text, err := g.dial(t, 1).answer("username", secret.str("user_name"), "password", secret.str("password"))
	if err != nil || status != 200 || !strings.Contains(text, `id="challenge"`) {
		t.Errorf("another source: got %d %s, %v, want the challenge", status, text, err)
	}
	// Another node, or this one after a restart, hears it from control.
	again := p.gateway()
	if status, _, err := again.dial(t, 0).answer("username", "name", "password", "guess"); err != nil || status != 503 {
		t.Errorf("at a fresh node: got %d, %v, want 503", status, err)
	}
}
