package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/netio"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

// Session is one connected tunnel. Connect makes it; a Link moves its packets.
type Session struct {
	c       *connection
	tunnel  openconnect.Tunnel
	psk     []byte               // of DTLSPSK
	master  openconnect.Secret   // of DTLSResume
	framing netio.Framing        // of the TLS stream
	early   []byte               // frames that came with the answer
	now     func() time.Duration // its age, by a clock that never jumps

	dtls  atomic.Pointer[udpSide] // where packets to the server go; nil = TLS
	full  chan *netio.Chunk
	free  chan *netio.Chunk
	notes chan note

	watch   watch         // of the TLS channel
	sentTLS atomic.Int64  // when, by now; coarse
	rekeyAt time.Duration // by now; 0 = never

	wires *wires
	onMTU func(int) error // what the UDP channel carries; nil = nobody wants to know
	news  chan struct{}   // a token when another channel is in use
	done  chan struct{}   // closed when it ends, for err
	over  chan struct{}   // closed when nothing of it runs any more
	once  sync.Once
	err   error
}

// note is a control frame on its way to the server.
type note struct {
	dtls    *udpSide // nil for TLS
	typ     byte
	payload []byte
	left    chan<- struct{} // closed when it was sent; nil = nobody waits
}

const (
	chunksAhead = 4 // between pumps and sender, per queue
	notesAhead  = 16
	byeLimit    = time.Second
	lastWords   = 300 * time.Millisecond
)

// Connect turns a cookie into a tunnel.
func Connect(ctx context.Context, cfg Config, cookie openconnect.Secret) (*Session, error) {
	return connect(ctx, cfg, cookie, Past{})
}

// Past is what a tunnel that comes back was like.
type Past struct {
	Server    netip.AddrPort // where it was reached; zero = not known
	Addresses []netip.Addr   // inner, to be asked for again
	Up, Down  Traffic        // so far
}

// past is that of the tunnel that comes after s.
func (s *Session) past() Past {
	p := Past{Server: s.c.remote()}
	for _, a := range []netip.Prefix{s.tunnel.IPv4, s.tunnel.IPv6} {
		if a.IsValid() {
			p.Addresses = append(p.Addresses, a.Addr())
		}
	}
	return p
}

// connect is Connect for a tunnel that comes back.
func connect(ctx context.Context, cfg Config, cookie openconnect.Secret, p Past) (*Session, error) {
	c, err := dial(ctx, cfg, p.Server)
	if err != nil {
		return nil, err
	}
	s, err := c.connect(ctx, cookie, p)
	if err != nil {
		return nil, fmt.Errorf("asking for the tunnel: %w", closing(c, err))
	}
	return s, nil
}

// closing closes a connection that has come to nothing; what that brings does not
// matter beside err.
func closing(c *connection, err error) error {
	_ = c.conn.Close()
	return err
}

func (c *connection) connect(ctx context.Context, cookie openconnect.Secret, p Past) (*Session, error) {
	s := &Session{c: c, now: clock.Steady(), notes: make(chan note, notesAhead), news: make(chan struct{}, 1), done: make(chan struct{}), over: make(chan struct{})}
	r, err := c.exchange(ctx, s.request(cookie, p), http.MethodConnect) //nolint:bodyclose // of CONNECT there is none
	if err != nil {
		return nil, err
	}
	if r.StatusCode != http.StatusOK {
		return nil, refusal(r.StatusCode, r.Header)
	}
	if s.tunnel, err = openconnect.ParseTunnel(r.Header); err != nil {
		return nil, err
	}
	s.agree()
	early, _ := c.in.Peek(c.in.Buffered())
	s.early = bytes.Clone(early)
	c.in, c.limit = nil, nil
	c.tls.Settle()
	_ = c.conn.SetDeadline(time.Time{})
	return s, nil
}

// request offers the ways to a UDP channel that are open on this connection.
func (s *Session) request(cookie openconnect.Secret, p Past) []byte {
	c := s.c
	q := openconnect.Connect{
		Host: c.cfg.host(), Agent: c.cfg.agent(), Cookie: cookie, Extensions: c.cfg.Extensions,
		BaseMTU: pathMTU(c.conn, c.v6()), Had: p.Addresses,
	}
	if c.cfg.DTLS && c.cfg.Proxy == nil {
		var err error
		s.psk, err = c.state.ExportKeyingMaterial(openconnect.PSKExporterLabel, nil, 32)
		q.PSK = err == nil && !c.cfg.noPSK // TLS 1.2 without extended master secret has none
		s.master = openconnect.NewSecret(make([]byte, openconnect.MasterSecretLen))
		_, _ = rand.Read(s.master.Reveal()) // never fails
		q.MasterSecret = s.master
	}
	return q.AppendTo(nil)
}

// v6 tells whether the server was reached by IPv6.
func (c *connection) v6() bool {
	a, ok := c.conn.RemoteAddr().(*net.TCPAddr)
	return ok && a.AddrPort().Addr().Unmap().Is6()
}

// agree takes into use what both ends know.
func (s *Session) agree() {
	agreed := func(ext string) bool {
		return slices.Contains(s.c.cfg.Extensions, ext) && slices.Contains(s.tunnel.Extensions, ext)
	}
	s.framing = s.c.tls.Framing()
	s.framing.GSO, s.framing.Coalesce = agreed(openconnect.ExtGSO), agreed(openconnect.ExtCoalesce)
	t := &s.tunnel
	switch {
	case t.DTLSMode == openconnect.DTLSPSK && s.psk == nil, t.DTLSMode == openconnect.DTLSResume && s.master.Len() == 0:
		t.DTLSMode = openconnect.DTLSOff // it was not offered
	case t.DTLSMode == openconnect.DTLSPSK && t.BaseMTU > 0: // as stock clients reckon
		t.MTU = min(t.MTU, openconnect.TunnelMTU(t.BaseMTU, s.c.v6(), openconnect.CipherGCM))
	}
}

// Tunnel is what the server gave: addresses, routes, MTU.
func (s *Session) Tunnel() openconnect.Tunnel { return s.tunnel }

// Close ends the connection of a session that no Link has.
func (s *Session) Close() error { return s.c.conn.Close() }

// serve moves packets of a device until the session ends. It is called once, and
// closes over when nothing runs any more; then err says why.
func (s *Session) serve(w *wires) {
	s.wires = w
	n := chunksAhead * len(w.queues)
	s.full, s.free = make(chan *netio.Chunk, n), make(chan *netio.Chunk, n)
	for range n {
		c := netio.NewChunk()
		s.free <- &c
	}
	s.watch.hear(s.now())
	var all sync.WaitGroup
	all.Go(func() { s.mourn(s.send()) })
	all.Go(func() { s.end(s.read()) })
	if s.tunnel.DTLSMode != openconnect.DTLSOff {
		all.Go(s.useDTLS)
	}
	go func() {
		all.Wait()
		w.lose(s)
		close(s.over)
	}()
}

// mourn ends a session that takes nothing any more, once what the server may have
// said before it closed is read: its DISCONNECT says more than our broken pipe.
func (s *Session) mourn(err error) {
	if err != nil {
		select {
		case <-s.done:
		case <-time.After(lastWords):
		}
	}
	s.end(err)
}

// end ends the session for err; the first call counts. Its packets go nowhere
// from then on.
func (s *Session) end(err error) {
	s.once.Do(func() {
		s.err = err
		close(s.done)
		_ = s.c.conn.Close()
	})
}

// bye tells the server that the person wants no more, so that the cookie is worth
// nothing, and ends the session for err; told says that the word has left.
func (s *Session) bye(err error) (told bool) {
	left := make(chan struct{})
	select {
	case s.notes <- note{typ: openconnect.TypeDisconnect, payload: goodbye, left: left}:
	default: // the server takes nothing
		s.end(err)
		return false
	}
	select {
	case <-left:
		told = true
	case <-s.done:
	case <-time.After(byeLimit):
	}
	s.end(err)
	return told
}

// server is the address that the TLS connection reached, which the DTLS one
// has to go to as well.
func (s *Session) server() (netip.AddrPort, error) {
	a := s.c.remote()
	if !a.IsValid() {
		return netip.AddrPort{}, net.ErrClosed
	}
	return netip.AddrPortFrom(a.Addr(), uint16(s.tunnel.DTLSPort)), nil
}

// secured names version and suite of the TLS connection.
func (s *Session) secured() (version, suite string) {
	return tls.VersionName(s.c.state.Version), tls.CipherSuiteName(s.c.state.CipherSuite)
}
