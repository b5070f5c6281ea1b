//go:build netns

package netns

import (
	"crypto/x509"
	"encoding/pem"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
	"github.com/skybridge-cloud/skybridge/internal/client/trust"
)

// TestAServerThatIsNotTheProfilesHearsNothing: not even a request, let alone a
// password, whatever makes its certificate or the profile's pin void; and the person
// reads what it is.
func TestAServerThatIsNotTheProfilesHearsNothing(t *testing.T) {
	t.Parallel()
	over := func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }
	for name, c := range map[string]struct {
		change  func(*x509.Certificate)
		options func(l *lab, leaf *x509.Certificate) []string
		want    string
	}{
		"a pin whose certificate is over": {
			over, func(_ *lab, leaf *x509.Certificate) []string { return []string{"--pin", trust.Pin(leaf)} }, "ended on",
		},
		"a pin whose certificate has not begun": {
			func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Hour) },
			func(_ *lab, leaf *x509.Certificate) []string { return []string{"--pin", trust.Pin(leaf)} }, "holds from",
		},
		"a pin of the key before": {
			nil, func(*lab, *x509.Certificate) []string {
				return []string{"--pin", "pin-sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}
			}, "another key",
		},
		"an issuer of the profile's that is over": {
			over, func(l *lab, leaf *x509.Certificate) []string {
				path := filepath.Join(l.dir, "ca.pem")
				if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Raw}), 0o600); err != nil {
					l.t.Fatal(err)
				}
				return []string{"--ca", path}
			}, "ended on",
		},
		"nobody's": {nil, func(*lab, *x509.Certificate) []string { return nil }, "whom neither"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			leaf := l.impostor(0, c.change)
			p := l.person()
			before := p.network()
			p.knows(nodeAddr+":443", c.options(l, leaf)...)
			a := p.up()
			if a.code != 7 || !strings.Contains(a.err, c.want) || strings.Count(a.err, "\n") < 2 {
				t.Errorf("got %d %s%s, want 7, %q and a remedy", a.code, a.out, a.err, c.want)
			}
			if n := l.heard.Load(); n != 0 {
				t.Errorf("it heard %d requests", n)
			}
			if after := p.network(); after != before {
				t.Errorf("the network was\n%s\nand is\n%s", before, after)
			}
		})
	}
}

// small mounts a disk of a few pages, and returns how it is filled and freed.
func (l *lab) small(dir string) (fill, free func()) {
	l.t.Helper()
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		err = unix.Mount("tmpfs", dir, "tmpfs", 0, "size=128k,mode=0700")
	}
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	filler := filepath.Join(dir, "filler")
	return func() { _ = os.WriteFile(filler, make([]byte, 1<<20), 0o600) }, func() { // until it is full
		if err := os.Remove(filler); err != nil {
			l.t.Fatal(err)
		}
	}
}

// TestAPersonWhoseDiskIsFull is told so, loses nothing that is stored, connects and
// disconnects all the same; what could not be undone later is not begun.
func TestAPersonWhoseDiskIsFull(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.want()
	l.startNode()
	fillHome, freeHome := l.small(filepath.Join(l.dir, "home"))
	fillState, freeState := l.small(filepath.Join(l.dir, "daemon"))
	p := l.person()
	before := p.network()
	p.ready()
	profile := p.must("profiles", "show", "office")
	fillHome()
	for _, args := range [][]string{
		{"profiles", "add", "second", "--server", nodeAddr}, {"profiles", "set", "office", "--kill-switch"}, {"permissions", "refuse", "network"},
	} {
		if a := p.run(nil, args...); a.code != 1 || !strings.Contains(a.err, "no space left") {
			t.Errorf("%v: got %d %s%s", args, a.code, a.out, a.err)
		}
	}
	if now := p.must("profiles", "show", "office"); now != profile {
		t.Errorf("the profile was %s and is %s", profile, now)
	}
	p.mustUp() // without a log
	l.transfer(1 << 20)
	fillState()
	p.must("down")
	if after := p.network(); after != before {
		t.Errorf("the network was\n%s\nand is\n%s", before, after)
	}
	if a := p.up(); a.code != 1 || !strings.Contains(a.err, "no space left") {
		t.Errorf("up on a full disk of the service: got %d %s%s", a.code, a.out, a.err)
	}
	if after := p.network(); after != before {
		t.Errorf("the network was\n%s\nand is\n%s", before, after)
	}
	freeState()
	freeHome()
	p.mustUp()
	p.must("down")
}

// TestAPersonWhoseResolvConfIsFixed: names that cannot be had are no half connection.
func TestAPersonWhoseResolvConfIsFixed(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.server.DNS = []netip.Addr{netip.MustParseAddr("10.77.0.53")}
	l.want()
	l.startNode()
	p := l.person()
	before := p.network()
	p.ready("--kill-switch")
	for _, flags := range []uintptr{unix.MS_BIND, unix.MS_BIND | unix.MS_REMOUNT | unix.MS_RDONLY} {
		if err := unix.Mount(p.resolv, p.resolv, "", flags, ""); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = unix.Unmount(p.resolv, unix.MNT_DETACH) })
	if a := p.up(); a.code != 1 || !strings.Contains(a.err, "resolv.conf cannot be replaced") {
		t.Errorf("got %d %s%s", a.code, a.out, a.err)
	}
	if c := p.now(); c.State != ipc.Failed {
		t.Errorf("got %+v", c)
	}
	p.must("down")
	if after := p.network(); after != before {
		t.Errorf("the network was\n%s\nand is\n%s", before, after)
	}
	if err := unix.Unmount(p.resolv, unix.MNT_DETACH); err != nil {
		t.Fatal(err)
	}
	p.mustUp()
	p.must("down")
}
