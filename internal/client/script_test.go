package client

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client/trust"
	"github.com/skybridge-cloud/skybridge/internal/netio/netiotest"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

const waitLimit = 10 * time.Second

// yes is a Permit of somebody who agrees.
type yes struct{}

func (yes) Allows() error { return nil }

// script is a server that answers requests as a test says, whatever they are: for
// what no honest server does.
type script struct {
	t    *testing.T
	cfg  Config
	cert *tls.Certificate

	mu       sync.Mutex
	requests []request
	conns    int
	once     bool                          // closes a connection behind its first answer
	answer   func(n int, q request) string // raw; "" closes the connection
}

// request is one that came, the n-th of all.
type request struct {
	*http.Request
	conn int // of how many connections it came on the last
	doc  openconnect.Document
	tls  tls.ConnectionState
}

// newScript starts a server; further settings of its TLS come from set.
func newScript(t *testing.T, answer func(n int, q request) string, set ...func(*tls.Config)) *script {
	t.Helper()
	s := &script{t: t, cert: certificate(t), answer: answer}
	cfg := &tls.Config{Certificates: []tls.Certificate{*s.cert}, DynamicRecordSizingDisabled: true}
	for _, f := range set {
		f(cfg)
	}
	ln, err := tls.Listen("tcp", "127.0.0.1:0", cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.cfg = Config{Permit: yes{}, Server: ln.Addr().String(), Trust: pinned(s.cert)}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			all.Go(func() { s.serve(c.(*tls.Conn)) })
		}
	})
	t.Cleanup(func() { _ = ln.Close(); all.Wait() })
	return s
}

func (s *script) serve(c *tls.Conn) {
	defer c.Close()
	s.mu.Lock()
	s.conns++
	conn := s.conns
	s.mu.Unlock()
	in := bufio.NewReader(c)
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		body, _ := io.ReadAll(r.Body)
		doc, _ := openconnect.ParseDocument(r.Header.Get("Content-Type"), body)
		q := request{Request: r, conn: conn, doc: doc, tls: c.ConnectionState()}
		s.mu.Lock()
		s.requests = append(s.requests, q)
		text, once := s.answer(len(s.requests)-1, q), s.once
		s.mu.Unlock()
		if text == "" {
			return
		}
		if _, err := io.WriteString(c, text); err != nil || once {
			return
		}
	}
}

// seen are the requests so far.
func (s *script) seen() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]request(nil), s.requests...)
}

func (s *script) login(a Answerer) (openconnect.Secret, error) {
	return Login(context.Background(), s.cfg, a)
}

// ok is an answer with a document, and further header lines.
func ok(document []byte, lines ...string) string {
	head := "HTTP/1.1 200 OK\r\n"
	for _, l := range lines {
		head += l + "\r\n"
	}
	return fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(document), document)
}

const denied = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

func form(id string, inputs ...openconnect.Input) openconnect.AuthRequest {
	return openconnect.AuthRequest{ID: id, Inputs: inputs}
}

func input(typ, name string) openconnect.Input {
	return openconnect.Input{Type: typ, Name: name, Label: name + ":"}
}

var (
	nameInput     = input(openconnect.InputText, openconnect.FieldUsername)
	passwordInput = input(openconnect.InputPassword, openconnect.FieldPassword)
	secondInput   = input(openconnect.InputPassword, openconnect.FieldSecondaryPassword)
)

// done is the end of a login that gives the cookie.
func done() string {
	return ok(openconnect.Complete{}.AppendTo(nil), "Set-Cookie: webvpn=the-cookie; Secure; HttpOnly")
}

func wantCookie(t *testing.T, got openconnect.Secret, err error) {
	t.Helper()
	if err != nil || string(got.Reveal()) != "the-cookie" {
		t.Errorf("got a cookie of %d bytes, %v", got.Len(), err)
	}
}

// closedPort is an address where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	return net.JoinHostPort("127.0.0.1", fmt.Sprint(netiotest.FreePort(t)))
}

// pinned trusts one server.
func pinned(c *tls.Certificate) trust.Anchors {
	return trust.Anchors{Pins: []string{trust.Pin(c.Leaf)}}
}

func certificate(t *testing.T) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(7), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}
