// Package transport says what TLS means here, for the listener that people and
// programs reach and for every connection to somebody else (clause LT-5.2a). The
// links to gateway nodes ask for TLS 1.3 and keys of both sides; the database's
// link is held by platform/db; the tunnel's TLS, which old clients reach, is the
// data plane's own.
package transport

import (
	"crypto/tls"

	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// Suites are those of TLS 1.2: an ephemeral key exchange, so that a key that is
// stolen later opens nothing, and an authenticated cipher (RFC 9325, 4.2). TLS
// 1.3 has no others.
var suites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
}

// Config returns a new configuration: TLS 1.2 with these suites, or 1.3. The
// caller adds certificates or roots and the name.
func Config() *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12, CipherSuites: append([]uint16(nil), suites...)}
	if mutant.Off("LT-5.2a") {
		c.MinVersion, c.CipherSuites = tls.VersionTLS10, nil
	}
	return c
}
