package client

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/skybridge-cloud/skybridge/internal/netio"
)

// control gives sockets the mark, nil if there is none.
func (c Config) control() func(network, address string, raw syscall.RawConn) error {
	if c.Mark == 0 {
		return nil
	}
	return func(_, _ string, raw syscall.RawConn) error {
		var err error
		if e := raw.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_MARK, int(c.Mark))
		}); e != nil {
			return e
		}
		return err
	}
}

// pathMTU is what the system knows of the way to the server: at least 1280 and
// at most an Ethernet's, which is taken when it knows nothing.
func pathMTU(conn *netio.Conn, v6 bool) int {
	const least, most = 1280, 1500
	c, ok := conn.Conn.(*net.TCPConn)
	if !ok {
		return most
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return most
	}
	mtu := most
	level, option := unix.IPPROTO_IP, unix.IP_MTU
	if v6 {
		level, option = unix.IPPROTO_IPV6, unix.IPV6_MTU
	}
	_ = raw.Control(func(fd uintptr) {
		if n, err := unix.GetsockoptInt(int(fd), level, option); err == nil {
			mtu = n
		}
	})
	return min(max(mtu, least), most)
}
