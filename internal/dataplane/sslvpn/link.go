package sslvpn

import (
	"sync"
	"sync/atomic"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/session"
	"github.com/skybridge-cloud/skybridge/internal/protocol/dtls"
)

// typeRoom is the type byte in front of each packet of a DTLS record, tagRoom
// the AEAD's tag behind it.
const (
	typeRoom = 1
	tagRoom  = 16
)

// link is the DTLS side of one stream, from CONNECT until the stream ends.
// Handshakes come and go on it.
type link struct {
	id     [32]byte // App-ID or session id
	stream *stream
	path   atomic.Pointer[path] // of the association in use, nil without

	mu   sync.Mutex // serialises what comes in, from any port
	srv  *dtls.Server
	port *udpPort // of the association in use
	peer endpoint
}

// dtlsOut is where an association's datagrams go. The peer may move.
type dtlsOut struct {
	port   *udpPort
	sealer *dtls.Sealer
	peer   atomic.Pointer[endpoint]
}

// established takes a finished handshake into use.
func (l *link) establishedLocked(port *udpPort, from endpoint) {
	a := l.srv.Association()
	out := &dtlsOut{port: port, sealer: a.Sealer}
	out.peer.Store(&from)
	l.moveLocked(port, from)
	l.path.Store(&path{
		channel: session.DTLS, stream: l.stream, link: l, out: out,
		head: a.Sealer.Headroom() + typeRoom, tail: tagRoom,
	})
}

// moveLocked makes from the peer's address.
func (l *link) moveLocked(port *udpPort, from endpoint) {
	if l.port != nil {
		l.port.unbind(l.peer.peer, l)
	}
	l.port, l.peer = port, from
	port.bind(from.peer, l)
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
		l.port.unbind(l.peer.peer, l)
		l.port = nil
	}
}

// remove ends the link: its id is unknown from now on.
func (l *link) remove() {
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

// dtlsWriter seals chunks for one association and sends them. It belongs to
// the stream's writer.
type dtlsWriter struct {
	path    *path
	sealer  *dtls.Sealer
	sender  *udpSender
	scratch []byte
}

func newDTLSWriter(p *path) *dtlsWriter {
	return &dtlsWriter{path: p, sealer: p.out.sealer.Fork(), sender: p.out.port.sock.sender()}
}

// send seals a chunk in place and sends runs of equal records by one message
// each, all messages by one call.
func (w *dtlsWriter) send(c *chunk) error {
	seq, err := w.sealer.Reserve(len(c.items))
	if err != nil {
		return err // a new tunnel starts a new sequence
	}
	w.sender.setPeer(*w.path.out.peer.Load())
	head, gso := w.path.head, w.path.out.port.sock.gso.Load()
	start, size, end := 0, 0, 0 // the run under way
	count := 0
	for i, it := range c.items {
		at := it.off - head
		c.buf[it.off-typeRoom] = 0 // TypeData
		rec := w.sealer.Seal(c.buf[at:at], seq+uint64(i), dtls.TypeApplicationData, c.buf[it.off-typeRoom:it.off+it.size])
		n := len(rec)
		if count > 0 && (!gso || n > size || count == maxSegments || end+n-start > maxSendSize) {
			w.push(c.buf[start:end], size)
			count = 0
		}
		if count == 0 {
			start, size = at, n
		}
		end, count = at+n, count+1
		if n < size { // a shorter one is the last of its run
			w.push(c.buf[start:end], size)
			count = 0
		}
	}
	if count > 0 {
		w.push(c.buf[start:end], size)
	}
	return w.sender.send()
}

func (w *dtlsWriter) push(data []byte, size int) {
	if !w.sender.add(data, size) {
		_ = w.sender.send() // a closed port is found by the last send
		w.sender.add(data, size)
	}
}

// tell sends one control frame.
func (w *dtlsWriter) tell(n note) error {
	seq, err := w.sealer.Reserve(1)
	if err != nil {
		return err
	}
	plain := append([]byte{n.typ}, n.payload...)
	w.scratch = w.sealer.Seal(w.scratch[:0], seq, dtls.TypeApplicationData, plain)
	w.sender.setPeer(*w.path.out.peer.Load())
	w.push(w.scratch, len(w.scratch))
	return w.sender.send()
}
