package sslvpn

import (
	"sync"
	"sync/atomic"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/session"
	"github.com/skybridge-cloud/skybridge/internal/netio"
	"github.com/skybridge-cloud/skybridge/internal/protocol/dtls"
)

// link is the DTLS side of one stream, from CONNECT until the stream ends.
// Handshakes come and go on it.
type link struct {
	id     [32]byte // App-ID or session id
	stream *stream
	path   atomic.Pointer[path] // of the association in use, nil without

	probing atomic.Bool // a long probe came since the handshake; set with the client's lock held

	gone atomic.Bool // nothing of it is taken any more
	mu   sync.Mutex  // serialises what comes in, from any port
	srv  *dtls.Server
	port *udpPort // of the association in use
	peer netio.Endpoint
}

// dtlsOut is where an association's datagrams go. The peer may move.
type dtlsOut struct {
	port    *udpPort
	sealer  *dtls.Sealer
	sealers []*dtls.Sealer // forks, one per pump of the gateway
	peer    atomic.Pointer[netio.Endpoint]
	small   bool // the client's socket is; our own has large ones
}

// established takes a finished handshake into use.
func (l *link) establishedLocked(port *udpPort, from netio.Endpoint) {
	if l.gone.Load() {
		return
	}
	l.probing.Store(false)
	a := l.srv.Association()
	out := &dtlsOut{port: port, sealer: a.Sealer, small: !l.stream.tlsPath.framing.GSO}
	for range l.stream.client.server.Load().gateway.queues {
		out.sealers = append(out.sealers, a.Sealer.Fork())
	}
	out.peer.Store(&from)
	l.moveLocked(port, from)
	l.path.Store(&path{
		channel: session.DTLS, stream: l.stream, link: l, out: out,
		head: netio.DTLSRoom(a.Sealer), tail: netio.TagRoom,
	})
}

// moveLocked makes from the peer's address.
func (l *link) moveLocked(port *udpPort, from netio.Endpoint) {
	if l.gone.Load() {
		return
	}
	if l.port != nil {
		l.port.unbind(l.peer.Peer, l)
	}
	l.port, l.peer = port, from
	port.bind(from.Peer, l)
	if p := l.path.Load(); p != nil && p.out.port == port {
		p.out.peer.Store(&from)
	}
}

// disconnect forgets the association; a new handshake may follow. The caller
// may hold the client's lock, so that this one is not waited for by the
// receiver, which never calls the client with it held.
func (l *link) disconnect() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.path.Store(nil)
	if l.port != nil {
		l.port.unbind(l.peer.Peer, l)
		l.port = nil
	}
}

// remove ends the link: its id is unknown from now on.
func (l *link) remove() {
	l.mu.Lock()
	l.gone.Store(true)
	l.mu.Unlock()
	s := l.stream.client.svc
	s.mu.Lock()
	delete(s.links, l.id)
	ports := make([]*udpPort, 0, len(s.udp))
	for _, p := range s.udp {
		ports = append(ports, p)
	}
	s.mu.Unlock()
	l.disconnect()
	for _, p := range ports {
		p.forget(l)
	}
}

// dtlsWriter is the sending side of one association. It belongs to the stream's
// writer.
type dtlsWriter struct {
	*netio.DTLSWriter
	path *path
}

func newDTLSWriter(p *path) *dtlsWriter {
	return &dtlsWriter{netio.NewDTLSWriter(p.out.sealer, p.out.port.sock), p}
}

func (w *dtlsWriter) tell(n note) error { return w.Tell(n.typ, n.payload, w.path.out.peer.Load()) }

// Bounds of what a probe can say of a path: openconnect's own, and RFC 8200's
// for a client that has IPv6.
const (
	leastProbe  = 576
	leastProbe6 = 1280
)

// probed notes that a DPD request of n bytes came by DTLS. By long ones a client
// finds what its path carries, from the MTU that it was told downwards, and makes
// its tunnel as long as the longest that was answered: what is longer than the
// longest that came would be lost on the way to it. The first after a handshake
// begins anew.
func (l *link) probed(n int) {
	if n < leastProbe {
		return
	}
	c := l.stream.client
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stream != l.stream { // the tunnel has another MTU by now
		return
	}
	if c.holder.Load().IPv6.IsValid() {
		n = max(n, leastProbe6)
	}
	mtu := int32(min(n, l.stream.mtu))
	if !l.probing.Swap(true) || mtu > c.mtu.Load() {
		c.mtu.Store(mtu)
	}
}
