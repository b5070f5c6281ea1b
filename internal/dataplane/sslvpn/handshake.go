package sslvpn

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/netio"
	"github.com/skybridge-cloud/skybridge/internal/protocol/tlsrecord"
)

const handshakeLimit = 15 * time.Second

// serve owns one connection from accept to close. The tunnel runs on a goroutine
// of its own: the stack that a handshake needs would stay with it for life.
func (s *Service) serve(raw net.Conn) {
	c := netio.NewConn(raw)
	st := s.front(c, raw)
	if st == nil {
		s.untrack(c)
		_ = c.Close()
		return
	}
	s.wg.Go(func() {
		defer s.recovered("connection")
		defer func() { _ = c.Close() }()
		defer s.untrack(c)
		st.run()
	})
}

// front is a connection until CONNECT; nil when it does not come to a tunnel.
func (s *Service) front(c *netio.Conn, raw net.Conn) *stream {
	defer s.recovered("connection")
	if !s.track(c) {
		return nil
	}
	from := addrPort(raw.RemoteAddr())
	if !s.early.admit(from.Addr(), c) {
		return nil
	}
	leave := func() { s.early.leave(from.Addr(), c) }
	defer leave()
	h := httpConn{svc: s, conn: c, from: from, attached: leave, own: allowance{shared: s.memory}}
	defer h.weigh()
	defer h.own.release()
	tuneTCP(raw)
	if h.srv, h.tls = s.shakeHands(c, raw); h.srv == nil {
		return nil
	}
	h.serve()
	return h.tunnel
}

// shakeHands does the TLS handshake with the server that the peer names; nil when
// it fails.
func (s *Service) shakeHands(c *netio.Conn, raw net.Conn) (*server, *netio.TLS) {
	hello := allowance{shared: s.memory}
	defer hello.release()
	greet := greeting{Conn: c, own: &hello}
	c.Narrow()
	local := addrPort(raw.LocalAddr())
	var srv *server
	log := &tlsrecord.KeyLog{}
	t := tls.Server(&greet, &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		var err error
		srv, err = s.choose(local, hello.ServerName)
		if err != nil {
			return nil, err
		}
		return srv.tlsConfig(log), nil
	}, DynamicRecordSizingDisabled: true, SessionTicketsDisabled: true})
	_ = raw.SetDeadline(time.Now().Add(handshakeLimit))
	ctx, cancel := context.WithTimeout(s.ctx, handshakeLimit)
	defer cancel()
	if err := t.HandshakeContext(ctx); err != nil || srv == nil {
		s.tally.tlsFailed.Add(1)
		return nil, nil
	}
	greet.own = nil
	own, err := netio.Server(c, t, log)
	if err != nil {
		s.cfg.Log.Error("taking over a connection from its handshake", "error", err)
		return nil, nil
	}
	s.tally.tlsOK.Add(1)
	return srv, own
}

// track remembers the connection for Close; false when that has begun.
func (s *Service) track(c *netio.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return false
	}
	s.conns[c] = struct{}{}
	return true
}

func (s *Service) untrack(c *netio.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// recovered keeps a panic in the connection that had it. The stack names code
// only.
func (s *Service) recovered(where string) {
	if e := recover(); e != nil {
		s.cfg.Log.Error("panic in a connection", "where", where, "stack", string(debug.Stack()))
	}
}

var errNoServer = errors.New("no ssl server of this name")

// choose finds the server for a name on a port: the one that is called so,
// else the one whose certificate is for all names beside it ("*.example.com").
// Without a name it is the only one of the port, else none.
func (s *Service) choose(local netip.AddrPort, name string) (*server, error) {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, domain, _ := strings.Cut(name, ".")
	var found []*server
	var wild *server
	for _, srv := range s.servers {
		if srv.spec.Port != int(local.Port()) || srv.cert == nil {
			continue
		}
		if name != "" && slices.Contains(srv.spec.ServerNames, name) {
			return srv, nil
		}
		if domain != "" && slices.Contains(srv.spec.ServerNames, "*."+domain) {
			wild = srv
		}
		found = append(found, srv)
	}
	if wild != nil {
		return wild, nil
	}
	if name == "" && len(found) == 1 {
		return found[0], nil
	}
	return nil, errNoServer
}

// suites12 are what TLS 1.2 may use: forward secrecy and an AEAD. Those of TLS
// 1.3 are no choice.
var suites12 = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
}

// tlsConfig is for one connection, whose secrets go to log.
func (srv *server) tlsConfig(log *tlsrecord.KeyLog) *tls.Config {
	cfg := &tls.Config{
		KeyLogWriter:                log,
		Certificates:                []tls.Certificate{*srv.cert},
		MinVersion:                  tls.VersionTLS12,
		CipherSuites:                suites12,
		ClientAuth:                  tls.RequestClientCert, // judged by our own code
		DynamicRecordSizingDisabled: true,                  // one frame, one record
		SessionTicketsDisabled:      true,
	}
	if srv.spec.TLSMin == "1.3" {
		cfg.MinVersion = tls.VersionTLS13
	}
	if srv.spec.TLSMax == "1.2" { // for clients whose certificates fail with TLS 1.3
		cfg.MaxVersion = tls.VersionTLS12
	}
	return cfg
}
