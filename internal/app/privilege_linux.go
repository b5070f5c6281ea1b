package app

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// dropped marks, in the environment, a process that has given its rights up.
const dropped = "SKYBRIDGE_PRIVILEGES_DROPPED"

// DropPrivileges gives up what the control plane does not need: it moves no
// packet and has no CAP_NET_ADMIN. A process with more than
// CAP_NET_BIND_SERVICE replaces itself by one that has that alone and cannot
// get more back, not even as root; the rights of its user stay, so that it
// reads its files.
//
// Capabilities are a thread's, so they are taken from one thread that then
// becomes the whole process by exec.
func DropPrivileges() error {
	if os.Getenv(dropped) != "" || !netAdmin() {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	runtime.LockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("giving up privileges: %w", err)
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	const keep = 1 << unix.CAP_NET_BIND_SERVICE
	data := [2]unix.CapUserData{{Effective: keep, Permitted: keep, Inheritable: keep}}
	if err := unix.Capset(&header, &data[0]); err != nil {
		return fmt.Errorf("giving up capabilities: %w", err)
	}
	return unix.Exec(self, os.Args, append(os.Environ(), dropped+"=1"))
}
