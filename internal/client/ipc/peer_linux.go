package ipc

import "golang.org/x/sys/unix"

// DefaultPath is where the daemon listens.
const DefaultPath = "/run/skyconnect/daemon.sock"

func peerUID(fd int) (uint32, error) {
	c, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return 0, err
	}
	return c.Uid, nil
}
