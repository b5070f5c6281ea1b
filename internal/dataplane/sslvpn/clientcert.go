package sslvpn

import (
	"crypto/x509"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

// certificate returns the client's certificate if there is one that holds; ok
// is false when the server demands one and there is none.
func (h *httpConn) certificate() (der []byte, ok bool) {
	peer := h.tls.ConnectionState().PeerCertificates
	if len(peer) == 0 {
		return nil, !h.srv.spec.WantsCertificate()
	}
	chain := x509.NewCertPool()
	for _, c := range peer[1:] {
		chain.AddCert(c)
	}
	chains, err := peer[0].Verify(x509.VerifyOptions{
		Roots: h.srv.clientCAs, Intermediates: chain, CurrentTime: h.svc.cfg.Clock.Now(),
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil || h.srv.refuses(gwlink.PathOf(chains)) {
		return nil, !h.srv.spec.WantsCertificate()
	}
	return peer[0].Raw, true
}

// peerChain is what the client sent behind a certificate that holds, for
// control to follow it to its CA.
func (h *httpConn) peerChain(leaf []byte) [][]byte {
	if leaf == nil {
		return nil
	}
	var chain [][]byte
	size := 0
	for _, c := range h.tls.ConnectionState().PeerCertificates[1:] {
		if size += len(c.Raw); len(chain) == gwlink.MaxPeerChain || size > maxPeerChain {
			break
		}
		chain = append(chain, c.Raw)
	}
	return chain
}

// noCertificate is for who was asked for a certificate and has none that holds,
// or cannot be asked. It says so in a form without fields: openconnect prints the error
// and ends. Of a 401 it would say nothing.
func (h *httpConn) noCertificate() answer {
	return h.form(gwlink.LoginAnswer{Form: &gwlink.Form{ID: openconnect.FormMain, Error: gwlink.TextCertificate}})
}
