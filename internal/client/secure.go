package client

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/protocol/tlsrecord"
)

// tls is for one connection, whose secrets go to log. asked becomes true when the
// server wants a certificate. Whether the server is the right one, package trust
// says.
func (c Config) tls(log *tlsrecord.KeyLog, asked *bool) *tls.Config {
	out := &tls.Config{
		KeyLogWriter: log, SessionTicketsDisabled: true,
		MinVersion: tls.VersionTLS12, Time: c.clock().Now,
		DynamicRecordSizingDisabled: true, // one frame, one record
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			*asked = true
			if c.Certificate == nil {
				return &tls.Certificate{}, nil
			}
			return c.Certificate, nil // whatever CAs the server names, as stock clients do
		},
	}
	anchors := c.Trust
	if anchors.Clock == nil {
		anchors.Clock = c.clock()
	}
	anchors.Guard(out, c.name())
	return out
}

// trouble is the error of a connection that says what the person can do about it.
func (c *connection) trouble(err error) error {
	if c.asked && aboutCertificate(err, c.cfg.Certificate == nil) {
		return fmt.Errorf("%w: %w", ErrCertificate, err)
	}
	return err
}

// aboutCertificate tells whether the server ended the connection because of the
// person's certificate: bad_certificate (42) to unknown_ca (48) without
// illegal_parameter (47), access_denied (49), certificate_required (116): RFC
// 8446 section 6.2. TLS 1.3 says so only after the handshake, TLS 1.2 calls it a
// failure of the handshake when there is none (RFC 5246 section 7.4.6). crypto/tls
// has only words for alerts.
func aboutCertificate(err error, none bool) bool {
	var own tlsrecord.PeerError
	if errors.As(err, &own) {
		return own >= 42 && own <= 49 && own != 47 || own == 116
	}
	var std *net.OpError
	if !errors.As(err, &std) || std.Op != "remote error" || std.Err == nil {
		return false
	}
	said := func(words string) bool { return strings.Contains(std.Err.Error(), words) }
	return said("certificate") || said("access denied") || none && said("handshake failure")
}
