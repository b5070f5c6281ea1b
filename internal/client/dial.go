package client

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/netio"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
	"github.com/skybridge-cloud/skybridge/internal/protocol/tlsrecord"
)

const (
	maxHead       = 64 << 10 // of an answer
	maxProxyReply = 16 << 10
	againLimit    = 5 * time.Second // for the address that was reached before
)

// connection is a TLS connection before CONNECT.
type connection struct {
	cfg   Config
	conn  *netio.Conn
	tls   *netio.TLS
	path  *path             // of what in reads, with its end
	limit *io.LimitedReader // of path
	in    *bufio.Reader

	state tls.ConnectionState
	asked bool // for a certificate
}

// dial reaches the server: at first where it was before, if that is known.
func dial(ctx context.Context, cfg Config, before netip.AddrPort) (*connection, error) {
	if !before.IsValid() {
		before = cfg.At
	}
	if err := cfg.permitted(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, setupLimit)
	defer cancel()
	raw, err := cfg.reach(ctx, before)
	if err != nil {
		return nil, fmt.Errorf("reaching the server: %w", err)
	}
	stop := abortOn(ctx, raw)
	defer stop()
	c, err := secure(ctx, cfg, netio.NewConn(raw))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("securing the connection: %w", err), raw.Close())
	}
	return c, nil
}

// abortOn makes what waits on the connection fail once ctx ends, until stop.
func abortOn(ctx context.Context, c net.Conn) (stop func() bool) {
	return context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
}

// reach opens the TCP connection to the server, through the proxy if there is
// one. A server that answers where it was before needs no name to be looked up,
// which may be impossible while the tunnel is away.
func (c Config) reach(ctx context.Context, before netip.AddrPort) (net.Conn, error) {
	d := &net.Dialer{Control: c.control()}
	if c.Proxy != nil {
		return c.throughProxy(ctx, d)
	}
	if before.IsValid() {
		short, cancel := context.WithTimeout(ctx, againLimit)
		defer cancel()
		if raw, err := d.DialContext(short, "tcp", before.String()); err == nil {
			return raw, nil
		}
	}
	return d.DialContext(ctx, "tcp", c.Server)
}

// throughProxy asks an HTTP proxy for a way to the server.
func (c Config) throughProxy(ctx context.Context, d *net.Dialer) (net.Conn, error) {
	if c.Proxy.Scheme != "http" {
		return nil, fmt.Errorf("%w: it has to be an http URL", ErrProxy)
	}
	at := c.Proxy.Host
	if c.Proxy.Port() == "" {
		at = net.JoinHostPort(c.Proxy.Hostname(), "80")
	}
	raw, err := d.DialContext(ctx, "tcp", at)
	if err != nil {
		return nil, err
	}
	stop := abortOn(ctx, raw)
	defer stop()
	if err := c.askProxy(raw); err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	return raw, nil
}

func (c Config) askProxy(raw net.Conn) error {
	head := "CONNECT " + c.Server + " HTTP/1.1\r\nHost: " + c.Server + "\r\nUser-Agent: " + c.agent() + "\r\n"
	if u := c.Proxy.User; u != nil {
		password, _ := u.Password()
		head += "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(u.Username()+":"+password)) + "\r\n"
	}
	if _, err := io.WriteString(raw, head+"\r\n"); err != nil {
		return err
	}
	in := bufio.NewReader(io.LimitReader(raw, maxProxyReply))
	r, err := http.ReadResponse(in, &http.Request{Method: http.MethodConnect}) //nolint:bodyclose // of CONNECT there is none
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrProxy, err)
	case r.StatusCode != http.StatusOK:
		return fmt.Errorf("%w: %s", ErrProxy, openconnect.Printable(r.Status))
	case in.Buffered() > 0: // the server has nothing to say before us
		return fmt.Errorf("%w: it speaks out of turn", ErrProxy)
	}
	return nil
}

func secure(ctx context.Context, cfg Config, conn *netio.Conn) (*connection, error) {
	log := &tlsrecord.KeyLog{}
	c := &connection{cfg: cfg, conn: conn}
	t := tls.Client(conn, cfg.tls(log, &c.asked))
	if err := t.HandshakeContext(ctx); err != nil {
		return nil, c.trouble(err)
	}
	own, err := netio.Client(conn, t, log)
	if err != nil {
		return nil, err
	}
	c.tls, c.state, c.path = own, t.ConnectionState(), &path{Reader: own}
	c.limit = &io.LimitedReader{R: c.path}
	c.in = bufio.NewReader(c.limit)
	return c, nil
}

// remote is the address of the server; invalid through a proxy.
func (c *connection) remote() netip.AddrPort {
	if c.cfg.Proxy != nil {
		return netip.AddrPort{}
	}
	return c.peer()
}

// peer is the other end of the TCP connection: the server or the proxy.
func (c *connection) peer() netip.AddrPort {
	a, ok := c.conn.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(a.AddrPort().Addr().Unmap(), a.AddrPort().Port())
}

func (c *connection) close() {
	c.tls.CloseNotify()
	_ = c.conn.Close()
}

// exchange sends a request, wipes it and reads the head of the answer, whose
// body may be up to MaxDocument long.
func (c *connection) exchange(ctx context.Context, request []byte, method string) (*http.Response, error) {
	_ = c.conn.SetDeadline(time.Now().Add(setupLimit))
	stop := abortOn(ctx, c.conn)
	defer stop()
	_, err := c.tls.Write(request)
	clear(request)
	if err != nil {
		return nil, c.trouble(err)
	}
	c.limit.N = maxHead + openconnect.MaxDocument
	r, err := http.ReadResponse(c.in, &http.Request{Method: method})
	switch {
	case err == nil:
		return r, nil
	case c.path.end == nil: // it came through, and makes no sense
		return nil, fmt.Errorf("%w: %s", openconnect.ErrAnswer, openconnect.Printable(err.Error()))
	}
	return nil, c.trouble(err)
}

// path is a connection that remembers why nothing more came.
type path struct {
	io.Reader
	end error
}

func (p *path) Read(b []byte) (int, error) {
	n, err := p.Reader.Read(b)
	if err != nil {
		p.end = err
	}
	return n, err
}
