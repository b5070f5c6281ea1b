package sslvpn

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
)

// early1 is a connection that may be told to close.
type early1 struct{ closed bool }

func (e *early1) Close() error { e.closed = true; return nil }

// enters lets n connections of a source in and returns them.
func enters(t *testing.T, e *early, from string, n int) (all []*early1) {
	t.Helper()
	for range n {
		c := &early1{}
		if !e.admit(netip.MustParseAddr(from), c) {
			t.Fatalf("connection %d of %s was refused", len(all), from)
		}
		all = append(all, c)
	}
	return all
}

// TestOneSourceHasItsShareOfPlaces: a host with a whole /64 of addresses is one
// source, an IPv4 address written as IPv6 is the same as before.
func TestOneSourceHasItsShareOfPlaces(t *testing.T) {
	t.Parallel()
	e := newEarly(maxEarly)
	var mine []*early1
	for i := range maxEarlyFrom {
		mine = append(mine, enters(t, e, fmt.Sprintf("2001:db8::%x:1", i), 1)...)
	}
	enters(t, e, "192.0.2.1", maxEarlyFrom)
	for _, from := range []string{"2001:db8::ffff:1", "192.0.2.1", "::ffff:192.0.2.1"} {
		if e.admit(netip.MustParseAddr(from), &early1{}) {
			t.Errorf("%s has more than its share", from)
		}
	}
	enters(t, e, "2001:db8:0:1::1", 1)
	for range 2 { // the second time it is not there any more
		e.leave(netip.MustParseAddr("2001:db8::99:9"), mine[3])
	}
	enters(t, e, "2001:db8::ffff:1", 1)
	if e.admit(netip.MustParseAddr("2001:db8::ffff:2"), &early1{}) {
		t.Error("one left and two came")
	}
}

// TestWhoHasMostYields fills all places: newcomers come in, at the cost of the
// source with the most connections, whose oldest goes.
func TestWhoHasMostYields(t *testing.T) {
	t.Parallel()
	e := newEarly(12)
	greedy := enters(t, e, "2001:db8::1", 6)
	few := enters(t, e, "192.0.2.1", 4)
	one := enters(t, e, "192.0.2.2", 2)
	closed := func(all []*early1) (n int) {
		for i, c := range all {
			if c.closed && i != n {
				t.Errorf("the %dth goes before the %dth", i, n)
			}
			if c.closed {
				n++
			}
		}
		return n
	}
	for i, want := range [][3]int{{1, 0, 0}, {2, 0, 0}, {2, 1, 0}, {3, 1, 0}} {
		enters(t, e, fmt.Sprintf("198.51.100.%d", i), 1)
		if got := [3]int{closed(greedy), closed(few), closed(one)}; got != want {
			t.Fatalf("newcomer %d: %v connections had to go, want %v", i, got, want)
		}
	}
	for _, c := range append(greedy, few...) {
		e.leave(netip.MustParseAddr("2001:db8::1"), c)
		e.leave(netip.MustParseAddr("192.0.2.1"), c)
	}
	if e.all != len(one)+4 || e.most != 2 {
		t.Errorf("got %d connections and %d of one source, want 6 and 2", e.all, e.most)
	}
}

// TestManySourcesTakeTurns has more sources than places, one connection each: the
// oldest goes, and nothing is kept of who has gone.
func TestManySourcesTakeTurns(t *testing.T) {
	t.Parallel()
	e := newEarly(maxEarly)
	var all []*early1
	for i := range 2 * maxEarly {
		all = append(all, enters(t, e, fmt.Sprintf("2001:db8:0:%x::1", i), 1)...)
	}
	for i, c := range all {
		if c.closed != (i < maxEarly) {
			t.Fatalf("connection %d of %d: closed %v", i, len(all), c.closed)
		}
	}
	if e.all != maxEarly || len(e.sources) != maxEarly {
		t.Errorf("got %d connections of %d sources, want %d", e.all, len(e.sources), maxEarly)
	}
}

// TestAnHonestClientComesInWhenAllPlacesAreTaken, over real connections: the
// flood loses one of its own.
func TestAnHonestClientComesInWhenAllPlacesAreTaken(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.svc.early.mu.Lock()
	r.svc.early.room = 8
	r.svc.early.mu.Unlock()
	var flood []net.Conn
	for range 8 {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 66)}}
		c, err := d.Dial("tcp", r.addr())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		_ = c.SetDeadline(time.Now().Add(waitLimit))
		flood = append(flood, c)
	}
	r.eventually("the flood has all places", func() bool {
		r.svc.early.mu.Lock()
		defer r.svc.early.mu.Unlock()
		return r.svc.early.all == len(flood)
	})
	r.attached("ann")
	ended := make(chan error, len(flood))
	for _, c := range flood {
		go func() {
			_, err := c.Read(make([]byte, 1))
			ended <- err
		}()
	}
	if err := <-ended; err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v, want one connection of the flood closed", err)
	}
}

// TestAHelloThatTricklesIsCut: what comes byte by byte does not prolong the time
// for a handshake.
func TestAHelloThatTricklesIsCut(t *testing.T) {
	t.Parallel()
	for _, begins := range []string{"", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"} {
		synctest.Test(t, func(t *testing.T) {
			s := New(Config{Log: slog.New(slog.DiscardHandler), Clock: clock.System{}})
			defer s.Close()
			near, far := net.Pipe()
			defer near.Close()
			begin, ended := time.Now(), make(chan time.Duration, 1)
			go func() {
				s.serve(far)
				ended <- time.Since(begin)
			}()
			_, err := io.WriteString(near, begins)
			for tick := time.NewTicker(time.Second); err == nil && time.Since(begin) < time.Hour; <-tick.C {
				_, err = near.Write([]byte{0})
			}
			if got := <-ended; got > handshakeLimit+time.Second {
				t.Errorf("after %q: a hello was waited for %s, want at most %s", begins, got, handshakeLimit)
			}
			if s.early.all != 0 || s.Tally().Handshakes["tls failed"] != 1 {
				t.Errorf("got %d connections left, %v", s.early.all, s.Tally().Handshakes)
			}
		})
	}
}
