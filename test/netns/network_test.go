//go:build netns

package netns

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/agent"
	"github.com/skybridge-cloud/skybridge/internal/dataplane/netcfg"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
)

func (l *lab) output(args ...string) string {
	l.t.Helper()
	out, err := exec.Command("ip", args...).CombinedOutput()
	if err != nil {
		l.t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (l *lab) spec() netcfg.Spec {
	return netcfg.Spec{
		Name: l.gateway, Queues: 2, MTU: 1400, Bridge: "br0", Address: netip.MustParsePrefix("10.77.0.1/24"),
		Servers: []netcfg.Access{{Pool: netip.MustParsePrefix("10.98.0.0/24"), LocalSubnets: []netip.Prefix{netip.MustParsePrefix("10.77.0.0/24")}}},
	}
}

// apply runs netcfg inside the node's namespace.
func (l *lab) apply(spec netcfg.Spec, held *netcfg.Network) (n *netcfg.Network) {
	l.t.Helper()
	err := l.within("g", func() (err error) {
		n, err = netcfg.Apply(spec, held)
		return err
	})
	if err != nil {
		l.t.Fatal(err)
	}
	return n
}

// TestNetworkConverges applies over nothing, over itself, over a change and
// over what a dead process left.
func TestNetworkConverges(t *testing.T) {
	l := newLab(t)
	spec := l.spec()
	n := l.apply(spec, nil)
	if len(n.Queues) != 2 {
		t.Errorf("got %d queues, want 2", len(n.Queues))
	}
	first := l.output("-n", l.gateway, "-o", "addr") + l.output("-n", l.gateway, "route")
	n = l.apply(spec, n)
	if again := l.output("-n", l.gateway, "-o", "addr") + l.output("-n", l.gateway, "route"); again != first {
		t.Errorf("applied twice, got\n%s\nwant\n%s", again, first)
	}
	spec.Servers[0].Pool, spec.MTU = netip.MustParsePrefix("10.97.0.0/24"), 1300
	n = l.apply(spec, n)
	if got := l.output("-n", l.gateway, "-o", "addr", "show", "dev", netcfg.TunnelLink); strings.Contains(got, "10.98.0.1") || !strings.Contains(got, "10.97.0.1/24") {
		t.Errorf("after a change of the pool: got %s", got)
	}
	if got := l.output("-n", l.gateway, "link", "show", netcfg.TunnelLink); !strings.Contains(got, "mtu 1300") {
		t.Errorf("after a change of the MTU: got %s", got)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	l.ip("-n", l.gateway, "link", "del", netcfg.VPCLink) // as after a bridge was made anew
	n = l.apply(spec, nil)
	if got := l.output("-n", l.gateway, "-o", "addr", "show", "dev", netcfg.VPCLink); !strings.Contains(got, "10.77.0.1/24") {
		t.Errorf("over leftovers: got %s", got)
	}
	for range 2 { // removing what is not there is no error
		if err := netcfg.Remove(l.gateway, n); err != nil {
			t.Error(err)
		}
		n = nil
	}
}

func TestStaleNamespaceFileIsReplaced(t *testing.T) {
	l := newLab(t)
	path := filepath.Join("/run/netns", l.gateway)
	if err := os.WriteFile(path, nil, 0o400); err != nil { // its mount died with its maker
		t.Fatal(err)
	}
	n := l.apply(l.spec(), nil)
	if err := netcfg.Remove(l.gateway, n); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("got %v, want the file gone", err)
	}
}

func TestVPCInterfaceIsShared(t *testing.T) {
	l := newLab(t)
	l.ip("-n", l.id+"g", "link", "set", "g1", "nomaster")
	l.cfg.Networks = map[string]agent.Network{"vpc": {Interface: "g1", Address: netip.MustParsePrefix("10.77.0.1/24")}}
	l.want()
	l.startNode()
	if got := l.output("-n", l.gateway, "-d", "link", "show", netcfg.VPCLink); !strings.Contains(got, "macvlan") {
		t.Errorf("got %s, want a macvlan", got)
	}
	c := l.connect(password)
	c.says("SCRIPT connected 10.98.0.2")
	l.transfer(1 << 20)
}

// TestMasquerade has a LAN host without a route back to the clients.
func TestMasquerade(t *testing.T) {
	l := newLab(t)
	l.ip("-n", l.id+"l", "route", "del", "default")
	vpc := l.cfg.Networks["vpc"]
	vpc.Masquerade = true
	l.cfg.Networks["vpc"] = vpc
	l.server.FullTunnel = true
	l.want()
	l.startNode()
	c := l.connect(password)
	c.says("SCRIPT connected 10.98.0.2")
	l.ip("-n", l.id+"c", "route", "replace", "10.77.0.0/24", "dev", "tun0")
	l.transfer(1 << 20)
}

// TestUnprivilegedNodeSaysWhatItLacks runs the node as a user without any
// capability: it reports and goes on.
func TestUnprivilegedNodeSaysWhatItLacks(t *testing.T) {
	l := newLab(t)
	for _, dir := range []string{filepath.Dir(nodeBinary), l.dir, filepath.Dir(l.dir)} {
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	ctl := newControl(t, l.dir)
	if err := os.Chmod(ctl.path, 0o777); err != nil {
		t.Fatal(err)
	}
	ctl.set(l.desired())
	l.cfg.DesiredFile, l.cfg.UsersFile, l.cfg.Control = "", "", ctl.path
	config := filepath.Join(l.dir, "node.json")
	l.writeJSON(config, l.cfg)
	if err := os.Chmod(config, 0o644); err != nil {
		t.Fatal(err)
	}
	l.node = exec.Command(nodeBinary, config)
	l.node.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	l.start("g", l.node, "node.log")
	l.until("the problem is reported", func() bool {
		return ctl.reported(func(r gwlink.Report) bool {
			return len(r.Gateways) == 1 && r.Gateways[0].State == "failed" && strings.Contains(r.Gateways[0].Problem, "CAP_NET_ADMIN")
		})
	})
}
