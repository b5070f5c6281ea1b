package transport_test

import (
	"context"
	"crypto/tls"
	"net"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/transport"
	"github.com/skybridge-cloud/skybridge/internal/web/selfsigned"
)

// TestWeakTLSIsRefused makes real handshakes, with our configuration at either
// end.
func TestWeakTLSIsRefused(t *testing.T) {
	t.Parallel()
	cert, err := selfsigned.Ensure(t.TempDir(), []string{"localhost"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name     string
		min, max uint16
		suites   []uint16
		want     bool
	}{
		{"TLS 1.0", tls.VersionTLS10, tls.VersionTLS10, nil, false},
		{"TLS 1.1", tls.VersionTLS11, tls.VersionTLS11, nil, false},
		{"AES-CBC", tls.VersionTLS12, tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA}, false},
		{"AES-CBC with SHA-256", tls.VersionTLS12, tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256}, false},
		{"RC4", tls.VersionTLS12, tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA}, false},
		{"AES-128-GCM", tls.VersionTLS12, tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}, true},
		{"AES-256-GCM", tls.VersionTLS12, tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384}, true},
		{"ChaCha20-Poly1305", tls.VersionTLS12, tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256}, true},
		{"TLS 1.3", tls.VersionTLS13, tls.VersionTLS13, nil, true},
	}
	for _, c := range cases {
		weak := &tls.Config{MinVersion: c.min, MaxVersion: c.max, CipherSuites: c.suites}
		for _, weServe := range []bool{true, false} {
			server, client := transport.Config(), weak.Clone()
			if !weServe {
				server, client = weak.Clone(), transport.Config()
			}
			server.Certificates, client.InsecureSkipVerify = []tls.Certificate{cert}, true
			if err := handshake(t, server, client); (err == nil) != c.want {
				t.Errorf("%s, we serve %v: got %v, want accepted %v", c.name, weServe, err, c.want)
			}
		}
	}
}

func handshake(t *testing.T, server, client *tls.Config) error {
	t.Helper()
	a, b := net.Pipe()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		err := tls.Server(a, server).HandshakeContext(ctx)
		_ = a.Close() // ends the other side's wait
		done <- err
	}()
	c := tls.Client(b, client)
	failed := c.HandshakeContext(ctx)
	_ = b.Close()
	if err := <-done; err != nil {
		return err
	}
	return failed
}
