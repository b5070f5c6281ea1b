package trusted

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client/trust"
	"github.com/skybridge-cloud/skybridge/internal/platform/bundle"
)

// intranet is a TLS server with a key of its own.
func intranet(t *testing.T) (addr, pin string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _ = c.(*tls.Conn).Handshake(); _ = c.Close() }()
		}
	}()
	return l.Addr().String(), trust.Pin(leaf)
}

// TestANetworkIsTrustedForItsKey and for nothing that a hotspot can imitate.
func TestANetworkIsTrustedForItsKey(t *testing.T) {
	t.Parallel()
	addr, pin := intranet(t)
	_, other := intranet(t)
	dials := 0
	d := Detector{
		Domains: func() []string { return []string{"home.arpa", "Office.Corp.Example.org."} }, Interfaces: func() []string { return []string{"eth0"} },
		Dial: func(ctx context.Context, by, at string) (net.Conn, error) {
			if dials++; by != "eth0" || at != "10.1.0.1:443" {
				t.Errorf("asked %s by %s", at, by)
			}
			return new(net.Dialer).DialContext(ctx, "tcp", addr)
		},
	}
	own := bundle.TrustedNetwork{Domain: "corp.example.org", Host: "10.1.0.1:443", Pin: pin}
	with := func(change func(*bundle.TrustedNetwork)) bundle.TrustedNetwork { n := own; change(&n); return n }
	for _, c := range []struct {
		name     string
		networks []bundle.TrustedNetwork
		want     string
		asked    int
	}{
		{"none", nil, "", 0},
		{"the operator's", []bundle.TrustedNetwork{own}, "corp.example.org", 1},
		{"the key of another host", []bundle.TrustedNetwork{with(func(n *bundle.TrustedNetwork) { n.Pin = other })}, "", 1},
		{"another domain", []bundle.TrustedNetwork{with(func(n *bundle.TrustedNetwork) { n.Domain = "example.com" })}, "", 0},
		{"half of a label", []bundle.TrustedNetwork{with(func(n *bundle.TrustedNetwork) { n.Domain = "orp.example.org" })}, "", 0},
		{"the second", []bundle.TrustedNetwork{with(func(n *bundle.TrustedNetwork) { n.Pin = other }), own}, "corp.example.org", 2},
	} {
		dials = 0
		if got := d.At(t.Context(), c.networks); got != c.want || dials != c.asked {
			t.Errorf("%s: got %q after %d questions, want %q after %d", c.name, got, dials, c.want, c.asked)
		}
	}
	d.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no way") }
	if got := d.At(t.Context(), []bundle.TrustedNetwork{own}); got != "" {
		t.Errorf("nothing answers: got %q", got)
	}
	d.Interfaces = func() []string { return nil }
	if got := d.At(t.Context(), []bundle.TrustedNetwork{own}); got != "" {
		t.Errorf("no interface: got %q", got)
	}
}

func TestDomainsAreThoseOfTheResolver(t *testing.T) {
	t.Parallel()
	got := searched([]byte("# search no.example\nnameserver 10.0.0.1\ndomain a.example\nsearch b.example c.example\nsearch\noptions edns0\n"))
	if !slices.Equal(got, []string{"a.example", "b.example", "c.example"}) {
		t.Errorf("got %v", got)
	}
}
