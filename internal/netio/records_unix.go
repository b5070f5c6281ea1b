//go:build unix

package netio

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// rawOf is a connection's descriptor, nil if it has none.
func rawOf(c net.Conn) syscall.RawConn {
	if s, ok := c.(syscall.Conn); ok {
		if raw, err := s.SyscallConn(); err == nil {
			return raw
		}
	}
	return nil
}

func readFD(fd uintptr, p []byte) (int, error) { return unix.Read(int(fd), p) }
