package sslvpn

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/filter"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

// narrow is a client on a path of 1300 bytes, and the MTU that it was told.
func narrow(r *rig) (p *peer, mtu int) {
	r.t.Helper()
	p = r.dial(nil)
	p.connect(p.login("ann"), "X-CSTP-Base-MTU: 1300")
	return p, int(r.svc.all()[0].mtu.Load())
}

// syn is a TCP SYN that announces 1460 bytes; its checksum is left out.
func syn(src, dst string) []byte {
	p := append(udpPacket(src, dst, nil)[:20], make([]byte, 24)...)
	p[3], p[9] = byte(len(p)), 6
	p[32], p[33] = 6<<4, 2
	copy(p[40:], []byte{2, 4, 1460 >> 8, 1460 & 0xff})
	return p
}

func TestSegmentsFitTheTunnel(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p, mtu := narrow(r)
	if want := openconnect.TunnelMTU(1300, false, openconnect.CipherGCM); mtu != want {
		t.Fatalf("got a tunnel of %d bytes, want %d", mtu, want)
	}
	p.send(openconnect.TypeData, syn("10.98.0.2", "10.77.0.2"))
	if got := binary.BigEndian.Uint16(r.nextPacket()[42:]); int(got) != mtu-40 {
		t.Errorf("up: got segments of %d bytes, want %d", got, mtu-40)
	}
	r.queue.Inject(syn("10.77.0.2", "10.98.0.2"))
	f, err := p.frame()
	if err != nil {
		t.Fatal(err)
	}
	if got := binary.BigEndian.Uint16(f.Payload[42:]); int(got) != mtu-40 {
		t.Errorf("down: got segments of %d bytes, want %d", got, mtu-40)
	}
}

func TestPacketsThatDoNotFit(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p, mtu := narrow(r)
	long := udpPacket("10.77.0.2", "10.98.0.2", bytes.Repeat([]byte("long"), 350))
	r.queue.Inject(long)
	var got []byte
	for len(got) < len(long)-20 {
		f, err := p.frame()
		if err != nil {
			t.Fatal(err)
		}
		if len(f.Payload) > mtu {
			t.Fatalf("got a packet of %d bytes, want at most %d", len(f.Payload), mtu)
		}
		got = append(got, f.Payload[20:]...)
	}
	if !bytes.Equal(got, long[20:]) {
		t.Error("the fragments are not the packet")
	}

	long[6] = 0x40 // DF
	r.queue.Inject(long)
	told := r.nextPacket()
	if told[9] != 1 || told[20] != 3 || told[21] != 4 || int(binary.BigEndian.Uint16(told[26:])) != mtu || !bytes.Equal(told[28:48], long[:20]) {
		t.Errorf("the sender was told % x", told[:min(len(told), 48)])
	}
	errs := 0
	for range 2 * maxErrors { // one at a time: the queue of a test is short
		r.queue.Inject(long)
		last := udpPacket("10.77.0.2", "10.98.0.2", []byte("last"))
		r.queue.Inject(last)
		if f, err := p.frame(); err != nil || !bytes.Equal(f.Payload, last) {
			t.Fatalf("after what did not fit: got %q, %v", f.Payload, err)
		}
		for len(r.queue.Packets()) > 0 {
			r.nextPacket()
			errs++
		}
	}
	if n := r.svc.Tally().Drops[DropTooBig]; n != 2*maxErrors+1 {
		t.Errorf("got %d packets counted, want %d", n, 2*maxErrors+1)
	}
	if errs == 0 || errs == 2*maxErrors {
		t.Errorf("got %d errors for %d packets, want a limit", errs, 2*maxErrors)
	}
}

// A super-packet is cut to what the client takes.
func TestSuperPacketsAreCutToFit(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p, mtu := narrow(r)
	r.queue.InjectFrame(superFrame())
	n := 0
	for n < 40*1360 {
		f, err := p.frame()
		if err != nil {
			t.Fatal(err)
		}
		if len(f.Payload) > mtu {
			t.Fatalf("got a packet of %d bytes, want at most %d", len(f.Payload), mtu)
		}
		n += len(f.Payload) - 40
	}
}

// TestAClientsProbesTellWhatItsPathCarries has probes of a path that swallows
// what is long: what then goes to the client is no longer than they were.
func TestAClientsProbesTellWhatItsPathCarries(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := r.dial(nil)
	id := p.connect(p.login("ann"), "X-DTLS-CipherSuite: PSK-NEGOTIATE").Get("X-Dtls-App-Id")
	var d *dtlsPeer
	again := func() { d = r.dtlsFor(p, id); d.handshake() }
	again()
	c := r.svc.all()[0]
	told := int(c.mtu.Load())
	for _, step := range []struct{ probe, want int }{
		{4, told}, {told, told}, {1300, told}, // it is as wide as it was told
		{0, told},                                            // a new handshake
		{1200, 1200}, {900, 1200}, {100, 1200}, {1300, 1300}, // what came is the least of what it carries
		{told + 100, told},
	} {
		if step.probe == 0 {
			again()
			continue
		}
		d.send(openconnect.TypeDPDRequest, make([]byte, step.probe))
		d.frame() // its answer: it was looked at
		if got := int(c.mtu.Load()); got != step.want {
			t.Errorf("after a probe of %d: got %d, want %d", step.probe, got, step.want)
		}
	}
	c.holder.Store(&filter.Holder{IPv4: c.holder.Load().IPv4, IPv6: netip.MustParseAddr("fd00:98::2")})
	again()
	d.send(openconnect.TypeDPDRequest, make([]byte, 600))
	d.frame()
	if got := c.mtu.Load(); got != leastProbe6 {
		t.Errorf("with IPv6: got %d, want %d", got, leastProbe6)
	}
}
