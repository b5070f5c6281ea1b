//go:build fault

package faulttest

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// Dir is the variable that names the directory in which a victim works. A test
// that is a victim does nothing where it is not set.
const Dir = "SKYBRIDGE_TEST_VICTIM_DIR"

// Kill runs the test named victim of this binary in a process of its own, with
// more of an environment, and fails t unless it was killed at the point.
func Kill(t *testing.T, victim, point string, env ...string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self, "-test.run=^"+victim+"$")
	c.Env = append(append(os.Environ(), "SKYBRIDGE_FAULT="+point), env...)
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		t.Fatalf("the victim of %s ended by itself: %v, %s", point, err, out)
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Fatalf("the victim of %s was not killed: %v, %s", point, err, strings.TrimSpace(string(out)))
	}
}
