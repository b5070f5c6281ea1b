package agent

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/sslvpn"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
)

// TestIdleSessionsAreReportedSeldom: what moved goes with every report, what did
// not now and then, and nothing counts as told that control has not taken.
func TestIdleSessionsAreReportedSeldom(t *testing.T) {
	t.Parallel()
	l := &fakeLink{}
	r := newReporter(testConfig(), open(t, t.TempDir()), l)
	at := clock.NewFake(time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC))
	r.clock = at
	idle, busy := gwlink.Counters{Session: "ses_1"}, gwlink.Counters{Session: "ses_2"}
	send := func(live ...gwlink.Counters) (sessions []string) {
		r.send(t.Context(), snapshot{live: live})
		for _, c := range l.reports[len(l.reports)-1].Live {
			sessions = append(sessions, c.Session)
		}
		return sessions
	}
	check := func(when string, got []string, want int) {
		t.Helper()
		if len(got) != want {
			t.Errorf("%s: got %v, want %d sessions", when, got, want)
		}
	}
	r.send(t.Context(), snapshot{live: []gwlink.Counters{idle, busy}})
	l.up = true
	check("after one that was not taken", send(idle, busy), 2)
	at.Advance(reportEvery)
	busy.BytesIn = 100
	check("one moved", send(idle, busy), 1)
	at.Advance(idleEvery)
	check("after a time", send(idle, busy), 2)
	check("one is gone", send(busy), 0)
	if len(r.known) != 1 {
		t.Errorf("got %d sessions remembered, want the one that lives", len(r.known))
	}
	check("and back", send(idle, busy), 1)
}

func TestIdleSessionsAreNotWrittenAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := newReporter(testConfig(), open(t, dir), &fakeLink{})
	rec := sslvpn.Record{Session: "ses_1"}
	if err := r.Opened(rec); err != nil {
		t.Fatal(err)
	}
	rec.BytesIn = 7
	r.saveCounters([]sslvpn.Record{rec})
	path := filepath.Join(dir, "session", "ses_1.sealed")
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
	r.saveCounters([]sslvpn.Record{rec})
	info, err := os.Stat(path)
	if err != nil || time.Since(info.ModTime()) < 30*time.Minute {
		t.Errorf("got it written again, %v", err)
	}
	rec.BytesOut = 1
	r.saveCounters([]sslvpn.Record{rec})
	if info, err = os.Stat(path); err != nil || time.Since(info.ModTime()) > 30*time.Minute {
		t.Errorf("got new counters not written, %v", err)
	}
}
