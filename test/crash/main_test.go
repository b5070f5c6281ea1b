//go:build fault

package crash

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/vishvananda/netlink"
)

// binaryVar names the program built with fault points; it is set in the
// process that runs the tests.
const binaryVar = "SKYBRIDGE_TEST_CRASH_BINARY"

// TestMain builds the program and runs the tests in namespaces of their own.
func TestMain(m *testing.M) {
	if os.Getenv(binaryVar) == "" {
		os.Exit(apart())
	}
	if err := settle(); err != nil {
		fmt.Fprintln(os.Stderr, "settling in:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// apart runs this test again in new namespaces. The process there is the first
// of its process namespace: with it ends whatever it started.
func apart() int {
	if os.Geteuid() != 0 {
		fmt.Fprintln(os.Stderr, "these tests make network namespaces and need root")
		return 1
	}
	dir, err := os.MkdirTemp("", "skybridge-crash-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "skybridge")
	build := exec.Command("go", "build", "-tags", "fault", "-o", binary, "../../cmd/skybridge")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return 1
	}
	runtime.LockOSThread() // Pdeathsig is of the thread
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), binaryVar+"="+binary, "TMPDIR="+dir)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID,
		Pdeathsig:  syscall.SIGKILL,
	}
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return max(1, exit.ExitCode())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// settle gives the new namespaces what programs expect: their own /proc, an
// empty list of named network namespaces, and a loopback that is up.
func settle() error {
	if err := os.MkdirAll("/run/netns", 0o755); err != nil {
		return err
	}
	err := errors.Join(
		syscall.Mount("none", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""),
		syscall.Mount("proc", "/proc", "proc", 0, ""),
		syscall.Mount("none", "/run/netns", "tmpfs", 0, ""),
	)
	if err != nil {
		return err
	}
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	return netlink.LinkSetUp(lo)
}
