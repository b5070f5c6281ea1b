package sslvpn

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/netio"
)

const (
	// maxLanes bounds the sockets and the memory of one port.
	maxLanes = 32
	// laneIdle is how long a lane stays without a datagram.
	laneIdle = 10 * time.Second
	// laneBatch is how many messages a lane takes at once: the processor is given
	// up between batches, and each packet is all of the kernel's forwarding.
	laneBatch = 16
	// muchEvery and muchPackets are how many packets in what time make a client
	// one that sends much: 20 Mbit/s or so.
	muchEvery   = 100 * time.Millisecond
	muchPackets = 200
)

// lanes are sockets of a port for the peers that send much just now, each with
// a receiver of its own. Datagrams of all others come by the port's socket,
// where they would wait behind what a few send, and for what the system does
// with each of those packets.
type lanes struct {
	idle   time.Duration
	mu     sync.Mutex
	open   map[netip.AddrPort]*netio.Socket
	opened int
	closed bool
}

// much finds out whether one client sends much. Receivers may share it.
type much struct{ since, packets atomic.Int64 }

// add counts packets and tells whether they are many.
func (m *much) add(packets int, now time.Time) bool {
	if at := m.since.Load(); now.UnixNano()-at > int64(muchEvery) {
		m.since.Store(now.UnixNano())
		m.packets.Store(int64(packets))
		return false
	}
	return m.packets.Add(int64(packets)) >= muchPackets
}

// promote gives lanes to those that sent much in the last batch.
func (r *udpReader) promote() {
	for _, peer := range r.heavy {
		r.port.openLane(peer)
	}
	r.heavy = r.heavy[:0]
}

// openLane opens a lane for a peer, unless there is one, or too many.
func (p *udpPort) openLane(peer netio.Endpoint) {
	p.lanes.mu.Lock()
	defer p.lanes.mu.Unlock()
	if p.lanes.closed || p.lanes.open[peer.Peer] != nil || len(p.lanes.open) >= maxLanes {
		return
	}
	sock, err := p.sock.Lane(peer)
	if err != nil { // its datagrams go on coming by the port's socket
		p.svc.cfg.Log.Debug("opening a lane", "error", err)
		return
	}
	p.lanes.open[peer.Peer] = sock
	p.lanes.opened++
	number := p.lanes.opened
	p.svc.wg.Go(func() { p.runLane(sock, peer.Peer, number) })
}

// runLane receives from a lane until it is idle, or the port is closed.
func (p *udpPort) runLane(sock *netio.Socket, peer netip.AddrPort, number int) {
	defer p.closeLane(sock, peer)
	r, b := &udpReader{port: p, queue: number}, netio.NewBuffers()
	recv := sock.Receiver()
	recv.Most = laneBatch
	for {
		recv.Deadline = time.Now().Add(p.lanes.idle)
		if !r.receive(recv, b) {
			return
		}
		r.heavy = r.heavy[:0]
	}
}

func (p *udpPort) closeLane(sock *netio.Socket, peer netip.AddrPort) {
	p.lanes.mu.Lock()
	defer p.lanes.mu.Unlock()
	_ = sock.Close()
	delete(p.lanes.open, peer)
}

// close ends all lanes; there will be no others.
func (l *lanes) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for _, sock := range l.open {
		_ = sock.Close()
	}
}
