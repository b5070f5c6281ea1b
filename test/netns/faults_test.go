//go:build netns

package netns

import (
	"strings"
	"testing"
	"time"
)

// faulty starts a lab whose path to the client can misbehave, with a client
// whose DTLS is up.
func faulty(t *testing.T, before func(*link), args ...string) (*lab, *link, *client) {
	t.Helper()
	l := newLab(t)
	k := l.newLink()
	if before != nil {
		before(k)
	}
	l.want()
	l.startNode()
	c := l.connect(password, args...)
	c.says("SCRIPT connected 10.98.0.2")
	c.says("Established DTLS connection")
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
	cases := map[string]func(*link){
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
	for name, misbehave := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// From the first packet on: handshake flights are lost, repeated and
			// reordered as well.
			l, k, _ := faulty(t, misbehave)
			l.transfer(1 << 20)
			l.once()
			t.Logf("%d packets passed, %d were lost", k.passed.Load(), k.dropped.Load())
		})
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
	l, _, c := faulty(t, func(k *link) { k.narrow.Store(1300) })
	c.says("Detected MTU of")
	l.transfer(1 << 20)
	l.once()
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
