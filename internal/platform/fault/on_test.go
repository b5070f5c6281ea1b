//go:build fault

package fault

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// TestVictim comes to a point in a process that may be killed there.
func TestVictim(t *testing.T) {
	if os.Getenv("SKYBRIDGE_TEST_VICTIM") != "" {
		Point("a-point")
		Point("another-point")
	}
}

func TestAPointKillsWhenChosenOrOnceWhenArmed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "another-point"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, env string
		killed    bool
	}{
		{"nothing is chosen", "", false},
		{"another name is chosen", "SKYBRIDGE_FAULT=point", false},
		{"the name is chosen", "SKYBRIDGE_FAULT=a-point", true},
		{"armed", "SKYBRIDGE_FAULT_DIR=" + dir, true},
		{"armed no more", "SKYBRIDGE_FAULT_DIR=" + dir, false},
	} {
		if got := dies(t, c.env); got != c.killed {
			t.Errorf("%s: killed %v, want %v", c.name, got, c.killed)
		}
	}
}

func dies(t *testing.T, env string) bool {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^TestVictim$")
	cmd.Env = append(os.Environ(), "SKYBRIDGE_TEST_VICTIM=1", env)
	err = cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		if err != nil {
			t.Fatal(err)
		}
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signal() == syscall.SIGKILL
}
