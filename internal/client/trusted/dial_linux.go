package trusted

import (
	"context"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// dialBy binds to the interface, so that rules and routes of a tunnel do not take
// the question to the other side (socket(7), SO_BINDTODEVICE).
func dialBy(ctx context.Context, by, address string) (net.Conn, error) {
	d := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		var err error
		if e := raw.Control(func(fd uintptr) { err = unix.BindToDevice(int(fd), by) }); e != nil {
			return e
		}
		return err
	}}
	return d.DialContext(ctx, "tcp", address)
}
