package ipc

import "golang.org/x/sys/unix"

// DefaultPath is where the daemon listens.
const DefaultPath = "/var/run/skyconnect/daemon.sock"

// peerUID is untested: no machine of this system is at hand.
func peerUID(fd int) (uint32, error) {
	c, err := unix.GetsockoptXucred(fd, unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
	if err != nil {
		return 0, err
	}
	return c.Uid, nil
}
