package sslvpn

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/filter"
	"github.com/skybridge-cloud/skybridge/internal/dataplane/lease"
	"github.com/skybridge-cloud/skybridge/internal/dataplane/shape"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/netio"
	"github.com/skybridge-cloud/skybridge/internal/tun"
)

// gateway is one VPN gateway as it runs: its tunnel device and the sessions
// behind it.
type gateway struct {
	id       string
	log      *slog.Logger
	tally    *tally
	queues   []tun.Queue
	up, down *shape.Bucket
	state    atomic.Pointer[gwlink.Gateway] // as desired
	paced    atomic.Bool                    // it has a rate towards the clients
	upPaced  atomic.Bool                    // it has a rate from the clients
	pacer    *pacer                         // from the clients
	gate     *gate                          // towards them
	stop     chan struct{}
	wg       sync.WaitGroup

	opening sync.Mutex // one session at a time is counted and let in

	table *table
}

func newGateway(id string, queues []tun.Queue, log *slog.Logger, t *tally) *gateway {
	g := &gateway{
		id: id, log: log, tally: t, queues: queues, up: shape.New(0), down: shape.New(0),
		stop: make(chan struct{}), table: newTable(),
	}
	g.pacer, g.gate = newPacer(g), newGate(g)
	for i, q := range queues {
		g.wg.Go(func() { (&pump{g: g, number: i}).run(q) })
	}
	g.wg.Go(g.pacer.run)
	return g
}

func (g *gateway) configure(spec gwlink.Gateway) {
	g.state.Store(&spec)
	g.up.SetRate(spec.UpRate)
	g.down.SetRate(spec.DownRate)
	g.paced.Store(spec.DownRate > 0)
	g.upPaced.Store(spec.UpRate > 0)
}

func (g *gateway) frozen() bool { return g.state.Load().State != gwlink.GatewayActive }

// pump moves frames from one queue of the device towards the clients until the
// device is closed. For clients on DTLS without a rate it seals and sends
// itself, what a batch of frames brought by one call; for the others it fills
// their queues.
type pump struct {
	g      *gateway
	number int // of the queue
	queue  tun.Queue
	seg    tun.Segments
	fitter *fitter     // nil until a packet did not fit
	bursts []portBurst // of the ports that this pump has sent to
}

type portBurst struct {
	port  *udpPort
	burst *netio.Burst
}

func (p *pump) run(q tun.Queue) {
	p.queue = q
	buf, frames := make([]byte, tun.BatchSize), make([][]byte, 0, tun.BatchFrames)
	for {
		frames, err := q.ReadFrames(buf, frames)
		if errors.Is(err, os.ErrClosed) {
			return
		}
		if err != nil {
			p.g.log.Warn("reading the tunnel device", "gateway", p.g.id, "error", err)
			if !p.g.pause() {
				return
			}
			continue
		}
		for _, f := range frames {
			if p.seg.Reset(f) == nil {
				p.deliver()
			}
		}
		p.flush()
	}
}

// deliver sends the frame in seg on its client's way.
func (p *pump) deliver() {
	packet := p.seg.Packet()
	_, dst, ok := filter.Addresses(packet)
	if !ok {
		return
	}
	c := p.g.table.find(dst)
	if c == nil || !c.holder.Load().Owns(dst) {
		p.g.tally.noSession.Add(1)
		return
	}
	if !c.server.Load().filter.ToClient(packet) {
		p.g.tally.notAllowedDown.Add(1)
		return
	}
	mtu := int(c.mtu.Load())
	tun.ClampMSS(packet, mtu)
	if p.seg.Narrow(mtu); p.seg.MaxLen() > mtu && mtu > 0 {
		p.fit(c, mtu)
		return
	}
	p.forward(c)
}

// forward gives the packets in seg to the client's channel.
func (p *pump) forward(c *client) {
	way := c.path.Load()
	switch {
	case way == nil:
		p.g.tally.detached.Add(1)
	case way.out != nil && p.number < len(way.out.sealers) && !c.paced.Load() && !p.g.paced.Load():
		p.seal(c, way.out)
	case !way.stream.out.put(way, &p.seg):
		p.g.tally.queueDown.Add(1)
	}
}

// seal makes the frame records of an association. When the sequence numbers are
// used up, the client's next tunnel brings new ones.
func (p *pump) seal(c *client, out *dtlsOut) {
	n, size, active := p.seg.Left(), p.seg.Size(), !isChatter(p.seg.Packet())
	if p.burst(out.port).Add(out.sealers[p.number], &p.seg, out.peer.Load(), out.small) != nil {
		return
	}
	c.sent(n, size, active)
}

func (p *pump) burst(port *udpPort) *netio.Burst {
	for _, b := range p.bursts {
		if b.port == port {
			return b.burst
		}
	}
	b := netio.NewBurst(port.sock)
	p.bursts = append(p.bursts, portBurst{port, b})
	return b
}

// flush sends what was sealed; ports that were closed are forgotten.
func (p *pump) flush() {
	for i := len(p.bursts) - 1; i >= 0; i-- {
		if err := p.bursts[i].burst.Flush(); errors.Is(err, net.ErrClosed) {
			p.bursts = slices.Delete(p.bursts, i, i+1)
		}
	}
}

// pause waits after an error of the device; false when the gateway stops.
func (g *gateway) pause() bool {
	select {
	case <-time.After(100 * time.Millisecond):
		return true
	case <-g.stop:
		return false
	}
}

// close ends the goroutines. The queues must be closed by their owner first.
func (g *gateway) close() {
	close(g.stop)
	g.gate.stop()
	g.wg.Wait()
}

// server is one SSL server as desired; it is replaced, not changed.
type server struct {
	spec      gwlink.SSLServer
	gateway   *gateway
	filter    *filter.Filter
	acl       *filter.ACL
	pool      *lease.Pool // shared by successive values while the prefix stays
	pool6     *lease.Pool // likewise; nil without IPv6
	cert      *tls.Certificate
	clientCAs *x509.CertPool
	revoked   map[string]bool
	blocked   map[gwlink.CertificateID]bool
	clients   map[string]gwlink.Client
	profile   []byte
}

func newServer(spec gwlink.SSLServer, g *gateway, cert *tls.Certificate, former *server) *server {
	s := &server{
		spec: spec, gateway: g, cert: cert, clientCAs: x509.NewCertPool(),
		profile: profileOf(spec), revoked: map[string]bool{}, clients: map[string]gwlink.Client{},
		acl: accessList(spec, former),
	}
	s.filter = filter.New(filter.Rules{
		Pool: spec.Pool, Pool6: spec.Pool6, Routed: spec.Routed(), LocalSubnets: spec.LocalSubnets,
		FullTunnel: spec.FullTunnel, Isolated: spec.ClientIsolation, ACL: s.acl,
	})
	if former == nil {
		former = &server{}
	}
	s.pool = poolFor(spec.Pool, former.pool)
	if spec.Pool6.IsValid() {
		s.pool6 = poolFor(spec.Pool6, former.pool6)
	}
	if s.cert == nil {
		s.cert = former.cert // better the former certificate than none
	}
	for _, der := range spec.ClientCAs {
		if c, err := x509.ParseCertificate(der); err == nil {
			s.clientCAs.AddCert(c)
		}
	}
	s.blocked = make(map[gwlink.CertificateID]bool, len(spec.Blocked))
	for _, one := range spec.Blocked {
		s.blocked[one] = true
	}
	for _, serial := range spec.RevokedSerials {
		s.revoked[serial] = true
	}
	fixed, fixed6 := map[netip.Addr]string{}, map[netip.Addr]string{}
	for _, c := range spec.Clients {
		s.clients[c.ID] = c
		if c.FixedInner.IsValid() {
			fixed[c.FixedInner] = c.ID
		}
		if c.FixedInner6.IsValid() {
			fixed6[c.FixedInner6] = c.ID
		}
	}
	s.pool.Keep(fixed)
	if s.pool6 != nil {
		s.pool6.Keep(fixed6)
	}
	return s
}

// revokes says that the certificate of a grant, if it had one, opens nothing any
// more.
func (s *server) revokes(g gwlink.Grant) bool {
	own := gwlink.CertificateID{Issuer: g.Issuer, Serial: g.Serial}
	return g.Serial != "" && s.refuses(append([]gwlink.CertificateID{own}, g.Path...))
}

// refuses says that a certificate opens nothing, though its CA is trusted. path
// is it and all that it is verified by.
func (s *server) refuses(path []gwlink.CertificateID) bool {
	return s.revoked[path[0].Serial] || slices.ContainsFunc(path, func(c gwlink.CertificateID) bool { return s.blocked[c] })
}

// accessList is the server's, the former one if its rules have not changed.
func accessList(spec gwlink.SSLServer, former *server) *filter.ACL {
	same := func(a, b gwlink.ACLRule) bool {
		return a.Allow == b.Allow && a.Protocol == b.Protocol && a.Destination == b.Destination && slices.Equal(a.Ports, b.Ports)
	}
	if former != nil && former.spec.ACLDeny == spec.ACLDeny && slices.EqualFunc(former.spec.ACL, spec.ACL, same) {
		return former.acl
	}
	protocols := map[string]filter.Protocol{"": filter.Any, "tcp": filter.TCP, "udp": filter.UDP, "icmp": filter.ICMP}
	var rules []filter.Rule
	for _, r := range spec.ACL {
		p, known := protocols[r.Protocol]
		one := filter.Rule{Allow: r.Allow && known, Protocol: p, Destination: r.Destination}
		for _, x := range r.Ports {
			one.Ports = append(one.Ports, filter.Ports(x))
		}
		rules = append(rules, one)
	}
	return filter.NewACL(rules, spec.ACLDeny)
}

// poolFor is the former pool while its prefix stays, else a new one.
func poolFor(prefix netip.Prefix, former *lease.Pool) *lease.Pool {
	if former != nil && former.Prefix() == prefix.Masked() {
		return former
	}
	return lease.New(prefix)
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }
