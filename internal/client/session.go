package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/netio"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
	"github.com/skybridge-cloud/skybridge/internal/tun"
)

// ErrEnded says that the server ended the session and wants no reconnect.
var ErrEnded = errors.New("client: the server ended the session")

// Session is a connected tunnel. Make it with Connect; Run moves its packets.
type Session struct {
	c       *connection
	tunnel  openconnect.Tunnel
	psk     []byte
	framing netio.Framing // of the TLS stream

	dtls  atomic.Pointer[udpSide] // where packets to the server go; nil = TLS
	full  chan *netio.Chunk
	free  chan *netio.Chunk
	notes chan note

	heardTLS, heardDTLS, sentTLS atomic.Int64 // Unix nanoseconds, coarse

	queues []tun.Queue
	done   chan struct{}
	once   sync.Once
	err    error
}

// note is a control frame on its way to the server.
type note struct {
	dtls    *udpSide // nil for TLS
	typ     byte
	payload []byte
}

const (
	chunksAhead = 4 // between pumps and sender, per queue
	notesAhead  = 16
)

// Connect turns a cookie into a tunnel.
func Connect(ctx context.Context, cfg Config, cookie openconnect.Secret) (*Session, error) {
	c, err := dial(ctx, cfg)
	if err != nil {
		return nil, err
	}
	s, err := c.connect(cookie)
	if err != nil {
		return nil, errors.Join(err, c.conn.Close())
	}
	return s, nil
}

func (c *connection) connect(cookie openconnect.Secret) (*Session, error) {
	head := openconnect.AppendConnect(nil, c.cfg.Server, c.agent(), cookie, outerMTU, c.cfg.DTLS, c.cfg.Extensions)
	if _, err := c.tls.Write(head); err != nil {
		return nil, fmt.Errorf("asking for the tunnel: %w", err)
	}
	// The body of an answer to CONNECT is the tunnel: nothing to close.
	r, err := http.ReadResponse(c.in, &http.Request{Method: http.MethodConnect}) //nolint:bodyclose
	if err != nil {
		return nil, fmt.Errorf("asking for the tunnel: %w", err)
	}
	if r.StatusCode != http.StatusOK {
		return nil, refusal(r)
	}
	s := &Session{c: c, notes: make(chan note, notesAhead), done: make(chan struct{})}
	if s.tunnel, err = openconnect.ParseTunnel(r.Header); err != nil {
		return nil, err
	}
	agreed := func(ext string) bool {
		return slices.Contains(c.cfg.Extensions, ext) && slices.Contains(s.tunnel.Extensions, ext)
	}
	s.framing = netio.Framing{GSO: agreed(openconnect.ExtGSO), Coalesce: agreed(openconnect.ExtCoalesce)}
	if s.tunnel.DTLSMode == openconnect.DTLSPSK {
		state := c.tls.ConnectionState()
		if s.psk, err = state.ExportKeyingMaterial(openconnect.PSKExporterLabel, nil, 32); err != nil {
			s.tunnel.DTLSMode = openconnect.DTLSOff // TLS 1.2 without extended master secret
		}
	}
	c.tls.Settle()
	_ = c.conn.SetDeadline(time.Time{})
	return s, nil
}

// refusal is the error of an answer other than 200.
func refusal(r *http.Response) error {
	if r.StatusCode == http.StatusOK {
		return nil
	}
	if why := r.Header.Get("X-Reason"); why != "" {
		return fmt.Errorf("%w: %s", ErrRefused, why)
	}
	return fmt.Errorf("%w: %s", ErrRefused, r.Status)
}

func readAll(r *http.Response) ([]byte, error) {
	return io.ReadAll(io.LimitReader(r.Body, maxHTTPReply))
}

// Tunnel is what the server gave: addresses, routes, MTU.
func (s *Session) Tunnel() openconnect.Tunnel { return s.tunnel }

// Channel is "tls" or "dtls": where packets to the server go now.
func (s *Session) Channel() string {
	if s.dtls.Load() != nil {
		return "dtls"
	}
	return "tls"
}

// Run moves packets until ctx ends, the server ends the session (ErrEnded), or
// the connection is lost. It closes the queues and the connection. It is called
// once.
func (s *Session) Run(ctx context.Context, queues []tun.Queue) error {
	s.queues = queues
	n := chunksAhead * len(queues)
	s.full, s.free = make(chan *netio.Chunk, n), make(chan *netio.Chunk, n)
	for range n {
		c := netio.NewChunk()
		s.free <- &c
	}
	s.heardTLS.Store(time.Now().UnixNano())
	var wg sync.WaitGroup
	for _, q := range queues {
		wg.Go(func() { s.end(s.pump(q)) })
	}
	wg.Go(func() { s.end(s.send()) })
	wg.Go(func() { s.end(s.read()) })
	wg.Go(func() { s.end(s.keep(ctx)) })
	if s.tunnel.DTLSMode == openconnect.DTLSPSK {
		wg.Go(func() { s.useDTLS(&wg) })
	}
	<-s.done
	wg.Wait()
	return s.err
}

// end ends the session for err; the first call counts.
func (s *Session) end(err error) {
	s.once.Do(func() {
		s.err = err
		close(s.done)
		_ = s.c.conn.Close()
		for _, q := range s.queues {
			_ = q.Close()
		}
	})
}

// server is the address that the TLS connection reached, which the DTLS one
// has to go to as well.
func (s *Session) server() (netip.AddrPort, error) {
	a, ok := s.c.conn.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}, net.ErrClosed
	}
	return netip.AddrPortFrom(a.AddrPort().Addr().Unmap(), uint16(s.tunnel.DTLSPort)), nil
}
