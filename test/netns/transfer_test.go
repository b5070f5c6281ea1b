//go:build netns

package netns

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	transferSize  = 100 << 20
	transferLimit = 4 * time.Minute // a path that carries nothing fails the test, and not the whole run
)

// pin is openconnect's name for the server's present key.
func (l *lab) pin() string { return l.pinOf("") }

// pinOf is pin for one of several servers on the port.
func (l *lab) pinOf(name string) string {
	l.t.Helper()
	raw, err := l.dialFor(patience, "c", net.JoinHostPort(nodeAddr, "443"))
	if err != nil {
		l.t.Fatal(err)
	}
	defer raw.Close()
	c := tls.Client(raw, &tls.Config{InsecureSkipVerify: true, ServerName: name}) // the pin is what is asked for
	if err := c.Handshake(); err != nil {
		l.t.Fatal(err)
	}
	key, err := x509.MarshalPKIXPublicKey(c.ConnectionState().PeerCertificates[0].PublicKey)
	if err != nil {
		l.t.Fatal(err)
	}
	sum := sha256.Sum256(key)
	return "pin-sha256:" + base64.StdEncoding.EncodeToString(sum[:])
}

// listenLAN listens on the LAN host.
func (l *lab) listenLAN() net.Listener { return l.listenAt("l", lanAddr) }

// listenAt listens at an address of a namespace. It may have to wait: another
// test that starts a program just now holds a copy of a listener closed before.
func (l *lab) listenAt(ns, addr string) (ln net.Listener) {
	l.t.Helper()
	l.until("the address is free", func() bool {
		err := l.within(ns, func() (err error) {
			ln, err = net.Listen("tcp", net.JoinHostPort(addr, "7000"))
			return err
		})
		if err != nil && !errors.Is(err, syscall.EADDRINUSE) {
			l.t.Fatal(err)
		}
		return err == nil
	})
	l.t.Cleanup(func() { _ = ln.Close() })
	return ln
}

// send writes n pseudo-random bytes and returns their hash.
func send(w io.Writer, n int64) (sum [32]byte, err error) {
	h := sha256.New()
	_, err = io.CopyN(io.MultiWriter(w, h), rand.NewChaCha8([32]byte{1}), n)
	return sumOf(h), err
}

func receive(r io.Reader, n int64) (sum [32]byte, err error) {
	h := sha256.New()
	_, err = io.CopyN(h, r, n)
	return sumOf(h), err
}

func sumOf(h hash.Hash) (sum [32]byte) { h.Sum(sum[:0]); return sum }

// transfer moves n bytes from the client to the LAN host, and as many back,
// and compares the hashes.
func (l *lab) transfer(n int64) {
	l.t.Helper()
	l.transferBetween("c", "l", lanAddr, n)
}

// transferBetween moves n bytes from one namespace to an address of another, and
// as many back, and compares the hashes.
func (l *lab) transferBetween(from, to, addr string, n int64) {
	l.t.Helper()
	ln := l.listenAt(to, addr)
	defer ln.Close()
	type result struct {
		got, sent [32]byte
		err       error
	}
	end := time.Now().Add(transferLimit)
	lan := make(chan result, 1)
	go func() {
		c, err := ln.Accept()
		if err != nil {
			lan <- result{err: err}
			return
		}
		defer c.Close()
		_ = c.SetDeadline(end)
		var r result
		if r.got, r.err = receive(c, n); r.err == nil {
			r.sent, r.err = send(c, n)
		}
		lan <- r
	}()
	c, err := l.dialFor(patience, from, ln.Addr().String())
	if err != nil {
		l.t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(end)
	sent, err := send(c, n)
	if err != nil {
		l.t.Fatalf("sending: %v", err)
	}
	got, err := receive(c, n)
	if err != nil {
		l.t.Fatalf("receiving: %v", err)
	}
	r := <-lan
	if r.err != nil || r.got != sent || got != r.sent {
		l.t.Errorf("up %x -> %x, down %x -> %x, %v; want the same sums", sent, r.got, r.sent, got, r.err)
	}
}

func TestTransferOverTLS(t *testing.T) {
	for name, large := range map[string]bool{"segments of the MTU": false, "large segments": true} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			l.server.LargeSegments = large
			l.want()
			l.startNode()
			c := l.connect(password, "--no-dtls")
			c.says("SCRIPT connected 10.98.0.2")
			c.says("SSL connected and DTLS disabled")
			l.transfer(transferSize)
		})
	}
}

func TestTransferOverDTLS(t *testing.T) {
	cases := []struct {
		name string
		args []string
		says string
	}{
		{"PSK-NEGOTIATE", nil, "Established DTLS connection"},
		{"resumed from the master secret", []string{"--dtls-ciphers=OC-DTLS1_2-AES256-GCM"}, "Established DTLS connection"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			l.want()
			l.startNode()
			oc := l.connect(password, c.args...)
			oc.says(c.says)
			oc.says("SCRIPT connected 10.98.0.2")
			l.transfer(transferSize)
		})
	}
}

// TestPacketsOfAFlowStayInOrder has a device of several queues, each read by a
// thread of its own: flows that run at once are not mixed up within themselves.
func TestPacketsOfAFlowStayInOrder(t *testing.T) {
	const flows, packets = 6, 2000
	for channel, args := range map[string][]string{"DTLS": nil, "TLS": {"--no-dtls"}} {
		t.Run(channel, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.cfg.Queues = 4
			l.want()
			l.startNode()
			c := l.connect(password, args...)
			c.says("SCRIPT connected 10.98.0.2")
			if channel == "DTLS" {
				c.says("Established DTLS connection")
			}
			var all sync.WaitGroup
			for range flows {
				at, from := l.packets("c", "10.98.0.2:0"), l.packets("l", lanAddr+":0")
				all.Go(func() {
					for n := range uint32(packets) {
						_, _ = from.WriteTo(binary.BigEndian.AppendUint32(nil, n), at.LocalAddr())
						if n%20 == 19 {
							time.Sleep(time.Millisecond) // not to fill the client's socket
						}
					}
				})
				all.Go(func() {
					got, last, b := 0, int64(-1), make([]byte, 100)
					_ = at.SetReadDeadline(time.Now().Add(2 * patience))
					for last < packets-1 {
						if _, _, err := at.ReadFrom(b); err != nil {
							break
						}
						n := int64(binary.BigEndian.Uint32(b))
						if n <= last {
							t.Errorf("packet %d came after %d", n, last)
						}
						if got++; got == 1 {
							_ = at.SetReadDeadline(time.Now().Add(patience / 3))
						}
						last = n
					}
					if got < packets/10 {
						t.Errorf("only %d of %d packets came", got, packets)
					}
				})
			}
			all.Wait()
		})
	}
}

// packets is a UDP socket in a namespace.
func (l *lab) packets(ns, addr string) (c net.PacketConn) {
	l.t.Helper()
	if err := l.within(ns, func() (err error) { c, err = net.ListenPacket("udp", addr); return err }); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { _ = c.Close() })
	return c
}
