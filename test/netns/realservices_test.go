//go:build netns

package netns

import (
	"bytes"
	"encoding/binary"
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
	"time"

	hostnet "github.com/skybridge-cloud/skybridge/internal/client/netcfg"
)

// unpacked is a program of a package that scripts/setup.sh test has unpacked, and
// the environment to run it with.
func unpacked(t *testing.T, program string) (path string, env []string) {
	t.Helper()
	root, err := filepath.Abs("../../build/unpacked")
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(root, program)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("scripts/setup.sh test gets it: %v", err)
	}
	var libraries []string
	for _, pattern := range []string{"*/usr/lib/*-linux-gnu*", "*/usr/lib/*-linux-gnu*/systemd", "*/lib/*-linux-gnu*"} {
		all, _ := filepath.Glob(filepath.Join(root, pattern))
		libraries = append(libraries, all...)
	}
	return path, append(os.Environ(), "LD_LIBRARY_PATH="+strings.Join(libraries, ":"))
}

// startRealResolved runs systemd-resolved in the host's namespace, with a /run and a
// configuration of its own; its upstream is the first network's router. Its user is
// a number that the bus knows too.
func (h *host) startRealResolved(bus string) {
	h.t.Helper()
	socket := strings.TrimPrefix(strings.Split(bus, ",")[0], "unix:path=")
	h.must(os.Chmod(filepath.Dir(socket), 0o755)) // it runs as another user
	h.must(os.Chmod(socket, 0o777))               //nolint:gosec // of this test
	config := filepath.Join(h.dir, "resolved.conf")
	h.must(os.WriteFile(config, []byte("[Resolve]\nDNS=198.51.100.1\nFallbackDNS=\nDNSSEC=no\nLLMNR=no\nMulticastDNS=no\nCache=no\n"), 0o644))
	program, env := unpacked(h.t, "systemd-resolved/lib/systemd/systemd-resolved")
	cmd := exec.Command("sh", "-ec", `
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/resolve
grep -q ^systemd-resolve: /etc/passwd || {
	{ cat /etc/passwd; echo systemd-resolve:x:1:1::/:/usr/sbin/nologin; } > /run/passwd
	{ cat /etc/group; echo systemd-resolve:x:1:; } > /run/group
	mount --bind /run/passwd /etc/passwd
	mount --bind /run/group /etc/group
}
chown systemd-resolve: /run/systemd/resolve
mkdir -p /run/etc-systemd
cp "$1" /run/etc-systemd/resolved.conf
mount --bind /run/etc-systemd /etc/systemd
exec "$2"`, "sh", config, program)
	cmd.Env = append(env, "DBUS_SYSTEM_BUS_ADDRESS="+bus)
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	h.start("h", cmd, "resolved.log")
	h.until("systemd-resolved is on the bus", func() bool {
		out, err := exec.Command("dbus-send", "--bus="+bus, "--print-reply", "--dest=org.freedesktop.DBus", "/", "org.freedesktop.DBus.GetNameOwner", "string:org.freedesktop.resolve1").CombinedOutput()
		return err == nil && len(out) > 0
	})
}

// router notes the names that are asked of the first network's router.
type router struct {
	mu    sync.Mutex
	names []string
}

func (h *host) startRouter() *router {
	h.t.Helper()
	var c net.PacketConn
	h.must(h.within("i", func() (err error) {
		c, err = net.ListenPacket("udp4", "198.51.100.1:53")
		return err
	}))
	h.t.Cleanup(func() { _ = c.Close() })
	r := &router{}
	go func() {
		buf := make([]byte, 1500)
		for {
			n, _, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			r.mu.Lock()
			r.names = append(r.names, questioned(buf[:n]))
			r.mu.Unlock()
		}
	}()
	return r
}

func (r *router) was(name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Contains(r.names, name)
}

// questioned is the name in the first question of a message (RFC 1035, 4.1).
func questioned(m []byte) string {
	var labels []string
	for at := 12; at < len(m) && m[at] > 0 && at+1+int(m[at]) <= len(m); at += 1 + int(m[at]) {
		labels = append(labels, string(m[at+1:at+1+int(m[at])]))
	}
	return strings.Join(labels, ".")
}

// ask asks the stub of systemd-resolved for the address of a name.
func (h *host) ask(name string) {
	h.t.Helper()
	m := binary.BigEndian.AppendUint16(nil, uint16(time.Now().UnixNano()))
	m = append(m, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0)
	for label := range strings.SplitSeq(name, ".") {
		m = append(append(m, byte(len(label))), label...)
	}
	m = append(m, 0, 0, 1, 0, 1)
	h.must(h.within("h", func() error {
		c, err := net.Dial("udp4", "127.0.0.53:53")
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = c.Write(m)
		return err
	}))
}

// TestNamesGoWhereARealResolvedSendsThem: systemd-resolved itself, on a system bus
// of its own, takes what netcfg says, and a query leaves by the way of its domain.
func TestNamesGoWhereARealResolvedSendsThem(t *testing.T) {
	bus := startBus(t)
	h := newHost(t, func(c *hostnet.Config) { c.Resolver, c.Bus = "", bus })
	h.startRealResolved(bus)
	outside := h.startRouter()
	h.device("sky0")
	h.must(os.WriteFile(h.cfg.ResolvConf, []byte("nameserver 127.0.0.53\n"), 0o644))
	inner := netip.MustParseAddr("10.98.0.53")
	plan := full(func(p *hostnet.Plan) {
		p.Include, p.DNS, p.SplitDNS = prefixes("10.98.0.0/24"), []netip.Addr{inner}, []string{"lab.example"}
	})
	if w := h.apply(plan); len(w) != 0 {
		t.Errorf("got warnings %v", w)
	}
	inside := func() bool { return h.out.into(inner) == "sky0" }
	asks := func(name string, wantInside bool) {
		t.Helper()
		h.out.clear()
		h.ask(name)
		h.until(name+" is asked for", func() bool { return inside() || outside.was(name) })
		time.Sleep(200 * time.Millisecond) // for the other way, if it is taken too
		if inside() != wantInside || outside.was(name) == wantInside {
			t.Errorf("%s: asked inside %v, outside %v; want inside %v", name, inside(), outside.was(name), wantInside)
		}
	}
	asks("www.lab.example", true)
	asks("www.example.org", false)
	h.remove("sky0")
	asks("after.lab.example", false)

	h.apply(full(func(p *hostnet.Plan) { p.DNS = []netip.Addr{inner} }))
	asks("all.example.org", true) // everything goes inside
	h.must(h.Close())
	h.open() // as after a kill
	h.must(h.within("h", func() error { _, err := h.Repair(t.Context()); return err }))
	asks("repaired.example.org", false)
}

// keyring is a person with the desktop's real key store, unlocked, on a bus of
// their own.
type keyring struct {
	t       *testing.T
	home    string
	program string
	env     []string
	daemon  *exec.Cmd
}

func startKeyring(t *testing.T) *keyring {
	t.Helper()
	dir, err := os.MkdirTemp("", "keyring") // the paths of its sockets are short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	k := &keyring{t: t, home: dir}
	k.program, k.env = unpacked(t, "gnome-keyring/usr/bin/gnome-keyring-daemon")
	k.env = append(k.env, "DBUS_SESSION_BUS_ADDRESS="+startBus(t), "HOME="+dir, "XDG_RUNTIME_DIR="+dir, "XDG_DATA_HOME="+dir+"/data")
	k.unlock()
	t.Cleanup(k.stop)
	return k
}

func (k *keyring) stop() {
	_ = k.daemon.Process.Kill()
	_ = k.daemon.Wait()
}

// unlock starts the daemon with the phrase of the person's collection.
func (k *keyring) unlock() {
	k.t.Helper()
	if k.daemon != nil {
		k.stop()
	}
	k.daemon = exec.Command(k.program, "--foreground", "--unlock", "--components=secrets")
	k.daemon.Env, k.daemon.Stdin = k.env, strings.NewReader("phrase")
	if err := k.daemon.Start(); err != nil {
		k.t.Fatal(err)
	}
	for range 100 {
		if k.dbus("/org/freedesktop/secrets", "org.freedesktop.Secret.Service.ReadAlias", "string:default") == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	k.t.Fatal("gnome-keyring-daemon does not answer")
}

func (k *keyring) dbus(args ...string) error {
	cmd := exec.Command("dbus-send", append([]string{"--session", "--print-reply", "--dest=org.freedesktop.secrets"}, args...)...)
	cmd.Env = k.env
	return cmd.Run()
}

// skyconnect runs a command line that nobody is at.
func (k *keyring) skyconnect(in string, args ...string) (string, int) {
	cmd := exec.Command(skyconnectBinary, append([]string{"--dir", filepath.Join(k.home, "sky"), "--socket", filepath.Join(k.home, "none"), "--lang", "en"}, args...)...)
	cmd.Env, cmd.Stdin = k.env, strings.NewReader(in)
	out, _ := cmd.CombinedOutput()
	return string(out), cmd.ProcessState.ExitCode()
}

// TestASeedLivesInARealKeyring: gnome-keyring keeps it, gives it back, says that it
// is locked, and has none after an erasure.
func TestASeedLivesInARealKeyring(t *testing.T) {
	t.Parallel()
	k := startKeyring(t)
	const seed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	step := func(in, args, want string, code int) {
		t.Helper()
		if out, got := k.skyconnect(in, strings.Fields(args)...); got != code || !strings.Contains(out, want) {
			t.Errorf("%s: got %d %s, want %d %q", args, got, out, code, want)
		}
	}
	step("", "profiles add office --server vpn.example.org --keep-seed", "office", 0)
	step("", "permissions grant key-store", "", 0)
	step(seed, "token import --from -", "is kept", 0)
	step("", "data", "secret-service", 0)
	step("", "token code --json", `"code": "`, 0)
	if err := filepath.Walk(k.home, func(path string, info os.FileInfo, err error) error {
		if err != nil || !info.Mode().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(seed)) {
			t.Errorf("the seed is readable in %s", path)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := k.dbus("/org/freedesktop/secrets", "org.freedesktop.Secret.Service.Lock", "array:objpath:/org/freedesktop/secrets/collection/login"); err != nil {
		t.Fatal(err)
	}
	step("", "token code", "not unlocked", 1)
	step("", "token list", "kept", 0)               // which there are is no secret
	step("", "data erase --yes", "not unlocked", 1) // what cannot be deleted is not said to be
	k.unlock()
	step("", "data erase --yes", "", 0)
	if left, err := os.ReadDir(filepath.Join(k.home, "sky")); err == nil && len(left) > 0 {
		t.Errorf("left %v", left)
	}
	step("", "profiles add office --server vpn.example.org --keep-seed", "office", 0)
	step("", "permissions grant key-store", "", 0)
	step("", "token code", "no such secret", 1)
}
