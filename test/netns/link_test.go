//go:build netns

package netns

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// link is a cable between client and node that is a program: two TAP devices
// whose frames pass through policies. The kernels on both ends know nothing of
// it, as with a real path.
type link struct {
	client, node *os.File

	mu   sync.Mutex // rand
	rand *rand.Rand

	loss      atomic.Int64 // percent of frames
	delay     atomic.Int64 // of each frame, each way; time.Duration
	jitter    atomic.Int64 // added at random, so that frames overtake each other
	duplicate atomic.Int64 // percent of frames
	narrow    atomic.Int64 // UDP in packets longer than this vanishes; 0 = none
	hole      atomic.Int64 // every packet longer than this vanishes; 0 = none
	shift     atomic.Int64 // added to the port that the client's UDP seems to come from
	deaf      atomic.Bool  // UDP vanishes
	mute      atomic.Bool  // TCP vanishes
	first     atomic.Int64 // of the node's datagrams, those whose bit is set vanish

	passed, dropped atomic.Int64
	datagrams       atomic.Int64 // UDP that the node sent and that passed
}

// newLink replaces the cable of a lab.
func (l *lab) newLink() *link {
	l.t.Helper()
	l.ip("-n", l.id+"c", "link", "del", "c0")
	k := &link{rand: rand.New(rand.NewPCG(1, 2))}
	k.client, k.node = l.tap("c", "c0"), l.tap("g", "g0")
	l.ip("-n", l.id+"c", "addr", "add", "198.51.100.2/24", "dev", "c0")
	l.ip("-n", l.id+"g", "addr", "add", nodeAddr+"/24", "dev", "g0")
	l.ip("-n", l.id+"c", "addr", "add", clientAddr6+"/64", "dev", "c0", "nodad")
	l.ip("-n", l.id+"g", "addr", "add", nodeAddr6+"/64", "dev", "g0", "nodad")
	l.ip("-n", l.id+"c", "link", "set", "c0", "up")
	l.ip("-n", l.id+"g", "link", "set", "g0", "up")
	var wg sync.WaitGroup
	wg.Go(func() { k.carry(k.client, k.node, false) })
	wg.Go(func() { k.carry(k.node, k.client, true) })
	l.t.Cleanup(func() {
		_ = k.client.Close()
		_ = k.node.Close()
		wg.Wait()
	})
	return k
}

// tap makes a TAP device in a namespace. Without offloads each frame is what
// would be on a wire.
func (l *lab) tap(ns, name string) (f *os.File) {
	l.t.Helper()
	err := l.within(ns, func() error {
		fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		if err != nil {
			return err
		}
		ifr, err := unix.NewIfreq(name)
		if err != nil {
			return err
		}
		ifr.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
		if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr); err != nil {
			return err
		}
		f = os.NewFile(uintptr(fd), name)
		return nil
	})
	if err != nil {
		l.t.Fatal(err)
	}
	return f
}

// carry moves frames one way until the devices are closed.
func (k *link) carry(from, to *os.File, back bool) {
	buf := make([]byte, 65536)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		frame := append([]byte(nil), buf[:n]...)
		if k.drops(frame) {
			k.dropped.Add(1)
			continue
		}
		if _, udp := datagram(frame); back && udp != nil {
			if n := k.datagrams.Add(1); n < 64 && k.first.Load()>>(n-1)&1 == 1 {
				k.dropped.Add(1)
				continue
			}
		}
		k.shiftPort(frame, back)
		k.passed.Add(1)
		for range 1 + k.chance(k.duplicate.Load()) {
			k.deliver(to, frame)
		}
	}
}

func (k *link) deliver(to *os.File, frame []byte) {
	wait := time.Duration(k.delay.Load())
	if j := k.jitter.Load(); j > 0 {
		wait += time.Duration(k.number(j))
	}
	if wait == 0 {
		_, _ = to.Write(frame)
		return
	}
	time.AfterFunc(wait, func() { _, _ = to.Write(frame) })
}

func (k *link) number(below int64) int64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.rand.Int64N(below)
}

// chance is 1 in percent of all calls, else 0.
func (k *link) chance(percent int64) int {
	if percent > 0 && k.number(100) < percent {
		return 1
	}
	return 0
}

func (k *link) drops(frame []byte) bool {
	p, proto := packetOf(frame)
	switch limit := int(k.narrow.Load()); {
	case p == nil:
		return false // ARP and neighbours' talk are not what is tested
	case k.hole.Load() > 0 && len(p) > int(k.hole.Load()):
		return true
	case proto == unix.IPPROTO_UDP && (k.deaf.Load() || limit > 0 && len(p) > limit):
		return true
	case proto == unix.IPPROTO_TCP && k.mute.Load():
		return true
	}
	return k.chance(k.loss.Load()) == 1
}

// packetOf is the IP packet of an Ethernet frame and its upper layer; nil for
// what keeps the link itself up.
func packetOf(frame []byte) (p []byte, proto byte) {
	if len(frame) < 14+20 {
		return nil, 0
	}
	switch p := frame[14:]; {
	case binary.BigEndian.Uint16(frame[12:]) == unix.ETH_P_IP:
		return p, p[9]
	case binary.BigEndian.Uint16(frame[12:]) == unix.ETH_P_IPV6 && len(p) >= 40 && p[6] != unix.IPPROTO_ICMPV6:
		return p, p[6]
	}
	return nil, 0
}

// datagram is the IP packet of a frame, and the UDP header in it; nil without.
func datagram(frame []byte) (p, udp []byte) {
	p, proto := packetOf(frame)
	if proto != unix.IPPROTO_UDP {
		return nil, nil
	}
	head := 40
	if p[0]>>4 == 4 {
		head = int(p[0]&15) * 4
	}
	if len(p) < head+8 {
		return nil, nil
	}
	return p, p[head:]
}

// shiftPort does what an address translator does that forgot a flow: the
// client's datagrams come from another port, and the answers find the client.
// It is for IPv4, where a datagram may be without a checksum.
func (k *link) shiftPort(frame []byte, back bool) {
	by := uint16(k.shift.Load())
	p, udp := datagram(frame)
	if udp == nil || by == 0 || p[0]>>4 != 4 {
		return
	}
	at := udp[0:]
	if back {
		at, by = udp[2:], -by
	}
	binary.BigEndian.PutUint16(at, binary.BigEndian.Uint16(at)+by)
	binary.BigEndian.PutUint16(udp[6:], 0)
}
