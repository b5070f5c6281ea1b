package netio

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/protocol/tlsrecord"
)

func serverCertificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"gw.example"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// secured is both ends of a connection after the handshake: crypto/tls at near,
// ours at far.
func secured(t *testing.T, change func(*tls.Config)) (near *tls.Conn, far *TLS, nearRaw net.Conn) {
	t.Helper()
	raw, conn := pair(t)
	_ = raw.SetDeadline(time.Now().Add(waitLimit))
	log := &tlsrecord.KeyLog{}
	std := tls.Server(conn, &tls.Config{
		Certificates: []tls.Certificate{serverCertificate(t)}, KeyLogWriter: log,
		SessionTicketsDisabled: true, DynamicRecordSizingDisabled: true,
	})
	cfg := &tls.Config{InsecureSkipVerify: true, DynamicRecordSizingDisabled: true} // whose it is does not matter here
	if change != nil {
		change(cfg)
	}
	near = tls.Client(raw, cfg)
	result := make(chan error, 1)
	go func() { result <- std.Handshake() }()
	if err := errors.Join(near.Handshake(), <-result); err != nil {
		t.Fatal(err)
	}
	far, err := Server(conn, std, log)
	if err != nil {
		t.Fatal(err)
	}
	return near, far, raw
}

func tls12(suite uint16) func(*tls.Config) {
	return func(c *tls.Config) { c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{suite} }
}

func TestBothEndsOfEveryVersion(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*tls.Config)
		own    bool
	}{
		"TLS 1.3":              {nil, true},
		"TLS 1.2, AES-128-GCM": {tls12(tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256), true},
		"TLS 1.2, AES-256-GCM": {tls12(tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384), true},
		"TLS 1.2, ChaCha20":    {tls12(tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256), true},
		"TLS 1.2, CBC":         {tls12(tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			near, far, _ := secured(t, c.change)
			if (far.in != nil) != c.own {
				t.Fatalf("records of our own: got %v, want %v", far.in != nil, c.own)
			}
			sent := make([]byte, 100_000) // more than a record
			_, _ = rand.Read(sent)
			go func() { _, _ = near.Write(sent) }()
			got := make([]byte, len(sent))
			if _, err := io.ReadFull(far, got[:700]); err != nil { // pieces as HTTP takes them
				t.Fatal(err)
			}
			for n := 700; n < len(got); {
				buf := make([]byte, ReadSpace)
				k, err := far.ReadRecords(buf)
				if err != nil {
					t.Fatal(err)
				}
				n += copy(got[n:], buf[:k])
			}
			if !bytes.Equal(got, sent) || far.Pending() {
				t.Error("what came differs from what was sent")
			}
			go func() { _, _ = far.Write(sent) }()
			if _, err := io.ReadFull(near, got); err != nil || !bytes.Equal(got, sent) {
				t.Errorf("the way back: %v, or it differs", err)
			}
			far.Settle()
			go far.CloseNotify()
			if _, err := near.Read(got); !errors.Is(err, io.EOF) {
				t.Errorf("after close_notify: got %v", err)
			}
		})
	}
}

// TestTheClientsEnd is TestBothEndsOfEveryVersion the other way round.
func TestTheClientsEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*tls.Config)
		own    bool
	}{
		"TLS 1.3":              {nil, true},
		"TLS 1.2, AES-128-GCM": {tls12(tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256), true},
		"TLS 1.2, ChaCha20":    {tls12(tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256), true},
		"TLS 1.2, CBC":         {tls12(tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA), false},
	} {
		raw, conn := pair(t)
		_ = raw.SetDeadline(time.Now().Add(waitLimit))
		log := &tlsrecord.KeyLog{}
		cfg := &tls.Config{InsecureSkipVerify: true, KeyLogWriter: log, SessionTicketsDisabled: true, DynamicRecordSizingDisabled: true}
		if c.change != nil {
			c.change(cfg)
		}
		std, peer := tls.Client(conn, cfg), tls.Server(raw, &tls.Config{Certificates: []tls.Certificate{serverCertificate(t)}})
		result := make(chan error, 1)
		go func() { result <- peer.Handshake() }()
		if err := errors.Join(std.Handshake(), <-result); err != nil {
			t.Fatal(err)
		}
		own, err := Client(conn, std, log)
		if err != nil || (own.in != nil) != c.own {
			t.Fatalf("%s: records of our own: got %v, want %v (%v)", name, own.in != nil, c.own, err)
		}
		sent, got := make([]byte, 100_000), make([]byte, 100_000)
		_, _ = rand.Read(sent)
		go func() { _, _ = peer.Write(sent) }()
		if _, err := io.ReadFull(own, got); err != nil || !bytes.Equal(got, sent) {
			t.Errorf("%s: down: %v, or it differs", name, err)
		}
		clear(got)
		go func() { _, _ = own.Write(sent) }()
		if _, err := io.ReadFull(peer, got); err != nil || !bytes.Equal(got, sent) {
			t.Errorf("%s: up: %v, or it differs", name, err)
		}
	}
}

// crypto/tls at the other end takes our new keys; a peer of our own asks for
// them.
func TestNewKeysOnTheWay(t *testing.T) {
	t.Parallel()
	near, far, _ := secured(t, nil)
	buf := make([]byte, 100)
	for i := range 3 {
		far.asked.Store(i > 0)
		if _, err := far.Write([]byte("by keys of a generation")); err != nil {
			t.Fatal(err)
		}
		if n, err := near.Read(buf); err != nil || string(buf[:n]) != "by keys of a generation" {
			t.Fatalf("generation %d: got %q, %v", i, buf[:n], err)
		}
	}
}

func TestARecordThatLies(t *testing.T) {
	t.Parallel()
	for name, bytes := range map[string][]byte{
		"forged":          append([]byte{23, 3, 3, 0, 40}, make([]byte, 40)...),
		"without a body":  {23, 3, 3, 0, 0},
		"longer than any": {23, 3, 3, 255, 255},
	} {
		near, far, raw := secured(t, nil)
		if _, err := raw.Write(bytes); err != nil {
			t.Fatal(err)
		}
		var fatal tlsrecord.AlertError
		if n, err := far.ReadRecords(make([]byte, ReadSpace)); n != 0 || !errors.As(err, &fatal) {
			t.Errorf("%s: got %d bytes, %v", name, n, err)
		}
		var op *net.OpError
		if _, err := near.Read(make([]byte, 10)); !errors.As(err, &op) || op.Op != "remote error" {
			t.Errorf("%s: the peer was told %v, want an alert", name, err)
		}
	}
}

// A write that ended midway must not be followed by another record: the peer
// would read from the middle of one.
func TestNothingFollowsAFailedWrite(t *testing.T) {
	t.Parallel()
	near, far, _ := secured(t, nil)
	_ = near
	_ = far.conn.SetWriteDeadline(time.Now().Add(-time.Second))
	if _, err := far.Write([]byte("late")); err == nil {
		t.Fatal("written after the deadline")
	}
	_ = far.conn.SetWriteDeadline(time.Time{})
	if _, err := far.Write([]byte("again")); err == nil {
		t.Error("written after a failed write")
	}
}
