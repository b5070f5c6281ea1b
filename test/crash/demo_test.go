//go:build fault

package crash

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/app"
	"github.com/skybridge-cloud/skybridge/internal/app/walk"
	"github.com/skybridge-cloud/skybridge/internal/platform/config"
)

// demo is a running demonstration whose fault points can be armed.
type demo struct {
	data, armed string
	cmd         *exec.Cmd
	log         *logbook
}

// startDemo runs `skybridge serve --demo` and waits until it is ready.
func startDemo(t *testing.T) *demo {
	t.Helper()
	data, err := os.MkdirTemp("", "data") // t.TempDir is too long for the path of a socket
	if err != nil {
		t.Fatal(err)
	}
	d := &demo{data: data, armed: t.TempDir(), log: &logbook{}}
	d.cmd = exec.Command(os.Getenv(binaryVar), "serve", "--demo", "--data", d.data)
	d.cmd.Env = append(os.Environ(), "SKYBRIDGE_FAULT_DIR="+d.armed)
	d.cmd.Stdout, d.cmd.Stderr = d.log, d.log
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		d.stop(t)
		if t.Failed() {
			t.Logf("the demonstration said:\n%s", d.log)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := until(ctx, func() bool { return strings.Contains(d.log.String(), "Skybridge is ready") }); err != nil {
		t.Fatalf("the demonstration is not ready: %v", err)
	}
	return d
}

// stop ends the demonstration in order; the second time does nothing.
func (d *demo) stop(t *testing.T) {
	t.Helper()
	if d.cmd.ProcessState != nil {
		return
	}
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	if err := d.cmd.Wait(); err != nil {
		t.Errorf("the demonstration ended with %v", err)
	}
}

// options are those of a walk through the demonstration.
func (d *demo) options(t *testing.T) walk.Options {
	t.Helper()
	o, err := app.WalkOptions(config.Config{Data: d.data}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// arm has the next process that comes to a point die there.
func (d *demo) arm(points ...string) error {
	for _, p := range points {
		if err := os.WriteFile(filepath.Join(d.armed, p), nil, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// fired waits until every armed point has killed its process.
func (d *demo) fired(ctx context.Context) error {
	var left []os.DirEntry
	ctx, cancel := context.WithTimeout(ctx, 40*time.Second)
	defer cancel()
	err := until(ctx, func() bool {
		left, _ = os.ReadDir(d.armed)
		return len(left) == 0
	})
	if err != nil {
		return fmt.Errorf("nobody came to the points %v: %w", left, err)
	}
	return nil
}

// kill ends a process of the demonstration as a power cut would and waits
// until another one runs in its place.
func (d *demo) kill(ctx context.Context, name string) error {
	pid := d.process(name)
	if pid == 0 {
		return fmt.Errorf("no process %s runs", name)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		return err
	}
	return until(ctx, func() bool {
		next := d.process(name)
		return next != 0 && next != pid
	})
}

// process finds a child of the demonstration by the command that it runs.
func (d *demo) process(name string) int {
	all, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range all {
		raw, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		args := strings.Split(string(raw), "\x00")
		if slices.Contains(args[:min(2, len(args))], name) && filepath.Base(args[0]) == filepath.Base(os.Getenv(binaryVar)) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			return pid
		}
	}
	return 0
}

// run runs a command of the program on the stopped demonstration's data.
func (d *demo) run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command(os.Getenv(binaryVar), append(args, "--demo", "--data", d.data)...).CombinedOutput()
	if err != nil {
		t.Errorf("%v: %v: %s", args, err, out)
	}
	return string(out)
}

// until asks every 50 ms until the answer is yes.
func until(ctx context.Context, ask func() bool) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !ask() {
		select {
		case <-ctx.Done():
			return errors.New("gave up waiting")
		case <-tick.C:
		}
	}
	return nil
}

// logbook keeps what processes print.
type logbook struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
