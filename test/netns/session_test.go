//go:build netns

package netns

import (
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/agent"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
)

var openedSession = regexp.MustCompile(`vpn session opened" session=(\S+)`)

// session is the id of the session opened last.
func (l *lab) session() string {
	l.t.Helper()
	all := openedSession.FindAllStringSubmatch(l.log("node.log"), -1)
	if len(all) == 0 {
		l.t.Fatal("no session was opened")
	}
	return all[len(all)-1][1]
}

// reachable tells whether a TCP connection from the client gets through.
func (l *lab) reachable(addr string) bool {
	c, err := l.dial("c", addr)
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}

func TestWrongPasswordIsRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.want()
	l.startNode()
	c := l.connect("wrong", "--no-dtls")
	c.says("Login failed.")
	c.ended()
	if strings.Contains(l.log("node.log"), "wrong") || strings.Contains(l.log("node.log"), "session opened") {
		t.Error("got the password or a session in the node's log")
	}
}

func TestKickTakesEffectWithinTwoSeconds(t *testing.T) {
	l := newLab(t)
	l.want()
	l.startNode()
	c := l.connect(password)
	c.says("Established DTLS connection")
	c.says("SCRIPT connected")
	l.want(gwlink.Closure{Session: l.session(), Reason: gwlink.ReasonAdministrator})
	if d := c.ended(); d > 2*time.Second {
		t.Errorf("got the client out after %s, want 2 s at most", d)
	}
	if !strings.Contains(l.log(c.log), "administrator") {
		t.Error("got no reason in the client's log")
	}
}

func TestKilledNodeKeepsSessions(t *testing.T) {
	t.Parallel()
	for name, sig := range map[string]syscall.Signal{"terminated": syscall.SIGTERM, "killed": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			l.want()
			l.startNode()
			c := l.connect(password)
			c.says("SCRIPT connected 10.98.0.2")
			l.stopNode(sig)
			c.says("Failed to reconnect to host")
			l.startNode()
			c.says("SCRIPT reconnected 10.98.0.2")
			l.transfer(1 << 20)
		})
	}
}

func TestRoamingKeepsTheAddress(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.want()
	l.startNode()
	c := l.connect(password)
	c.says("SCRIPT connected 10.98.0.2")
	l.ip("-n", l.id+"c", "addr", "del", "198.51.100.2/24", "dev", "c0")
	l.ip("-n", l.id+"c", "addr", "add", "198.51.100.3/24", "dev", "c0")
	c.signal(syscall.SIGUSR2)
	c.says("SCRIPT reconnected 10.98.0.2")
	l.transfer(1 << 20)
}

// TestTheAddressChangesUnderTraffic takes the client's address away in the midst
// of a transfer, and nobody tells the client: the transfer loses no byte, by DTLS
// from the new address perhaps before the client's own probes of TLS find out,
// and the client comes back to its session.
func TestTheAddressChangesUnderTraffic(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{"tls": {"--no-dtls"}, "dtls": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.want()
			l.startNode()
			c := l.connect(password, args...)
			c.says("SCRIPT connected 10.98.0.2")
			if args == nil {
				c.says("Established DTLS connection")
			}
			moved := make(chan struct{})
			go func() {
				defer close(moved)
				was := l.received()
				for l.received() < was+64<<10 { // the transfer is on its way
					time.Sleep(time.Millisecond)
				}
				_ = exec.Command("ip", "-n", l.id+"c", "addr", "del", "198.51.100.2/24", "dev", "c0").Run()
				_ = exec.Command("ip", "-n", l.id+"c", "addr", "add", "198.51.100.3/24", "dev", "c0").Run()
			}()
			l.transfer(transferSize)
			select {
			case <-moved:
			default:
				t.Error("the transfer was over before the client moved")
			}
			c.says("SCRIPT reconnected 10.98.0.2")
		})
	}
}

// received is how many bytes the LAN host's port took so far.
func (l *lab) received() int64 {
	out, _ := exec.Command("ip", "netns", "exec", l.id+"l", "cat", "/sys/class/net/l0/statistics/rx_bytes").Output()
	n, _ := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	return n
}

// TestASessionMayBeKeptAtItsAddress: a client that moved is told why it cannot
// come back, and comes back once it is where it was.
func TestASessionMayBeKeptAtItsAddress(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.server.DenyRoaming = true
	l.want()
	l.startNode()
	c := l.connect(password, "--no-dtls")
	c.says("SCRIPT connected 10.98.0.2")
	l.ip("-n", l.id+"c", "addr", "del", "198.51.100.2/24", "dev", "c0")
	l.ip("-n", l.id+"c", "addr", "add", "198.51.100.3/24", "dev", "c0")
	c.signal(syscall.SIGUSR2)
	c.says("VPN service unavailable; reason: This session may not move to another network address.")
	l.ip("-n", l.id+"c", "addr", "del", "198.51.100.3/24", "dev", "c0")
	l.ip("-n", l.id+"c", "addr", "add", "198.51.100.2/24", "dev", "c0")
	c.reconnects(1)
	l.transfer(1 << 20)
}

// TestRekeyKeepsConnections: at the rekey time stock openconnect makes a new
// tunnel with new keys for both channels, and one connection lives through two.
func TestRekeyKeepsConnections(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{"tls": {"--no-dtls"}, "dtls": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.server.RekeyTime = 3
			l.want()
			l.startNode()
			c := l.connect(password, args...)
			c.says("SCRIPT connected 10.98.0.2")
			ln := l.listenLAN()
			go func() {
				if conn, err := ln.Accept(); err == nil {
					_, _ = io.Copy(conn, conn)
				}
			}()
			conn, err := l.dial("c", ln.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(2 * patience))
			echo := make([]byte, 1000)
			l.until("there were two new tunnels", func() bool {
				if _, err := conn.Write(echo); err != nil {
					t.Fatal(err)
				}
				if _, err := io.ReadFull(conn, echo); err != nil {
					t.Fatal(err)
				}
				return strings.Count(l.log(c.log), "SCRIPT reconnected 10.98.0.2") >= 2
			})
			if n := strings.Count(l.log(c.log), "CSTP rekey due"); n < 2 {
				t.Errorf("got %d rekeyings announced, want two", n)
			}
			if n := len(openedSession.FindAllString(l.log("node.log"), -1)); n != 1 {
				t.Errorf("got %d sessions, want one", n)
			}
			if name == "dtls" {
				l.until("DTLS came up anew", func() bool { return strings.Count(l.log(c.log), "Established DTLS connection") >= 2 })
			}
		})
	}
}

func TestBlockedUDPFallsBackToTLS(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.want()
	l.startNode()
	c := l.connect(password)
	c.says("Established DTLS connection")
	c.says("SCRIPT connected")
	l.transfer(1 << 20)
	l.run("ip", "netns", "exec", l.id+"g", "nft", "add table inet block; "+
		"add chain inet block in { type filter hook input priority 0; }; add rule inet block in meta l4proto udp drop")
	c.says("DTLS Dead Peer Detection detected dead peer")
	l.transfer(1 << 20)
}

func TestClientsReachOnlyWhatTheyMay(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.want()
	l.startNode()
	ln := l.listenLAN()
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	}()
	c := l.connect(password)
	c.says("SCRIPT connected 10.98.0.2")
	if !l.reachable(ln.Addr().String()) {
		t.Error("got no way to the local subnet")
	}
	l.ip("-n", l.id+"c", "route", "add", "10.78.0.0/24", "dev", "tun0")
	if l.reachable(net.JoinHostPort("10.78.0.2", "7000")) {
		t.Error("got a way outside the local subnets")
	}
	l.ip("-n", l.id+"c", "addr", "add", "10.98.0.9/32", "dev", "tun0")
	l.ip("-n", l.id+"c", "route", "replace", "10.77.0.0/24", "dev", "tun0", "src", "10.98.0.9")
	if l.reachable(ln.Addr().String()) {
		t.Error("got through with an address that is not the lease")
	}
}

func TestRemovedGatewayLeavesNothing(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.want()
	l.startNode()
	c := l.connect(password)
	c.says("SCRIPT connected")
	empty := l.desired()
	empty.Gateways = nil
	l.writeJSON(l.cfg.DesiredFile, empty)
	c.ended()
	l.until("the namespace is gone", func() bool {
		out, err := exec.Command("ip", "netns", "list").Output()
		return err == nil && !strings.Contains(string(out), l.gateway)
	})
	l.until("the link is gone", func() bool {
		out, err := exec.Command("ip", "-n", l.id+"g", "-o", "link").Output()
		return err == nil && !strings.Contains(string(out), " sg")
	})
}

func TestClearRemovesWhatAStoppedNodeLeft(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.want()
	l.startNode()
	l.stopNode(syscall.SIGTERM)
	path := filepath.Join("/run/netns", l.gateway)
	if _, err := os.Stat(path); err != nil {
		t.Errorf("got %v, want the namespace kept for the next process", err)
	}
	if err := agent.Clear(l.cfg.StateDir); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("got %v, want the namespace gone", err)
	}
}

func TestStateOnDiskIsSealed(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.want()
	l.startNode()
	c := l.connect(password)
	c.says("SCRIPT connected")
	out, err := exec.Command("grep", "-rl", "sslcli-alice", filepath.Join(l.dir, "state")).CombinedOutput()
	if err == nil || len(out) > 0 {
		t.Errorf("got clear text in %s", out)
	}
}

// TestRatesHold has a client limited to 40 Mbit/s each way: 10 MB up and down
// take at least 4 s, and not much longer, since the gateway paces.
func TestRatesHold(t *testing.T) {
	for name, args := range map[string][]string{"tls": {"--no-dtls"}, "dtls": nil} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			const rate = 40_000_000
			l.server.Clients = []gwlink.Client{{ID: "sslcli-alice", UpRate: rate, DownRate: rate}}
			l.want()
			l.startNode()
			c := l.connect(password, args...)
			c.says("SCRIPT connected 10.98.0.2")
			begin := time.Now()
			l.transfer(10 << 20)
			if d := time.Since(begin); d < 4*time.Second || d > 15*time.Second {
				t.Errorf("got 10 MB each way in %s, want 4 s and some", d)
			}
		})
	}
}
