//go:build netns

package netns

import (
	"fmt"
	"math/bits"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// faulty starts a lab whose path to the client can misbehave, with a client
// whose DTLS is up.
func faulty(t *testing.T, before func(*link), args ...string) (*lab, *link, *client) {
	t.Helper()
	l, k, c := faultyOver(t, nodeAddr, before, args...)
	c.says("Established DTLS connection")
	return l, k, c
}

// faultyOver is faulty for a client that reaches the node by an address of
// either family, without a word of DTLS.
func faultyOver(t *testing.T, host string, before func(*link), args ...string) (*lab, *link, *client) {
	t.Helper()
	l := newLab(t)
	l.withIPv6()
	l.cfg.Listen = []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}
	k := l.newLink()
	if before != nil {
		before(k)
	}
	l.want()
	l.startNode()
	c := l.connectTo(host, l.pin(), password, args...)
	c.says("SCRIPT connected 10.98.0.2 fd00:98::2")
	return l, k, c
}

// once fails when the node opened more than the one session.
func (l *lab) once() {
	l.t.Helper()
	if n := len(openedSession.FindAllString(l.log("node.log"), -1)); n != 1 {
		l.t.Errorf("got %d sessions, want the one that the client began with", n)
	}
}

func TestSessionsSurviveABadPath(t *testing.T) {
	t.Parallel()
	misbehaviour := map[string]func(*link){
		"3% of all packets are lost": func(k *link) { k.loss.Store(3) },
		"packets overtake each other": func(k *link) {
			k.delay.Store(int64(time.Millisecond))
			k.jitter.Store(int64(4 * time.Millisecond))
		},
		"40 ms each way":             func(k *link) { k.delay.Store(int64(40 * time.Millisecond)) },
		"a fifth of all comes twice": func(k *link) { k.duplicate.Store(20) },
		"lost, late, twice, reordered": func(k *link) {
			k.loss.Store(1)
			k.delay.Store(int64(5 * time.Millisecond))
			k.jitter.Store(int64(5 * time.Millisecond))
			k.duplicate.Store(5)
		},
	}
	for name, misbehave := range misbehaviour {
		for way, host := range map[string]string{"IPv4": nodeAddr, "IPv6": "[" + nodeAddr6 + "]"} {
			for _, channel := range []string{"DTLS", "TLS"} {
				t.Run(name+", "+channel+" over "+way, func(t *testing.T) {
					t.Parallel()
					var args []string
					if channel == "TLS" {
						args = []string{"--no-dtls"}
					}
					// From the first packet on: handshake flights are lost, repeated and
					// reordered as well.
					l, k, c := faultyOver(t, host, misbehave, args...)
					if channel == "DTLS" {
						c.says("Established DTLS connection")
					}
					l.transfer(1 << 20)
					l.transferBetween("c", "l", lanAddr6, 1<<18)
					l.once()
					t.Logf("%d packets passed, %d were lost", k.passed.Load(), k.dropped.Load())
				})
			}
		}
	}
}

// TestTheNodesFlightsAreLost has some of the first datagrams that the node sends
// vanish: the answer to the hello and, in the full handshake, the one to the key
// exchange. A stock client asks again.
func TestTheNodesFlightsAreLost(t *testing.T) {
	t.Parallel()
	modes := map[string][]string{"PSK": nil, "resumed": {"--dtls-ciphers=OC-DTLS1_2-AES256-GCM"}}
	for mode, args := range modes {
		for _, lost := range []int64{0b001, 0b010, 0b011, 0b110} {
			t.Run(fmt.Sprintf("%s, %b", mode, lost), func(t *testing.T) {
				t.Parallel()
				l, k, c := faultyOver(t, nodeAddr, func(k *link) { k.first.Store(lost) }, args...)
				c.says("Established DTLS connection")
				if strings.Contains(l.log(c.log), "DTLS handshake failed") {
					t.Error("the client gave up once")
				}
				l.transfer(1 << 18)
				l.once()
				if got := k.dropped.Load(); got != int64(bits.OnesCount64(uint64(lost))) {
					t.Errorf("%d datagrams were lost", got)
				}
			})
		}
	}
}

// TestAnAddressTranslatorForgets has the client's datagrams come from another
// port from one moment to the next: the association follows.
func TestAnAddressTranslatorForgets(t *testing.T) {
	t.Parallel()
	l, k, c := faulty(t, nil)
	l.transfer(1 << 20)
	for shift := int64(1); shift <= 3; shift++ {
		k.shift.Store(shift * 100)
		l.transfer(1 << 20)
	}
	l.once()
	if log := l.log(c.log); strings.Count(log, "Established DTLS connection") != 1 || strings.Contains(log, "Dead Peer") {
		t.Error("the client had to begin DTLS again")
	}
}

// TestAPathNarrowerThanBothEndsBelieve swallows long datagrams without a word,
// as the tunnel of some provider between the two does: the client's probes find
// the width of the path, and data passes.
func TestAPathNarrowerThanBothEndsBelieve(t *testing.T) {
	t.Parallel()
	for way, host := range map[string]string{"IPv4": nodeAddr, "IPv6": "[" + nodeAddr6 + "]"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			// 1420 is what IPv6 inside and outside still fits through.
			l, _, c := faultyOver(t, host, func(k *link) { k.narrow.Store(1420) })
			c.says("Detected MTU of")
			l.transfer(1 << 20)
			l.transferBetween("c", "l", lanAddr6, 1<<20)
			if got := l.pinged("10.98.0.2", "-s1370", "-Mdo"); !strings.Contains(got, "Frag needed") && !strings.Contains(got, "too long") {
				t.Errorf("a host that sends what the path swallows heard %s", got)
			}
			l.once()
		})
	}
}

// TestUDPVanishesAndComesBack falls back to TLS and returns to DTLS.
func TestUDPVanishesAndComesBack(t *testing.T) {
	t.Parallel()
	l, k, c := faulty(t, nil)
	l.transfer(1 << 20)
	k.deaf.Store(true)
	c.says("DTLS Dead Peer Detection detected dead peer")
	l.transfer(1 << 20)
	k.deaf.Store(false)
	l.until("DTLS is up again", func() bool { return strings.Count(l.log(c.log), "Established DTLS connection") == 2 })
	l.transfer(1 << 20)
	l.once()
}

// TestTCPVanishesAndComesBack has the TLS connection end in nothing midway, as
// behind a firewall that restarted: the client finds out by its own probes and
// comes back to its session, whether it moved data by TLS or by DTLS.
func TestTCPVanishesAndComesBack(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{"by TLS": {"--no-dtls"}, "by DTLS": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, k, c := faultyOver(t, nodeAddr, nil, args...)
			if args == nil {
				c.says("Established DTLS connection")
			}
			l.transfer(1 << 20)
			k.mute.Store(true)
			if args == nil {
				l.transfer(1 << 18) // TCP is not needed for what goes by UDP
			}
			c.says("CSTP Dead Peer Detection detected dead peer")
			k.mute.Store(false)
			c.says("SCRIPT reconnected 10.98.0.2 fd00:98::2")
			l.until("data passes again", func() bool { return l.pings("c", lanAddr) })
			l.transfer(1 << 20)
			l.once()
		})
	}
}

// TestTCPVanishesForAMoment is too short for anybody to notice but TCP itself: a
// transfer by TLS goes on where it was.
func TestTCPVanishesForAMoment(t *testing.T) {
	t.Parallel()
	l, k, c := faultyOver(t, nodeAddr, func(k *link) { k.delay.Store(int64(5 * time.Millisecond)) }, "--no-dtls")
	ended, stop := make(chan struct{}), make(chan struct{})
	more := func(n *atomic.Int64, by int64) { // or the transfer is over
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for was := n.Load(); n.Load() < was+by; {
			select {
			case <-tick.C:
			case <-stop:
				return
			}
		}
	}
	go func() {
		defer close(ended)
		for range 3 {
			more(&k.passed, 500)
			k.mute.Store(true)
			more(&k.dropped, 5)
			k.mute.Store(false)
		}
	}()
	l.transfer(4 << 20)
	close(stop)
	<-ended
	if k.dropped.Load() < 15 {
		t.Errorf("%d packets vanished, want 15 at least", k.dropped.Load())
	}
	l.once()
	if strings.Contains(l.log(c.log), "SCRIPT reconnected") {
		t.Error("the client had to connect again")
	}
}

// TestASilentDTLSIsLeftBeforeTheClientNotices has UDP vanish under a client that
// looks for it once a minute: after 25 s the node sends by TLS, and by DTLS again
// as soon as it hears the client there.
func TestASilentDTLSIsLeftBeforeTheClientNotices(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	k := l.newLink()
	l.server.DPD = 60
	l.want()
	l.startNode()
	c := l.connect(password)
	c.says("Established DTLS connection")
	c.says("SCRIPT connected 10.98.0.2")
	heard := l.dripping()
	heard(10)
	k.deaf.Store(true)
	silent := time.Now()
	heard(10)
	if d := time.Since(silent); d > 35*time.Second {
		t.Errorf("data came again after %s, want 25 s and a little", d)
	}
	if strings.Contains(l.log(c.log), "Dead Peer") {
		t.Error("the client noticed first")
	}
	k.deaf.Store(false)
	if !l.pings("c", lanAddr) {
		t.Error("the client's data does not pass by DTLS")
	}
	was := k.datagrams.Load()
	l.until("the node sends by DTLS again", func() bool { return k.datagrams.Load() > was+5 })
	l.once()
}

// dripping sends a datagram from the LAN host to the client every tenth of a
// second. The function that it returns waits until some more have come.
func (l *lab) dripping() (heard func(n int)) {
	l.t.Helper()
	at, from := l.packets("c", "10.98.0.2:7100"), l.packets("l", lanAddr+":7100")
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				_, _ = from.WriteTo([]byte("drip"), at.LocalAddr())
			case <-stop:
				return
			}
		}
	}()
	l.t.Cleanup(func() {
		close(stop)
		<-ended
	})
	return func(n int) {
		l.t.Helper()
		_ = at.SetReadDeadline(time.Now().Add(2 * patience))
		for range n {
			if _, _, err := at.ReadFrom(make([]byte, 100)); err != nil {
				l.t.Fatalf("nothing drips through: %v", err)
			}
		}
	}
}
