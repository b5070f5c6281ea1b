package client

import (
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

// TestNothingIsLookedAtBeforeItIsDue: the session sleeps until the first of what may
// happen, and look has something to say at that moment.
func TestNothingIsLookedAtBeforeItIsDue(t *testing.T) {
	t.Parallel()
	var at time.Duration
	s := &Session{now: func() time.Duration { return at }, notes: make(chan note, notesAhead)}
	due := func(want time.Duration) {
		t.Helper()
		if got := s.due(); got != want {
			t.Errorf("at %s: due at %s, want %s", at, got, want)
		}
	}
	due(never)
	s.tunnel.DPD, s.tunnel.Keepalive = 30*time.Second, 100*time.Second
	s.watch.hear(10 * time.Second)
	due(40 * time.Second)
	at = 40 * time.Second
	if err := s.look(); err != nil || len(s.notes) != 1 {
		t.Errorf("at its time: got %v and %d requests", err, len(s.notes))
	}
	s.watch.leaves(openconnect.TypeDPDRequest, at)
	due(55 * time.Second)
	s.watch.hear(41 * time.Second)
	due(71 * time.Second)
	u := &udpSide{}
	u.watch.hear(20 * time.Second)
	s.tunnel.DTLSDPD = 25 * time.Second
	s.dtls.Store(u)
	due(45 * time.Second)
	s.rekeyAt = 42 * time.Second
	due(42 * time.Second)
	s.rekeyAt, s.tunnel.DPD, s.tunnel.DTLSDPD = 0, 0, 0
	due(100 * time.Second)
}
