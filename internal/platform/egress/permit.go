package egress

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/transport"
)

// Permit is one permitted call. It belongs to its caller and ends with Finish.
type Permit struct {
	e       *Egress
	to      string // id of the recipient
	op      Op
	fields  []string // that the call declared
	infra   bool
	base    *url.URL
	path    string
	receipt Receipt
	sent    atomic.Bool // a request may have left
	ended   atomic.Bool
}

func (e *Egress) permit(r Recipient, op Op, fields []string, receipt Receipt) *Permit {
	p := &Permit{e: e, to: r.ID, op: op, fields: fields, infra: r.Role == "infra", base: r.base, receipt: receipt}
	p.path = strings.TrimSuffix(r.base.Path, "/") + op.Path
	return p
}

// Receipt names the entry in the register.
func (p *Permit) Receipt() Receipt { return p.receipt }

// URL is the address of the operation: scheme, host, port, path; no query. A
// default port is left out, as signatures over the Host header expect. Numbers
// take the places that the path has for them, in order.
func (p *Permit) URL(numbers ...string) string {
	u := url.URL{Scheme: p.base.Scheme, Host: p.base.Host, Path: p.path}
	for _, n := range numbers {
		open, end := strings.Index(u.Path, "{"), strings.Index(u.Path, "}")
		if open < 0 || end < open {
			break
		}
		u.Path = u.Path[:open] + n + u.Path[end+1:]
	}
	if p.base.Scheme == "https" && p.base.Port() == "443" || p.base.Scheme == "http" && p.base.Port() == "80" {
		u.Host = p.base.Hostname()
		if strings.Contains(u.Host, ":") {
			u.Host = "[" + u.Host + "]"
		}
	}
	return u.String()
}

// Host is the name of the endpoint, without its port.
func (p *Permit) Host() string { return p.base.Hostname() }

// Client returns a client that reaches this endpoint with the operation's
// method and path, follows no redirect and reads at most MaxAnswer, or MaxFile
// of a large one. It works until Finish.
func (p *Permit) Client() *http.Client {
	t := &http.Transport{
		DialContext: p.dial, TLSClientConfig: p.TLS(), TLSHandshakeTimeout: ConnectTimeout,
		DisableKeepAlives: true, ResponseHeaderTimeout: TotalTimeout, MaxResponseHeaderBytes: 64 << 10,
	}
	return &http.Client{
		Transport: guard{p, t}, Timeout: p.timeout(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return ErrEndpoint },
	}
}

// TLS is the configuration for the endpoint, for protocols that start TLS
// themselves.
func (p *Permit) TLS() *tls.Config {
	c := transport.Config()
	c.ServerName, c.RootCAs = p.Host(), p.e.d.Roots
	return c
}

// Dial connects to a mail endpoint: with TLS for smtps and imaps; plain for smtp, where
// the caller must start TLS with p.TLS() unless Plain says that it may not.
// The connection ends after a minute.
func (p *Permit) Dial(ctx context.Context) (net.Conn, error) {
	if !p.op.Mail || p.ended.Load() {
		return nil, ErrEndpoint
	}
	ctx, cancel := context.WithTimeout(ctx, 2*ConnectTimeout)
	defer cancel()
	conn, err := p.dial(ctx, "tcp", p.base.Host)
	if err != nil {
		return nil, err
	}
	if p.base.Scheme == "smtps" || p.base.Scheme == "imaps" {
		secure := tls.Client(conn, p.TLS())
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("starting TLS: %w", err), conn.Close())
		}
		conn = secure
	}
	p.sent.Store(true)
	return conn, conn.SetDeadline(time.Now().Add(time.Minute))
}

// Plain reports whether mail may go without TLS: in demo mode, to loopback.
func (p *Permit) Plain() bool { return p.e.d.Registry.demo && p.base.Scheme == "smtp" }

// Finish records how the call ended and closes the permit. Only the first call
// counts.
func (p *Permit) Finish(ctx context.Context, o Outcome) error {
	if p.ended.Swap(true) {
		return nil
	}
	p.e.calls.Add(p.to, p.op.Op, string(o))
	if p.op.Collect {
		return nil
	}
	// The outcome is recorded even when the caller's time is up.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), TotalTimeout)
	defer cancel()
	if err := p.e.d.Ledger.FinishDisclosure(ctx, p.receipt, o); err != nil {
		return fmt.Errorf("recording the outcome of %s: %w", p.op.Op, err)
	}
	return nil
}

// OutcomeOf says how a call ended by its error: Done without one, Failed if no
// request left, else Unknown.
func (p *Permit) OutcomeOf(err error) Outcome {
	switch {
	case err == nil:
		return Done
	case !p.sent.Load():
		return Failed
	}
	return Unknown
}

// guard lets through what the permit allows and limits the answer.
type guard struct {
	p    *Permit
	next http.RoundTripper
}

// RoundTrip refuses everything beyond the permit with ErrEndpoint.
func (g guard) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := g.allow(r); err != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, err
	}
	trace := &httptrace.ClientTrace{WroteHeaders: func() { g.p.sent.Store(true) }}
	resp, err := g.next.RoundTrip(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
	if err != nil {
		return nil, err
	}
	resp.Body = &limited{body: resp.Body, left: g.p.most()}
	return resp, nil
}

func (p *Permit) timeout() time.Duration {
	if p.op.Large {
		return FileTimeout
	}
	return TotalTimeout
}

func (p *Permit) most() int {
	if p.op.Large {
		return MaxFile
	}
	return MaxAnswer
}

func (g guard) allow(r *http.Request) error {
	want, err := url.Parse(g.p.URL())
	if err != nil {
		return err
	}
	same := r.URL.Scheme == want.Scheme && r.URL.Host == want.Host && (r.Host == "" || r.Host == want.Host) && g.p.samePath(r.URL)
	if g.p.ended.Load() || g.p.op.Browser || g.p.op.Mail || !same || !slices.Contains(g.p.op.Methods, r.Method) {
		return ErrEndpoint
	}
	return g.p.content(r)
}

func clean(p string) string { return path.Clean("/" + p) }

// limited fails instead of ending early, so that a cut answer is no answer.
type limited struct {
	body io.ReadCloser
	left int
}

func (l *limited) Read(b []byte) (int, error) {
	n, err := l.body.Read(b)
	if l.left -= n; l.left < 0 {
		return 0, ErrTooLarge
	}
	return n, err
}

func (l *limited) Close() error { return l.body.Close() }
