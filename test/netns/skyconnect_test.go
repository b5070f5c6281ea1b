//go:build netns

package netns

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
	"github.com/skybridge-cloud/skybridge/internal/client/trust"
)

// person is somebody with skyconnect in the client's namespace: a daemon and a
// command line, with their directories in the test's.
type person struct {
	l      *lab
	daemon *exec.Cmd
	socket string
	home   string
	resolv string
	env    []string // of commands, beside the test's
}

// former is what the machine's resolv.conf says before and after.
const former = "nameserver 192.0.2.53\n"

func (l *lab) person() *person {
	l.t.Helper()
	p := &person{l: l, socket: filepath.Join(l.dir, "run", "daemon.sock"), home: filepath.Join(l.dir, "home"), resolv: filepath.Join(l.dir, "resolv.conf")}
	if err := os.WriteFile(p.resolv, []byte(former), 0o644); err != nil { //nolint:gosec // as a resolv.conf is
		l.t.Fatal(err)
	}
	p.startDaemon()
	return p
}

func (p *person) startDaemon() {
	p.l.t.Helper()
	p.daemon = p.l.machine("daemon", "--socket", p.socket, "--state", p.state(), "--resolver", "file", "--resolv-conf", p.resolv)
	p.l.start("c", p.daemon, "daemon.log")
	p.l.until("the daemon answers", func() bool { return p.run(nil, "status").code != 4 })
}

// state is the daemon's directory.
func (p *person) state() string { return filepath.Join(p.l.dir, "daemon") }

// machine is skyconnect on a machine of the lab's making: l.world is what a shell
// does before, in name spaces of mounts and host names of the command's own.
func (l *lab) machine(args ...string) *exec.Cmd {
	if l.world == "" {
		return exec.Command(skyconnectBinary, args...)
	}
	return exec.Command("unshare", append([]string{"--mount", "--uts", "sh", "-ec", l.world + "\nexec \"$@\"", "sh", skyconnectBinary}, args...)...)
}

type answer struct {
	out  string
	err  string
	code int
}

// run runs a command; its first secret comes by file descriptor 3.
func (p *person) run(secret []byte, args ...string) answer {
	p.l.t.Helper()
	cmd := p.l.machine(append([]string{"--socket", p.socket, "--dir", p.home, "--lang", "en", "--keys", "plain-file"}, args...)...)
	cmd.Env = append(os.Environ(), p.env...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if secret != nil {
		r, w, err := os.Pipe()
		if err != nil {
			p.l.t.Fatal(err)
		}
		defer r.Close()
		cmd.ExtraFiles = []*os.File{r}
		if _, err := w.Write(append(secret, '\n')); err != nil {
			p.l.t.Fatal(err)
		}
		_ = w.Close()
	}
	if err := p.l.within("c", cmd.Start); err != nil {
		p.l.t.Fatal(err)
	}
	err := cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		p.l.t.Fatal(err)
	}
	return answer{out.String(), errOut.String(), cmd.ProcessState.ExitCode()}
}

// must is run for what has to go well.
func (p *person) must(args ...string) string {
	p.l.t.Helper()
	a := p.run(nil, args...)
	if a.code != 0 {
		p.l.t.Fatalf("skyconnect %s: %d\n%s%s\n%s", strings.Join(args, " "), a.code, a.out, a.err, p.l.log("daemon.log"))
	}
	return a.out
}

func (p *person) up(args ...string) answer {
	p.l.t.Helper()
	return p.run([]byte(password), append([]string{"up", "--password-fd", "3"}, args...)...)
}

// mustUp connects.
func (p *person) mustUp(args ...string) {
	p.l.t.Helper()
	if a := p.up(args...); a.code != 0 {
		p.l.t.Fatalf("up: %d\n%s%s\n%s\n%s", a.code, a.out, a.err, p.l.log("daemon.log"), tail(p.l.log("node.log"), 2000))
	}
}

// ready gives the person a profile and has them accept.
func (p *person) ready(options ...string) {
	p.l.t.Helper()
	p.must(append([]string{"profiles", "add", "office", "--server", nodeAddr, "--account", "alice", "--pin", p.l.pin()}, options...)...)
	p.must("policy", "accept")
	p.must("permissions", "grant", "network")
}

// now is the connection as the daemon tells it.
func (p *person) now() ipc.Connection {
	p.l.t.Helper()
	var all []struct {
		Connection ipc.Connection `json:"connection"`
	}
	a := p.run(nil, "status", "--json")
	if err := json.Unmarshal([]byte(a.out), &all); err != nil || len(all) != 1 {
		p.l.t.Fatalf("status: %v\n%s%s", err, a.out, a.err)
	}
	return all[0].Connection
}

// network is what the machine's network looks like.
func (p *person) network() string {
	var out strings.Builder
	for _, args := range [][]string{{"addr"}, {"-4", "rule"}, {"-6", "rule"}, {"-4", "route", "show", "table", "all"}} {
		b, _ := exec.Command("ip", append([]string{"-n", p.l.id + "c", "-o"}, args...)...).CombinedOutput()
		out.Write(b)
	}
	b, _ := exec.Command("ip", "netns", "exec", p.l.id+"c", "nft", "list", "ruleset").CombinedOutput()
	out.Write(b)
	b, _ = os.ReadFile(p.resolv)
	return strings.ReplaceAll(out.String(), " tentative", "") + string(b) // which the kernel's own addresses are for a second
}

// TestSkyconnectFromNothing is a person's first day: nothing leaves before the
// policy is accepted, then a tunnel, then the network as it was.
func TestSkyconnectFromNothing(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.server.DNS, l.server.DefaultDomains = []netip.Addr{netip.MustParseAddr("10.77.0.53")}, []string{"corp.example"}
	l.want()
	l.startNode()
	pin := l.pin()
	p := l.person()
	before := p.network()
	l.run("ip", "netns", "exec", l.id+"c", "nft", "add table inet watch; add chain inet watch out { type filter hook output priority 0; }; "+
		"add rule inet watch out meta l4proto { tcp, udp } counter")
	p.must("profiles", "add", "office", "--server", nodeAddr, "--account", "alice", "--pin", pin)
	if a := p.up(); a.code != 3 || !strings.Contains(a.err, "policy is not accepted") && !strings.Contains(a.err, "skyconnect policy accept") {
		t.Errorf("up before the policy: got %d\n%s", a.code, a.err)
	}
	if a := p.run(nil, "doctor", "office"); a.code != 3 {
		t.Errorf("doctor before the policy: got %d\n%s", a.code, a.err)
	}
	if b, _ := exec.Command("ip", "netns", "exec", l.id+"c", "nft", "list", "table", "inet", "watch").Output(); !strings.Contains(string(b), "packets 0 bytes 0") {
		t.Errorf("packets left before the policy was accepted:\n%s", b)
	}
	l.run("ip", "netns", "exec", l.id+"c", "nft", "delete table inet watch")
	p.must("policy", "accept")
	if a := p.up(); a.code != 3 {
		t.Errorf("up before the permission: got %d\n%s", a.code, a.err)
	}
	p.must("permissions", "grant", "network")
	p.mustUp()
	l.until("data goes by DTLS", func() bool { return p.now().Channel == "dtls" })
	c := p.now()
	if c.State != ipc.Connected || len(c.Addresses) == 0 || c.Addresses[0].Addr().String() != "10.98.0.2" || c.MTU == 0 || c.Cipher == "" {
		t.Errorf("got %+v", c)
	}
	if b, _ := os.ReadFile(p.resolv); !strings.Contains(string(b), "10.77.0.53") || !strings.Contains(string(b), "corp.example") {
		t.Errorf("resolv.conf: got %s", b)
	}
	l.transfer(8 << 20)
	if again := p.up(); again.code != 8 {
		t.Errorf("up a second time: got %d\n%s", again.code, again.err)
	}
	p.must("down")
	if after := p.network(); after != before {
		t.Errorf("the network was\n%s\nand is\n%s", before, after)
	}
	if a := p.run(nil, "status"); a.code != 9 {
		t.Errorf("status after down: got %d", a.code)
	}
	p.must("data", "erase", "--yes")
	if left := files(t, p.home); len(left) > 0 {
		t.Errorf("left after erasing: %v", left)
	}
}

func files(t *testing.T, dir string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			all = append(all, path)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return all
}

// TestSkyconnectSurvives what happens to a connection: UDP that is blocked, a
// gateway that restarts, another address of the machine.
func TestSkyconnectSurvives(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.want()
	l.startNode()
	p := l.person()
	p.ready()
	p.mustUp()
	l.transfer(1 << 20)
	l.stopNode(syscall.SIGKILL)
	l.startNode()
	l.until("it is back after a restart of the gateway", func() bool { return p.now().State == ipc.Connected && l.pings("c", lanAddr) })
	l.transfer(1 << 20)
	l.ip("-n", l.id+"c", "addr", "del", "198.51.100.2/24", "dev", "c0")
	l.ip("-n", l.id+"c", "addr", "add", "198.51.100.3/24", "dev", "c0")
	began := time.Now()
	l.until("it is back from another address", func() bool { return l.pings("c", lanAddr) })
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("came back after %s: not at once", took)
	}
	if got := p.now().Addresses[0].Addr().String(); got != "10.98.0.2" {
		t.Errorf("the inner address is %s now", got)
	}
	l.transfer(1 << 20)
	p.must("down")
}

// TestAKillSwitchOutlivesTheDaemon, until its user takes it down.
func TestAKillSwitchOutlivesTheDaemon(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.server.LocalSubnets = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}
	l.want()
	l.startNode()
	p := l.person()
	before := p.network()
	p.ready("--kill-switch")
	p.mustUp()
	// Another machine on the client's own network, which is not behind the tunnel.
	l.ip("-n", l.id+"g", "addr", "add", "198.51.100.77/24", "dev", "g0")
	if l.pings("c", "198.51.100.77") {
		t.Error("a packet leaves beside the tunnel while connected")
	}
	_ = p.daemon.Process.Kill()
	_ = p.daemon.Wait()
	if l.pings("c", "198.51.100.77") {
		t.Error("a packet leaves after the daemon was killed")
	}
	p.startDaemon()
	if l.pings("c", "198.51.100.77") {
		t.Error("a packet leaves after the daemon came back")
	}
	if c := p.now(); c.State != ipc.Failed || c.Cause != "left" {
		t.Errorf("got %+v", c)
	}
	p.mustUp() // the server is reached in spite of it
	l.transfer(1 << 20)
	if l.pings("c", "198.51.100.77") {
		t.Error("a packet leaves beside the second tunnel")
	}
	p.must("down")
	if !l.pings("c", "198.51.100.77") {
		t.Error("the network is shut after down")
	}
	l.ip("-n", l.id+"g", "addr", "del", "198.51.100.77/24", "dev", "g0")
	if after := p.network(); after != before {
		t.Errorf("the network was\n%s\nand is\n%s", before, after)
	}
}

// TestAKilledDaemonLeavesNothingElse: without a kill switch the next one restores
// the network.
func TestAKilledDaemonLeavesNothingElse(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.want()
	l.startNode()
	p := l.person()
	before := p.network()
	p.ready()
	p.mustUp()
	_ = p.daemon.Process.Kill()
	_ = p.daemon.Wait()
	p.startDaemon()
	if after := p.network(); after != before {
		t.Errorf("the network was\n%s\nand is\n%s", before, after)
	}
}

// TestThePasswordIsNowhere searches what skyconnect left on the disk, and the
// daemon's memory, for the password: after a login, a failed one and a crash.
func TestThePasswordIsNowhere(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.want()
	l.startNode()
	p := l.person()
	p.ready()
	if a := p.run([]byte("wrong "+password), "up", "--password-fd", "3"); a.code != 5 {
		t.Errorf("a wrong password: got %d\n%s", a.code, a.err)
	}
	p.mustUp()
	if memory := memoryOf(t, p.daemon.Process.Pid); bytes.Contains(memory, []byte(password)) {
		t.Error("the daemon has the password in its memory")
	}
	_ = p.daemon.Process.Signal(syscall.SIGQUIT) // the runtime prints what it can
	_ = p.daemon.Wait()
	for _, path := range append(files(t, l.dir), files(t, p.home)...) {
		if path == l.cfg.UsersFile {
			continue
		}
		if b, err := os.ReadFile(path); err == nil && bytes.Contains(b, []byte(password)) {
			t.Errorf("%s holds the password", path)
		}
	}
}

// memoryOf reads all memory of a process that can be read.
func memoryOf(t *testing.T, pid int) []byte {
	t.Helper()
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	maps, err := os.ReadFile(filepath.Join(dir, "maps"))
	if err != nil {
		t.Fatal(err)
	}
	mem, err := os.Open(filepath.Join(dir, "mem"))
	if err != nil {
		t.Fatal(err)
	}
	defer mem.Close()
	var all []byte
	for line := range strings.Lines(string(maps)) {
		var from, to int64
		if _, err := fmt.Sscanf(line, "%x-%x", &from, &to); err != nil || !strings.Contains(line, " rw") {
			continue
		}
		b := make([]byte, to-from)
		if n, _ := mem.ReadAt(b, from); n > 0 {
			all = append(all, b[:n]...)
		}
	}
	if len(all) < 1<<20 {
		t.Fatalf("read only %d bytes of the daemon's memory", len(all))
	}
	return all
}

// intranet is a TLS server that the office's network alone reaches; it returns its pin.
func (l *lab) intranet(addr string) string {
	l.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		l.t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		l.t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		l.t.Fatal(err)
	}
	var listener net.Listener
	if err := l.within("o", func() (err error) {
		listener, err = tls.Listen("tcp", addr, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
		return err
	}); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { _ = c.(*tls.Conn).Handshake(); _ = c.Close() }()
		}
	}()
	return trust.Pin(leaf)
}

// TestATunnelPausesInATrustedNetwork: plugged into the office's network it leaves
// the machine's alone, and is back when the cable is pulled, in the same session.
func TestATunnelPausesInATrustedNetwork(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.want()
	l.startNode()
	p := l.person()
	if err := os.WriteFile(p.resolv, []byte(former+"search office.corp.example.org\n"), 0o644); err != nil { //nolint:gosec // as a resolv.conf is
		t.Fatal(err)
	}
	office := l.id + "o"
	l.ip("netns", "add", office)
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", office).Run() })
	l.ip("-n", office, "link", "set", "lo", "up")
	l.ip("-n", office, "addr", "add", "192.168.77.1/32", "dev", "lo")
	pin := l.intranet("192.168.77.1:443")
	p.ready("--trusted-network", "corp.example.org@192.168.77.1:443@"+pin)
	p.mustUp()
	first := p.now()
	before := p.network()
	plug := func() {
		l.ip("-n", l.id+"c", "link", "add", "desk0", "type", "veth", "peer", "name", "wall0", "netns", office)
		l.ip("-n", office, "addr", "add", "192.168.77.1/24", "dev", "wall0")
		l.ip("-n", office, "link", "set", "wall0", "up")
		l.ip("-n", l.id+"c", "addr", "add", "192.168.77.2/24", "dev", "desk0")
		l.ip("-n", l.id+"c", "link", "set", "desk0", "up")
	}
	plug()
	l.until("it pauses", func() bool { return p.now().State == ipc.Paused })
	if c := p.now(); c.Trusted != "corp.example.org" {
		t.Errorf("got %+v", c)
	}
	if l.pings("c", lanAddr) {
		t.Errorf("packets still go through the tunnel:\n%s", p.network())
	}
	l.ip("-n", l.id+"c", "link", "del", "desk0")
	l.until("it goes on", func() bool { return p.now().State == ipc.Connected && l.pings("c", lanAddr) })
	if c := p.now(); len(c.Addresses) == 0 || c.Addresses[0] != first.Addresses[0] {
		t.Errorf("another session: got %v, want %v", c.Addresses, first.Addresses)
	}
	if now := p.network(); now != before {
		t.Errorf("the network is another one:\n%s", difference(before, now))
	}
	p.must("down")

	plug()
	if err := os.WriteFile(p.resolv, []byte(former), 0o644); err != nil { //nolint:gosec // as a resolv.conf is
		t.Fatal(err)
	}
	p.mustUp()
	time.Sleep(time.Second)
	if c := p.now(); c.State != ipc.Connected {
		t.Errorf("in another domain: got %s", c.State)
	}
}

// TestSkyconnectGoesThroughAProxyOfTheEnvironment that wants a name and a password,
// with everything inside the tunnel but the way to the proxy.
func TestSkyconnectGoesThroughAProxyOfTheEnvironment(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.server.FullTunnel = true
	l.want()
	l.startNode()
	var listener net.Listener
	if err := l.within("g", func() (err error) {
		listener, err = net.Listen("tcp", nodeAddr+":3128")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte("me:secret"))
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go l.proxy(c, want)
		}
	}()
	p := l.person()
	p.ready("--kill-switch")
	p.env = []string{"HTTPS_PROXY=http://me:wrong@" + nodeAddr + ":3128"}
	if a := p.up(); a.code == 0 || strings.Contains(a.out+a.err, "wrong@") {
		t.Errorf("a wrong password: got %d %s%s", a.code, a.out, a.err)
	}
	p.env = []string{"HTTPS_PROXY=http://me:secret@" + nodeAddr + ":3128"}
	p.mustUp()
	if c := p.now(); c.State != ipc.Connected || c.Channel != "tls" {
		t.Errorf("got %s by %s", c.State, c.Channel)
	}
	l.transfer(1 << 20)
	p.must("down")
}

// proxy serves one CONNECT of somebody who is known.
func (l *lab) proxy(c net.Conn, want string) {
	defer c.Close()
	in := bufio.NewReader(c)
	r, err := http.ReadRequest(in)
	if err != nil {
		return
	}
	if r.Header.Get("Proxy-Authorization") != want {
		_, _ = io.WriteString(c, "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
		return
	}
	s, err := l.dial("g", r.Host)
	if err != nil {
		return
	}
	defer s.Close()
	_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
	go func() { _, _ = io.Copy(s, in); _ = s.Close() }()
	_, _ = io.Copy(c, s)
}
