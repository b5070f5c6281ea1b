//go:build netns && long

package netns

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// soakFor is how long the soak goes on; SOAK changes it ("2m", "12h").
const soakFor = 10 * time.Minute

// warm is after how many rounds the pools of buffers are as large as they get.
const warm = 40

// TestSoak has a stock client come, work, and leave in every way there is, for
// as long as there is time: in the end the node holds no more memory, files and
// threads than after the first rounds, when the pools of buffers were filled.
func TestSoak(t *testing.T) {
	span := soakFor
	if s := os.Getenv("SOAK"); s != "" {
		var err error
		if span, err = time.ParseDuration(s); err != nil {
			t.Fatal(err)
		}
	}
	l, ctl := controlled(t)
	ctl.maxSessions = 4
	var before held
	rounds := 0
	for end := time.Now().Add(span); time.Now().Before(end); rounds++ {
		l.round(rounds)
		if rounds == warm {
			before = l.held()
		}
	}
	if rounds < 2*warm {
		t.Fatalf("only %d rounds in %s", rounds, span)
	}
	after := l.held()
	t.Logf("%d rounds: %v warm, %v in the end", rounds, before, after)
	if after.resident > before.resident*3/2+32<<20 || after.files > before.files+12 || after.threads > before.threads+8 {
		t.Errorf("the node grew: %v after %d rounds, %v after %d", before, warm, after, rounds)
	}
}

// round is one visit of a client.
func (l *lab) round(n int) {
	l.t.Helper()
	var args []string
	if n%3 == 1 {
		args = []string{"--no-dtls"}
	}
	c := l.connect(password, args...)
	c.says("SCRIPT connected 10.98.0.")
	l.transfer(4 << 20)
	switch n % 4 {
	case 0:
		c.signal(syscall.SIGINT)
	case 1:
		c.signal(syscall.SIGUSR2)
		c.says("SCRIPT reconnected 10.98.0.")
		l.transfer(1 << 20)
		c.signal(syscall.SIGINT)
	case 2:
		c.signal(syscall.SIGHUP) // keeps the session; the limit of sessions ends it
	case 3:
		c.signal(syscall.SIGKILL)
	}
	c.ended()
	if err := os.Remove(filepath.Join(l.dir, c.log)); err != nil {
		l.t.Fatal(err)
	}
}

// held is what the node holds of the system.
type held struct{ resident, files, threads int }

func (l *lab) held() (h held) {
	l.t.Helper()
	proc := fmt.Sprintf("/proc/%d/", l.node.Process.Pid)
	status, err := os.ReadFile(proc + "status")
	if err != nil {
		l.t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		switch f[0] {
		case "VmRSS:":
			h.resident, _ = strconv.Atoi(f[1])
			h.resident <<= 10
		case "Threads:":
			h.threads, _ = strconv.Atoi(f[1])
		}
	}
	files, err := os.ReadDir(proc + "fd")
	if err != nil {
		l.t.Fatal(err)
	}
	h.files = len(files)
	return h
}
