//go:build netns

package netns

import (
	"net"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
)

// accepting listens on a port of the LAN host and closes what comes.
func (l *lab) accepting(port string) string {
	l.t.Helper()
	var ln net.Listener
	err := l.within("l", func() (err error) {
		ln, err = net.Listen("tcp", net.JoinHostPort(lanAddr, port))
		return err
	})
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	}()
	return ln.Addr().String()
}

// echoes tells whether a ping from the client is answered.
func (l *lab) echoes(addr string) bool {
	return l.within("c", exec.Command("ping", "-n", "-c", "1", "-W", "2", addr).Run) == nil
}

// TestAccessListOnALiveSession gives a server an access list while a stock
// client is connected, and changes it: the session lives, what is allowed works
// in both directions and what is not does not, over DTLS.
func TestAccessListOnALiveSession(t *testing.T) {
	t.Parallel()
	l, ctl := controlled(t)
	web, ssh := l.accepting("7080"), l.accepting("7022")
	c := l.connect(password)
	c.says("Established DTLS connection")
	c.says("SCRIPT connected 10.98.0.2")
	session := l.session()
	check := func(when string, toWeb, toSSH, echo bool) {
		t.Helper()
		if got := [3]bool{l.reachable(web), l.reachable(ssh), l.echoes(lanAddr)}; got != [3]bool{toWeb, toSSH, echo} {
			t.Errorf("%s: got %v of port 7080, port 7022 and ping, want %v", when, got, [3]bool{toWeb, toSSH, echo})
		}
	}
	check("without a list", true, true, true)
	lan := netip.MustParsePrefix("10.77.0.0/24")
	l.server.ACLDeny = true
	l.server.ACL = []gwlink.ACLRule{{Allow: true, Protocol: "tcp", Destination: lan, Ports: []gwlink.PortRange{{From: 7080, To: 7080}}}}
	ctl.set(l.desired())
	l.applied(ctl)
	check("one port allowed", true, false, false)
	l.server.ACLDeny = false
	l.server.ACL = []gwlink.ACLRule{
		{Allow: true, Protocol: "icmp"},
		{Protocol: "tcp", Destination: lan, Ports: []gwlink.PortRange{{From: 7010, To: 7079}}},
	}
	ctl.set(l.desired())
	l.applied(ctl)
	check("some ports denied", true, false, true)
	l.lives(c, session)
}

// TestSessionsEndForTheReasonThatTheirLimitsSay runs a stock client into each
// limit of a session: it is told a sentence, does not come back, and control
// hears the reason.
func TestSessionsEndForTheReasonThatTheirLimitsSay(t *testing.T) {
	t.Parallel()
	l, ctl := controlled(t)
	hears := func(session, reason string) {
		t.Helper()
		l.until("control hears of "+reason, func() bool {
			return ctl.reported(func(r gwlink.Report) bool {
				return slices.ContainsFunc(r.Closed, func(c gwlink.SessionClosed) bool { return c.Session == session && c.Reason == reason })
			})
		})
	}
	plain := l.server
	for _, c := range []struct {
		reason string
		limit  func(*gwlink.SSLServer)
		args   []string
	}{
		{gwlink.ReasonIdle, func(s *gwlink.SSLServer) { s.IdleTimeout = 3 }, nil},
		{gwlink.ReasonIdle, func(s *gwlink.SSLServer) { s.IdleTimeout, s.MobileIdle = 3600, 3 }, []string{"--os=android"}},
		{gwlink.ReasonSessionLimit, func(s *gwlink.SSLServer) { s.SessionTimeout = 4 }, nil},
	} {
		l.server = plain
		c.limit(&l.server)
		ctl.set(l.desired())
		l.applied(ctl)
		client := l.connect(password, c.args...)
		client.says("SCRIPT connected")
		session := l.session()
		client.ended()
		if !strings.Contains(l.log(client.log), gwlink.ReasonText(c.reason)) {
			t.Errorf("%s: the client was not told %q:\n%s", c.reason, gwlink.ReasonText(c.reason), tail(l.log(client.log), 1500))
		}
		hears(session, c.reason)
	}

	l.server = plain
	l.server.CookieTimeout = 2
	ctl.set(l.desired())
	l.applied(ctl)
	lost := l.connect(password)
	lost.says("SCRIPT connected")
	session := l.session()
	lost.signal(syscall.SIGKILL)
	lost.ended()
	hears(session, gwlink.ReasonLost)

	l.server = plain
	ctl.set(l.desired())
	l.applied(ctl)
	first := l.connect(password)
	first.says("SCRIPT connected")
	session = l.session()
	second := l.connect(password, "--interface=tun1", "--script=true")
	second.says("Got CONNECT response: HTTP/1.1 200")
	first.ended()
	if !strings.Contains(l.log(first.log), gwlink.ReasonText(gwlink.ReasonReplaced)) {
		t.Error("the first client was not told that another one took its place")
	}
	hears(session, gwlink.ReasonReplaced)

	session = l.session()
	ctl.set(l.desired(gwlink.Closure{Session: session, Reason: gwlink.ReasonQuota}))
	second.ended()
	if !strings.Contains(l.log(second.log), gwlink.ReasonText(gwlink.ReasonQuota)) {
		t.Error("the client was not told of its used up allowance")
	}
	hears(session, gwlink.ReasonQuota)
}
