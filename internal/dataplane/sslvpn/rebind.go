package sslvpn

import (
	"github.com/skybridge-cloud/skybridge/internal/netio"
	"github.com/skybridge-cloud/skybridge/internal/protocol/dtls"
)

// rebind finds the session of an unknown peer among those last seen at its IP
// address. The address moves only on an authentic record newer than all before.
func (r *udpReader) rebind(from netio.Endpoint, b []byte) {
	r.port.mu.RLock()
	near := r.port.byIP[from.Peer.Addr()]
	candidates := r.some(near)
	r.port.mu.RUnlock()
	record, _, err := dtls.NextRecord(b)
	if err != nil {
		return
	}
	for _, l := range candidates {
		if r.tryMove(l, from, record) {
			return
		}
	}
}

// some are at most maxTries of those seen at an address, others each time, so
// that behind an office's address all are reached.
func (r *udpReader) some(near []*link) []*link {
	r.candidates = r.candidates[:0]
	for i := range min(len(near), maxTries) {
		r.candidates = append(r.candidates, near[(r.from+i)%len(near)])
	}
	r.from += maxTries
	return r.candidates
}

func (r *udpReader) tryMove(l *link, from netio.Endpoint, record []byte) bool {
	plain, ok := l.move(r.port, from, record)
	if ok && len(plain) > 0 {
		r.payload(l, from, plain)
	}
	return ok
}

// move makes from the peer's address if record is authentic and newer than
// what came before; it returns the record's data.
func (l *link) move(port *udpPort, from netio.Endpoint, record []byte) ([]byte, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.srv.Association()
	if a == nil || l.port != port {
		return nil, false
	}
	if dtls.Sequence(record) <= a.Opener.Highest() {
		return nil, false // an old record moves nothing: not worth opening
	}
	typ, plain, seq, err := a.Opener.Decrypt(nil, record)
	if err != nil || seq <= a.Opener.Highest() || !a.Opener.Accept(seq) {
		return nil, false
	}
	l.moveLocked(port, from)
	if typ != dtls.TypeApplicationData {
		plain = nil
	}
	return plain, true
}
