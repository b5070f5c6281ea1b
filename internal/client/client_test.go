package client

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/sslvpn"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/tun"
	"github.com/skybridge-cloud/skybridge/internal/tun/tuntest"
)

const waitLimit = 10 * time.Second

// bed is the real gateway with a device in memory, on loopback.
type bed struct {
	t    *testing.T
	key  ed25519.PrivateKey
	cfg  Config
	lan  *tuntest.Queue
	host *tuntest.Queue // the client's device
}

func newBed(t *testing.T) *bed {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &bed{t: t, key: key, lan: tuntest.New(64), host: tuntest.New(64)}
	svc := sslvpn.New(sslvpn.Config{
		Auth: b, Sink: nowhere{}, Clock: clock.System{}, Listen: []netip.Addr{netip.MustParseAddr("127.0.0.1")},
		Log: slog.New(slog.DiscardHandler),
	})
	t.Cleanup(func() {
		_ = b.lan.Close()
		if err := svc.Close(); err != nil {
			t.Errorf("closing the gateway: %v", err)
		}
	})
	cert, port := certificate(t), freePort(t)
	sum := sha256.Sum256(cert.Leaf.RawSubjectPublicKeyInfo)
	b.cfg = Config{Server: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), Pin: base64.StdEncoding.EncodeToString(sum[:]), DTLS: true}
	spec := gwlink.Gateway{ID: "vpngw-1", State: gwlink.GatewayActive, SSLServers: []gwlink.SSLServer{{
		ID: "sslsrv-1", Name: "one", Port: port, UDP: true, Pool: netip.MustParsePrefix("10.98.0.0/24"),
		LocalSubnets: []netip.Prefix{netip.MustParsePrefix("10.77.0.0/24")}, MTU: 1400, DPD: 30, Keepalive: 60, CookieTimeout: 300, TLSMin: "1.2",
	}}}
	keys := []gwlink.GrantKey{{ID: "k1", Public: key.Public().(ed25519.PublicKey)}}
	for id, err := range svc.Apply(keys, []sslvpn.Gateway{{Spec: spec, Queues: []tun.Queue{b.lan}, Certificates: map[string]*tls.Certificate{"sslsrv-1": cert}}}, nil) {
		if err != nil {
			t.Fatalf("%s: %v", id, err)
		}
	}
	return b
}

// nowhere is a Sink that remembers nothing.
type nowhere struct{}

func (nowhere) Opened(sslvpn.Record) error  { return nil }
func (nowhere) Closed(gwlink.SessionClosed) {}

// Login grants to the password "pass" in the second round.
func (b *bed) Login(_ context.Context, q gwlink.LoginRequest) (gwlink.LoginAnswer, error) {
	form := gwlink.LoginAnswer{Outcome: gwlink.OutcomeForm, Conversation: "conv", Form: &gwlink.Form{
		ID: "main", Fields: []gwlink.Field{{Name: "username", Kind: "text"}, {Name: "password", Kind: "password"}},
	}}
	switch q.Fields["password"] {
	case "pass":
	case "":
		return form, nil
	default:
		form.Form.Error = "Login failed."
		return form, nil
	}
	if q.Conversation != "conv" {
		return gwlink.LoginAnswer{}, io.ErrUnexpectedEOF
	}
	signed, err := gwlink.SignGrant("k1", b.key, gwlink.Grant{
		Session: "ses_1", Gateway: q.Gateway, Server: q.Server, Client: "sslcli-1", MaxSessions: 2,
		NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour),
	})
	return gwlink.LoginAnswer{Outcome: gwlink.OutcomeGranted, Grant: signed}, err
}

func certificate(t *testing.T) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(7), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// run connects and runs the client until the test's end, on a channel.
func (b *bed) run(channel string) *Session {
	b.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	cookie, err := Login(ctx, b.cfg, Password("ann", "pass"))
	if err != nil {
		b.t.Fatal(err)
	}
	s, err := Connect(ctx, b.cfg, cookie)
	if err != nil {
		b.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, []tun.Queue{b.host}) }()
	b.t.Cleanup(func() {
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			b.t.Errorf("the client ended with %v", err)
		}
	})
	tick, end := time.NewTicker(time.Millisecond), time.After(waitLimit)
	defer tick.Stop()
	for s.Channel() != channel {
		select {
		case <-tick.C:
		case <-end:
			b.t.Fatalf("data does not go by %s", channel)
		}
	}
	return s
}

func (b *bed) next(q *tuntest.Queue) []byte {
	b.t.Helper()
	select {
	case p := <-q.Packets():
		return p
	case <-time.After(waitLimit):
		b.t.Fatal("no packet came out")
		return nil
	}
}

// udp makes an IPv4 UDP packet without checksum.
func udp(src, dst string, payload int) []byte {
	p := make([]byte, 28+payload)
	p[0], p[8], p[9] = 0x45, 64, 17
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	copy(p[12:], netip.MustParseAddr(src).AsSlice())
	copy(p[16:], netip.MustParseAddr(dst).AsSlice())
	binary.BigEndian.PutUint16(p[24:], uint16(8+payload))
	return p
}

// super makes a frame of TCP segments of 1360 bytes as a kernel hands it over.
func super(src, dst string, segments int) []byte {
	f := make([]byte, tun.HeaderLen+40+1360*segments)
	copy(f, []byte{1, 1, 40, 0, 1360 & 0xff, 1360 >> 8, 20, 0, 16, 0})
	p := f[tun.HeaderLen:]
	p[0], p[8], p[9] = 0x45, 64, 6
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	copy(p[12:], netip.MustParseAddr(src).AsSlice())
	copy(p[16:], netip.MustParseAddr(dst).AsSlice())
	p[32], p[33] = 5<<4, 0x10
	return f
}

func TestPacketsGoBothWays(t *testing.T) {
	t.Parallel()
	cases := []struct {
		channel    string
		dtls       bool
		extensions []string
	}{
		{"tls", false, nil},
		{"dtls", true, nil},
		{"tls", false, []string{"coalesce", "gso"}},
		{"tls", false, []string{"coalesce"}},
		{"tls", false, []string{"gso"}},
	}
	for _, c := range cases {
		t.Run(c.channel, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			b.cfg.DTLS, b.cfg.Extensions = c.dtls, c.extensions
			s := b.run(c.channel)
			inner := s.Tunnel().IPv4.Addr().String()
			up, down := udp(inner, "10.77.0.2", 1000), udp("10.77.0.2", inner, 900)
			for range 3 {
				b.host.Inject(up)
				if got := b.next(b.lan); !bytes.Equal(got, up) {
					t.Fatalf("up: got %d bytes, want %d", len(got), len(up))
				}
				b.lan.Inject(down)
				if got := b.next(b.host); !bytes.Equal(got, down) {
					t.Fatalf("down: got %d bytes, want %d", len(got), len(down))
				}
			}
			b.host.InjectFrame(super(inner, "10.77.0.2", 40))
			b.lan.InjectFrame(super("10.77.0.2", inner, 40))
			for _, q := range []*tuntest.Queue{b.lan, b.host} {
				for n := 0; n < 40*1360; {
					n += len(b.next(q)) - 40
				}
			}
		})
	}
}

func TestWrongPasswordIsToldAndNotRepeated(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	if _, err := Login(context.Background(), b.cfg, Password("ann", "wrong")); !errors.Is(err, ErrRefused) {
		t.Errorf("got %v, want %v", err, ErrRefused)
	}
}

func TestAnotherKeyThanThePinnedOneIsRefused(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.cfg.Pin = base64.StdEncoding.EncodeToString(make([]byte, 32))
	if _, err := Login(context.Background(), b.cfg, Password("ann", "pass")); !errors.Is(err, ErrPin) {
		t.Errorf("got %v, want %v", err, ErrPin)
	}
}
