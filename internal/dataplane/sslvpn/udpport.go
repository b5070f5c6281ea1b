package sslvpn

import (
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/netio"
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
