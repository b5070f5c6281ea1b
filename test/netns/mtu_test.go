//go:build netns

package netns

import (
	"os/exec"
	"strings"
	"testing"
)

// pinged is what a ping from the LAN host hears when its packets do not fit.
func (l *lab) pinged(addr string, args ...string) string {
	args = append([]string{"netns", "exec", l.id + "l", "ping", "-n", "-c2", "-i0.2", "-W2"}, append(args, addr)...)
	out, _ := exec.Command("ip", args...).CombinedOutput()
	return string(out)
}

// forgets makes the LAN host forget what it heard of paths.
func (l *lab) forgets() {
	l.ip("-n", l.id+"l", "route", "flush", "cache")
	l.ip("-n", l.id+"l", "-6", "route", "flush", "cache")
}

// TestPacketsLongerThanAClientsTunnel has a client that says of itself that its
// path is narrow, behind a device that takes more. Hosts in the VPC are told so
// where they ask for it, packets are cut where they let it, and TCP does not
// need either.
func TestPacketsLongerThanAClientsTunnel(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{"tls": {"--no-dtls"}, "dtls": nil} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			l.withIPv6()
			l.want()
			l.startNode()
			c := l.connect(password, append(args, "--base-mtu=1350")...)
			if args == nil {
				c.says("Established DTLS connection")
			}
			c.says("X-CSTP-MTU: 1284")
			c.says("SCRIPT connected 10.98.0.2 fd00:98::2")
			l.until("the client answers", func() bool { return l.pings("l", "10.98.0.2") && l.pings("l", "fd00:98::2") })
			if got := l.pinged("10.98.0.2", "-s1320", "-Mdo"); !strings.Contains(got, "mtu = 1284") && !strings.Contains(got, "mtu=1284") {
				t.Errorf("IPv4 with DF: the sender heard %s", got)
			}
			l.forgets()
			if got := l.pinged("fd00:98::2", "-s1320", "-Mdo"); !strings.Contains(got, "mtu=1284") && !strings.Contains(got, "mtu = 1284") {
				t.Errorf("IPv6: the sender heard %s", got)
			}
			l.forgets()
			l.until("a packet that may be cut is answered", func() bool { return l.pings("l", "10.98.0.2", "-s1320", "-Mdont") })
			l.until("a sender of IPv6 that cuts by itself is answered", func() bool { return l.pings("l", "fd00:98::2", "-s1320") })
			l.forgets()
			l.transfer(4 << 20)
			l.transferBetween("c", "l", lanAddr6, 4<<20)
			l.transferBetween("l", "c", "10.98.0.2", 4<<20)
		})
	}
}
