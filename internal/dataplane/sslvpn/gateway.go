package sslvpn

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/filter"
	"github.com/skybridge-cloud/skybridge/internal/dataplane/lease"
	"github.com/skybridge-cloud/skybridge/internal/dataplane/shape"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/tun"
)

// gateway is one VPN gateway as it runs: its tunnel device and the sessions
// behind it.
type gateway struct {
	id       string
	log      *slog.Logger
	queues   []tun.Queue
	up, down *shape.Bucket
	state    atomic.Pointer[gwlink.Gateway] // as desired
	uploads  chan *upload
	stop     chan struct{}
	wg       sync.WaitGroup
	table    *table
}

func newGateway(id string, queues []tun.Queue, log *slog.Logger) *gateway {
	g := &gateway{
		id: id, log: log, queues: queues, up: shape.New(0), down: shape.New(0),
		uploads: make(chan *upload, uploadDepth), stop: make(chan struct{}), table: newTable(),
	}
	for _, q := range queues {
		g.wg.Go(func() { g.pump(q) })
	}
	g.wg.Go(g.inject)
	return g
}

func (g *gateway) configure(spec gwlink.Gateway) {
	g.state.Store(&spec)
	g.up.SetRate(spec.UpRate)
	g.down.SetRate(spec.DownRate)
}

func (g *gateway) frozen() bool { return g.state.Load().State != gwlink.GatewayActive }

// pump moves frames from one queue of the device to the clients' queues until
// the device is closed.
func (g *gateway) pump(q tun.Queue) {
	buf := make([]byte, tun.MaxFrame)
	var seg tun.Segments
	for {
		n, err := q.ReadFrame(buf)
		if errors.Is(err, os.ErrClosed) {
			return
		}
		if err != nil {
			g.log.Warn("reading the tunnel device", "gateway", g.id, "error", err)
			if !g.pause() {
				return
			}
			continue
		}
		if seg.Reset(buf[:n]) == nil {
			g.deliver(&seg)
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

func (g *gateway) deliver(seg *tun.Segments) {
	p := seg.Packet()
	_, dst, ok := filter.Addresses(p)
	if !ok {
		return
	}
	c := g.table.find(dst)
	if c == nil || !c.holder.Load().Owns(dst) || !c.server.Load().filter.ToClient(p) {
		return
	}
	if way := c.path.Load(); way != nil {
		way.stream.out.put(way, seg)
	}
}

// close ends the goroutines. The queues must be closed by their owner first.
func (g *gateway) close() {
	close(g.stop)
	g.wg.Wait()
}

// server is one SSL server as desired; it is replaced, not changed.
type server struct {
	spec      gwlink.SSLServer
	gateway   *gateway
	filter    *filter.Filter
	pool      *lease.Pool // shared by successive values while the prefix stays
	pool6     *lease.Pool // likewise; nil without IPv6
	cert      *tls.Certificate
	clientCAs *x509.CertPool
	revoked   map[string]bool
	clients   map[string]gwlink.Client
	profile   []byte
}

func newServer(spec gwlink.SSLServer, g *gateway, cert *tls.Certificate, former *server) *server {
	s := &server{
		spec: spec, gateway: g, cert: cert, clientCAs: x509.NewCertPool(),
		profile: profileOf(spec), revoked: map[string]bool{}, clients: map[string]gwlink.Client{},
		filter: filter.New(filter.Rules{
			Pool: spec.Pool, Pool6: spec.Pool6, Routed: spec.Routed(), LocalSubnets: spec.LocalSubnets,
			FullTunnel: spec.FullTunnel, Isolated: spec.ClientIsolation,
		}),
	}
	if former == nil {
		former = &server{}
	}
	s.pool, s.pool6 = poolFor(spec.Pool, former.pool), poolFor(spec.Pool6, former.pool6)
	for _, der := range spec.ClientCAs {
		if c, err := x509.ParseCertificate(der); err == nil {
			s.clientCAs.AddCert(c)
		}
	}
	for _, serial := range spec.RevokedSerials {
		s.revoked[serial] = true
	}
	for _, c := range spec.Clients {
		s.clients[c.ID] = c
	}
	return s
}

// poolFor is the former pool while its prefix stays, else a new one; nil without
// a prefix.
func poolFor(prefix netip.Prefix, former *lease.Pool) *lease.Pool {
	switch {
	case !prefix.IsValid():
		return nil
	case former != nil && former.Prefix() == prefix.Masked():
		return former
	}
	return lease.New(prefix)
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }
