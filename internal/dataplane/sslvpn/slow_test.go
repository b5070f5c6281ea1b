package sslvpn

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/netio"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
)

// A byte each second would hold a connection for as long as the peer likes.
func TestARequestThatTricklesEndsTheConnection(t *testing.T) {
	t.Parallel()
	cert := selfSigned(t, []string{"slow.example"})
	for _, start := range []string{"P", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"} {
		synctest.Test(t, func(t *testing.T) {
			near, far := net.Pipe()
			conn := netio.NewConn(far)
			h := httpConn{svc: &Service{cfg: Config{Clock: clock.System{}}}, conn: conn, from: netip.MustParseAddrPort("192.0.2.1:1"), own: allowance{shared: newMemory()}}
			begin, ended := time.Now(), make(chan time.Duration, 1)
			go func() {
				h.tls = ownTLS(t, conn, *cert)
				h.serve()
				ended <- time.Since(begin)
				_ = far.Close()
			}()
			client := tls.Client(near, &tls.Config{InsecureSkipVerify: true}) // whose it is does not matter here
			if err := client.HandshakeContext(context.Background()); err != nil {
				t.Fatal(err)
			}
			_, err := client.Write([]byte(start))
			for tick := time.NewTicker(time.Second); err == nil && time.Since(begin) < time.Hour; <-tick.C {
				_, err = client.Write([]byte("X"))
			}
			_ = near.Close()
			if got := <-ended; got > 2*sendLimit {
				t.Errorf("after %q: the connection was held for %s, want at most %s", start, got, sendLimit)
			}
		})
	}
}
