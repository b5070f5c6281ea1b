//go:build linux

package client

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

// TestEveryHeaderMayBeWrong: one header of CONNECT's answer at a time is not what it
// should be. Then there is a tunnel within bounds, or none; never a wait, and never a
// UDP channel by half an id.
func TestEveryHeaderMayBeWrong(t *testing.T) {
	t.Parallel()
	values := []string{
		"", "-1", "0", "18446744073709551617", "1e9", "0x10", "true\u202e", "::", "999.1.1.1", "10.0.0.0/99", "ff", strings.Repeat("f", 64), strings.Repeat("z", 64),
		strings.Repeat("a.", 4000), "\x7f\xff", ",,,,", "10.0.0.1 10.0.0.2",
	}
	headers := []string{
		"X-CSTP-Address", "X-CSTP-Address-IP6", "X-CSTP-Netmask", "X-CSTP-MTU", "X-CSTP-Base-MTU", "X-CSTP-DNS", "X-CSTP-DNS-IP6", "X-CSTP-Default-Domain",
		"X-CSTP-Split-Include", "X-CSTP-Split-Include-IP6", "X-CSTP-Split-Exclude", "X-CSTP-Split-Exclude-IP6", "X-CSTP-Split-DNS", "X-CSTP-Tunnel-All-DNS",
		"X-CSTP-DPD", "X-CSTP-Keepalive", "X-CSTP-Rekey-Time", "X-CSTP-Rekey-Method", "X-CSTP-Idle-Timeout", "X-CSTP-Session-Timeout",
		"X-CSTP-Session-Timeout-Remaining", "X-CSTP-Disconnected-Timeout", "X-CSTP-Banner", "X-CSTP-Client-Bypass-Protocol", "X-Skybridge-Ext", "X-CSTP-Content-Encoding",
		"X-DTLS-MTU", "X-DTLS-Port", "X-DTLS-App-ID", "X-DTLS-Session-ID", "X-DTLS-CipherSuite", "X-DTLS12-CipherSuite", "X-DTLS-DPD", "X-DTLS-Keepalive",
	}
	good := map[string]string{
		"X-CSTP-Address": "10.98.0.2", "X-CSTP-Netmask": "255.255.0.0", "X-CSTP-MTU": "1400", "X-DTLS-Port": "443", "X-DTLS-CipherSuite": "PSK-NEGOTIATE",
		"X-DTLS-App-ID": strings.Repeat("0a", 32),
	}
	for _, h := range headers {
		var head atomic.Value
		s := newScript(t, func(int, request) string { return head.Load().(string) })
		s.cfg.DTLS = true
		for _, v := range values {
			text := "HTTP/1.1 200 CONNECTED\r\n"
			for name, value := range good {
				if name != h {
					text += name + ": " + value + "\r\n"
				}
			}
			head.Store(text + h + ": " + v + "\r\n\r\n")
			ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
			got, err := Connect(ctx, s.cfg, openconnect.NewSecret([]byte("cookie")))
			late := ctx.Err()
			cancel()
			if err != nil {
				if late != nil || !errors.Is(err, openconnect.ErrAnswer) && !errors.Is(err, openconnect.ErrTunnel) {
					t.Errorf("%s: %q: got %v", h, v, err)
				}
				continue
			}
			n := got.Tunnel()
			if !n.IPv4.IsValid() && !n.IPv6.IsValid() || n.MTU < 576 || n.MTU > openconnect.MaxPayload || n.DPD < 0 || n.Keepalive < 0 || n.RekeyTime < 0 {
				t.Errorf("%s: %q: got %+v", h, v, n)
			}
			if n.DTLSMode != openconnect.DTLSOff && len(n.DTLSID) != 32 {
				t.Errorf("%s: %q: a UDP channel by an id of %d bytes", h, v, len(n.DTLSID))
			}
			_ = got.Close()
		}
	}
}

// TestDocumentsThatGrowAreRefused: entities, depth and attributes make a small
// document large.
func TestDocumentsThatGrowAreRefused(t *testing.T) {
	t.Parallel()
	laughs := "<!DOCTYPE x [<!ENTITY a0 \"ha\">"
	for i := range 30 {
		laughs += "<!ENTITY a" + string(rune('b'+i%20)) + " \"" + strings.Repeat("&a0;", 10) + "\">"
	}
	laughs += "]><config-auth type=\"auth-request\"><auth id=\"main\"><message>&ab;</message></auth></config-auth>"
	for name, document := range map[string]string{
		"entities":   laughs,
		"an outside": `<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><config-auth type="auth-request"><auth id="main"><message>&a;</message></auth></config-auth>`,
		"depth":      strings.Repeat("<config-auth>", 15000),
		"attributes": "<config-auth " + strings.Repeat(`a="1" `, 20000) + ">",
		"no end":     `<config-auth type="auth-request"><auth id="main"><banner>` + strings.Repeat("x", openconnect.MaxDocument),
	} {
		s := newScript(t, func(int, request) string { return ok([]byte(document)) })
		began := time.Now()
		_, err := s.login(person().Answer)
		if err == nil || time.Since(began) > waitLimit/2 {
			t.Errorf("%s: got %v after %s", name, err, time.Since(began))
		}
		if n := len(s.seen()); n > 1 {
			t.Errorf("%s: asked %d times", name, n)
		}
	}
}

// TestRedirectsThatGoRoundAreLeft, whichever way round.
func TestRedirectsThatGoRoundAreLeft(t *testing.T) {
	t.Parallel()
	for _, status := range []string{"301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"} {
		s := newScript(t, func(n int, _ request) string {
			return "HTTP/1.1 " + status + "\r\nLocation: /" + string(rune('a'+n%2)) + "\r\nContent-Length: 0\r\n\r\n"
		})
		if _, err := s.login(person().Answer); !errors.Is(err, ErrRedirected) || len(s.seen()) != maxRedirects+1 {
			t.Errorf("%s: got %v after %d requests", status, err, len(s.seen()))
		}
	}
}

// TestABannerWithoutAnEndIsBounded: of the answer to CONNECT, two billion bytes.
func TestABannerWithoutAnEndIsBounded(t *testing.T) {
	t.Parallel()
	cert := certificate(t)
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{*cert}})
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	sent := make(chan int, 1)
	go func() {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		piece, n := strings.Repeat("x", 64<<10), 0
		_, err = io.WriteString(c, "HTTP/1.1 200 CONNECTED\r\nX-CSTP-Address: 10.98.0.2\r\nX-CSTP-MTU: 1400\r\nX-CSTP-Banner: ")
		for err == nil && n < 2<<30 {
			_, err = io.WriteString(c, piece)
			n += len(piece)
		}
		sent <- n
	}()
	cfg := Config{Permit: yes{}, Server: ln.Addr().String(), Trust: pinned(cert)}
	if _, err := Connect(t.Context(), cfg, text("cookie")); !errors.Is(err, openconnect.ErrAnswer) {
		t.Errorf("got %v", err)
	}
	if n := <-sent; n > 64<<20 { // most of it lies in buffers of the system
		t.Errorf("took %d bytes", n)
	}
}

// TestAddressesMayChangeOnTheWayBack: the server is told which there were, the device
// is told the new ones before packets go, and half an answer is none.
func TestAddressesMayChangeOnTheWayBack(t *testing.T) {
	t.Parallel()
	s := newScript(t, func(n int, _ request) string {
		if n == 0 {
			return tunnelHead() + "SXF\x01\x00\x01\x00\x00x" // and the connection is given up
		}
		return strings.Replace(tunnelHead("X-CSTP-Address-IP6: fd00::9/64"), "10.98.0.2", "10.98.7.9", 1)
	})
	b := newBed(t)
	b.cfg = s.cfg
	l := NewLink(b.cfg, text("cookie"), b.open)
	told := make(chan openconnect.Tunnel, 8)
	l.OnTunnel = func(n openconnect.Tunnel) error { told <- n; return nil }
	b.runLink(l)
	first, second := <-told, <-told
	if first.IPv4.Addr().String() != "10.98.0.2" || second.IPv4.Addr().String() != "10.98.7.9" || second.IPv6.Addr().String() != "fd00::9" {
		t.Errorf("told %v, then %v and %v", first.IPv4, second.IPv4, second.IPv6)
	}
	b.until("the new one is in use", func(n Snapshot) bool { return n.State == Connected && n.Tunnel.IPv4 == second.IPv4 })
	if q := s.seen(); len(q) != 2 || !slices.Contains(q[1].Header.Values("X-CSTP-Address"), "10.98.0.2") {
		t.Errorf("the server was not told the former address: %v", q[len(q)-1].Header)
	}
}
