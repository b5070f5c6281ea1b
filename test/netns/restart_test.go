//go:build netns

package netns

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
)

// install gives the lab a skyconnect of its own, which an update can replace.
func (l *lab) install(from string) {
	l.t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		l.t.Fatal(err)
	}
	l.put(b)
}

// put puts a program in the place of the one that is installed, as an update does.
func (l *lab) put(program []byte) {
	l.t.Helper()
	l.program = filepath.Join(l.dir, "bin", "skyconnect")
	err := os.MkdirAll(filepath.Dir(l.program), 0o755)
	if err == nil {
		err = os.WriteFile(l.program+".new", program, 0o755) //nolint:gosec // it is run
	}
	if err == nil {
		err = os.Rename(l.program+".new", l.program)
	}
	if err != nil {
		l.t.Fatal(err)
	}
}

// beside is another machine of the client's own network, which no packet may reach.
const beside = "198.51.100.77"

// pour sends packets for the LAN behind the tunnel and for beside until the test's
// end, and counts those that leave the machine outside of the tunnel.
func (l *lab) pour() (sent *atomic.Int64, leaked func() string) {
	l.t.Helper()
	l.ip("-n", l.id+"g", "addr", "add", beside+"/24", "dev", "g0")
	l.run("ip", "netns", "exec", l.id+"c", "nft", "add table inet watch; add chain inet watch out { type filter hook output priority 100; }; "+
		"add rule inet watch out oifname c0 ip daddr { "+beside+", "+lanAddr+" } counter")
	sent = new(atomic.Int64)
	done, over := make(chan struct{}), make(chan struct{})
	var to []net.Conn
	for _, addr := range []string{beside, lanAddr} {
		if err := l.within("c", func() error {
			c, err := net.Dial("udp4", addr+":9")
			to = append(to, c)
			return err
		}); err != nil {
			l.t.Fatal(err)
		}
	}
	go func() {
		defer close(over)
		for {
			select {
			case <-done:
				return
			case <-time.After(time.Millisecond):
			}
			for _, c := range to {
				_, _ = c.Write([]byte("secret")) // what a kill switch refuses is an error
			}
			sent.Add(1)
		}
	}()
	l.t.Cleanup(func() {
		close(done)
		<-over
		for _, c := range to {
			_ = c.Close()
		}
	})
	return sent, func() string {
		b, err := exec.Command("ip", "netns", "exec", l.id+"c", "nft", "list", "table", "inet", "watch").CombinedOutput()
		if err == nil && strings.Contains(string(b), "packets 0 bytes 0") {
			return ""
		}
		return string(b)
	}
}

// TestARestartLosesNothing: after an update the daemon goes on as the new program,
// in the same session, and meanwhile nothing leaves beside the tunnel.
func TestARestartLosesNothing(t *testing.T) {
	t.Parallel()
	for name, options := range map[string][]string{"with a kill switch": {"--kill-switch"}, "without": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.server.LocalSubnets = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}
			l.want()
			l.startNode()
			l.install(skyconnectBinary)
			p := l.person()
			before := p.network()
			p.ready(options...)
			p.mustUp()
			l.transfer(1 << 20)
			first, daemon := p.now(), ipc.Client{Path: p.socket}
			network := p.network()
			if a := p.run(nil, "status", "--json"); strings.Contains(a.out, "renewed") {
				t.Errorf("renewed before it was: %s", a.out)
			}
			l.install(renewedBinary)
			if s, err := daemon.Status(t.Context()); err != nil || !s.Renewed || s.Version != "v0.0.1" {
				t.Errorf("after the update: got %+v, %v", s, err)
			}
			sent, leaked := l.pour()
			l.until("packets are under way", func() bool { return sent.Load() > 20 })
			began, poured := time.Now(), sent.Load()
			if out := p.must("restart"); !strings.Contains(out, renewedVersion) {
				t.Errorf("restart said %s", out)
			}
			l.until("it is connected again", func() bool { return p.now().State == ipc.Connected && l.pings("c", lanAddr) })
			t.Logf("back after %s, while %d packets were poured", time.Since(began).Round(time.Millisecond), sent.Load()-poured)
			if found := leaked(); found != "" || sent.Load()-poured < 20 {
				t.Errorf("packets left beside the tunnel, or none was tried:\n%s", found)
			}
			s, err := daemon.Status(t.Context())
			if err != nil || s.Version != renewedVersion || s.Renewed {
				t.Errorf("got %+v, %v", s, err)
			}
			c := p.now()
			if len(c.Addresses) == 0 || c.Addresses[0] != first.Addresses[0] || c.Device != first.Device || c.BytesOut < first.BytesOut {
				t.Errorf("another session: got %+v, want %+v", c, first)
			}
			l.transfer(1 << 20)
			l.run("ip", "netns", "exec", l.id+"c", "nft", "delete table inet watch")
			if now := p.network(); now != network {
				t.Errorf("the network is another one:\n%s", difference(network, now))
			}
			if limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", p.daemon.Process.Pid)); err != nil || !noCore.Match(limits) {
				t.Errorf("the new program may leave a core dump: %v\n%s", err, limits)
			}
			if open := descriptors(t, p.daemon.Process.Pid); strings.Contains(open, "memfd:") {
				t.Errorf("what was handed over is still there:\n%s", open)
			}
			p.must("restart") // as root for nothing: once more the same way
			l.until("it is connected once more", func() bool { return p.now().State == ipc.Connected && l.pings("c", lanAddr) })
			p.must("down")
			l.ip("-n", l.id+"g", "addr", "del", beside+"/24", "dev", "g0")
			if after := p.network(); after != before {
				t.Errorf("the network was\n%s\nand is\n%s", before, after)
			}
		})
	}
}

// descriptors is what a process has open.
func descriptors(t *testing.T, pid int) string {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	all, err := os.ReadDir(dir)
	if err != nil || len(all) == 0 {
		t.Fatalf("%s: %d, %v", dir, len(all), err)
	}
	var out strings.Builder
	for _, e := range all {
		to, _ := os.Readlink(filepath.Join(dir, e.Name()))
		out.WriteString(to + "\n")
	}
	return out.String()
}

// tells begins a program that says what a daemon asks before it hands over.
const tells = "#!/bin/sh\n[ \"$1\" = --version ] && echo skyconnect version v9.9.9 && exit\n[ \"$2\" = --takes ] && exit\n"

// TestARestartThatFailsKeepsEverything: sessions, devices and the kill switch, and it
// says why. The last one starts well, and cannot be started any more when it has to
// take over.
func TestARestartThatFailsKeepsEverything(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.server.LocalSubnets = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}
	l.want()
	l.startNode()
	l.install(skyconnectBinary)
	installed := l.program
	p := l.person()
	p.ready("--kill-switch")
	p.mustUp()
	l.program = skyconnectBinary // of commands; the daemon's is replaced
	first, network, process := p.now(), p.network(), p.daemon.Process.Pid
	whole, err := os.ReadFile(skyconnectBinary)
	if err != nil {
		t.Fatal(err)
	}
	foreign := bytes.Clone(whole)
	foreign[18] ^= 0x40 // e_machine (ELF, figure 4-3)
	sent, leaked := l.pour()
	put := func(program []byte) func() error {
		return func() error {
			l.put(program)
			l.program = skyconnectBinary
			return nil
		}
	}
	for _, c := range []struct {
		name    string
		replace func() error
		want    string
	}{
		{"it is gone", func() error { return os.Remove(installed) }, "no such file"},
		{"it may not be run", func() error { put(whole)(); return os.Chmod(installed, 0o644) }, "permission denied"}, //nolint:gosec // as is tested
		{"it is of another machine", put(foreign), "exec format error"},
		{"half of it is there", put(whole[:len(whole)/2]), "does not start"},
		{"it is empty", put(nil), "exec format error"},
		{"it takes nothing over", put([]byte("#!/bin/sh\n[ \"$1\" = --version ] && echo skyconnect version v0.0.0\n")), "does not take over"},
		{"it goes at the last moment", put([]byte("#!/bin/sh\n[ \"$2\" = --takes ] && chmod 600 \"$0\"\necho skyconnect version v9.9.9\n")), "the service goes on"},
	} {
		if err := c.replace(); err != nil {
			t.Fatal(err)
		}
		if a := p.run(nil, "restart"); a.code != 1 || !strings.Contains(a.err, "cannot take the service's place") || !strings.Contains(a.err, c.want) || !strings.Contains(a.err, "update --undo") {
			t.Errorf("%s: got %d %s%s", c.name, a.code, a.out, a.err)
		}
		l.until("it is connected after: "+c.name, func() bool { return p.now().State == ipc.Connected && l.pings("c", lanAddr) })
		if now := p.now(); now.Addresses[0] != first.Addresses[0] || now.Device != first.Device || !now.KillSwitch || now.BytesOut < first.BytesOut {
			t.Errorf("%s: another session: got %+v, want %+v", c.name, now, first)
		}
		if _, err := os.Stat(fmt.Sprintf("/proc/%d", process)); err != nil {
			t.Errorf("%s: the daemon is gone: %v", c.name, err)
		}
	}
	from := sent.Load()
	l.until("packets are tried", func() bool { return sent.Load() > from+100 })
	if found := leaked(); found != "" {
		t.Errorf("packets left beside the tunnel:\n%s", found)
	}
	l.run("ip", "netns", "exec", l.id+"c", "nft", "delete table inet watch")
	if now := p.network(); now != network {
		t.Errorf("the network is another one:\n%s", difference(network, now))
	}
	put(whole)() // and a good one takes over afterwards
	p.must("restart")
	l.until("it is connected at last", func() bool { return p.now().State == ipc.Connected && l.pings("c", lanAddr) })
	p.must("down")
}

// TestABadSuccessorOpensNothing: one that does not start is not given the
// connections; one that dies with them leaves what a killed daemon leaves.
func TestABadSuccessorOpensNothing(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.server.LocalSubnets = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}
	l.want()
	l.startNode()
	l.install(skyconnectBinary)
	good := l.program
	p := l.person()
	p.ready("--kill-switch")
	p.mustUp()
	sent, leaked := l.pour()
	l.program = skyconnectBinary // of commands; the daemon's is replaced
	replace := func(script string) {
		l.put([]byte(script))
		l.program = skyconnectBinary
	}
	replace("#!/bin/sh\nexit 1\n")
	if a := p.run(nil, "restart"); a.code != 1 || !strings.Contains(a.err, "cannot take") {
		t.Errorf("a program that does not start: got %d %s", a.code, a.err)
	}
	if c := p.now(); c.State != ipc.Connected || !l.pings("c", lanAddr) {
		t.Errorf("after it was refused: got %+v", c)
	}
	if err := os.Chmod(good, 0o777); err != nil { //nolint:gosec // what is refused
		t.Fatal(err)
	}
	if a := p.run(nil, "restart"); a.code != 1 || !strings.Contains(a.err, "can change") {
		t.Errorf("a program that everybody can write: got %d %s", a.code, a.err)
	}
	replace(tells + "exit 1\n")
	restarting := l.machine("--socket", p.socket, "--dir", p.home, "restart")
	l.start("c", restarting, "restart.log")
	late := time.AfterFunc(patience, func() { _ = p.daemon.Process.Kill() })
	_ = p.daemon.Wait()
	if !late.Stop() {
		t.Errorf("the daemon did not restart: %s", l.log("restart.log"))
	}
	_ = restarting.Process.Kill()
	from := sent.Load()
	l.until("packets are tried", func() bool { return sent.Load() > from+200 })
	p.startDaemon()
	if c := p.now(); c.State != ipc.Failed || c.Cause != "left" {
		t.Errorf("got %+v", c)
	}
	if found := leaked(); found != "" {
		t.Errorf("packets left beside the tunnel:\n%s", found)
	}
	p.mustUp()
	l.transfer(1 << 20)
	p.must("down")
}
