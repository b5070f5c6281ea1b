package client

import (
	"errors"
	"net"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/skybridge-cloud/skybridge/internal/netio"
)

// control gives sockets the mark and the segment, nil if there is neither.
func (c Config) control() func(network, address string, raw syscall.RawConn) error {
	if c.Mark == 0 && c.Segment == 0 {
		return nil
	}
	return func(_, _ string, raw syscall.RawConn) error {
		var err error
		if e := raw.Control(func(fd uintptr) { err = c.setOptions(int(fd)) }); e != nil {
			return e
		}
		return err
	}
}

func (c Config) setOptions(fd int) error {
	var mark, segment error
	if c.Mark != 0 {
		mark = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_MARK, int(c.Mark))
	}
	if c.Segment != 0 {
		segment = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_MAXSEG, c.Segment)
	}
	return errors.Join(mark, segment)
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
