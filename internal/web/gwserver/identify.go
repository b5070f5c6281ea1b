package gwserver

import (
	"context"
	"crypto/tls"
	"net/http"

	"github.com/skybridge-cloud/skybridge/internal/control/fleet"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// Keys finds nodes by their TLS key; *fleet.Service fills it.
type Keys interface {
	NodeByKey(ctx context.Context, sha256 string) (fleet.Node, error)
}

// ErrNoCertificate refuses a TLS connection without a node's certificate.
var ErrNoCertificate = errs.New(errs.Forbidden, "gwlink.no_certificate")

// ByKey identifies nodes over TLS by the registered digest of their public key.
// Who issued the certificate does not matter: TLS has proven that the caller
// holds the key.
func ByKey(k Keys) Identify {
	return func(r *http.Request) (fleet.Node, error) {
		if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
			return fleet.Node{}, ErrNoCertificate
		}
		return k.NodeByKey(r.Context(), fleet.KeyDigest(r.TLS.PeerCertificates[0]))
	}
}

// TLSConfig asks for a certificate in the handshake and leaves the judgement to
// ByKey.
func TLSConfig(own tls.Certificate) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{own}, ClientAuth: tls.RequireAnyClientCert}
}

// Local identifies every request as the one node of this host. It is for the
// unix socket, where ListenUnix has already looked at who connects.
func Local(node fleet.Node) Identify {
	return func(*http.Request) (fleet.Node, error) { return node, nil }
}
