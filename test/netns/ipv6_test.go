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

const (
	lanAddr6  = "fd00:77::2"
	nodeAddr6 = "2001:db8:51::1"

	clientAddr6 = "2001:db8:51::2"
)

// withIPv6 gives the lab IPv6: in the VPC, in the tunnel and outside.
func (l *lab) withIPv6() {
	c, g, lan := l.id+"c", l.id+"g", l.id+"l"
	l.ip("-n", lan, "addr", "add", lanAddr6+"/64", "dev", "l0", "nodad")
	l.ip("-n", lan, "addr", "add", "fd00:78::2/64", "dev", "l0", "nodad", "preferred_lft", "0") // never a source by itself
	l.ip("-n", lan, "route", "add", "default", "via", "fd00:77::1")
	l.ip("-n", c, "addr", "add", clientAddr6+"/64", "dev", "c0", "nodad")
	l.ip("-n", g, "addr", "add", nodeAddr6+"/64", "dev", "g0", "nodad")
	vpc := l.cfg.Networks["vpc"]
	vpc.Address6 = netip.MustParsePrefix("fd00:77::1/64")
	l.cfg.Networks["vpc"] = vpc
	l.server.Pool6 = netip.MustParsePrefix("fd00:98::/64")
	l.server.LocalSubnets = append(l.server.LocalSubnets, netip.MustParsePrefix("fd00:77::/64"))
}

// pings tells whether an echo request from a namespace is answered.
func (l *lab) pings(ns, addr string, args ...string) bool {
	args = append([]string{"netns", "exec", l.id + ns, "ping", "-c1", "-W2"}, append(args, addr)...)
	return exec.Command("ip", args...).Run() == nil
}

func TestIPv6InsideTheTunnel(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{"tls": {"--no-dtls"}, "dtls": nil} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			l.withIPv6()
			l.want()
			l.startNode()
			c := l.connect(password, args...)
			if name == "dtls" {
				c.says("Established DTLS connection")
			}
			c.says("SCRIPT connected 10.98.0.2 fd00:98::2 ")
			l.ip("-n", l.id+"c", "route", "add", "fd00:98::/64", "dev", "tun0")
			l.until("a LAN host answers", func() bool { return l.pings("c", lanAddr6) })
			l.until("the gateway answers", func() bool { return l.pings("c", "fd00:98::1") })
			l.until("a packet of the MTU is answered", func() bool { return l.pings("c", lanAddr6, "-s", "1300", "-Mdo") })
			l.until("the client answers", func() bool { return l.pings("l", "fd00:98::2") })
			l.until("IPv4 goes on", func() bool { return l.pings("c", lanAddr) })
			l.transferBetween("c", "l", lanAddr6, 10<<20)
			l.transfer(1 << 20)
		})
	}
}

// TestIPv6IsKeptOverReconnectAndRestart has both addresses at the client's next
// connection, and at the next process.
func TestIPv6IsKeptOverReconnectAndRestart(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.withIPv6()
	l.want()
	l.startNode()
	c := l.connect(password)
	c.says("SCRIPT connected 10.98.0.2 fd00:98::2 ")
	c.signal(syscall.SIGUSR2)
	c.says("SCRIPT reconnected 10.98.0.2 fd00:98::2 ")
	l.stopNode(syscall.SIGKILL)
	c.says("Failed to reconnect to host")
	l.startNode()
	l.until("the client is back", func() bool { return l.pings("c", lanAddr6) })
	if n := strings.Count(l.log(c.log), "SCRIPT reconnected 10.98.0.2 fd00:98::2 "); n != 2 {
		t.Errorf("got %d reconnections with both addresses, want 2", n)
	}
}

func TestClientWithoutIPv6GetsNone(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.withIPv6()
	l.want()
	l.startNode()
	c := l.connect(password, "--disable-ipv6")
	c.says("SCRIPT connected 10.98.0.2  mtu")
	l.transfer(1 << 20)
	l.ip("-n", l.id+"c", "addr", "add", "fd00:98::2/128", "dev", "tun0", "nodad") // its lease, but not taken
	l.ip("-n", l.id+"c", "route", "add", "fd00:77::/64", "dev", "tun0")
	if l.pings("c", lanAddr6) {
		t.Error("got an answer over a family that the client refused")
	}
}

func TestSpoofedIPv6SourceIsDropped(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.withIPv6()
	l.want()
	l.startNode()
	c := l.connect(password)
	c.says("SCRIPT connected 10.98.0.2 fd00:98::2 ")
	l.until("the lease is answered", func() bool { return l.pings("c", lanAddr6) })
	l.ip("-n", l.id+"c", "route", "add", "fd00:78::/64", "dev", "tun0")
	if l.pings("c", "fd00:78::2") {
		t.Error("got an answer from outside the local subnets")
	}
	l.ip("-n", l.id+"c", "addr", "add", "fd00:98::9/128", "dev", "tun0", "nodad")
	if l.pings("c", lanAddr6, "-I", "fd00:98::9") {
		t.Error("got an answer with an address that is not the lease")
	}
}

// TestTwoCustomersMayUseTheSameULA is TestTwoCustomersMayUseTheSameAddresses for
// IPv6.
func TestTwoCustomersMayUseTheSameULA(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.withIPv6()
	second := l.secondCustomer()
	vpc := l.cfg.Networks["vpc2"]
	vpc.Address6 = netip.MustParsePrefix("fd00:77::1/64")
	l.cfg.Networks["vpc2"] = vpc
	l.ip("-n", l.id+"m", "addr", "add", lanAddr6+"/64", "dev", "l0", "nodad")
	l.ip("-n", l.id+"m", "route", "add", "default", "via", "fd00:77::1")
	d := l.desired()
	d.Gateways = append(d.Gateways, second)
	l.writeJSON(l.cfg.DesiredFile, d)
	l.startNode()
	l.greet("l", lanAddr6, "first customer")
	l.greet("m", lanAddr6, "second customer")
	for name, want := range map[string]string{"vpn.example.com": "first customer", "vpn.example.net": "second customer"} {
		c := l.connectTo(name, l.pinOf(name), password, "--resolve="+name+":"+nodeAddr)
		c.says("SCRIPT connected 10.98.0.2 fd00:98::2 ")
		if got := l.hear(lanAddr6); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
		_ = c.cmd.Process.Kill() // the next client needs its device
		c.ended()
	}
}

// TestGatewayOverIPv6 reaches the gateway by IPv6 outside: the tunnel has 20
// bytes less.
func TestGatewayOverIPv6(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{"tls": {"--no-dtls"}, "dtls": nil} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			l.withIPv6()
			l.server.MTU = 1500
			l.cfg.Listen = []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}
			l.want()
			l.startNode()
			c := l.connectTo("["+nodeAddr6+"]", l.pin(), password, args...)
			if name == "dtls" {
				c.says("Established DTLS connection")
			}
			c.says("X-CSTP-MTU: 1414")
			c.says("SCRIPT connected 10.98.0.2 fd00:98::2 mtu 14") // a busy machine answers probes late
			l.transferBetween("c", "l", lanAddr6, 10<<20)
			l.transfer(1 << 20)
		})
	}
}

// TestNetworkBehindAClient has a site router: a host behind it is reached from
// the LAN and back, and nobody else may speak for it.
func TestNetworkBehindAClient(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.withIPv6()
	site := l.site()
	behind := []netip.Prefix{netip.MustParsePrefix("192.168.5.0/24"), netip.MustParsePrefix("fd00:5::/64")}
	l.server.Clients = []gwlink.Client{{ID: "sslcli-alice", Routes: behind}}
	l.want()
	l.startNode()
	c := l.connect(password)
	c.says("SCRIPT connected 10.98.0.2 fd00:98::2 ")
	for _, at := range []struct{ site, lan string }{{"192.168.5.2", lanAddr}, {"fd00:5::2", lanAddr6}} {
		l.until("the LAN reaches "+at.site, func() bool { return l.pings("l", at.site) })
		l.transferBetween("l", site, at.site, 1<<20)
		l.transferBetween(site, "l", at.lan, 1<<20)
	}
	l.server.Clients[0].Routes = behind[1:] // changes on the live session
	l.want()
	l.until("the withdrawn network is gone", func() bool { return !l.pings("l", "192.168.5.2") })
	if ln := l.listenAt("l", lanAddr); l.reachableFrom(site, ln.Addr().String()) {
		t.Error("got through from a network that is not routed to the client any more")
	}
	l.until("the network that stays answers", func() bool { return l.pings("l", "fd00:5::2") })
	if got := l.output("-n", l.gateway, "route"); strings.Contains(got, "192.168.5.0") {
		t.Errorf("got a route to the withdrawn network: %s", got)
	}
}

// site puts a host behind the client, which forwards for it.
func (l *lab) site() string {
	c, s := l.id+"c", l.id+"s"
	l.ip("netns", "add", s)
	l.t.Cleanup(func() { l.ip("netns", "del", s) })
	l.ip("link", "add", "s0", "netns", s, "type", "veth", "peer", "name", "c1", "netns", c)
	l.ip("-n", c, "addr", "add", "192.168.5.1/24", "dev", "c1")
	l.ip("-n", c, "addr", "add", "fd00:5::1/64", "dev", "c1", "nodad")
	l.ip("-n", s, "addr", "add", "192.168.5.2/24", "dev", "s0")
	l.ip("-n", s, "addr", "add", "fd00:5::2/64", "dev", "s0", "nodad")
	for _, x := range [][2]string{{c, "c1"}, {s, "s0"}} {
		l.ip("-n", x[0], "link", "set", x[1], "up")
	}
	l.ip("-n", s, "route", "add", "default", "via", "192.168.5.1")
	l.ip("-n", s, "route", "add", "default", "via", "fd00:5::1")
	l.run("ip", "netns", "exec", c, "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
	return "s"
}

// reachableFrom is reachable for any namespace.
func (l *lab) reachableFrom(ns, addr string) bool {
	c, err := l.dial(ns, addr)
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}
