package doctor

import (
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	tunPath    = "/dev/net/tun"
	resolvConf = "/etc/resolv.conf"
)

func tunDevice() Check {
	i, err := os.Stat(tunPath)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fail("no_tun", err)
	case err != nil:
		return fail("tun_closed", err)
	case i.Mode()&fs.ModeCharDevice == 0:
		return fail("no_tun", nil)
	}
	return ok()
}

// resolver says what a connection would set names with.
func resolver() Check {
	if target, err := os.Readlink(resolvConf); err == nil && strings.Contains(target, "systemd/resolve") {
		return Check{State: OK, With: with([]string{"by", "systemd-resolved"})}
	}
	if _, err := os.Stat(resolvConf); err != nil {
		return warn("no_resolv_conf")
	}
	var s unix.Statfs_t
	if err := unix.Statfs(resolvConf, &s); err == nil && s.Flags&unix.ST_RDONLY != 0 {
		return warn("resolv_conf_fixed")
	}
	return Check{State: OK, With: with([]string{"by", resolvConf})}
}

// pathMTU is what the kernel believes of the path; it sends nothing.
func pathMTU(to netip.AddrPort) (int, error) {
	c, err := net.Dial("udp", to.String())
	if err != nil {
		return 0, err
	}
	defer func() { _ = c.Close() }()
	raw, err := c.(*net.UDPConn).SyscallConn()
	if err != nil {
		return 0, err
	}
	n, inner := 0, error(nil)
	err = raw.Control(func(fd uintptr) {
		if to.Addr().Is4() {
			n, inner = unix.GetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_MTU)
		} else {
			n, inner = unix.GetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_MTU)
		}
	})
	return n, errors.Join(err, inner)
}

func refused(err error) bool { return errors.Is(err, unix.ECONNREFUSED) }
