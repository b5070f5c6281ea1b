package sslvpn

import (
	"net/netip"
	"slices"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/session"
	"github.com/skybridge-cloud/skybridge/internal/netio"
	"github.com/skybridge-cloud/skybridge/internal/protocol/dtls"
)

// isHello tells whether a datagram begins with a record that may be a
// ClientHello: handshake, epoch 0.
func isHello(b []byte) bool {
	if len(b) < 14 || b[0] != dtls.TypeHandshake || b[3] != 0 || b[4] != 0 {
		return false
	}
	return b[13] == 1
}

// hello brings a ClientHello to the session that it names. Unknown ones are
// dropped without a word.
func (r *udpReader) hello(from netio.Endpoint, b []byte) {
	h, err := dtls.ParseClientHello(b)
	if err != nil || len(h.SessionID) != 32 {
		return
	}
	s := r.port.svc
	s.mu.RLock()
	l := s.links[[32]byte(h.SessionID)]
	s.mu.RUnlock()
	if l == nil {
		return
	}
	r.handle(l, from, b)
}

// expect notes a handshake at an address. A link has few at a time, the oldest
// yields: a hello can be replayed from any number of addresses.
func (p *udpPort) expect(from netip.AddrPort, l *link, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pending[from].link == l || l.gone.Load() {
		return
	}
	p.pending[from] = attempt{l, now}
	p.expected[l] = append(p.expected[l], from)
	if at := p.expected[l]; len(at) > maxAttempts {
		if p.pending[at[0]].link == l {
			delete(p.pending, at[0])
		}
		p.expected[l] = slices.Delete(at, 0, 1)
	}
}

// abandon ends a handshake that takes too long.
func (p *udpPort) abandon(at netip.AddrPort, l *link) {
	l.mu.Lock()
	l.srv.Abandon(at)
	l.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pending[at].link == l {
		p.endLocked(at, l)
	}
}

// handle gives a datagram to a link's DTLS server as a whole.
func (r *udpReader) handle(l *link, from netio.Endpoint, b []byte) {
	l.mu.Lock()
	res := l.srv.Handle(from.Peer, b)
	if res.Established {
		l.establishedLocked(r.port, from)
	}
	under := l.srv.Handshaking(from.Peer)
	l.mu.Unlock()
	if under {
		r.port.expect(from.Peer, l, r.now)
	}
	c := l.stream.client
	for _, d := range res.Send {
		r.port.sock.Reply(d, from)
	}
	if res.Established {
		c.heardDTLS.Store(r.now.UnixNano())
		c.dtlsUp(l)
		c.svc.tally.dtlsOK.Add(1)
		c.svc.cfg.Log.Debug("dtls established", "session", c.rec.Session)
	}
	if res.Closed {
		c.step(session.Event{Kind: session.DTLSLost, Conn: l.stream.number})
	}
	for _, d := range res.Data {
		r.payload(l, from, d)
	}
}
