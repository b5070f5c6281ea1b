package sslvpn

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/protocol/dtls"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

var (
	errTooMany = errors.New("session limit of the gateway reached")
	errVoided  = errors.New("control wants the session closed")
	errRevoked = errors.New("the certificate was revoked meanwhile")
)

// maxAgent is how many bytes of a client's name are told.
const maxAgent = 128

const (
	leastRekey = 24 * time.Hour
	// rekeyLater keeps DTLS from a handshake of its own just before the tunnel
	// that brings it new keys anyway.
	rekeyLater = 10 * time.Second
)

// connect turns the connection into a tunnel, which is left to run.
func (h *httpConn) connect(r *http.Request) {
	req, err := openconnect.ParseConnect(target(r), r.Header)
	if err != nil {
		h.refuse(401, "")
		return
	}
	c, ok := h.svc.byCookie(string(req.Cookie.Reveal()))
	if !ok || c.rec.Server != h.srv.spec.ID {
		// A cookie is 256 random bits: whose is over is no guesser.
		h.blameless = true
		h.refuse(401, "")
		return
	}
	if h.srv.gateway.frozen() {
		h.blameless = true
		h.refuse(503, "The VPN gateway is out of service.")
		return
	}
	if !h.holdsCertificate(c.rec) {
		h.refuse(401, "")
		return
	}
	if h.srv.spec.DenyRoaming && h.from.Addr() != c.rec.SourceIP {
		h.refuse(503, "This session may not move to another network address.")
		return
	}
	agent := agentName(req.UserAgent)
	c.agent.Store(&agent)
	h.attach(c, req)
}

// holdsCertificate tells whether the connection has the certificate that the
// session was opened with, if it was with one: a stolen cookie is no use without
// the key.
func (h *httpConn) holdsCertificate(r Record) bool {
	return r.Certificate == [32]byte{} || r.Certificate == h.fingerprint()
}

// fingerprint is the SHA-256 of the client's certificate, zeros without one. TLS
// has proven that the client holds its key.
func (h *httpConn) fingerprint() (sum [32]byte) {
	if peer := h.tls.ConnectionState().PeerCertificates; len(peer) > 0 {
		sum = sha256.Sum256(peer[0].Raw)
	}
	return sum
}

// agentName is what of a client's name for itself goes into reports: a stranger
// chose it.
func agentName(s string) string {
	printable := func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}
	return strings.Map(printable, s[:min(len(s), maxAgent)])
}

// attach gives the connection to its session before the answer is sent, so that
// a quick DTLS hello finds it.
func (h *httpConn) attach(c *liveSession, req openconnect.ConnectRequest) {
	st, attached := newStream(c, h.conn, h.tls), false
	defer func() {
		if !attached { // also by a panic: nobody else knows its link
			st.unlink()
		}
	}()
	resp, given := h.response(c, req)
	resp.Extensions = openconnect.ChooseExtensions(req.Extensions)
	st.extend(resp.Extensions)
	st.mtu = resp.MTU
	resp.DTLS = h.offerDTLS(st, req) // from here on others see the stream
	if attached = c.attach(st, given, req.Mobile); !attached {
		h.refuse(401, "")
		return
	}
	h.attached()
	h.succeeded()
	_ = h.conn.SetDeadline(time.Time{})
	if _, err := h.tls.Write(resp.AppendTo(nil)); err != nil || h.more() || h.tls.Pending() {
		st.unlink() // bytes behind CONNECT before its answer are no stock client's
		c.lost(st)
		return
	}
	h.tls.Settle()
	h.conn.Widen()
	h.tunnel = st
}

func (h *httpConn) refuse(status int, reason string) {
	_, _ = h.tls.Write(openconnect.AppendRefusal(nil, status, reason))
}

// target is the path of a CONNECT, which net/http keeps in RequestURI.
func target(r *http.Request) string { return openconnect.CleanPath(r.RequestURI) }

// offerDTLS prepares the DTLS side of a stream, if server and client agree on
// a method; nil otherwise. Its keys come from this connection alone.
func (h *httpConn) offerDTLS(st *stream, req openconnect.ConnectRequest) *openconnect.DTLSOffer {
	if !h.srv.spec.UDP {
		return nil
	}
	state := h.tls.ConnectionState()
	psk, err := state.ExportKeyingMaterial(openconnect.PSKExporterLabel, nil, 32)
	choice := openconnect.ChooseDTLS(req, err == nil)
	offer := &openconnect.DTLSOffer{
		Choice: choice, Port: h.srv.spec.Port,
		DPD: h.srv.dpd(req.Mobile), Keepalive: seconds(h.srv.spec.Keepalive), RekeyTime: h.srv.rekey() + rekeyLater,
	}
	_, _ = rand.Read(offer.ID[:]) // never fails
	cfg := dtls.ServerConfig{SessionID: offer.ID[:]}
	switch choice.Mode {
	case openconnect.DTLSPSK:
		cfg.Mode, cfg.PSK = dtls.ModePSK, psk
	case openconnect.DTLSResume:
		cfg.Mode, cfg.MasterSecret, cfg.Suite = dtls.ModeResume, req.MasterSecret.Reveal(), choice.Suite
	default:
		return nil
	}
	srv, err := dtls.NewServer(cfg)
	if err != nil {
		return nil
	}
	st.link = &link{id: offer.ID, stream: st, srv: srv}
	h.svc.mu.Lock()
	h.svc.links[offer.ID] = st.link
	h.svc.mu.Unlock()
	return offer
}
