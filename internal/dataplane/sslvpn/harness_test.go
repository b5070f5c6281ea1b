package sslvpn

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/netio"
	"github.com/skybridge-cloud/skybridge/internal/netio/netiotest"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
	"github.com/skybridge-cloud/skybridge/internal/protocol/tlsrecord"
	"github.com/skybridge-cloud/skybridge/internal/tun"
	"github.com/skybridge-cloud/skybridge/internal/tun/tuntest"
)

const waitLimit = 10 * time.Second

var loopback = []netip.Addr{netip.MustParseAddr("127.0.0.1")}

// rig is a Service on loopback with one gateway, one server and a device in
// memory. Logins with the password "pass" are granted.
type rig struct {
	t      *testing.T
	svc    *Service
	key    ed25519.PrivateKey
	host   string // that clients dial
	queue  *tuntest.Queue
	device tun.Queue // queue, unless a test puts another in place
	spec   gwlink.Gateway
	certs  map[string]*tls.Certificate
	log    *lockedBuffer
	sink   *memorySink

	mu     sync.Mutex
	settle func() // of the next apply
	grants int
	change func(*gwlink.Grant) // of the next grants
	last   gwlink.LoginRequest
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// memorySink keeps what it is told.
type memorySink struct {
	mu     sync.Mutex
	opened []Record
	closed chan gwlink.SessionClosed
	refuse error
}

func (m *memorySink) Opened(r Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.opened = append(m.opened, r)
	return m.refuse
}

// failWith makes Opened fail from now on.
func (m *memorySink) failWith(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refuse = err
}

// record is that of the nth session that was opened.
func (m *memorySink) record(n int) Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.opened[n]
}

func (m *memorySink) Closed(c gwlink.SessionClosed) { m.closed <- c }

func newRig(t *testing.T, change ...func(*gwlink.SSLServer)) *rig {
	t.Helper()
	return newRigAt(t, "127.0.0.1", "127.0.0.1", change...)
}

// newRigAt is newRig with the address to listen on and the one to dial.
func newRigAt(t *testing.T, listen, dial string, change ...func(*gwlink.SSLServer)) *rig {
	t.Helper()
	return newRigWith(t, Config{Listen: []netip.Addr{netip.MustParseAddr(listen)}}, dial, change...)
}

// newRigWith is newRig with what the test decides of the configuration.
func newRigWith(t *testing.T, cfg Config, dial string, change ...func(*gwlink.SSLServer)) *rig {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{
		t: t, key: key, host: dial, queue: tuntest.New(64), log: &lockedBuffer{}, certs: map[string]*tls.Certificate{},
		sink: &memorySink{closed: make(chan gwlink.SessionClosed, 16)},
	}
	cfg.Auth, cfg.Sink = r, r.sink
	cfg.Log = slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if cfg.Clock == nil {
		cfg.Clock = clock.System{}
	}
	r.svc = New(cfg)
	srv := gwlink.SSLServer{
		ID: "sslsrv-1", Name: "one", ServerNames: []string{"one.example.com"}, Port: netiotest.FreePort(t), UDP: true,
		Pool: netip.MustParsePrefix("10.98.0.0/24"), LocalSubnets: []netip.Prefix{netip.MustParsePrefix("10.77.0.0/24")},
		MTU: 1400, DPD: 30, Keepalive: 60, CookieTimeout: 300, ClientIsolation: true, TLSMin: "1.2",
	}
	for _, f := range change {
		f(&srv)
	}
	r.device = r.queue
	r.spec = gwlink.Gateway{ID: "vpngw-1", State: gwlink.GatewayActive, SSLServers: []gwlink.SSLServer{srv}}
	r.apply()
	t.Cleanup(func() {
		_, _ = r.queue.Close(), r.device.Close()
		if err := r.svc.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return r
}

func (r *rig) apply() {
	r.t.Helper()
	for _, s := range r.spec.SSLServers {
		if r.certs[s.ID] == nil {
			r.certs[s.ID] = selfSigned(r.t, s.ServerNames)
		}
	}
	keys := []gwlink.GrantKey{{ID: "k1", Public: r.key.Public().(ed25519.PublicKey)}}
	for id, err := range r.svc.Apply(keys, []Gateway{{Spec: r.spec, Queues: []tun.Queue{r.device}, Certificates: r.certs}}, r.settle) {
		if err != nil {
			r.t.Fatalf("%s: %v", id, err)
		}
	}
}

func selfSigned(t *testing.T, names []string) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "test"}, DNSNames: names,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// Login implements Authenticator.
func (r *rig) Login(_ context.Context, q gwlink.LoginRequest) (gwlink.LoginAnswer, error) {
	r.mu.Lock()
	r.last = q
	r.mu.Unlock()
	if r.spec.SSLServers[0].LoginMode == gwlink.LoginCertificate && q.Conversation == "" {
		return r.granted(q)
	}
	form := gwlink.LoginAnswer{Outcome: gwlink.OutcomeForm, Conversation: "conv", Form: &gwlink.Form{
		ID:     "main",
		Fields: []gwlink.Field{{Name: "username", Kind: "text"}, {Name: "password", Kind: "password"}},
		Groups: r.spec.SSLServers[0].Groups, Group: cmp.Or(q.Group, "staff"),
	}}
	switch q.Fields["password"] {
	case "pass":
	case "panic":
		panic("the authenticator has a fault")
	case "away":
		return gwlink.LoginAnswer{}, io.ErrUnexpectedEOF
	case "refuse":
		return gwlink.LoginAnswer{Outcome: gwlink.OutcomeRefused, Reason: "Too many tries."}, nil
	case "end":
		return gwlink.LoginAnswer{Outcome: gwlink.OutcomeForm, Form: &gwlink.Form{ID: "main", Error: "No second factor."}}, nil
	default:
		if form.Failed = q.Fields["password"] != ""; form.Failed {
			form.Client = "sslcli-" + q.Fields["username"]
		}
		return form, nil
	}
	if q.Conversation != "conv" {
		return gwlink.LoginAnswer{Outcome: gwlink.OutcomeRefused}, nil
	}
	return r.granted(q)
}

func (r *rig) granted(q gwlink.LoginRequest) (gwlink.LoginAnswer, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.grants++
	g := gwlink.Grant{
		Session: fmt.Sprintf("ses_%d", r.grants), Gateway: q.Gateway, Server: q.Server,
		Client: "sslcli-" + q.Fields["username"], MaxSessions: 2, NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour),
	}
	if r.change != nil {
		r.change(&g)
	}
	signed, err := gwlink.SignGrant("k1", r.key, g)
	return gwlink.LoginAnswer{Outcome: gwlink.OutcomeGranted, Grant: signed}, err
}

// grant changes the next grants.
func (r *rig) grant(change func(*gwlink.Grant)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.change = change
}

// asked is what control was asked last.
func (r *rig) asked() gwlink.LoginRequest {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last
}

// ownTLS accepts a TLS connection as the gateway does.
func ownTLS(t *testing.T, conn *netio.Conn, cert tls.Certificate) *netio.TLS {
	log := &tlsrecord.KeyLog{}
	std := tls.Server(conn, &tls.Config{
		Certificates: []tls.Certificate{cert}, KeyLogWriter: log, SessionTicketsDisabled: true, DynamicRecordSizingDisabled: true,
	})
	if err := std.Handshake(); err != nil {
		t.Error(err)
	}
	own, err := netio.Server(conn, std, log)
	if err != nil {
		t.Error(err)
	}
	return own
}

// peer is a client's TLS connection to the rig.
type peer struct {
	t   *testing.T
	tls *tls.Conn
	in  *bufio.Reader
	raw net.Conn
}

func (r *rig) addr() string { return net.JoinHostPort(r.host, strconv.Itoa(r.spec.SSLServers[0].Port)) }

func (r *rig) dial(cfg *tls.Config) *peer {
	r.t.Helper()
	p, err := r.tryDial(cfg)
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

func (r *rig) tryDial(cfg *tls.Config) (*peer, error) {
	raw, err := net.Dial("tcp", r.addr())
	if err != nil {
		return nil, err
	}
	r.t.Cleanup(func() { _ = raw.Close() })
	_ = raw.SetDeadline(time.Now().Add(waitLimit))
	if cfg == nil {
		cfg = &tls.Config{}
	}
	cfg.InsecureSkipVerify = true // the server's name is not what is tested
	c := tls.Client(raw, cfg)
	if err := c.Handshake(); err != nil {
		return nil, err
	}
	return &peer{t: r.t, tls: c, in: bufio.NewReader(c), raw: raw}, nil
}

// request sends bytes and reads an answer.
func (p *peer) request(text string) (*http.Response, string) {
	p.t.Helper()
	resp, body, err := p.try(text)
	if err != nil {
		p.t.Fatalf("request %.40q: %v", text, err)
	}
	return resp, body
}

func (p *peer) try(text string) (*http.Response, string, error) {
	if _, err := io.WriteString(p.tls, text); err != nil {
		return nil, "", err
	}
	resp, err := http.ReadResponse(p.in, nil)
	if err != nil {
		return nil, "", err
	}
	body, err := io.ReadAll(resp.Body)
	return resp, string(body), err
}

func post(body string) string {
	return fmt.Sprintf("POST /auth HTTP/1.1\r\nHost: x\r\nContent-Type: application/xml\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

const initDocument = `<config-auth client="vpn" type="init"><version who="vpn">v9.01</version></config-auth>`

func reply(name, password string) string {
	return `<config-auth client="vpn" type="auth-reply"><opaque is-for="sg">conv</opaque><auth><username>` + name +
		`</username><password>` + password + `</password></auth></config-auth>`
}

// login logs in and returns the cookie.
func (p *peer) login(name string) string {
	p.t.Helper()
	resp, body := p.request(post(reply(name, "pass")))
	for _, c := range resp.Cookies() {
		if c.Name == "webvpn" && c.Value != "" && strings.Contains(body, `id="success"`) {
			return c.Value
		}
	}
	p.t.Fatalf("login: got %s %s", resp.Status, body)
	return ""
}

// connect makes the connection a tunnel and returns the answer's headers.
func (p *peer) connect(cookie string, headers ...string) http.Header {
	p.t.Helper()
	return p.connectAs("Open AnyConnect VPN Agent v9.01", cookie, headers...)
}

// connectAs is connect by another program.
func (p *peer) connectAs(agent, cookie string, headers ...string) http.Header {
	p.t.Helper()
	lines := append([]string{"CONNECT /CSCOSSLC/tunnel HTTP/1.1", "Host: x", "User-Agent: " + agent, "Cookie: webvpn=" + cookie}, headers...)
	lines = append(lines, "X-CSTP-Base-MTU: 1500", "X-CSTP-Address-Type: IPv4") // the first of a name counts
	if _, err := io.WriteString(p.tls, strings.Join(lines, "\r\n")+"\r\n\r\n"); err != nil {
		p.t.Fatal(err)
	}
	resp, err := http.ReadResponse(p.in, &http.Request{Method: http.MethodConnect})
	if err != nil || resp.StatusCode != 200 {
		p.t.Fatalf("CONNECT: got %v, %v", resp, err)
	}
	return resp.Header
}

// frame reads one CSTP frame.
func (p *peer) frame() (openconnect.Frame, error) {
	var h [openconnect.HeaderLen]byte
	if _, err := io.ReadFull(p.in, h[:]); err != nil {
		return openconnect.Frame{}, err
	}
	b := make([]byte, binary.BigEndian.Uint16(h[4:]))
	_, err := io.ReadFull(p.in, b)
	return openconnect.Frame{Type: h[6], Payload: b}, err
}

func (p *peer) send(typ byte, payload []byte) {
	p.t.Helper()
	if _, err := p.tls.Write(openconnect.AppendFrame(nil, typ, payload)); err != nil {
		p.t.Fatal(err)
	}
}

// udpPacket makes an IPv4 UDP packet without checksum.
func udpPacket(src, dst string, payload []byte) []byte {
	p := make([]byte, 28+len(payload))
	p[0], p[8], p[9] = 0x45, 64, 17
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	copy(p[12:], netip.MustParseAddr(src).AsSlice())
	copy(p[16:], netip.MustParseAddr(dst).AsSlice())
	binary.BigEndian.PutUint16(p[24:], uint16(8+len(payload)))
	copy(p[28:], payload)
	return p
}

func (r *rig) nextPacket() []byte {
	r.t.Helper()
	select {
	case p := <-r.queue.Packets():
		return p
	case <-time.After(waitLimit):
		r.t.Fatal("no packet came out of the device")
		return nil
	}
}

func (r *rig) nextClosed() gwlink.SessionClosed {
	r.t.Helper()
	select {
	case c := <-r.sink.closed:
		return c
	case <-time.After(waitLimit):
		r.t.Fatal("no session was closed")
		return gwlink.SessionClosed{}
	}
}

// superFrame is a virtio-net frame of 40 TCP segments from the LAN to a client.
func superFrame() []byte {
	const mss, segments = 1360, 40
	f := make([]byte, tun.HeaderLen+40+mss*segments)
	le := binary.LittleEndian
	f[0], f[1] = 1, 1 // checksum needed, TCPv4
	le.PutUint16(f[2:], 40)
	le.PutUint16(f[4:], mss)
	le.PutUint16(f[6:], 20)
	le.PutUint16(f[8:], 16)
	p := f[tun.HeaderLen:]
	p[0], p[8], p[9] = 0x45, 64, 6
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	copy(p[12:], netip.MustParseAddr("10.77.0.2").AsSlice())
	copy(p[16:], netip.MustParseAddr("10.98.0.2").AsSlice())
	p[32], p[33] = 5<<4, 0x10
	return f
}

// theClient returns the only session's client with its stream.
func (r *rig) theClient() (*liveSession, *stream) {
	r.t.Helper()
	c := r.svc.all()[0]
	c.mu.Lock()
	defer c.mu.Unlock()
	return c, c.stream
}
