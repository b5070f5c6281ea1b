package sslvpn

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/session"
	"github.com/skybridge-cloud/skybridge/internal/netio"
	"github.com/skybridge-cloud/skybridge/internal/protocol/dtls"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
	"github.com/skybridge-cloud/skybridge/internal/tun"
)

const (
	maxTries    = 8 // sessions tried for a datagram of an unknown peer
	maxAttempts = 4 // handshakes under way for one session, as in protocol/dtls
	// attemptLimit is how long one may take: while it is under way, what comes
	// from its address takes the longer way.
	attemptLimit = 60 * time.Second
)

// udpPort is one UDP port of the node, for the sessions of all servers.
type udpPort struct {
	svc  *Service
	sock *netio.Socket

	mu      sync.RWMutex
	peers   map[netip.AddrPort]*link   // with an association at that address
	pending map[netip.AddrPort]attempt // handshakes under way
	byIP    map[netip.Addr][]*link     // for peers whose port changed

	expected map[*link][]netip.AddrPort // addresses in pending, oldest first
	lanes    lanes
}

// attempt is a handshake under way at an address.
type attempt struct {
	link  *link // nil: none
	since time.Time
}

func (s *Service) newUDPPort(at netip.AddrPort) (*udpPort, error) {
	sock, err := netio.ListenUDP(at)
	if err != nil {
		return nil, err
	}
	p := &udpPort{
		svc: s, sock: sock, peers: map[netip.AddrPort]*link{},
		pending: map[netip.AddrPort]attempt{}, byIP: map[netip.Addr][]*link{}, expected: map[*link][]netip.AddrPort{},
		lanes: lanes{idle: laneIdle, open: map[netip.AddrPort]*netio.Socket{}},
	}
	s.wg.Go(p.receive)
	return p, nil
}

func (p *udpPort) close() error {
	p.lanes.close()
	return p.sock.Close()
}

func (p *udpPort) bind(at netip.AddrPort, l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.peers[at] = l
	if !slices.Contains(p.byIP[at.Addr()], l) {
		p.byIP[at.Addr()] = append(p.byIP[at.Addr()], l)
	}
	p.endLocked(at, l)
}

// endLocked forgets a handshake that came to its end.
func (p *udpPort) endLocked(at netip.AddrPort, l *link) {
	delete(p.pending, at)
	p.expected[l] = slices.DeleteFunc(p.expected[l], func(o netip.AddrPort) bool { return o == at })
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

func (p *udpPort) unbind(at netip.AddrPort, l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.peers[at] == l {
		delete(p.peers, at)
	}
	rest := slices.DeleteFunc(p.byIP[at.Addr()], func(o *link) bool { return o == l })
	if p.byIP[at.Addr()] = rest; len(rest) == 0 {
		delete(p.byIP, at.Addr())
	}
}

// forget drops handshakes of a link that is gone.
func (p *udpPort) forget(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, at := range p.expected[l] {
		if p.pending[at].link == l {
			delete(p.pending, at)
		}
	}
	delete(p.expected, l)
}

func (p *udpPort) at(from netip.AddrPort) (*link, attempt) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.peers[from], p.pending[from]
}

// receive opens batches of datagrams until the port is closed.
func (p *udpPort) receive() {
	r, b := &udpReader{port: p}, netio.NewBuffers()
	for recv := p.sock.Receiver(); r.receive(recv, b); {
		r.promote()
	}
}

// udpReader is the state of a receiving goroutine.
type udpReader struct {
	port    *udpPort
	now     time.Time
	uploads uploads
	plain   [][]byte

	candidates []*link // scratch of rebind
	from       int

	queue int              // which one of a gateway's is written to
	heavy []netio.Endpoint // peers that sent much just now

	// The run of datagrams of one client under way.
	client         *client
	peer           netio.Endpoint
	packets, bytes int
	active         bool
}

// receive takes one batch; false when there will be no other.
func (r *udpReader) receive(recv *netio.Receiver, b *netio.Buffers) bool {
	n, err := recv.Receive(b)
	if errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded) || r.port.svc.ctx.Err() != nil {
		return false
	}
	if err != nil { // of an earlier send, such as an ICMP answer
		r.port.svc.cfg.Log.Debug("receiving datagrams", "error", err)
	}
	r.take(b, n)
	return true
}

// take opens the n messages of a batch and gives the devices what they hold.
func (r *udpReader) take(b *netio.Buffers, n int) {
	r.now = r.port.svc.cfg.Clock.Now()
	for i := range n {
		d := b.At(i)
		for len(d.Data) > 0 {
			k := min(d.Size, len(d.Data))
			r.guarded(d.From, d.Data[:k])
			d.Data = d.Data[k:]
		}
	}
	r.settle()
	r.uploads.write(r.queue)
}

// guarded keeps a panic in the datagram that had it.
func (r *udpReader) guarded(from netio.Endpoint, b []byte) {
	defer r.port.svc.recovered("udp")
	r.datagram(from, b)
}

// datagram takes one datagram. While a handshake is under way at its address,
// all but foreign data belongs to that.
func (r *udpReader) datagram(from netio.Endpoint, b []byte) {
	l, under := r.port.at(from.Peer)
	if under.link != nil && r.now.Sub(under.since) > attemptLimit {
		r.port.abandon(from.Peer, under.link)
		under.link = nil
	}
	pending := under.link
	switch {
	case len(b) == 0:
	case b[0] == dtls.TypeApplicationData && l != nil && (pending == nil || pending != l):
		r.open(l, from, b)
	case b[0] != dtls.TypeApplicationData && isHello(b):
		r.hello(from, b)
	case pending != nil:
		r.handle(pending, from, b)
	case l != nil:
		r.handle(l, from, b)
	case b[0] == dtls.TypeApplicationData:
		r.rebind(from, b)
	}
}

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

// open decrypts the records of a datagram of an association in place. What
// they say is looked at without the link's lock.
func (r *udpReader) open(l *link, from netio.Endpoint, b []byte) {
	r.plain = r.plain[:0]
	l.mu.Lock()
	if a := l.srv.Association(); a != nil && l.port != nil {
		r.plain = appendOpened(r.plain, a.Opener, b)
	}
	l.mu.Unlock()
	for _, d := range r.plain {
		r.payload(l, from, d)
	}
}

func appendOpened(out [][]byte, o *dtls.Opener, b []byte) [][]byte {
	for len(b) > 0 {
		record, rest, err := dtls.NextRecord(b)
		if err != nil {
			break
		}
		b = rest
		typ, plain, _, err := o.Open(record)
		if err == nil && typ == dtls.TypeApplicationData {
			out = append(out, plain)
		}
	}
	return out
}

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

// payload takes one decrypted record.
func (r *udpReader) payload(l *link, from netio.Endpoint, plain []byte) {
	f, err := openconnect.SplitDatagram(plain)
	if err != nil {
		return
	}
	c := l.stream.client
	if c.ended.Load() {
		return
	}
	if c != r.client {
		r.settle()
		r.client, r.peer = c, from
		c.heardDTLS.Store(r.now.UnixNano())
	}
	if f.Type != openconnect.TypeData {
		if f.Type == openconnect.TypeDPDRequest {
			l.probed(len(f.Payload))
		}
		c.step(session.Event{Kind: session.Frame, Conn: l.stream.number, Channel: session.DTLS, Type: f.Type, Payload: f.Payload})
		return
	}
	srv := c.server.Load()
	if !srv.filter.FromClient(f.Payload, c.holder.Load()) {
		c.svc.tally.notAllowedUp.Add(1)
		return
	}
	tun.ClampMSS(f.Payload, int(c.mtu.Load()))
	if c.holdsBack(srv.gateway) {
		if !srv.gateway.pacer.put(c.owner, f.Payload, r.now) {
			c.svc.tally.rateUp.Add(1)
			return
		}
	} else {
		u := r.uploads.share(srv.gateway)
		u.packets = append(u.packets, f.Payload)
	}
	r.packets, r.bytes, r.active = r.packets+1, r.bytes+len(f.Payload), r.active || !isChatter(f.Payload)
}

// settle books the run of packets of one client.
func (r *udpReader) settle() {
	if r.client != nil && r.packets > 0 {
		r.client.received(session.DTLS, r.packets, r.bytes, r.active, r.now)
		if r.client.sendsMuch.add(r.packets, r.now) {
			r.heavy = append(r.heavy, r.peer)
		}
	}
	r.client, r.packets, r.bytes, r.active = nil, 0, 0, false
}
