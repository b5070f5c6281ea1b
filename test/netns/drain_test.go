//go:build netns

package netns

import (
	"context"
	"strings"
	"syscall"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
)

// TestADrainingNodeKeepsWhoIsThere: sessions go on and reconnect, also over a
// restart of the node; who is new is told why not.
func TestADrainingNodeKeepsWhoIsThere(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(n *vpn.NewServer) { n.TwoFactor, n.LoginMode = false, vpn.LoginPassword })
	drain := func(on bool) {
		_, err := o.fleet.Drain(context.Background(), o.owner, o.cfg.NodeID, on)
		must(t, err)
	}
	there, s := o.hire(nil)
	late, other := o.hire(func(n *vpn.NewClient) { n.Name = "li.si" })
	in := o.dialAs(there, s.Password)
	in.says("SCRIPT connected 10.98.0.2")
	drain(true)
	refused := o.dialAs(late, other.Password)
	refused.says("HTTP/1.1 503")
	refused.says("X-Reason: This VPN node is being taken out of service and takes no new logins. Try again later.")
	refused.ended()
	o.transfer(1 << 20)
	in.signal(syscall.SIGUSR2)
	in.reconnects(1)
	o.transfer(1 << 20)
	o.stopNode(syscall.SIGTERM)
	in.says("Failed to reconnect to host")
	o.startNode()
	in.reconnects(2)
	o.transfer(1 << 20)
	drain(false)
	again := o.dialAs(late, other.Password, "--cookieonly")
	again.ended()
	if n := len(openedSession.FindAllString(o.log("node.log"), -1)); n != 2 {
		t.Errorf("got %d sessions, want one of each", n)
	}
}

// TestTunnelsGoOnWithoutControl: only who is new cannot be judged.
func TestTunnelsGoOnWithoutControl(t *testing.T) {
	t.Parallel()
	l, ctl := controlled(t)
	in := l.connect(password)
	in.says("Established DTLS connection")
	in.says("SCRIPT connected 10.98.0.2")
	ctl.stop()
	l.transfer(1 << 20)
	late := l.connect(password, "--no-dtls")
	late.says("HTTP/1.1 503")
	late.says("X-Reason: The service is unavailable. Please try again later.")
	late.ended()
	in.signal(syscall.SIGUSR2)
	in.reconnects(1)
	l.transfer(1 << 20)
}

// reconnects waits until the client has come back n times, to its address.
func (c *client) reconnects(n int) {
	c.l.t.Helper()
	c.l.until("the client is back", func() bool { return strings.Count(c.l.log(c.log), "SCRIPT reconnected 10.98.0.2") >= n })
}
