// Package client is the engine of our own VPN client: it logs in, turns the
// connection into a tunnel and moves packets between it and a tunnel device.
//
// It is thin now and will become skyconnect: one password form, no reconnect, no
// routes or names of its own making (the caller configures the device from
// Session.Tunnel). It stores nothing and asks nobody; who the person is comes
// from the caller, form by form.
//
//	Login ──▶ cookie ──▶ Connect ──▶ Session.Run
//	                                   ├─ tunnel queue ── pump ──▶ sender ──▶ DTLS, else TLS
//	                                   ├─ TLS reader ───────────▶ tunnel queue
//	                                   ├─ UDP receiver ── injector ──▶ tunnel queue
//	                                   └─ timers: DTLS handshake, DPD, keep-alive
//
// Invariants: a stock server sees a stock client (one frame per record, private
// extensions only after it agreed to them); packets from the server reach the
// device only with an authentic record; nothing allocates per packet once warm.
package client

import (
	"bufio"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/netio"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
	"github.com/skybridge-cloud/skybridge/internal/protocol/tlsrecord"
)

// Config says where the server is and what is wanted of it.
type Config struct {
	Server     string // host:port
	Pin        string // base64 of the SHA-256 of its public key; "" = the system's roots
	DTLS       bool
	Extensions []string // of the private ones, which to ask for
	Agent      string   // User-Agent; "" = DefaultAgent
}

// DefaultAgent is what servers take for an openconnect client.
const DefaultAgent = "AnyConnect-compatible OpenConnect VPN Agent v9.01"

const (
	version      = "v9.01"
	device       = "linux-64"
	setupLimit   = 30 * time.Second
	maxRounds    = 8
	outerMTU     = 1500 // until the path's is measured
	maxHTTPReply = openconnect.MaxDocument + 16<<10
)

// Errors of Login and Connect.
var (
	ErrPin     = errors.New("client: the server's key is not the pinned one")
	ErrRefused = errors.New("client: the server refuses the login")
	ErrRounds  = errors.New("client: too many forms")
)

// Answerer fills in a form. It may ask a person.
type Answerer func(openconnect.AuthRequest) (openconnect.Fields, error)

// Login authenticates on a connection of its own and returns the cookie, which
// is the session.
func Login(ctx context.Context, cfg Config, answer Answerer) (openconnect.Secret, error) {
	c, err := dial(ctx, cfg)
	if err != nil {
		return openconnect.Secret{}, err
	}
	defer c.close()
	body := openconnect.AppendInit(nil, version, device, "https://"+cfg.Server+"/")
	path := "/"
	for range maxRounds {
		a, cookie, err := c.post(path, body)
		if err != nil {
			return openconnect.Secret{}, err
		}
		if a.Done {
			if a.Token.Len() > 0 {
				return a.Token, nil
			}
			return openconnect.NewSecret([]byte(cookie)), nil
		}
		fields, err := answer(a.Form)
		if err != nil {
			return openconnect.Secret{}, err
		}
		if a.Form.Action != "" {
			path = a.Form.Action
		}
		body = openconnect.AppendReply(nil, version, device, a, fields)
	}
	return openconnect.Secret{}, ErrRounds
}

// Password is an Answerer for a name and a password. It gives up when the same
// form comes a second time.
func Password(name, password string) Answerer {
	tried := false
	return func(f openconnect.AuthRequest) (openconnect.Fields, error) {
		if f.Error != nil && tried {
			return nil, fmt.Errorf("%w: %s", ErrRefused, f.Error.Text)
		}
		out := openconnect.Fields{}
		for _, in := range f.Inputs {
			switch in.Type {
			case openconnect.InputPassword:
				out[in.Name], tried = password, true
			case openconnect.InputText:
				out[in.Name] = name
			default:
				out[in.Name] = in.Value
			}
		}
		return out, nil
	}
}

// connection is a TLS connection before CONNECT.
type connection struct {
	cfg  Config
	conn *netio.Conn
	tls  *netio.TLS
	in   *bufio.Reader
}

func dial(ctx context.Context, cfg Config) (*connection, error) {
	ctx, cancel := context.WithTimeout(ctx, setupLimit)
	defer cancel()
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", cfg.Server)
	if err != nil {
		return nil, fmt.Errorf("reaching the server: %w", err)
	}
	_ = raw.SetDeadline(time.Now().Add(setupLimit))
	c, err := secure(ctx, cfg, netio.NewConn(raw))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("securing the connection: %w", err), raw.Close())
	}
	return c, nil
}

func secure(ctx context.Context, cfg Config, conn *netio.Conn) (*connection, error) {
	log := &tlsrecord.KeyLog{}
	t := tls.Client(conn, tlsConfig(cfg, log))
	if err := t.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	own, err := netio.Client(conn, t, log)
	if err != nil {
		return nil, err
	}
	return &connection{cfg: cfg, conn: conn, tls: own, in: bufio.NewReader(own)}, nil
}

func (c *connection) close() {
	c.tls.CloseNotify()
	_ = c.conn.Close()
}

// tlsConfig is for one connection, whose secrets go to log.
func tlsConfig(cfg Config, log *tlsrecord.KeyLog) *tls.Config {
	host, _, _ := net.SplitHostPort(cfg.Server)
	out := &tls.Config{
		KeyLogWriter: log, SessionTicketsDisabled: true,
		MinVersion: tls.VersionTLS12, ServerName: host,
		DynamicRecordSizingDisabled: true, // one frame, one record
	}
	if net.ParseIP(host) != nil && cfg.Pin != "" {
		out.ServerName = "" // no name is sent, so that the port's only server answers
	}
	if cfg.Pin != "" {
		out.InsecureSkipVerify = true // the pin is stronger than a chain
		out.VerifyConnection = func(s tls.ConnectionState) error { return checkPin(s, cfg.Pin) }
	}
	return out
}

func checkPin(s tls.ConnectionState, pin string) error {
	if len(s.PeerCertificates) == 0 {
		return ErrPin
	}
	sum := sha256.Sum256(s.PeerCertificates[0].RawSubjectPublicKeyInfo)
	got := base64.StdEncoding.EncodeToString(sum[:])
	if subtle.ConstantTimeCompare([]byte(got), []byte(pin)) != 1 {
		return ErrPin
	}
	return nil
}

func (c *connection) agent() string {
	if c.cfg.Agent != "" {
		return c.cfg.Agent
	}
	return DefaultAgent
}

// post sends a document and reads the answer and the cookie webvpn, which is
// empty until the end.
func (c *connection) post(path string, body []byte) (openconnect.Answer, string, error) {
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\nX-Transcend-Version: 1\r\nX-Aggregate-Auth: 1\r\n"+
		"Content-Type: application/xml; charset=utf-8\r\nContent-Length: %d\r\n\r\n", path, c.cfg.Server, c.agent(), len(body))
	if _, err := c.tls.Write(append([]byte(head), body...)); err != nil {
		return openconnect.Answer{}, "", fmt.Errorf("sending a form: %w", err)
	}
	r, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return openconnect.Answer{}, "", fmt.Errorf("reading the answer: %w", err)
	}
	defer func() { _ = r.Body.Close() }()
	text, err := readAll(r)
	if err != nil || r.StatusCode != http.StatusOK {
		return openconnect.Answer{}, "", errors.Join(refusal(r), err)
	}
	a, err := openconnect.ParseAnswer(text)
	for _, k := range r.Cookies() {
		if k.Name == "webvpn" && k.Value != "" {
			return a, k.Value, err
		}
	}
	return a, "", err
}
