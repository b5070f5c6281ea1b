//go:build netns

package netns

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/godbus/dbus/v5"

	hostnet "github.com/skybridge-cloud/skybridge/internal/client/netcfg"
)

const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:dir=DIR</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`

// startBus runs a message bus of its own and returns its address.
func startBus(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "bus") // t.TempDir is too long for the path of a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	config := filepath.Join(dir, "bus.conf")
	if err := os.WriteFile(config, []byte(strings.ReplaceAll(busConfig, "DIR", dir)), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("dbus-daemon", "--nofork", "--print-address", "--config-file="+config)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// resolved stands in for systemd-resolved: its interface on a real bus, and what
// each link was given.
type resolved struct {
	mu    sync.Mutex
	links map[int32]*resolvedLink
}

type resolvedLink struct {
	servers  []string
	domains  []string
	fallback bool // names that no domain has are asked here
}

func startResolved(t *testing.T, bus string) *resolved {
	t.Helper()
	conn, err := dbus.Connect(bus)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	r := &resolved{links: map[int32]*resolvedLink{}}
	if err := conn.Export(r, "/org/freedesktop/resolve1", "org.freedesktop.resolve1.Manager"); err != nil {
		t.Fatal(err)
	}
	reply, err := conn.RequestName("org.freedesktop.resolve1", dbus.NameFlagDoNotQueue)
	if err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatal(reply, err)
	}
	return r
}

func (r *resolved) link(index int32, f func(*resolvedLink)) *dbus.Error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.links[index] == nil {
		r.links[index] = &resolvedLink{}
	}
	f(r.links[index])
	return nil
}

type busServer struct {
	Family  int32
	Address []byte
}

func (r *resolved) SetLinkDNS(index int32, servers []busServer) *dbus.Error {
	return r.link(index, func(l *resolvedLink) {
		l.servers = nil
		for _, s := range servers {
			a, _ := netip.AddrFromSlice(s.Address)
			l.servers = append(l.servers, a.String())
		}
	})
}

type busDomain struct {
	Name    string
	Routing bool
}

func (r *resolved) SetLinkDomains(index int32, domains []busDomain) *dbus.Error {
	return r.link(index, func(l *resolvedLink) {
		l.domains = nil
		for _, d := range domains {
			if d.Routing {
				d.Name = "~" + d.Name
			}
			l.domains = append(l.domains, d.Name)
		}
	})
}

func (r *resolved) SetLinkDefaultRoute(index int32, on bool) *dbus.Error {
	return r.link(index, func(l *resolvedLink) { l.fallback = on })
}

func (r *resolved) SetLinkLLMNR(int32, string) *dbus.Error { return nil }

func (r *resolved) FlushCaches() *dbus.Error { return nil }

func (r *resolved) RevertLink(index int32) *dbus.Error {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.links, index)
	return nil
}

func (r *resolved) has(index int) resolvedLink {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l := r.links[int32(index)]; l != nil {
		return *l
	}
	return resolvedLink{}
}

// index is a device's number in the host's namespace.
func (h *host) index(device string) (n int) {
	h.t.Helper()
	h.must(h.within("h", func() error {
		i, err := net.InterfaceByName(device)
		if err == nil {
			n = i.Index
		}
		return err
	}))
	return n
}

func TestResolvedBySystemBus(t *testing.T) {
	bus := startBus(t)
	r := startResolved(t, bus)
	h := newHost(t, func(c *hostnet.Config) { c.Resolver, c.Bus = "", bus })
	h.device("sky0")
	h.must(os.WriteFile(h.cfg.ResolvConf, []byte("nameserver 127.0.0.53\n"), 0o644)) // its stub
	before := h.picture()
	index := h.index("sky0")
	names := func(p *hostnet.Plan) {
		p.DNS = []netip.Addr{netip.MustParseAddr("10.98.0.53"), netip.MustParseAddr("fd00:98::53")}
		p.Search = []string{"corp.example"}
	}
	h.apply(full(names))
	l := r.has(index)
	if !slices.Equal(l.servers, []string{"10.98.0.53", "fd00:98::53"}) || !slices.Equal(l.domains, []string{"corp.example", "~."}) || !l.fallback {
		t.Errorf("all names: got %+v", l)
	}
	if w := h.apply(full(names, func(p *hostnet.Plan) { p.SplitDNS = []string{"lab.example"} })); len(w) != 0 {
		t.Errorf("got warnings %v: resolved knows split DNS", w)
	}
	if l := r.has(index); !slices.Equal(l.domains, []string{"corp.example", "~lab.example"}) || l.fallback {
		t.Errorf("split: got %+v", l)
	}
	if got, _ := os.ReadFile(h.cfg.ResolvConf); string(got) != "nameserver 127.0.0.53\n" {
		t.Errorf("resolv.conf was written to: %q", got)
	}
	h.must(h.Close())
	h.open() // as after a kill
	h.must(h.within("h", func() error {
		done, err := h.Repair(t.Context())
		if !slices.Equal(done.Devices, []string{"sky0"}) {
			t.Errorf("repaired %v", done.Devices)
		}
		return err
	}))
	if l := r.has(index); l.servers != nil {
		t.Errorf("repaired: got %+v", l)
	}
	h.as(before, "repaired")
}

// A resolver that runs and that no program asks is not the one.
func TestResolvedThatNobodyAsks(t *testing.T) {
	bus := startBus(t)
	r := startResolved(t, bus)
	h := newHost(t, func(c *hostnet.Config) { c.Resolver, c.Bus = "", bus })
	h.device("sky0")
	h.apply(full(func(p *hostnet.Plan) { p.DNS = []netip.Addr{netip.MustParseAddr("10.98.0.53")} }))
	if l := r.has(h.index("sky0")); l.servers != nil {
		t.Errorf("got %+v", l)
	}
	if got, _ := os.ReadFile(h.cfg.ResolvConf); !strings.Contains(string(got), "nameserver 10.98.0.53\n") {
		t.Errorf("got %q", got)
	}
}

// TestResolvconf runs both programs of that name, each in a mount namespace in
// which it looks installed and /etc and /run are its own.
func TestResolvconf(t *testing.T) {
	packages, err := filepath.Abs("../../build/unpacked")
	if err != nil {
		t.Fatal(err)
	}
	plan := full(func(p *hostnet.Plan) {
		p.DNS, p.Search, p.SplitDNS = []netip.Addr{netip.MustParseAddr("10.98.0.53")}, []string{"corp.example"}, []string{"corp.example"}
	})
	for name, prepare := range map[string][]map[string]any{
		"openresolv": {{"Run": []string{"rm", "-f", "/etc/resolv.conf"}}},
		"resolvconf": {
			{"Run": []string{"mkdir", "-p", "/run/resolvconf/interface"}},
			{"Run": []string{"ln", "-sf", "/run/resolvconf/resolv.conf", "/etc/resolv.conf"}},
			{"Run": []string{"/usr/sbin/resolvconf", "--enable-updates"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			root := filepath.Join(packages, name)
			if _, err := os.Stat(filepath.Join(root, "etc")); err != nil {
				t.Fatalf("scripts/setup.sh test gets it: %v", err)
			}
			h := newHost(t, func(c *hostnet.Config) {
				c.Resolver, c.ResolvConf, c.Bus = "", "/etc/resolv.conf", "unix:path=/nowhere"
			})
			h.must(h.Close())
			h.cfg.Journal = "/run/journal"
			overlay := func(target, lower, more string, make ...string) map[string]any {
				options := "lowerdir=" + filepath.Join(root, lower) + ":" + target + more
				return map[string]any{"Type": "overlay", "Target": target, "Options": options, "Make": make}
			}
			mounts := []map[string]any{
				{"Type": "tmpfs", "Target": "/run"},
				overlay("/usr/sbin", "sbin", ""), overlay("/usr/lib", "lib", ""),
				overlay("/etc", "etc", ",upperdir=/run/etc/upper,workdir=/run/etc/work", "/run/etc/upper", "/run/etc/work"),
			}
			show := map[string]any{"Show": "/etc/resolv.conf"}
			steps := append(prepare,
				map[string]any{"Run": []string{"/usr/sbin/resolvconf", "-a", "eth0.dhcp"}, "Input": "nameserver 192.0.2.53\n"}, show,
				map[string]any{"Plan": plan}, show,
				map[string]any{"Remove": "sky0"}, show,
				map[string]any{"Plan": plan}, map[string]any{}, show,
			)
			said := h.inMounts(h.victim(), map[string]any{"Config": h.cfg, "Mounts": mounts, "Steps": steps})
			var shown []string
			for line := range strings.Lines(said) {
				if text, ok := strings.CutPrefix(line, "/etc/resolv.conf: "); ok {
					shown = append(shown, text)
				}
			}
			if len(shown) != 4 || !strings.Contains(said, "warnings ["+string(hostnet.NoSplitDNS)+"]") {
				t.Fatalf("got %s", said)
			}
			if !strings.Contains(shown[0], "nameserver 192.0.2.53") || shown[2] != shown[0] || shown[3] != shown[0] {
				t.Errorf("without the tunnel: got %q", shown)
			}
			first, _, _ := strings.Cut(shown[1][strings.Index(shown[1], "nameserver "):], `\n`)
			if first != "nameserver 10.98.0.53" || !strings.Contains(shown[1], "search corp.example") {
				t.Errorf("with the tunnel: got %s", shown[1])
			}
		})
	}
}

// inMounts runs a script in a mount namespace of its own.
func (h *host) inMounts(program string, script map[string]any) string {
	h.t.Helper()
	b, err := json.Marshal(script)
	h.must(err)
	path := filepath.Join(h.dir, "script.json")
	h.must(os.WriteFile(path, b, 0o600))
	var out bytes.Buffer
	cmd := exec.Command(program, path)
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	cmd.Stdout, cmd.Stderr = &out, &out
	h.must(h.within("h", cmd.Start))
	if err := cmd.Wait(); err != nil {
		h.t.Fatalf("%v: %s", err, &out)
	}
	return out.String()
}
