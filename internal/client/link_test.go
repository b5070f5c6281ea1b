//go:build linux

package client

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client/trust"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
	"github.com/skybridge-cloud/skybridge/internal/tun"
	"github.com/skybridge-cloud/skybridge/internal/tun/tuntest"
)

// behind is a bed whose TCP goes through a relay.
func behind(t *testing.T) (*bed, *relay) {
	t.Helper()
	b := newBed(t)
	b.cfg.DTLS = false
	r := newRelay(t, b.cfg.Server)
	b.cfg.Server = r.addr()
	return b, r
}

// passes moves a packet each way.
func (b *bed) passes() {
	b.t.Helper()
	inner := b.link.Snapshot().Tunnel.IPv4.Addr().String()
	up, down := udp(inner, "10.77.0.2", 500), udp("10.77.0.2", inner, 600)
	b.host.Inject(up)
	if got := b.next(b.lan); !bytes.Equal(got, up) {
		b.t.Errorf("up: got %d bytes, want %d", len(got), len(up))
	}
	b.lan.Inject(down)
	if got := b.next(b.host); !bytes.Equal(got, down) {
		b.t.Errorf("down: got %d bytes, want %d", len(got), len(down))
	}
}

func connected(times int) func(Snapshot) bool {
	return func(n Snapshot) bool { return n.State == Connected && n.Connections == times }
}

func in(s State) func(Snapshot) bool { return func(n Snapshot) bool { return n.State == s } }

func TestATunnelComesBackAtOnce(t *testing.T) {
	t.Parallel()
	b, r := behind(t)
	b.run("tls")
	b.passes()
	was := b.link.Snapshot()
	began := time.Now()
	r.cut()
	n := b.until("it is there again", connected(2))
	if took := time.Since(began); took > firstDelay/2 {
		t.Errorf("it took %s", took)
	}
	b.passes() // through the same device
	if n = b.link.Snapshot(); n.Tunnel.IPv4 != was.Tunnel.IPv4 || n.Up.Packets != 2 || n.Down.Packets != 2 || n.Up.Bytes != 2*528 || n.Down.Bytes < 2*628 || n.Down.Bytes > 2*628+64 {
		t.Errorf("got %s with %+v up and %+v down", n.Tunnel.IPv4, n.Up, n.Down)
	}
	if n.TLSVersion != "TLS 1.3" || n.TLSSuite == "" || n.Server.String() != r.addr() || n.Err != nil || n.ConnectedAt.Before(was.ConnectedAt) {
		t.Errorf("got %+v", n)
	}
	b.until("the round trip is known", func(n Snapshot) bool { return n.RoundTrip > 0 })
}

// What is sent while there is no tunnel waits for it.
func TestPacketsWaitForTheTunnel(t *testing.T) {
	t.Parallel()
	b, r := behind(t)
	s := b.run("tls")
	r.hold()
	r.cut()
	b.until("it is away", in(Reconnecting))
	packet := udp(s.Tunnel().IPv4.Addr().String(), "10.77.0.2", 500)
	b.host.Inject(packet)
	r.release()
	if got := b.next(b.lan); !bytes.Equal(got, packet) {
		t.Errorf("got %d bytes", len(got))
	}
}

func TestACookieThatIsOverEndsTheLink(t *testing.T) {
	t.Parallel()
	b, r := behind(t)
	ended := b.runLink(NewLink(b.cfg, b.login(), b.open))
	b.until("it is up", connected(1))
	r.hold()
	r.cut()
	b.until("it is away", in(Reconnecting))
	b.svc.CloseSessions([]gwlink.Closure{{Session: "ses_1", Reason: gwlink.ReasonAdministrator}})
	r.release()
	var refused *RefusedError
	if err := <-ended; !errors.As(err, &refused) {
		t.Errorf("got %v", err)
	}
	if n := b.link.Snapshot(); n.State != Ended || n.Cause != CauseCookie {
		t.Errorf("got %s for %s", n.State, n.Cause)
	}
}

func TestTheServersEndIsTheEnd(t *testing.T) {
	t.Parallel()
	b, _ := behind(t)
	ended := b.runLink(NewLink(b.cfg, b.login(), b.open))
	b.until("it is up", connected(1))
	b.svc.CloseSessions([]gwlink.Closure{{Session: "ses_1", Reason: gwlink.ReasonAdministrator}})
	if err := <-ended; !errors.Is(err, ErrEnded) {
		t.Errorf("got %v, want %v", err, ErrEnded)
	}
	if n := b.link.Snapshot(); n.Cause != CauseServer || n.Text == "" || n.Connections != 1 {
		t.Errorf("got %s: %q after %d connections", n.Cause, n.Text, n.Connections)
	}
}

func TestDisconnectEndsTheSession(t *testing.T) {
	t.Parallel()
	b, _ := behind(t)
	ended := b.runLink(NewLink(b.cfg, b.login(), b.open))
	b.until("it is up", connected(1))
	b.link.Disconnect()
	if err := <-ended; err != nil {
		t.Errorf("got %v", err)
	}
	if n := b.link.Snapshot(); n.Cause != CauseUser {
		t.Errorf("got %s", n.Cause)
	}
	b.eventually("the gateway has no session", func() bool { return len(b.svc.Live()) == 0 })
	b.host = tuntest.New(1)
	again := b.runLink(NewLink(b.cfg, b.login(), b.open))
	b.link.Disconnect() // before anything happened
	if err := <-again; err != nil {
		t.Errorf("at once: got %v", err)
	}
}

// TestKickMovesWithoutAGap: the new connection is there before the old one goes.
func TestKickMovesWithoutAGap(t *testing.T) {
	t.Parallel()
	for _, channel := range []string{"tls", "dtls"} {
		b, r := behind(t)
		b.cfg.DTLS = channel == "dtls"
		if b.cfg.DTLS {
			b.cfg.Server = r.to // whose UDP port is there
		}
		b.run(channel)
		b.passes()
		var mu sync.Mutex
		var states []State
		stop := make(chan struct{})
		watched := make(chan struct{})
		go func() {
			defer close(watched)
			for {
				select {
				case <-b.link.Changes():
					mu.Lock()
					states = append(states, b.link.Snapshot().State)
					mu.Unlock()
				case <-stop:
					return
				}
			}
		}()
		b.link.Kick()
		b.until("it has moved", connected(2))
		b.passes()
		b.until("it uses its channel", func(n Snapshot) bool { return n.Channel == channel })
		b.passes()
		close(stop)
		<-watched
		for _, s := range states {
			if s != Connected {
				t.Errorf("%s: it was %s in between", channel, s)
			}
		}
	}
}

func TestKickWithoutAWayKeepsWhatAnswers(t *testing.T) {
	t.Parallel()
	b, r := behind(t)
	s := b.run("tls")
	b.until("the round trip is known", func(n Snapshot) bool { return n.RoundTrip > 0 })
	s.watch.trip.Store(0)
	_ = r.ln.Close()
	b.link.Kick()
	b.until("the server was asked", func(n Snapshot) bool { return n.RoundTrip > 0 })
	b.passes()
	if n := b.link.Snapshot(); n.Connections != 1 || n.State != Connected {
		t.Errorf("got %s after %d connections", n.State, n.Connections)
	}
}

func TestNewKeysComeInTime(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.spec.SSLServers[0].RekeyTime = 1
	b.apply()
	l := NewLink(b.cfg, b.login(), b.open)
	l.least = 50 * time.Millisecond
	b.runLink(l)
	b.until("it has moved", func(n Snapshot) bool { return n.Connections >= 2 })
	b.until("data goes by UDP again", func(n Snapshot) bool { return n.Channel == "dtls" })
	b.passes()
}

func TestASilentServerIsLeft(t *testing.T) {
	t.Parallel()
	b, r := behind(t)
	b.spec.SSLServers[0].DPD = 1
	b.apply()
	b.run("tls")
	r.hold()
	n := b.until("it is away", in(Reconnecting))
	if !errors.Is(n.Err, errSilent) {
		t.Errorf("got %v, want %v", n.Err, errSilent)
	}
	r.release()
	b.until("it is there again", in(Connected))
	b.passes()
}

// TestASleepIsFoundOut by the clock, long before the DPD time: a server that
// answers is kept, one that does not is left at once.
func TestASleepIsFoundOut(t *testing.T) {
	t.Parallel()
	b, r := behind(t)
	at := clock.NewFake(time.Now())
	b.cfg.Clock = at
	s := b.run("tls")
	b.until("the round trip is known", func(n Snapshot) bool { return n.RoundTrip > 0 })
	s.watch.trip.Store(0)
	at.Advance(time.Hour)
	poke(b.link.jumps)
	b.until("the server was asked", func(n Snapshot) bool { return n.RoundTrip > 0 })
	b.passes()
	if n := b.link.Snapshot(); n.Connections != 1 {
		t.Errorf("a server that answers was left: %d connections", n.Connections)
	}
	r.hold()
	at.Advance(time.Hour)
	poke(b.link.jumps)
	b.until("it is away", in(Reconnecting))
	r.release()
	b.until("it is there again", connected(2))
	b.passes()
}

func TestWhatChangesIsTold(t *testing.T) {
	t.Parallel()
	b, r := behind(t)
	l := NewLink(b.cfg, b.login(), b.open)
	told := make(chan openconnect.Tunnel, 4)
	wrong := errors.New("no such device")
	l.OnTunnel = func(n openconnect.Tunnel) error {
		told <- n
		if len(n.SplitInclude) == 3 {
			return wrong
		}
		return nil
	}
	ended := b.runLink(l)
	if n := <-told; len(n.SplitInclude) != 1 {
		t.Errorf("at first: got %v", n.SplitInclude)
	}
	b.until("it is up", connected(1))
	r.cut()
	b.until("it is there again", connected(2))
	if len(told) != 0 {
		t.Error("a tunnel that is the same was told")
	}
	for i, subnet := range []string{"10.78.0.0/24", "10.79.0.0/24"} {
		b.spec.SSLServers[0].LocalSubnets = append(b.spec.SSLServers[0].LocalSubnets, netip.MustParsePrefix(subnet))
		b.apply()
		r.cut()
		if n := <-told; len(n.SplitInclude) != 2+i {
			t.Errorf("%s: got %v", subnet, n.SplitInclude)
		}
	}
	if err := <-ended; !errors.Is(err, wrong) || b.link.Snapshot().Cause != CauseDevice {
		t.Errorf("got %v for %s", err, b.link.Snapshot().Cause)
	}
}

func TestADeviceThatGoesEndsTheLink(t *testing.T) {
	t.Parallel()
	b, _ := behind(t)
	ended := b.runLink(NewLink(b.cfg, b.login(), b.open))
	b.until("it is up", connected(1))
	_ = b.host.Close()
	<-ended
	if n := b.link.Snapshot(); n.Cause != CauseDevice {
		t.Errorf("got %s", n.Cause)
	}
	wrong := errors.New("no tun")
	ended = b.runLink(NewLink(b.cfg, b.login(), func(openconnect.Tunnel) ([]tun.Queue, error) { return nil, wrong }))
	if err := <-ended; !errors.Is(err, wrong) || b.link.Snapshot().Cause != CauseDevice {
		t.Errorf("got %v for %s", err, b.link.Snapshot().Cause)
	}
}

func TestWhoCannotBeReachedIsGivenUp(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.cfg.Server = closedPort(t)
	l := NewLink(b.cfg, text("cookie"), b.open)
	l.GiveUp = time.Nanosecond
	err := <-b.runLink(l)
	var op *net.OpError
	if n := l.Snapshot(); n.Cause != CauseUnreachable || !errors.As(err, &op) {
		t.Errorf("got %v for %s", err, n.Cause)
	}
}

func TestAnotherServerIsNotTriedForLong(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.cfg.Trust = pinned(certificate(t))
	if err := <-b.runLink(NewLink(b.cfg, text("cookie"), b.open)); !errors.Is(err, trust.ErrPin) || b.link.Snapshot().Cause != CauseUntrusted {
		t.Errorf("got %v for %s", err, b.link.Snapshot().Cause)
	}
}

// TestTheOldWayToAUDPChannel resumes from a secret of the client's.
func TestTheOldWayToAUDPChannel(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.cfg.noPSK = true
	s := b.run("dtls")
	if n := b.link.Snapshot(); s.tunnel.DTLSMode != openconnect.DTLSResume || n.DTLSSuite != "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" {
		t.Errorf("got mode %d and %s", s.tunnel.DTLSMode, n.DTLSSuite)
	}
	b.passes()
}

// tunnelHead is an answer to CONNECT.
func tunnelHead(lines ...string) string {
	return "HTTP/1.1 200 CONNECTED\r\nX-CSTP-Address: 10.98.0.2\r\nX-CSTP-Netmask: 255.255.0.0\r\nX-CSTP-MTU: 1400\r\n" +
		strings.Join(append(lines, ""), "\r\n") + "\r\n"
}

// TestFramesMayComeWithTheAnswer, and what a server says at its end is made harmless.
func TestFramesMayComeWithTheAnswer(t *testing.T) {
	t.Parallel()
	packet := udp("10.77.0.2", "10.98.0.2", 40)
	frames := openconnect.AppendFrame(nil, openconnect.TypeData, packet)
	frames = openconnect.AppendFrame(frames, 0x7e, []byte("of an unknown type"))
	frames = openconnect.AppendFrame(frames, openconnect.TypeTerminate, []byte("go \x1b[2Jaway"))
	s := newScript(t, func(int, request) string { return tunnelHead("X-CSTP-Banner: \u202eHi") + string(frames) })
	b := newBed(t)
	b.cfg = s.cfg
	err := <-b.runLink(NewLink(b.cfg, text("cookie"), b.open))
	if !errors.Is(err, ErrEnded) {
		t.Fatalf("got %v, want %v", err, ErrEnded)
	}
	if n := b.link.Snapshot(); n.Text != "go  [2Jaway" || n.Tunnel.Banner != "Hi" {
		t.Errorf("got %q and banner %q", n.Text, n.Tunnel.Banner)
	}
	if got := b.next(b.host); !bytes.Equal(got, packet) {
		t.Errorf("got a packet of %d bytes", len(got))
	}
}

// TestNoiseIsNoTunnel: what makes no sense ends the connection, and is tried again
// later and later, not in a loop.
func TestNoiseIsNoTunnel(t *testing.T) {
	t.Parallel()
	for name, noise := range map[string]string{
		"wrong magic": "SXF\x01\x00\x01\x00\x00x", "too long": "STF\x01\xff\xff\x00\x00", "closed": "",
	} {
		s := newScript(t, func(int, request) string { return tunnelHead() + noise })
		s.mu.Lock()
		s.once = true
		s.mu.Unlock()
		b := newBed(t)
		b.cfg = s.cfg
		b.runLink(NewLink(b.cfg, text("cookie"), b.open))
		b.until(name+": it was tried again", func(n Snapshot) bool { return n.Connections >= 2 })
		b.until(name+": it rests", in(Reconnecting))
		if n := b.link.Snapshot(); n.Connections > 2 {
			t.Errorf("%s: got %d connections", name, n.Connections)
		}
	}
}

// TestDisconnectWhileAwayEndsTheSession: the cookie is worth nothing afterwards,
// though no session was there to say so on.
func TestDisconnectWhileAwayEndsTheSession(t *testing.T) {
	t.Parallel()
	b, r := behind(t)
	ended := b.runLink(NewLink(b.cfg, b.login(), b.open))
	b.until("it is up", connected(1))
	r.hold()
	r.cut()
	b.until("it is away", in(Reconnecting))
	if len(b.svc.Live()) == 0 {
		t.Fatal("the gateway gave the session up by itself")
	}
	b.link.Disconnect()
	r.release()
	if err := <-ended; err != nil || b.link.Snapshot().Cause != CauseUser {
		t.Errorf("got %v for %s", err, b.link.Snapshot().Cause)
	}
	b.eventually("the gateway has no session", func() bool { return len(b.svc.Live()) == 0 })
}

func TestDisconnectFromAServerThatIsGoneTakesNotLong(t *testing.T) {
	t.Parallel()
	b, r := behind(t)
	ended := b.runLink(NewLink(b.cfg, b.login(), b.open))
	b.until("it is up", connected(1))
	r.hold()
	r.cut()
	b.until("it is away", in(Reconnecting))
	began := time.Now()
	b.link.Disconnect()
	if err := <-ended; err != nil || time.Since(began) > forgetLimit+waitLimit/4 {
		t.Errorf("got %v after %s", err, time.Since(began))
	}
}

// TestNoServerIsNoTunnel: what answers the first CONNECT with something else is not
// tried again, while one that is busy is.
func TestNoServerIsNoTunnel(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"another protocol": "SSH-2.0-x\r\n\r\n", "no version": "200 OK\r\n\r\n", "a status that is none": "HTTP/1.1 abc OK\r\n\r\n",
		"a broken header": "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "a flood of headers": "HTTP/1.1 200 OK\r\n" + strings.Repeat("X-Reason: x\r\n", 1<<17),
		"no address": "HTTP/1.1 200 OK\r\nX-CSTP-MTU: 1400\r\n\r\n", "no MTU": "HTTP/1.1 200 OK\r\nX-CSTP-Address: 10.98.0.2\r\n\r\n",
		"a page": "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>",
	} {
		s := newScript(t, func(int, request) string { return answer })
		b := newBed(t)
		b.cfg = s.cfg
		err := <-b.runLink(NewLink(b.cfg, text("cookie"), b.open))
		if n := b.link.Snapshot(); err == nil || n.Cause != CauseAnswer || len(s.seen()) != 1 {
			t.Errorf("%s: got %v for %s after %d requests", name, err, n.Cause, len(s.seen()))
		}
	}
	busy := newScript(t, func(n int, _ request) string {
		if n == 0 {
			return "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
		}
		return tunnelHead()
	})
	b := newBed(t)
	b.cfg = busy.cfg
	b.runLink(NewLink(b.cfg, text("cookie"), b.open))
	b.until("a busy server was tried again", connected(1))
}

// TestATunnelIsResumed where another Link was stopped: with its cookie, its address
// and what it counted, and what the device has for it waits meanwhile.
func TestATunnelIsResumed(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	cookie := b.login()
	first := NewLink(b.cfg, cookie, b.open)
	b.link = first
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- first.Run(ctx) }()
	b.until("it is up", connected(1))
	b.passes()
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	was := first.Snapshot()
	if was.Cause != CauseStopped {
		t.Fatalf("got %+v", was)
	}
	b.host = tuntest.New(64) // the same device, of another process
	inner := was.Tunnel.IPv4.Addr()
	waits := udp(inner.String(), "10.77.0.2", 300)
	b.host.Inject(waits)
	next := NewLink(b.cfg, cookie, func(openconnect.Tunnel) ([]tun.Queue, error) {
		t.Error("another device is made")
		return nil, errors.New("no")
	})
	next.Resume([]tun.Queue{b.host}, Past{Server: was.Server, Addresses: []netip.Addr{inner}, Up: was.Up, Down: was.Down})
	if n := next.Snapshot(); n.State != Reconnecting || n.Up != was.Up {
		t.Errorf("before it runs: got %+v", n)
	}
	b.runLink(next)
	n := b.until("it is up again", connected(1))
	if n.Tunnel.IPv4 != was.Tunnel.IPv4 {
		t.Errorf("got %s, want %s", n.Tunnel.IPv4, was.Tunnel.IPv4)
	}
	if got := b.next(b.lan); !bytes.Equal(got, waits) {
		t.Errorf("got %d bytes, want %d", len(got), len(waits))
	}
	b.passes()
	if n = next.Snapshot(); n.Up.Packets != was.Up.Packets+2 || n.Down.Packets != was.Down.Packets+1 {
		t.Errorf("counted %+v and %+v after %+v and %+v", n.Up, n.Down, was.Up, was.Down)
	}
}
