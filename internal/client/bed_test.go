//go:build linux

package client

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/sslvpn"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/netio/netiotest"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
	"github.com/skybridge-cloud/skybridge/internal/tun"
	"github.com/skybridge-cloud/skybridge/internal/tun/tuntest"
)

// bed is the real gateway with a device in memory, on loopback.
type bed struct {
	t    *testing.T
	key  ed25519.PrivateKey
	cfg  Config
	lan  *tuntest.Queue
	host *tuntest.Queue // the client's device
	spec gwlink.Gateway
	svc  *sslvpn.Service
	cert *tls.Certificate
	link *Link // of run
}

func newBed(t *testing.T) *bed {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &bed{t: t, key: key, lan: tuntest.New(64), host: tuntest.New(64)}
	b.svc = sslvpn.New(sslvpn.Config{
		Auth: b, Sink: nowhere{}, Clock: clock.System{}, Listen: []netip.Addr{netip.MustParseAddr("127.0.0.1")},
		Log: slog.New(slog.DiscardHandler),
	})
	t.Cleanup(func() {
		_ = b.lan.Close()
		if err := b.svc.Close(); err != nil {
			t.Errorf("closing the gateway: %v", err)
		}
	})
	port := netiotest.FreePort(t)
	b.cert = certificate(t)
	b.cfg = Config{Permit: yes{}, Server: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), Trust: pinned(b.cert), DTLS: true}
	b.spec = gwlink.Gateway{ID: "vpngw-1", State: gwlink.GatewayActive, SSLServers: []gwlink.SSLServer{{
		ID: "sslsrv-1", Name: "one", Port: port, UDP: true, Pool: netip.MustParsePrefix("10.98.0.0/24"),
		LocalSubnets: []netip.Prefix{netip.MustParsePrefix("10.77.0.0/24")}, MTU: 1400, DPD: 30, Keepalive: 60, CookieTimeout: 300, TLSMin: "1.2",
	}}}
	b.apply()
	return b
}

// apply makes the gateway be as spec says.
func (b *bed) apply() {
	b.t.Helper()
	keys := []gwlink.GrantKey{{ID: "k1", Public: b.key.Public().(ed25519.PublicKey)}}
	for id, err := range b.svc.Apply(keys, []sslvpn.Gateway{{
		Spec: b.spec, Queues: []tun.Queue{b.lan}, Certificates: map[string]*tls.Certificate{"sslsrv-1": b.cert},
	}}, nil) {
		if err != nil {
			b.t.Fatalf("%s: %v", id, err)
		}
	}
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

// login returns a cookie.
func (b *bed) login() openconnect.Secret {
	b.t.Helper()
	cookie, err := Login(context.Background(), b.cfg, Password("ann", []byte("pass")))
	if err != nil {
		b.t.Fatal(err)
	}
	return cookie
}

// run keeps a tunnel up until the test's end, on a channel.
func (b *bed) run(channel string) *Session {
	b.t.Helper()
	b.runLink(NewLink(b.cfg, b.login(), b.open))
	b.until("data goes by "+channel, func(n Snapshot) bool { return n.Channel == channel })
	return b.link.wires.current.Load()
}

func (b *bed) open(openconnect.Tunnel) ([]tun.Queue, error) { return []tun.Queue{b.host}, nil }

// runLink runs a Link until the test's end, or until it ends itself; the channel
// then gives its error.
func (b *bed) runLink(l *Link) <-chan error {
	b.link = l
	ctx, stop := context.WithCancel(context.Background())
	ended, told := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(told)
		ended <- l.Run(ctx)
	}()
	b.t.Cleanup(func() {
		stop()
		<-told
		if n := l.Snapshot(); n.State != Ended {
			b.t.Errorf("at the end the state is %s", n.State)
		}
	})
	return ended
}

// until waits until the Link is as it should be.
func (b *bed) until(what string, ok func(Snapshot) bool) Snapshot {
	b.t.Helper()
	tick, end := time.NewTicker(time.Millisecond), time.After(waitLimit)
	defer tick.Stop()
	for {
		n := b.link.Snapshot()
		if ok(n) {
			return n
		}
		select {
		case <-tick.C:
		case <-end:
			b.t.Fatalf("waited in vain until %s: %+v", what, n)
		}
	}
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

// eventually waits for something that the gateway does.
func (b *bed) eventually(what string, ok func() bool) {
	b.t.Helper()
	tick, end := time.NewTicker(time.Millisecond), time.After(waitLimit)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			b.t.Fatalf("waited in vain until %s", what)
		}
	}
}
