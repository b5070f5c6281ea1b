package sslvpn

import (
	"net/netip"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/netio"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
	"github.com/skybridge-cloud/skybridge/internal/tun/tuntest"
)

// laneTo tells whether the rig's only UDP port has a lane for a peer.
func (r *rig) laneTo(at netip.AddrPort) bool {
	p := r.udpPort()
	p.lanes.mu.Lock()
	defer p.lanes.mu.Unlock()
	return p.lanes.open[at] != nil
}

func (r *rig) udpPort() *udpPort {
	r.svc.mu.RLock()
	defer r.svc.mu.RUnlock()
	for _, p := range r.svc.udp {
		return p
	}
	r.t.Fatal("no UDP port")
	return nil
}

// TestWhoSendsMuchGetsALane: its datagrams come by a socket of their own, those
// of others by the port's, and both arrive; without traffic the lane goes away
// and the port's socket has them again.
func TestWhoSendsMuchGetsALane(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.udpPort().lanes.idle = 50 * time.Millisecond
	_, ann := r.withDTLS("ann")
	ann.handshake()
	_ = r.queue.Close() // another device takes its place, which never waits
	r.device = tuntest.Discard()
	r.apply()
	from := netip.MustParseAddrPort(ann.conn.LocalAddr().String())
	inner := r.svc.all()[0].rec.Inner.String()
	packet := udpPacket(inner, "10.77.0.2", make([]byte, 100))
	until := func(what string, holds func() bool) {
		t.Helper()
		end := time.Now().Add(waitLimit)
		for !holds() {
			if time.Now().After(end) {
				t.Fatalf("%s: not within %s", what, waitLimit)
			}
			time.Sleep(time.Millisecond)
		}
	}
	until("a lane", func() bool {
		for range 2 * muchPackets {
			ann.send(openconnect.TypeData, packet)
		}
		return r.laneTo(from)
	})
	arrived := func() uint64 { return r.svc.Live()[0].PacketsIn }
	before := arrived()
	_, bob := r.withDTLS("bob") // whose handshake is with the port's socket
	bob.handshake()
	ann.send(openconnect.TypeData, packet)
	until("a packet by the lane", func() bool { return arrived() > before })
	until("the lane's end", func() bool { return !r.laneTo(from) })
	before = arrived()
	ann.send(openconnect.TypeData, packet)
	until("a packet by the port's socket", func() bool { return arrived() > before })
	if r.laneTo(netip.MustParseAddrPort(bob.conn.LocalAddr().String())) {
		t.Error("who sends little has a lane")
	}
}

func TestLanesAreBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, d := r.withDTLS("ann")
	d.handshake()
	p := r.udpPort()
	for i := range maxLanes + 5 {
		p.openLane(netio.Endpoint{Peer: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.9"), uint16(2000+i))})
	}
	p.lanes.mu.Lock()
	n := len(p.lanes.open)
	p.lanes.mu.Unlock()
	if n != maxLanes {
		t.Errorf("got %d lanes, want %d", n, maxLanes)
	}
}

func TestMuch(t *testing.T) {
	t.Parallel()
	var m much
	now := time.Unix(1_000_000, 0)
	for i := range 100 { // 1700 packets a second
		if m.add(17, now.Add(time.Duration(i)*10*time.Millisecond)) {
			t.Fatalf("a slow client sends much after %d steps", i)
		}
	}
	now = now.Add(time.Hour)
	m.add(1, now)
	if m.add(muchPackets-2, now) || !m.add(1, now) {
		t.Error("the limit is not where it is said to be")
	}
}
