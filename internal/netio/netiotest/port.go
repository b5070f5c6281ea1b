// Package netiotest finds ports for the tests of every package whose code
// listens where its configuration says, so that "any free port" is no answer.
package netiotest

import (
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
)

// Ports that tests take: below what the kernel gives to outgoing connections
// and to listeners that ask for any port (Linux: ip_local_port_range, from
// 32768), above what services of a machine use.
const first, last = 20000, 32000

// FreePort finds a port where nothing listens, on any address, by TCP and UDP. The kernel
// gives it to nobody on its own, so it is free still when the test binds it, on
// whichever address.
func FreePort(t testing.TB) int {
	t.Helper()
	for range 100 {
		port := first + rand.IntN(last-first) //nolint:gosec // no secret
		if free(port) {
			return port
		}
	}
	t.Fatal("no free port found")
	return 0
}

func free(port int) bool {
	address := net.JoinHostPort("", strconv.Itoa(port))
	l, err := net.Listen("tcp", address)
	if err != nil {
		return false
	}
	defer func() { _ = l.Close() }()
	p, err := net.ListenPacket("udp", address)
	if err != nil {
		return false
	}
	return p.Close() == nil
}
