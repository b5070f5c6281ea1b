//go:build netns

package netns

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netns"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/agent"
	"github.com/skybridge-cloud/skybridge/internal/dataplane/netcfg"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
)

const (
	nodeAddr = "198.51.100.1"
	lanAddr  = "10.77.0.2"
	password = "correct horse"
	patience = 30 * time.Second
)

// nodeBinary is the gateway built for the tests, skyconnectBinary the client,
// renewedBinary its next version, windowBinary its window.
var nodeBinary, skyconnectBinary, renewedBinary, windowBinary string

// windowFailed is why there is no windowBinary: it needs libraries that the others do
// without.
var windowFailed error

// renewedVersion is that of renewedBinary.
const renewedVersion = "v9.9.9"

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	if os.Geteuid() != 0 {
		fmt.Fprintln(os.Stderr, "these tests make network namespaces and need root")
		return 1
	}
	dir, err := os.MkdirTemp("", "skybridge-netns-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	nodeBinary, skyconnectBinary, renewedBinary = filepath.Join(dir, "node"), filepath.Join(dir, "skyconnect"), filepath.Join(dir, "renewed")
	windowBinary = filepath.Join(dir, "skyconnect-window")
	for _, b := range [][3]string{
		{nodeBinary, "", "../bench/node"}, {skyconnectBinary, "v0.0.1", "../../cmd/skyconnect"}, {renewedBinary, renewedVersion, "../../cmd/skyconnect"},
	} {
		if err := build(b[0], b[1], b[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	windowFailed = build(windowBinary, "v0.0.1", "../../cmd/skyconnect-window")
	return m.Run()
}

// build builds a program of a version.
func build(to, version, from string) error {
	out, err := exec.Command("go", "build", "-ldflags", "-X main.version="+version, "-o", to, from).CombinedOutput()
	if err != nil {
		return fmt.Errorf("building %s: %w\n%s", from, err, out)
	}
	return nil
}

// lab is one set of namespaces with a node in the middle.
type lab struct {
	t       *testing.T
	dir     string
	id      string // makes names unique
	gateway string // id of the VPN gateway
	server  gwlink.SSLServer
	cfg     agent.Config
	gen     uint64
	node    *exec.Cmd
	world   string       // see machine
	program string       // skyconnect, where it is not skyconnectBinary
	heard   atomic.Int64 // requests that an impostor got
}

func newLab(t *testing.T) *lab {
	t.Helper()
	id := fmt.Sprintf("sb%x", time.Now().UnixNano()&0xffffffff)
	l := &lab{t: t, dir: t.TempDir(), id: id, gateway: "vpngw-" + id}
	for _, n := range []string{"c", "g", "l"} {
		l.ip("netns", "add", id+n)
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", id+n).Run() })
		l.ip("-n", id+n, "link", "set", "lo", "up")
	}
	t.Cleanup(func() { _ = netcfg.Remove(l.gateway, nil) })
	l.wire()
	l.server = gwlink.SSLServer{
		ID: "sslsrv-" + id, Name: "lab", ServerNames: []string{"vpn.example.com"}, Port: 443, UDP: true,
		Pool: netip.MustParsePrefix("10.98.0.0/24"), LocalSubnets: []netip.Prefix{netip.MustParsePrefix("10.77.0.0/24")},
		MTU: 1400, DPD: 5, Keepalive: 60, CookieTimeout: 300, RekeyTime: 86400, ClientIsolation: true, TLSMin: "1.2",
	}
	l.cfg = agent.Config{
		NodeID: "node-" + id, StateDir: filepath.Join(l.dir, "state"), Listen: []netip.Addr{netip.MustParseAddr(nodeAddr)},
		Networks: map[string]agent.Network{
			"vpc":   {Bridge: "br0", Address: netip.MustParsePrefix("10.77.0.1/24")},
			"other": {Bridge: "br1", Address: netip.MustParsePrefix("10.77.0.1/24")},
		},
		DesiredFile: filepath.Join(l.dir, "desired.json"), UsersFile: filepath.Join(l.dir, "users.json"),
	}
	l.writeUsers()
	return l
}

// wire joins the namespaces as the package comment draws them.
func (l *lab) wire() {
	c, g, lan := l.id+"c", l.id+"g", l.id+"l"
	l.ip("link", "add", "c0", "netns", c, "type", "veth", "peer", "name", "g0", "netns", g)
	l.ip("link", "add", "l0", "netns", lan, "type", "veth", "peer", "name", "g1", "netns", g)
	l.ip("-n", g, "link", "add", "br0", "type", "bridge")
	l.ip("-n", g, "link", "add", "br1", "type", "bridge") // another VPC, with nobody in it
	l.ip("-n", g, "link", "set", "g1", "master", "br0")
	l.ip("-n", c, "addr", "add", "198.51.100.2/24", "dev", "c0")
	l.ip("-n", g, "addr", "add", nodeAddr+"/24", "dev", "g0")
	l.ip("-n", lan, "addr", "add", lanAddr+"/24", "dev", "l0")
	l.ip("-n", lan, "addr", "add", "10.78.0.2/24", "dev", "l0")
	for _, x := range [][2]string{{c, "c0"}, {g, "g0"}, {g, "g1"}, {g, "br0"}, {g, "br1"}, {lan, "l0"}} {
		l.ip("-n", x[0], "link", "set", x[1], "up")
	}
	l.ip("-n", lan, "route", "add", "default", "via", "10.77.0.1")
}

func (l *lab) ip(args ...string) { l.run("ip", args...) }

func (l *lab) run(name string, args ...string) {
	l.t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		l.t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
}

func (l *lab) writeUsers() {
	l.t.Helper()
	hash := exec.Command(nodeBinary, "-hash")
	hash.Stdin = strings.NewReader(password + "\n")
	out, err := hash.Output()
	if err != nil {
		l.t.Fatal(err)
	}
	l.writeJSON(l.cfg.UsersFile, agent.Users{Users: []agent.User{
		{Name: "alice", BcryptHash: strings.TrimSpace(string(out)), Client: "sslcli-alice"},
	}})
}

func (l *lab) writeJSON(path string, v any) {
	l.t.Helper()
	b, err := json.Marshal(v)
	if err == nil {
		err = os.WriteFile(path+".new", b, 0o600)
	}
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *lab) desired(closures ...gwlink.Closure) gwlink.Desired {
	l.gen++
	return gwlink.Desired{
		Generation: l.gen, Node: l.cfg.NodeID, IssuedAt: time.Now(), Closures: closures,
		Gateways: []gwlink.Gateway{{
			ID: l.gateway, State: gwlink.GatewayActive, Network: "vpc", SessionLimit: 10, SSLServers: []gwlink.SSLServer{l.server},
		}},
	}
}

// want writes the desired file of a stand-alone node.
func (l *lab) want(closures ...gwlink.Closure) {
	l.writeJSON(l.cfg.DesiredFile, l.desired(closures...))
}

// startNode starts the gateway and waits until it listens.
func (l *lab) startNode() {
	l.t.Helper()
	config := filepath.Join(l.dir, "node.json")
	l.writeJSON(config, l.cfg)
	l.node = exec.Command(nodeBinary, config)
	l.start("g", l.node, "node.log")
	l.until("the node listens", func() bool {
		c, err := l.dial("c", net.JoinHostPort(nodeAddr, "443"))
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

// stopNode ends the gateway with a signal and waits for it.
func (l *lab) stopNode(sig os.Signal) {
	_ = l.node.Process.Signal(sig)
	_ = l.node.Wait()
}

// start runs a command in a namespace with its output in a file. It is killed
// at the end of the test at the latest.
func (l *lab) start(ns string, cmd *exec.Cmd, logName string) {
	l.t.Helper()
	f, err := os.OpenFile(filepath.Join(l.dir, logName), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		l.t.Fatal(err)
	}
	defer f.Close()
	cmd.Stdout, cmd.Stderr = f, f
	if err := l.within(ns, cmd.Start); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if l.t.Failed() {
			l.t.Logf("%s:\n%s", logName, tail(l.log(logName), 4000))
		}
	})
}

func (l *lab) log(name string) string {
	b, _ := os.ReadFile(filepath.Join(l.dir, name))
	return string(b)
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

// within runs f on a thread inside a namespace: sockets and children made
// there belong to it.
func (l *lab) within(ns string, f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends here
		h, err := netns.GetFromName(l.id + ns)
		if err == nil {
			defer h.Close()
			err = netns.Set(h)
		}
		if err == nil {
			err = f()
		}
		done <- err
	}()
	return <-done
}

func (l *lab) dial(ns, addr string) (net.Conn, error) { return l.dialFor(3*time.Second, ns, addr) }

// dialFor is dial for what is there, though perhaps not at once.
func (l *lab) dialFor(limit time.Duration, ns, addr string) (c net.Conn, err error) {
	err = l.within(ns, func() error {
		c, err = net.DialTimeout("tcp", addr, limit)
		return err
	})
	return c, err
}

// until waits for a condition of the outside world.
func (l *lab) until(what string, ok func() bool) time.Duration {
	l.t.Helper()
	begin := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			l.t.Fatalf("waited %s in vain until %s", patience, what)
		}
	}
	return time.Since(begin)
}

// client is a running openconnect.
type client struct {
	l   *lab
	cmd *exec.Cmd
	log string
}

const script = `#!/bin/sh
case "$reason" in
connect)
  ip link set "$TUNDEV" up mtu "$INTERNAL_IP4_MTU"
  ip addr replace "$INTERNAL_IP4_ADDRESS/32" dev "$TUNDEV"
  i=0
  while [ $i -lt "${CISCO_SPLIT_INC:-0}" ]; do
    eval a=\$CISCO_SPLIT_INC_${i}_ADDR l=\$CISCO_SPLIT_INC_${i}_MASKLEN
    ip route replace "$a/$l" dev "$TUNDEV"
    i=$((i + 1))
  done
  if [ -n "$INTERNAL_IP6_ADDRESS" ]; then
    ip addr replace "$INTERNAL_IP6_ADDRESS/128" dev "$TUNDEV" nodad
    i=0
    while [ $i -lt "${CISCO_IPV6_SPLIT_INC:-0}" ]; do
      eval a=\$CISCO_IPV6_SPLIT_INC_${i}_ADDR l=\$CISCO_IPV6_SPLIT_INC_${i}_MASKLEN
      ip -6 route replace "$a/$l" dev "$TUNDEV"
      i=$((i + 1))
    done
  fi
  echo "SCRIPT connected $INTERNAL_IP4_ADDRESS $INTERNAL_IP6_ADDRESS mtu $INTERNAL_IP4_MTU." ;;
reconnect) echo "SCRIPT reconnected $INTERNAL_IP4_ADDRESS $INTERNAL_IP6_ADDRESS mtu $INTERNAL_IP4_MTU." ;;
esac
`

// connect starts openconnect with further arguments; it does not wait.
func (l *lab) connect(pass string, args ...string) *client {
	l.t.Helper()
	return l.connectTo(nodeAddr, l.pin(), pass, args...)
}

// connectTo is connect for a server by its name and pin.
func (l *lab) connectTo(host, pin, pass string, args ...string) *client {
	l.t.Helper()
	return l.typing([]string{pass}, host, pin, append([]string{"--non-inter"}, args...)...)
}

// typing starts openconnect with a person's lines, the password first. Without
// --non-inter the others go to its prompts.
func (l *lab) typing(lines []string, host, pin string, args ...string) *client {
	l.t.Helper()
	return l.typingIn("c", lines, host, pin, args...)
}

// typingIn is typing in another namespace than the client's.
func (l *lab) typingIn(ns string, lines []string, host, pin string, args ...string) *client {
	l.t.Helper()
	path := filepath.Join(l.dir, "vpnc-script")
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		l.t.Fatal(err)
	}
	name := fmt.Sprintf("openconnect-%d.log", time.Now().UnixNano())
	args = append([]string{
		"--verbose", "--script", path, "--interface", "tun0", "--user", "alice", "--passwd-on-stdin", "--servercert", pin,
	}, args...)
	c := &client{l: l, log: name, cmd: exec.Command("openconnect", append(args, "https://"+host)...)}
	c.cmd.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\n")
	l.start(ns, c.cmd, name)
	return c
}

// says waits for a line of the client's log.
func (c *client) says(text string) time.Duration {
	c.l.t.Helper()
	return c.l.until("the client says "+text, func() bool { return strings.Contains(c.l.log(c.log), text) })
}

func (c *client) signal(s syscall.Signal) {
	if err := c.cmd.Process.Signal(s); err != nil {
		c.l.t.Fatal(err)
	}
}

// ended waits until the client has exited.
func (c *client) ended() time.Duration {
	c.l.t.Helper()
	begin := time.Now()
	exited := make(chan struct{})
	go func() { _ = c.cmd.Wait(); close(exited) }()
	select {
	case <-exited:
	case <-time.After(patience):
		c.l.t.Fatal("the client did not exit")
	}
	return time.Since(begin)
}
