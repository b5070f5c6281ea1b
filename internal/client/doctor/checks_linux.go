package doctor

import (
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const (
	tunPath    = "/dev/net/tun"
	resolvConf = "/etc/resolv.conf"
)

// tunDevice opens the device as the service would, and makes no tunnel. That this
// user may not is no matter: the service is root.
func tunDevice() Check {
	fd, err := unix.Open(tunPath, unix.O_RDWR|unix.O_CLOEXEC, 0)
	switch {
	case err == nil:
		_ = unix.Close(fd)
		return tunFile()
	case errors.Is(err, unix.EACCES):
		return tunFile()
	case errors.Is(err, unix.EPERM): // of the container
		return fail("tun_closed", err)
	}
	return fail("no_tun", err) // there is none, or no driver behind it
}

func tunFile() Check {
	if i, err := os.Stat(tunPath); err != nil || i.Mode()&fs.ModeCharDevice == 0 {
		return fail("no_tun", err)
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
	if fixed(resolvConf) {
		return warn("resolv_conf_fixed")
	}
	return Check{State: OK, With: with([]string{"by", resolvConf})}
}

// fixed tells whether nobody, root neither, can put another file in the place of
// this one: its system is read-only, it is immutable (chattr +i), or mounted.
func fixed(path string) bool {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err == nil && s.Flags&unix.ST_RDONLY != 0 {
		return true
	}
	var x unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, path, 0, unix.STATX_TYPE, &x)
	return err == nil && x.Attributes&(unix.STATX_ATTR_IMMUTABLE|unix.STATX_ATTR_MOUNT_ROOT) != 0
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

// routed tells whether the kernel knows a way to an address at all.
func routed(to netip.Addr) bool {
	_, err := netlink.RouteGet(to.AsSlice())
	return err == nil
}

// astray tells whether packets to an address leave by another link than packets to
// the internet, and by which route.
func astray(to netip.Addr) (route, link string, yes bool) {
	found, err := netlink.RouteGetWithOptions(to.AsSlice(), &netlink.RouteGetOptions{FIBMatch: true})
	if err != nil || len(found) == 0 || isDefault(found[0]) {
		return "", "", false
	}
	family := netlink.FAMILY_V4
	if to.Is6() {
		family = netlink.FAMILY_V6
	}
	all, err := netlink.RouteListFiltered(family, &netlink.Route{Table: unix.RT_TABLE_MAIN}, netlink.RT_FILTER_TABLE)
	if err != nil {
		return "", "", false
	}
	for _, r := range all {
		if isDefault(r) && r.LinkIndex != found[0].LinkIndex {
			yes = true
		}
	}
	l, err := netlink.LinkByIndex(found[0].LinkIndex)
	if err != nil {
		return "", "", false
	}
	return found[0].Dst.String(), l.Attrs().Name, yes
}

func isDefault(r netlink.Route) bool {
	if r.Dst == nil {
		return true
	}
	bits, _ := r.Dst.Mask.Size()
	return bits == 0
}
