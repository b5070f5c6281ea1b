//go:build netns

package netns

import (
	"net/netip"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
)

// applied waits until the node says that it runs the generation wanted last.
func (l *lab) applied(ctl *control) {
	l.t.Helper()
	l.until("the change is applied", func() bool {
		return ctl.reported(func(r gwlink.Report) bool {
			return len(r.Gateways) == 1 && r.Gateways[0].Generation == l.gen && r.Gateways[0].State == "applied"
		})
	})
}

// lives checks that a stock client's tunnel carries data, and that neither end
// made a new one.
func (l *lab) lives(c *client, session string) {
	l.t.Helper()
	l.transfer(1 << 20)
	if l.session() != session || strings.Contains(l.log("node.log"), "session closed") || strings.Contains(l.log(c.log), "SCRIPT reconnected") {
		l.t.Errorf("the session did not live through the change:\n%s", l.log(c.log))
	}
}

// TestAnUpgradeEndsNoSession raises rates and the number of connections of a
// gateway while a stock client is connected, over DTLS and over TLS.
func TestAnUpgradeEndsNoSession(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{"tls": {"--no-dtls"}, "dtls": nil} {
		t.Run(name, func(t *testing.T) {
			l, ctl := controlled(t)
			ctl.maxSessions = 2
			d := l.desired()
			d.Gateways[0].UpRate, d.Gateways[0].DownRate, d.Gateways[0].SessionLimit = 5_000_000, 5_000_000, 1
			ctl.set(d)
			c := l.connect(password, args...)
			c.says("SCRIPT connected 10.98.0.2")
			if name == "dtls" {
				c.says("Established DTLS connection")
			}
			l.transfer(1 << 20)
			session := l.session()
			full := l.connect(password, "--no-dtls", "--script=true", "--interface=tun1")
			full.says("HTTP/1.1 503")
			full.ended()

			d = l.desired()
			d.Gateways[0].UpRate, d.Gateways[0].DownRate, d.Gateways[0].SessionLimit = 50_000_000, 50_000_000, 2
			ctl.set(d)
			l.applied(ctl)
			l.lives(c, session)
			second := l.connect(password, "--no-dtls", "--script=true", "--interface=tun1")
			second.says("Got CONNECT response: HTTP/1.1 200")
			second.signal(syscall.SIGINT)
			second.ended()
		})
	}
}

// TestOtherSettingsEndNoSession changes a server's name, local subnets and
// timers while a stock client is connected: the filter changes at once, the
// session lives.
func TestOtherSettingsEndNoSession(t *testing.T) {
	t.Parallel()
	l, ctl := controlled(t)
	c := l.connect(password)
	c.says("Established DTLS connection")
	c.says("SCRIPT connected 10.98.0.2")
	l.transfer(1 << 20)
	session := l.session()
	l.server.Name, l.server.Keepalive, l.server.Banner = "renamed", 60, "Another banner"
	l.server.LocalSubnets = append(l.server.LocalSubnets, netip.MustParsePrefix("10.96.0.0/24"))
	ctl.set(l.desired())
	l.applied(ctl)
	l.lives(c, session)
}

// TestAMoveToAnotherVPCEndsNoSession puts the host of the VPC behind another
// bridge and moves the gateway after it, while a stock client is connected.
func TestAMoveToAnotherVPCEndsNoSession(t *testing.T) {
	t.Parallel()
	l, ctl := controlled(t)
	c := l.connect(password)
	c.says("Established DTLS connection")
	c.says("SCRIPT connected 10.98.0.2")
	l.transfer(1 << 20)
	session := l.session()
	g := l.id + "g"
	l.ip("-n", g, "link", "set", "g1", "master", "br1")
	d := l.desired()
	d.Gateways[0].Network = "other"
	ctl.set(d)
	l.applied(ctl)
	l.lives(c, session)
	if got := l.output("-n", g, "link", "show", "master", "br0"); strings.TrimSpace(got) != "" {
		t.Errorf("the former bridge still has %s", got)
	}
}

// TestUDPIsTurnedOffAndOnUnderASession: the stock client goes on by TLS when DTLS
// is turned off, and has it back with its next tunnel when it is turned on.
func TestUDPIsTurnedOffAndOnUnderASession(t *testing.T) {
	t.Parallel()
	l, ctl := controlled(t)
	c := l.connect(password)
	c.says("Established DTLS connection")
	c.says("SCRIPT connected 10.98.0.2")
	l.transfer(1 << 20)
	session := l.session()
	listens := func() bool {
		return strings.Contains(l.output("netns", "exec", l.id+"g", "ss", "-Hlun"), nodeAddr+":443")
	}
	l.server.UDP = false
	ctl.set(l.desired())
	l.applied(ctl)
	c.reconnects(1)
	l.transfer(1 << 20)
	if listens() || strings.Count(l.log(c.log), "X-DTLS-App-ID") != 1 {
		t.Errorf("turned off: UDP port open %v, log:\n%s", listens(), l.log(c.log))
	}
	l.server.UDP = true
	ctl.set(l.desired())
	l.applied(ctl)
	if !listens() {
		t.Error("turned on: the UDP port is closed")
	}
	c.signal(syscall.SIGUSR2)
	c.reconnects(2)
	l.until("DTLS is back", func() bool { return strings.Count(l.log(c.log), "Established DTLS connection") == 2 })
	l.transfer(1 << 20)
	if l.session() != session || strings.Contains(l.log("node.log"), "session closed") {
		t.Error("the session did not live through the changes")
	}
}

// TestClientsReachOneAnotherWhileTheyMay has two stock clients in places of their
// own: they reach each other only while isolation is off, which changes under
// their sessions.
func TestClientsReachOneAnotherWhileTheyMay(t *testing.T) {
	t.Parallel()
	l, ctl := controlled(t)
	ctl.maxSessions = 2
	l.secondPlace()
	l.server.ClientIsolation = false
	ctl.set(l.desired())
	l.applied(ctl)
	first := l.connect(password)
	first.says("SCRIPT connected 10.98.0.2")
	first.says("Established DTLS connection")
	second := l.typingIn("d", []string{password}, nodeAddr, l.pin(), "--non-inter", "--no-dtls")
	second.says("SCRIPT connected 10.98.0.3")
	for _, ns := range []string{"c", "d"} {
		l.ip("-n", l.id+ns, "route", "replace", "10.98.0.0/24", "dev", "tun0")
	}
	both := func() [2]bool { return [2]bool{l.pings("c", "10.98.0.3"), l.pings("d", "10.98.0.2")} }
	if got := both(); got != [2]bool{true, true} {
		t.Errorf("without isolation: got %v", got)
	}
	l.server.ClientIsolation = true
	ctl.set(l.desired())
	l.applied(ctl)
	if got := both(); got != [2]bool{} {
		t.Errorf("isolated: got %v", got)
	}
	l.server.ClientIsolation = false
	ctl.set(l.desired())
	l.applied(ctl)
	if got := both(); got != [2]bool{true, true} {
		t.Errorf("no longer isolated: got %v", got)
	}
	if strings.Contains(l.log("node.log"), "session closed") {
		t.Error("a session did not live through the changes")
	}
}

// secondPlace makes a namespace d for a client at another address.
func (l *lab) secondPlace() {
	l.t.Helper()
	d, g := l.id+"d", l.id+"g"
	l.ip("netns", "add", d)
	l.t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", d).Run() })
	l.ip("link", "add", "d0", "netns", d, "type", "veth", "peer", "name", "g2", "netns", g)
	l.ip("-n", d, "addr", "add", "192.0.2.2/24", "dev", "d0")
	l.ip("-n", g, "addr", "add", "192.0.2.1/24", "dev", "g2")
	for _, x := range [][2]string{{d, "lo"}, {d, "d0"}, {g, "g2"}} {
		l.ip("-n", x[0], "link", "set", x[1], "up")
	}
	l.ip("-n", d, "route", "add", "default", "via", "192.0.2.1")
}
