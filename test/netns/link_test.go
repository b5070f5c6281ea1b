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
	narrow    atomic.Int64 // UDP in IPv4 packets longer than this vanishes; 0 = none
	shift     atomic.Int64 // added to the port that the client's UDP seems to come from
	deaf      atomic.Bool  // UDP vanishes

	passed, dropped atomic.Int64
}

// newLink replaces the cable of a lab.
func (l *lab) newLink() *link {
	l.t.Helper()
	l.ip("-n", l.id+"c", "link", "del", "c0")
	k := &link{rand: rand.New(rand.NewPCG(1, 2))}
	k.client, k.node = l.tap("c", "c0"), l.tap("g", "g0")
	l.ip("-n", l.id+"c", "addr", "add", "198.51.100.2/24", "dev", "c0")
	l.ip("-n", l.id+"g", "addr", "add", nodeAddr+"/24", "dev", "g0")
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
	p, udp := ipv4(frame)
	if p == nil {
		return false // ARP is not what is tested
	}
	if limit := k.narrow.Load(); limit > 0 && udp != nil && int64(binary.BigEndian.Uint16(p[2:])) > limit {
		return true
	}
	return (udp != nil && k.deaf.Load()) || k.chance(k.loss.Load()) == 1
}

// ipv4 returns the packet of an Ethernet frame, and the UDP header in it.
func ipv4(frame []byte) (packet, udp []byte) {
	if len(frame) < 14+20 || binary.BigEndian.Uint16(frame[12:]) != 0x0800 {
		return nil, nil
	}
	p := frame[14:]
	head := int(p[0]&15) * 4
	if p[9] != unix.IPPROTO_UDP || len(p) < head+8 {
		return p, nil
	}
	return p, p[head:]
}

// shiftPort does what an address translator does that forgot a flow: the
// client's datagrams come from another port, and the answers find the client.
func (k *link) shiftPort(frame []byte, back bool) {
	by := uint16(k.shift.Load())
	_, udp := ipv4(frame)
	if udp == nil || by == 0 {
		return
	}
	at := udp[0:]
	if back {
		at, by = udp[2:], -by
	}
	binary.BigEndian.PutUint16(at, binary.BigEndian.Uint16(at)+by)
	binary.BigEndian.PutUint16(udp[6:], 0) // no checksum, which IPv4 allows
}
