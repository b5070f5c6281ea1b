//go:build fault

package crash

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/skybridge-cloud/skybridge/internal/app/walk"
	"github.com/skybridge-cloud/skybridge/internal/platform/config"
)

// nameServer is where the namespace's resolver would send its questions.
const nameServer = "198.51.100.53"

var errPaid = errors.New("the walk is long enough")

// mailboxesRead is by when the mailboxes were read once: they are every two
// minutes.
const mailboxesRead = 150 * time.Second

// TestNothingLeavesButToTheRecipients runs the demonstration in a namespace that
// has a way out, sees every packet in it while a customer registers, is
// verified, orders and pays, and finds connections to the registered recipients,
// the console and nobody else; no name is asked for (spec job 11, clause LT-3.0).
func TestNothingLeavesButToTheRecipients(t *testing.T) {
	wayOut(t)
	seen := watchPackets(t)
	d := startDemo(t)
	running, err := config.Load(filepath.Join(d.data, "run", "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	recipients := map[string]string{"identity check": running.Demo.Aliyun, "payment gateway": running.Demo.Epay, "mail server": running.Demo.SMTP, "mailboxes": running.Demo.IMAP}
	allowed := map[string]bool{running.Console.Listen: true, running.Demo.Mailbox: true, running.Demo.Alipay: true, running.Demo.WechatPay: true}
	for _, a := range recipients {
		allowed[a] = true
	}
	o := d.options(t)
	o.After = func(_ context.Context, step string) error {
		if step == "gateway delivered" {
			return errPaid
		}
		return nil
	}
	out := &logbook{}
	if err := walk.Run(t.Context(), o, out); !errors.Is(err, errPaid) {
		t.Fatalf("the walk ended with %v:\n%s", err, out)
	}
	time.Sleep(3 * time.Second) // for what is done behind the answers
	for end := time.Now().Add(mailboxesRead); time.Now().Before(end) && !seen.has("tcp", running.Demo.IMAP); {
		time.Sleep(time.Second)
	}
	for _, at := range seen.all() {
		if !allowed[at.target] || at.protocol != "tcp" {
			t.Errorf("something went to %s over %s", at.target, at.protocol)
		}
	}
	for name, a := range recipients {
		if !seen.has("tcp", a) {
			t.Errorf("the %s at %s was not reached: the test sees too little", name, a)
		}
	}
	d.stop(t)
	stray(t, seen)
}

// stray sends what must not be sent, and sees it: the way out is one, and it is
// watched.
func stray(t *testing.T, seen *packets) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	_, _ = net.DefaultResolver.LookupHost(ctx, "tracker.example.org")
	dialer := net.Dialer{Timeout: 200 * time.Millisecond}
	for _, address := range []string{"192.0.2.1:443", "[2001:db8::1]:443"} {
		if c, err := dialer.Dial("tcp", address); err == nil {
			_ = c.Close()
			t.Errorf("%s answers", address)
		}
	}
	for protocol, address := range map[string]string{"udp": nameServer + ":53", "tcp": "192.0.2.1:443"} {
		if !seen.has(protocol, address) {
			t.Errorf("a stray packet to %s over %s was not seen: %v", address, protocol, seen.all())
		}
	}
	if !seen.has("tcp", "[2001:db8::1]:443") {
		t.Errorf("a stray packet over IPv6 was not seen: %v", seen.all())
	}
}

// wayOut gives the namespace a route to everywhere, and a name server there.
// Nobody answers.
func wayOut(t *testing.T) {
	t.Helper()
	link := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "out0"}, PeerName: "out1"}
	check(t, netlink.LinkAdd(link))
	t.Cleanup(func() { _ = netlink.LinkDel(link) })
	check(t, netlink.LinkSetARPOff(link)) // else nothing is sent to a neighbour that does not answer
	check(t, netlink.LinkSetUp(link))
	peer, err := netlink.LinkByName("out1")
	check(t, err)
	check(t, netlink.LinkSetUp(peer))
	for _, a := range []string{"198.51.100.9/24", "2001:db8:1::9/64"} {
		address, err := netlink.ParseAddr(a)
		check(t, err)
		address.Flags = unix.IFA_F_NODAD
		check(t, netlink.AddrAdd(link, address))
	}
	for _, to := range []string{"0.0.0.0/0", "::/0"} {
		_, everywhere, err := net.ParseCIDR(to)
		check(t, err)
		check(t, netlink.RouteAdd(&netlink.Route{LinkIndex: link.Index, Dst: everywhere}))
	}
	file := filepath.Join(t.TempDir(), "resolv.conf")
	check(t, os.WriteFile(file, []byte("nameserver "+nameServer+"\noptions timeout:1 attempts:1\n"), 0o600))
	check(t, syscall.Mount(file, "/etc/resolv.conf", "", syscall.MS_BIND, "")) // in this mount namespace alone
	t.Cleanup(func() { _ = syscall.Unmount("/etc/resolv.conf", 0) })
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// flight is where something went: the first packet of a TCP connection, or any
// of another protocol.
type flight struct{ protocol, target string }

// packets is what went out through any interface of the namespace.
type packets struct {
	mu      sync.Mutex
	flights []flight
}

func (p *packets) all() []flight {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.flights)
}

func (p *packets) has(protocol, target string) bool {
	return slices.Contains(p.all(), flight{protocol, target})
}

func (p *packets) add(f flight) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Contains(p.flights, f) {
		p.flights = append(p.flights, f)
	}
}

// watchPackets reads every packet that leaves, until the test ends.
func watchPackets(t *testing.T) *packets {
	t.Helper()
	const everything = unix.ETH_P_ALL<<8&0xff00 | unix.ETH_P_ALL>>8 // in network order
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM, everything)
	check(t, err)
	check(t, unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 32<<20))
	check(t, unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 100000}))
	p, done := &packets{}, make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		buf := make([]byte, 64<<10)
		for {
			n, from, err := unix.Recvfrom(fd, buf, 0)
			select {
			case <-done:
				return
			default:
			}
			link, ok := from.(*unix.SockaddrLinklayer)
			if err != nil || !ok || link.Pkttype != unix.PACKET_OUTGOING {
				continue
			}
			if f, ok := parse(buf[:n]); ok {
				p.add(f)
			}
		}
	})
	t.Cleanup(func() {
		close(done)
		wg.Wait()
		stats, err := unix.GetsockoptTpacketStats(fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
		if err != nil || stats.Drops != 0 {
			t.Errorf("packets were not seen: %+v, %v", stats, err)
		}
		_ = unix.Close(fd)
	})
	return p
}

// parse reads an IP packet; ok is false for what begins nothing: later packets of
// a connection, and what the kernel says to neighbours by itself.
func parse(b []byte) (flight, bool) {
	var protocol byte
	var to netip.Addr
	var rest []byte
	switch {
	case len(b) >= 20 && b[0]>>4 == 4:
		head := int(b[0]&15) * 4
		if head < 20 || len(b) < head {
			return flight{}, false
		}
		protocol, to, rest = b[9], netip.AddrFrom4([4]byte(b[16:20])), b[head:]
	case len(b) >= 40 && b[0]>>4 == 6:
		protocol, to, rest = b[6], netip.AddrFrom16([16]byte(b[24:40])), b[40:]
	default:
		return flight{"unknown", fmt.Sprintf("%x", b[:min(len(b), 14)])}, !arp(b)
	}
	switch protocol {
	case unix.IPPROTO_TCP:
		const syn, ack = 2, 16
		if len(rest) < 14 || rest[13]&(syn|ack) != syn {
			return flight{}, false
		}
		return flight{"tcp", netip.AddrPortFrom(to, binary.BigEndian.Uint16(rest[2:])).String()}, true
	case unix.IPPROTO_UDP:
		if len(rest) < 8 {
			return flight{}, false
		}
		return flight{"udp", netip.AddrPortFrom(to, binary.BigEndian.Uint16(rest[2:])).String()}, true
	case 0, unix.IPPROTO_IGMP, unix.IPPROTO_ICMPV6: // joining groups, finding neighbours; 0: with a hop-by-hop header
		if to.IsMulticast() {
			return flight{}, false
		}
	}
	return flight{fmt.Sprint(protocol), to.String()}, true
}

// arp reports whether a packet asks for a neighbour's address.
func arp(b []byte) bool {
	return len(b) >= 8 && strings.HasPrefix(string(b), "\x00\x01\x08\x00\x06\x04")
}
