package netio

import "golang.org/x/sys/unix"

// forbidFragments sets DF: path MTU probes would lie without. A system that lacks
// it finds a smaller MTU than there is.
func forbidFragments(fd uintptr, v6 bool) {
	if v6 {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_DONTFRAG, 1)
		return
	}
	_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_DONTFRAG, 1)
}

// again is for errors that are about a datagram sent before: none here, whose
// port is connected to nobody.
func again(error) bool { return false }
