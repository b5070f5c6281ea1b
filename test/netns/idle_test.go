//go:build netns && long

package netns

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestAnIdleClientCostsNothing holds skyconnect's daemon with an idle tunnel to 30
// MB of memory and one voluntary context switch a second, over a minute.
func TestAnIdleClientCostsNothing(t *testing.T) {
	l := newLab(t)
	l.server.DPD = 90
	l.want()
	l.startNode()
	p := l.person()
	p.ready()
	p.mustUp()
	l.until("data goes by DTLS", func() bool { return p.now().Channel == "dtls" })
	time.Sleep(20 * time.Second) // the MTU is found, the collector has run
	const minute = 60 * time.Second
	before := switches(t, p.daemon.Process.Pid)
	time.Sleep(minute)
	rate := float64(switches(t, p.daemon.Process.Pid)-before) / minute.Seconds()
	megabytes := float64(field(t, fmt.Sprintf("/proc/%d/status", p.daemon.Process.Pid), "VmRSS")) / 1024
	t.Logf("%.1f MB resident, %.2f voluntary context switches a second", megabytes, rate)
	if megabytes > 30 || rate > 1 {
		t.Errorf("%.1f MB and %.2f switches a second, want 30 and 1 at most", megabytes, rate)
	}
}

// switches is how often the threads of a process waited for something so far.
func switches(t *testing.T, pid int) (n int64) {
	t.Helper()
	all, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil || len(all) == 0 {
		t.Fatalf("no threads of %d: %v", pid, err)
	}
	for _, path := range all {
		n += field(t, path, "voluntary_ctxt_switches")
	}
	return n
}

func field(t *testing.T, path, name string) (n int64) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			if _, err := fmt.Sscan(rest, &n); err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("%s has no %s", path, name)
	return 0
}
