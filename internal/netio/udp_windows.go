package netio

import (
	"errors"

	"golang.org/x/sys/windows"
)

// dontFragment is IP_DONTFRAGMENT of ws2ipdef.h, and IPV6_DONTFRAG, which has the
// same number.
const dontFragment = 14

// forbidFragments sets DF: path MTU probes would lie without. A system that lacks
// it finds a smaller MTU than there is.
func forbidFragments(fd uintptr, v6 bool) {
	level := windows.IPPROTO_IP
	if v6 {
		level = windows.IPPROTO_IPV6
	}
	_ = windows.SetsockoptInt(windows.Handle(fd), level, dontFragment, 1)
}

// again is for errors that are about a datagram sent before, which an ICMP
// message came back for: this system tells them to who receives next.
func again(err error) bool {
	return errors.Is(err, windows.WSAECONNRESET) || errors.Is(err, windows.WSAENETRESET) || errors.Is(err, windows.WSAEMSGSIZE)
}
