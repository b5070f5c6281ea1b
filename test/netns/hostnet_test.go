//go:build netns

package netns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	hostnet "github.com/skybridge-cloud/skybridge/internal/client/netcfg"
	"github.com/skybridge-cloud/skybridge/internal/tun"
)

// host is a machine with three networks, on which a tunnel is set up, and the
// internet, where everything answers that was not sent into the tunnel.
//
//	host (…h)  wifi0 198.51.100.2, 2001:db8:1::2 ──┐
//	           lte0  192.0.2.2                   ──┼── internet (…i): server 203.0.113.10, 2001:db8:f::10;
//	           lan0  192.168.7.2                 ──┘   others 203.0.113.99, 10.1.0.9, 10.1.2.9, 2001:db8:f::99
type host struct {
	*lab
	*hostnet.Host
	cfg hostnet.Config
	out *tunnels
}

func newHost(t *testing.T, change ...func(*hostnet.Config)) *host {
	t.Helper()
	id := fmt.Sprintf("sh%x", time.Now().UnixNano()&0xffffffff)
	h := &host{lab: &lab{t: t, dir: t.TempDir(), id: id}, out: &tunnels{seen: map[string]bool{}}}
	for _, n := range []string{"h", "i"} {
		h.ip("netns", "add", id+n)
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", id+n).Run() })
		h.ip("-n", id+n, "link", "set", "lo", "up")
	}
	h.link("wifi0", "198.51.100.2/24", "198.51.100.1/24")
	h.link("lte0", "192.0.2.2/24", "192.0.2.1/24")
	h.link("lan0", "192.168.7.2/24", "192.168.7.1/24")
	h.ip("-n", id+"h", "addr", "add", "2001:db8:1::2/64", "dev", "wifi0", "nodad")
	h.ip("-n", id+"i", "addr", "add", "2001:db8:1::1/64", "dev", "wifi0", "nodad")
	for _, a := range []string{"203.0.113.10/32", "203.0.113.99/32", "10.1.0.9/32", "10.1.2.9/32", "2001:db8:f::10/128", "2001:db8:f::99/128"} {
		h.ip("-n", id+"i", "addr", "add", a, "dev", "lo")
	}
	h.ip("-n", id+"h", "route", "add", "default", "via", "198.51.100.1")
	h.ip("-n", id+"h", "-6", "route", "add", "default", "via", "2001:db8:1::1")
	for _, port := range []string{"80", "443", "53"} {
		h.answer(port)
	}
	h.cfg = hostnet.Config{
		Journal: filepath.Join(h.dir, "journal"), Resolver: hostnet.File, ResolvConf: filepath.Join(h.dir, "etc", "resolv.conf"),
	}
	h.must(os.Mkdir(filepath.Join(h.dir, "etc"), 0o755))
	h.must(os.WriteFile(h.cfg.ResolvConf, []byte("nameserver 198.51.100.1\n"), 0o644))
	for _, f := range change {
		f(&h.cfg)
	}
	h.open()
	return h
}

func (h *host) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// link joins the host and the internet by a pair of the same name.
func (h *host) link(name, host, internet string) {
	h.ip("link", "add", name, "netns", h.id+"h", "type", "veth", "peer", "name", name, "netns", h.id+"i")
	for ns, address := range map[string]string{"h": host, "i": internet} {
		h.ip("-n", h.id+ns, "link", "set", name, "addrgenmode", "none", "up")
		h.ip("-n", h.id+ns, "addr", "add", address, "dev", name)
	}
}

// answer accepts connections to a port of the internet.
func (h *host) answer(port string) {
	var ln net.Listener
	h.must(h.within("i", func() (err error) {
		ln, err = net.Listen("tcp", ":"+port)
		return err
	}))
	h.t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	}()
}

// open begins as the daemon does.
func (h *host) open() {
	h.t.Helper()
	h.must(h.within("h", func() (err error) {
		h.Host, err = hostnet.New(h.cfg)
		return err
	}))
	opened := h.Host
	h.t.Cleanup(func() { _ = opened.Close() })
}

// tunnels collects what is sent into the devices.
type tunnels struct {
	mu   sync.Mutex
	seen map[string]bool // device and destination
}

func (s *tunnels) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.seen)
}

func (s *tunnels) into(to netip.Addr) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range s.seen {
		if device, addr, _ := strings.Cut(key, " "); addr == to.String() {
			return device
		}
	}
	return ""
}

// device opens a tunnel and reads it.
func (h *host) device(name string) tun.Queue {
	h.t.Helper()
	var q []tun.Queue
	h.must(h.within("h", func() (err error) {
		q, err = tun.Open(name, 1)
		return err
	}))
	h.t.Cleanup(func() { _ = q[0].Close() })
	go func() {
		buf, frames := make([]byte, tun.BatchSize), make([][]byte, 0, tun.BatchFrames)
		for {
			got, err := q[0].ReadFrames(buf, frames)
			if err != nil {
				return
			}
			for _, f := range got {
				h.out.note(name, f[tun.HeaderLen:])
			}
		}
	}()
	return q[0]
}

func (s *tunnels) note(device string, packet []byte) {
	var to netip.Addr
	switch {
	case len(packet) >= 20 && packet[0]>>4 == 4:
		to, _ = netip.AddrFromSlice(packet[16:20])
	case len(packet) >= 40 && packet[0]>>4 == 6:
		to, _ = netip.AddrFromSlice(packet[24:40])
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[device+" "+to.String()] = true
}

// way tells where a connection goes: a device's name, "outside" or "blocked".
func (h *host) way(to string, control ...func(string, string, syscall.RawConn) error) string {
	h.t.Helper()
	h.out.clear()
	address := netip.MustParseAddrPort(to)
	d := net.Dialer{Timeout: 5 * time.Second} // a reject comes with the second packet of TCP
	if len(control) > 0 {
		d.Control = control[0]
	}
	result := make(chan error, 1)
	go func() {
		result <- h.within("h", func() error {
			c, err := d.Dial("tcp", to)
			if err == nil {
				_ = c.Close()
			}
			return err
		})
	}()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-result:
			return h.verdict(err, address.Addr())
		case <-tick.C:
			if device := h.out.into(address.Addr()); device != "" {
				return device
			}
		}
	}
}

func (h *host) verdict(err error, to netip.Addr) string {
	switch {
	case h.out.into(to) != "":
		return h.out.into(to)
	case err == nil:
		return "outside"
	case errors.Is(err, unix.ENETUNREACH) || errors.Is(err, unix.EHOSTUNREACH) || errors.Is(err, unix.EACCES):
		return "blocked"
	}
	return err.Error()
}

// ways checks several.
func (h *host) ways(when string, want map[string]string) {
	h.t.Helper()
	for to, w := range want {
		if got := h.way(to); got != w {
			h.t.Errorf("%s: to %s: got %s, want %s", when, to, got, w)
		}
	}
}

// full is a plan that has everything inside, by IPv4 alone.
func full(change ...func(*hostnet.Plan)) hostnet.Plan {
	p := hostnet.Plan{
		Device: "sky0", Addresses: []netip.Prefix{netip.MustParsePrefix("10.98.0.2/24")}, MTU: 1400,
		Servers: []hostnet.Server{
			{Addr: netip.MustParseAddr("203.0.113.10"), TCP: 443, UDP: 443}, {Addr: netip.MustParseAddr("2001:db8:f::10"), TCP: 443, UDP: 443},
		},
	}
	for _, f := range change {
		f(&p)
	}
	return p
}

func prefixes(text string) (all []netip.Prefix) {
	for _, s := range strings.Fields(text) {
		all = append(all, netip.MustParsePrefix(s))
	}
	return all
}

// apply applies and returns the warnings.
func (h *host) apply(p hostnet.Plan) (w []hostnet.Warning) {
	h.t.Helper()
	h.must(h.try(p, &w))
	return w
}

func (h *host) try(p hostnet.Plan, w *[]hostnet.Warning) error {
	return h.within("h", func() (err error) {
		*w, err = h.Apply(h.t.Context(), p)
		return err
	})
}

func (h *host) remove(device string) {
	h.t.Helper()
	h.must(h.within("h", func() error { return h.Remove(h.t.Context(), device) }))
}

// qdisc is what the kernel gives a link that is set up for the first time.
var qdisc = regexp.MustCompile(`qdisc \w+ `)

// picture is all that this package may change, as the system's own programs show
// it.
func (h *host) picture() string {
	h.t.Helper()
	var all strings.Builder
	for _, family := range []string{"-4", "-6"} {
		cmd := exec.Command("ip", "-o", family, "-n", h.id+"h", "-batch", "-")
		cmd.Stdin = strings.NewReader("link\naddr\nrule\nroute show table all\n")
		out, err := cmd.Output() // its complaints of other tests' namespaces are not of this host
		if err != nil {
			h.t.Fatalf("ip -batch: %v: %s", err, out)
		}
		all.Write(qdisc.ReplaceAll(out, nil))
	}
	all.WriteString(h.output("netns", "exec", h.id+"h", "nft", "list", "ruleset"))
	return all.String() + h.files()
}

// files is the directory of resolv.conf and what the journal has.
func (h *host) files() string {
	h.t.Helper()
	var all strings.Builder
	for _, dir := range []string{filepath.Dir(h.cfg.ResolvConf), h.cfg.Journal} {
		entries, err := os.ReadDir(dir)
		if err != nil && !os.IsNotExist(err) {
			h.t.Fatal(err)
		}
		for _, e := range entries {
			if e.Name() == "network.lock" {
				continue
			}
			path := filepath.Join(dir, e.Name())
			text, _ := os.ReadFile(path)
			target, _ := os.Readlink(path)
			fmt.Fprintf(&all, "%s %s %q -> %q\n", e.Name(), e.Type(), text, target)
		}
	}
	return all.String()
}

// as compares pictures.
func (h *host) as(before, when string) {
	h.t.Helper()
	if after := h.picture(); after != before {
		h.t.Errorf("%s: the host is not as before:\n%s", when, difference(before, after))
	}
}

func difference(before, after string) string {
	var all []string
	b, a := strings.Split(before, "\n"), strings.Split(after, "\n")
	for _, line := range b {
		if !slices.Contains(a, line) {
			all = append(all, "- "+line)
		}
	}
	for _, line := range a {
		if !slices.Contains(b, line) {
			all = append(all, "+ "+line)
		}
	}
	return strings.Join(all, "\n")
}

const (
	server  = "203.0.113.10:443"
	server6 = "[2001:db8:f::10]:443"
	other   = "203.0.113.99:80"
	other6  = "[2001:db8:f::99]:80"
	corp    = "10.1.0.9:80"
	corpOut = "10.1.2.9:80"
	printer = "192.168.7.1:80"
)

func TestWhatGoesIntoTheTunnel(t *testing.T) {
	h := newHost(t)
	h.device("sky0")
	before := h.picture()
	six := func(p *hostnet.Plan) { p.Addresses = prefixes("10.98.0.2/24 fd00:98::2/64") }
	for _, c := range []struct {
		name string
		plan hostnet.Plan
		want map[string]string
	}{
		{"everything, IPv4 alone", full(), map[string]string{
			server: "outside", server6: "outside", "203.0.113.10:80": "sky0", other: "sky0", other6: "blocked", corp: "sky0", printer: "sky0",
		}},
		{"client bypass", full(func(p *hostnet.Plan) { p.Bypass = true }), map[string]string{
			server: "outside", server6: "outside", other: "sky0", other6: "outside",
		}},
		{"both families", full(six), map[string]string{
			server: "outside", server6: "outside", other: "sky0", other6: "sky0",
		}},
		{"excludes", full(func(p *hostnet.Plan) { p.Exclude = prefixes("10.1.2.0/24 2001:db8:f::99/128") }), map[string]string{
			corp: "sky0", corpOut: "outside", other6: "outside", other: "sky0",
		}},
		{"local LAN", full(func(p *hostnet.Plan) { p.LocalLAN = true }), map[string]string{
			printer: "outside", other: "sky0", corp: "sky0", "198.51.100.1:80": "sky0", "192.168.9.9:80": "sky0",
		}},
		{"split", full(func(p *hostnet.Plan) { p.Include, p.Exclude = prefixes("10.1.0.0/16"), prefixes("10.1.2.0/24") }), map[string]string{
			server: "outside", corp: "sky0", corpOut: "outside", other: "outside", other6: "outside", printer: "outside", "10.98.0.1:80": "sky0",
		}},
		{"split over the LAN", full(func(p *hostnet.Plan) { p.Include = prefixes("192.168.0.0/16") }), map[string]string{printer: "sky0"}},
		{"split, local LAN", full(func(p *hostnet.Plan) { p.Include, p.LocalLAN = prefixes("192.168.0.0/16"), true }), map[string]string{printer: "outside"}},
		{"the server in an include", full(func(p *hostnet.Plan) { p.Include = prefixes("203.0.113.0/24") }), map[string]string{
			server: "outside", other: "sky0",
		}},
	} {
		h.apply(c.plan)
		h.ways(c.name, c.want)
		again := h.picture()
		h.apply(c.plan)
		h.as(again, c.name+", applied twice")
	}
	h.remove("sky0")
	h.as(before, "after all plans")
	h.ways("removed", map[string]string{other: "outside", other6: "outside", corp: "outside"})
}

// The host goes from Wi-Fi to LTE: nothing is applied anew, the server is reached
// and nothing leaks. That is told once, and what Apply does is not told.
func TestServerIsReachedByAnotherDefaultRoute(t *testing.T) {
	h := newHost(t)
	h.device("sky0")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var changes <-chan struct{}
	h.must(h.within("h", func() (err error) {
		changes, err = h.Watch(ctx)
		return err
	}))
	h.apply(full())
	h.apply(full(func(p *hostnet.Plan) { p.Addresses = prefixes("10.98.0.3/24") }))
	h.ways("on Wi-Fi", map[string]string{server: "outside", other: "sky0"})
	select {
	case <-changes:
		t.Error("our own changes were told")
	case <-time.After(time.Second):
	}
	h.ip("-n", h.id+"h", "link", "set", "wifi0", "down")
	h.ways("without a network", map[string]string{server: "blocked", other: "sky0"})
	h.ip("-n", h.id+"h", "route", "add", "default", "via", "192.0.2.1", "dev", "lte0")
	h.ways("on LTE", map[string]string{server: "outside", other: "sky0"})
	select {
	case _, ok := <-changes:
		if !ok {
			t.Error("the watch ended")
		}
	case <-time.After(patience):
		t.Error("the change was not told")
	}
	cancel()
	for range changes {
	}
}

func TestKillSwitch(t *testing.T) {
	h := newHost(t)
	q := h.device("sky0")
	kill := func(p *hostnet.Plan) { p.KillSwitch = true }
	h.apply(full(kill))
	wifi := func(_, _ string, c syscall.RawConn) error {
		var bound error
		err := c.Control(func(fd uintptr) { bound = unix.BindToDevice(int(fd), "wifi0") })
		return errors.Join(err, bound)
	}
	h.ways("up", map[string]string{server: "outside", server6: "outside", other: "sky0", other6: "blocked", "203.0.113.10:80": "sky0"})
	if got := h.way(other, wifi); got != "blocked" {
		t.Errorf("bound to Wi-Fi: got %s, want blocked", got)
	}
	_ = q.Close() // the daemon was killed, or connects again
	down := map[string]string{server: "outside", server6: "outside", other: "blocked", other6: "blocked", corp: "blocked", printer: "blocked", "203.0.113.10:80": "blocked"}
	h.until("the device is gone", func() bool { return !strings.Contains(h.output("-n", h.id+"h", "link"), "sky0") })
	h.ways("device gone", down)
	h.ip("-n", h.id+"h", "route", "replace", "default", "via", "192.0.2.1", "dev", "lte0")
	h.ways("device gone, another network", down)
	// Another program takes the rules away: the filter holds alone.
	for _, family := range []string{"-4", "-6"} {
		for strings.Contains(h.output("-n", h.id+"h", family, "rule"), "20003:") {
			h.ip("-n", h.id+"h", family, "rule", "del", "priority", "20003")
		}
	}
	h.ways("rules gone", down)
	h.must(h.Close())
	h.open() // the next daemon
	if got := h.Plans(); len(got) != 1 || !got[0].KillSwitch {
		t.Fatalf("got plans %v, want the one that was left", got)
	}
	h.ways("another process", down)
	h.device("sky0")
	h.apply(full(kill, func(p *hostnet.Plan) { p.LocalLAN = true }))
	h.ways("up again, with the LAN", map[string]string{server: "outside", other: "sky0", printer: "outside", other6: "blocked"})
	h.apply(full(kill, func(p *hostnet.Plan) { p.Include = prefixes("10.1.0.0/16") }))
	h.ways("split", map[string]string{server: "outside", other: "outside", corp: "sky0"})
	h.remove("sky0")
	h.ways("removed", map[string]string{other: "outside", other6: "outside", corp: "outside", printer: "outside"})
	if got := h.output("netns", "exec", h.id+"h", "nft", "list", "ruleset"); got != "" {
		t.Errorf("left behind: %s", got)
	}
}

func TestTwoTunnels(t *testing.T) {
	h := newHost(t)
	h.device("sky0")
	h.device("sky1")
	before := h.picture()
	first := full(func(p *hostnet.Plan) { p.Exclude, p.KillSwitch = prefixes("10.1.0.0/16 10.99.0.0/24"), true })
	second := full(func(p *hostnet.Plan) {
		p.Device, p.Addresses, p.Include = "sky1", prefixes("10.99.0.2/24"), prefixes("10.1.0.0/16")
		p.Servers = []hostnet.Server{{Addr: netip.MustParseAddr("203.0.113.99"), TCP: 80}}
	})
	if c := hostnet.Conflicts(first, second); len(c) != 0 {
		t.Fatalf("conflicts %v", c)
	}
	h.apply(first)
	h.apply(second)
	// The second's server was reached through the first, and still is.
	both := map[string]string{server: "outside", other: "sky0", "203.0.113.99:443": "sky0", corp: "sky1", other6: "blocked"}
	h.ways("both", both)
	h.must(h.Close())
	h.open()
	h.apply(first)
	h.ways("after a restart", both)
	h.remove("sky0")
	h.ways("the second alone", map[string]string{other: "outside", "203.0.113.99:443": "outside", corp: "sky1", other6: "outside"})
	h.apply(full(func(p *hostnet.Plan) { p.Exclude = first.Exclude }))
	h.ways("the first comes second", map[string]string{other: "outside", "203.0.113.99:443": "sky0", corp: "sky1"})
	h.remove("sky0")
	h.remove("sky1")
	h.as(before, "without tunnels")
}

// Numbers that others use are left alone.
func TestNumbersOfOthers(t *testing.T) {
	h := newHost(t)
	h.device("sky0")
	ns := h.id + "h"
	h.ip("-n", ns, "route", "add", "10.200.0.0/16", "via", "192.0.2.1", "table", "20000")
	h.ip("-n", ns, "rule", "add", "priority", "20005", "to", "10.200.0.0/16", "lookup", "20000")
	h.ip("-n", ns, "-6", "rule", "add", "priority", "20020", "to", "fd77::/16", "lookup", "20001")
	before := h.picture()
	h.apply(full())
	h.ways("beside others", map[string]string{other: "sky0", server: "outside"})
	if got := h.output("-n", ns, "rule"); !strings.Contains(got, "20035:") || !strings.Contains(got, "lookup 20002") {
		t.Errorf("got rules\n%s", got)
	}
	h.remove("sky0")
	h.as(before, "beside others")
}

// TestNoPacketLeaksDuringAChange sends without a pause while plans replace each
// other.
func TestNoPacketLeaksDuringAChange(t *testing.T) {
	h := newHost(t)
	h.device("sky0")
	var leaked atomic.Int64
	var outside net.PacketConn
	h.must(h.within("i", func() (err error) {
		outside, err = net.ListenPacket("udp", ":9999")
		return err
	}))
	defer outside.Close()
	go func() {
		for b := make([]byte, 100); ; leaked.Add(1) {
			if _, _, err := outside.ReadFrom(b); err != nil {
				return
			}
		}
	}()
	h.apply(full())
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for _, to := range []string{"203.0.113.99:9999", "[2001:db8:f::99]:9999"} {
		wg.Go(func() { h.flood(to, stop) })
	}
	for i := range 40 {
		h.apply(full(func(p *hostnet.Plan) {
			p.Addresses = prefixes(fmt.Sprintf("10.98.0.%d/24", 2+i%3))
			p.MTU, p.LocalLAN, p.KillSwitch = 1300+i, i%2 == 0, i%4 == 0
			if i%3 == 0 {
				p.Exclude = prefixes("10.1.2.0/24")
			}
			if i%5 == 0 {
				p.Addresses = append(p.Addresses, netip.MustParsePrefix("fd00:98::2/64"))
			}
		}))
	}
	close(stop)
	wg.Wait()
	if n := leaked.Load(); n != 0 {
		t.Errorf("%d packets leaked", n)
	}
	h.remove("sky0")
	var c net.Conn
	h.must(h.within("h", func() (err error) {
		c, err = net.Dial("udp", "203.0.113.99:9999")
		return err
	}))
	defer c.Close()
	h.until("a leak would be seen", func() bool {
		_, _ = c.Write([]byte("x"))
		return leaked.Load() > 0
	})
}

// flood sends from new sockets, so that each packet is routed anew.
func (h *host) flood(to string, stop chan struct{}) {
	_ = h.within("h", func() error {
		for {
			select {
			case <-stop:
				return nil
			default:
			}
			if c, err := net.Dial("udp", to); err == nil {
				_, _ = c.Write([]byte("x"))
				_ = c.Close()
			}
		}
	})
}

// An error undoes everything, or returns to the former plan.
func TestAnErrorLeavesTheHostAsItWas(t *testing.T) {
	h := newHost(t)
	h.device("sky0")
	names := func(p *hostnet.Plan) { p.DNS = []netip.Addr{netip.MustParseAddr("10.98.0.53")} }
	etc := filepath.Dir(h.cfg.ResolvConf)
	h.must(unix.Mount(etc, etc, "", unix.MS_BIND, ""))
	t.Cleanup(func() { _ = unix.Unmount(etc, unix.MNT_DETACH) })
	readOnly := func(on bool) {
		flags := uintptr(unix.MS_BIND | unix.MS_REMOUNT)
		if on {
			flags |= unix.MS_RDONLY
		}
		h.must(unix.Mount("", etc, "", flags, ""))
	}
	before := h.picture()
	readOnly(true)
	var w []hostnet.Warning
	err := h.try(full(names, func(p *hostnet.Plan) { p.KillSwitch = true }), &w)
	if !errors.Is(err, hostnet.ErrResolvers) || !errors.Is(err, unix.EROFS) || !strings.Contains(err.Error(), "resolv.conf cannot be replaced") {
		t.Errorf("got %v, want a read-only resolv.conf", err)
	}
	h.as(before, "resolv.conf is read-only")
	h.apply(full())
	former := h.picture()
	if err := h.try(full(names, func(p *hostnet.Plan) { p.Include, p.Addresses = prefixes("10.1.0.0/16"), prefixes("10.98.0.7/24") }), &w); !errors.Is(err, hostnet.ErrResolvers) {
		t.Errorf("got %v, want ErrResolvers", err)
	}
	h.as(former, "back to the former plan")
	h.ways("back to the former plan", map[string]string{other: "sky0", server: "outside"})
	readOnly(false)
	h.remove("sky0")
	if err := h.try(full(func(p *hostnet.Plan) { p.Device = "sky9" }), &w); !errors.Is(err, hostnet.ErrDevice) {
		t.Errorf("no such device: got %v, want ErrDevice", err)
	}
	h.as(before, "no such device")
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	err = h.within("h", func() error {
		_, err := h.Apply(gone, full(names))
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("nobody waits: got %v", err)
	}
	h.as(before, "nobody waits")
}

// A full disk stops what has not begun, and no undoing.
func TestFullDisk(t *testing.T) {
	h := newHost(t)
	h.device("sky0")
	h.must(h.Close())
	h.must(os.MkdirAll(h.cfg.Journal, 0o700))
	h.must(unix.Mount("tmpfs", h.cfg.Journal, "tmpfs", 0, "size=64k,mode=0700"))
	t.Cleanup(func() { _ = unix.Unmount(h.cfg.Journal, unix.MNT_DETACH) })
	h.open()
	filler := filepath.Join(h.cfg.Journal, "filler")
	fill := func() { _ = os.WriteFile(filler, make([]byte, 1<<20), 0o600) } // until it is full
	before := h.picture()
	fill()
	var w []hostnet.Warning
	err := h.try(full(), &w)
	h.must(os.Remove(filler))
	if !errors.Is(err, hostnet.ErrJournal) || !errors.Is(err, unix.ENOSPC) {
		t.Errorf("got %v, want a full disk", err)
	}
	h.as(before, "the disk is full")
	h.apply(full(func(p *hostnet.Plan) { p.KillSwitch = true }))
	former := h.picture()
	fill()
	err = h.try(full(func(p *hostnet.Plan) { p.Exclude = prefixes(manyNetworks(1000)) }), &w)
	h.must(os.Remove(filler))
	if !errors.Is(err, hostnet.ErrJournal) {
		t.Errorf("a new plan: got %v, want ErrJournal", err)
	}
	h.as(former, "a new plan on a full disk")
	fill()
	h.remove("sky0")
	h.must(os.Remove(filler))
	h.as(before, "removed on a full disk")
}

// manyNetworks are enough to fill a page of the journal.
func manyNetworks(n int) string {
	var all strings.Builder
	for i := range n {
		fmt.Fprintf(&all, "10.%d.%d.0/24 ", 100+i/250, i%250)
	}
	return all.String()
}

func TestResolvConfComesBack(t *testing.T) {
	h := newHost(t)
	h.device("sky0")
	named := full(func(p *hostnet.Plan) {
		p.DNS, p.Search = []netip.Addr{netip.MustParseAddr("10.98.0.53")}, []string{"corp.example"}
	})
	path := h.cfg.ResolvConf
	read := func() string {
		b, err := os.ReadFile(path)
		h.must(err)
		return string(b)
	}
	has := func(when string) {
		t.Helper()
		if got := read(); !strings.HasSuffix(got, "\nnameserver 10.98.0.53\nsearch corp.example\n") {
			t.Errorf("%s: got %q", when, got)
		}
	}
	before := h.picture()
	h.apply(named)
	has("a file")
	h.remove("sky0")
	h.as(before, "a file")

	h.must(os.Mkdir(filepath.Join(h.dir, "run"), 0o755))
	managed := filepath.Join(h.dir, "run", "resolv.conf")
	h.must(os.WriteFile(managed, []byte("nameserver 192.0.2.1\n"), 0o644))
	h.must(os.Remove(path))
	h.must(os.Symlink("../run/resolv.conf", path))
	before = h.picture()
	h.apply(named)
	has("a link")
	if b, _ := os.ReadFile(managed); string(b) != "nameserver 192.0.2.1\n" {
		t.Errorf("what the link leads to was written to: %q", b)
	}
	h.remove("sky0")
	h.as(before, "a link")

	h.must(os.Remove(path))
	h.must(os.Symlink("/nowhere/resolv.conf", path))
	before = h.picture()
	h.apply(named)
	has("a link to nowhere")
	h.remove("sky0")
	h.as(before, "a link to nowhere")

	h.must(os.Remove(path))
	before = h.picture()
	h.apply(named)
	has("none")
	h.remove("sky0")
	h.as(before, "none")

	h.must(os.WriteFile(path, []byte("nameserver 198.51.100.1\n"), 0o644))
	h.apply(named)
	h.must(os.WriteFile(path, []byte("nameserver 192.0.2.99\n"), 0o644)) // a DHCP client
	h.remove("sky0")
	if got := read(); got != "nameserver 192.0.2.99\n" {
		t.Errorf("somebody else's change: got %q", got)
	}
	before = h.picture()
	h.apply(named)
	h.must(os.WriteFile(path, []byte("nameserver 192.0.2.98\n"), 0o644))
	h.apply(named)
	has("applied over somebody else's change")
	h.remove("sky0")
	h.as(strings.ReplaceAll(before, "192.0.2.99", "192.0.2.98"), "somebody else's change came back")
	w := h.apply(full(func(p *hostnet.Plan) { p.DNS, p.SplitDNS = named.DNS, []string{"corp.example"} }))
	if !slices.Contains(w, hostnet.NoSplitDNS) {
		t.Errorf("got warnings %v, want NoSplitDNS", w)
	}
	h.apply(full()) // the new server gives none
	if got := read(); got != "nameserver 192.0.2.98\n" {
		t.Errorf("without resolvers: got %q", got)
	}
}
