package agent

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
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
	busy.BytesIn = 50
	check("one moved at once", send(idle, busy), 0)
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

// TestTenThousandSessionsAreReportedInParts has all of them busy, and as long
// words for everything as there may be.
func TestTenThousandSessionsAreReportedInParts(t *testing.T) {
	t.Parallel()
	const sessions, limit = 10_000, 2 << 20 // of the 16 MB that control takes
	l := &fakeLink{up: true}
	r := newReporter(testConfig(), open(t, t.TempDir()), l)
	at := clock.NewFake(time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC))
	r.clock = at
	live := make([]gwlink.Counters, sessions)
	for i := range live {
		live[i] = gwlink.Counters{
			Session: fmt.Sprintf("ses_%026d", i), BytesIn: math.MaxUint64, BytesOut: math.MaxUint64 - 10, PacketsIn: math.MaxUint64,
			PacketsOut: math.MaxUint64, Transport: "detached", Client: strings.Repeat("<", 128), // which JSON makes longer
		}
	}
	told := map[string]int{}
	const rounds = 3
	for n := range rounds * sessions / maxLive {
		for i := range live {
			live[i].BytesOut--
		}
		at.Advance(reportEvery)
		r.send(t.Context(), snapshot{live: live})
		rep := l.reports[n]
		if body, err := json.Marshal(rep); err != nil || len(body) > limit {
			t.Errorf("report %d: got %d bytes, %v, want %d at most", n, len(body), err, limit)
		}
		for _, c := range rep.Live {
			told[c.Session]++
		}
	}
	for _, c := range live {
		if told[c.Session] != rounds {
			t.Fatalf("%s was told %d times in %d rounds", c.Session, told[c.Session], rounds)
		}
	}
}

// TestManyClosingsGoInSeveralReports one behind the other, without a wait.
func TestManyClosingsGoInSeveralReports(t *testing.T) {
	t.Parallel()
	l := &fakeLink{up: true}
	r := newReporter(testConfig(), open(t, t.TempDir()), l)
	for i := range maxEntries + 1 {
		r.closed[fmt.Sprint(i)] = gwlink.SessionClosed{Session: fmt.Sprint(i)}
	}
	for i, want := range []int{maxEntries, 1} {
		r.send(t.Context(), snapshot{})
		if got := len(l.reports[i].Closed); got != want || len(r.wake) != 1-i {
			t.Errorf("report %d: got %d closings, %d wake-ups", i, got, len(r.wake))
		}
		select {
		case <-r.wake:
		default:
		}
	}
}
