package client

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/protocol/tlsrecord"
)

// PinOf is the pin of a certificate's key: base64 of the SHA-256 of its
// SubjectPublicKeyInfo (RFC 7469 section 2.4).
func PinOf(c *x509.Certificate) string {
	sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// UntrustedError is an ErrUntrusted. Pin is that of the key which the server
// showed: whoever has it from elsewhere may compare.
type UntrustedError struct {
	Pin string
	Err error
}

func (e *UntrustedError) Error() string { return fmt.Sprintf("%v: %v", ErrUntrusted, e.Err) }

// Is makes every UntrustedError an ErrUntrusted.
func (e *UntrustedError) Is(target error) bool { return target == ErrUntrusted }

// Unwrap returns what the verification said.
func (e *UntrustedError) Unwrap() error { return e.Err }

// tls is for one connection, whose secrets go to log. asked becomes true when the
// server wants a certificate. Verification is never left out: with a pin it is
// the pin's, which is stronger than a chain.
func (c Config) tls(log *tlsrecord.KeyLog, asked *bool) *tls.Config {
	out := &tls.Config{
		KeyLogWriter: log, SessionTicketsDisabled: true,
		MinVersion: tls.VersionTLS12, ServerName: c.name(), RootCAs: c.Roots, Time: c.clock().Now,
		DynamicRecordSizingDisabled: true, // one frame, one record
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			*asked = true
			if c.Certificate == nil {
				return &tls.Certificate{}, nil
			}
			return c.Certificate, nil // whatever CAs the server names, as stock clients do
		},
	}
	if len(c.Pins) == 0 {
		return out
	}
	if net.ParseIP(out.ServerName) != nil {
		out.ServerName = "" // no name is sent, so that the port's only server answers
	}
	out.InsecureSkipVerify = true
	out.VerifyConnection = func(s tls.ConnectionState) error { return checkPin(s, c.Pins) }
	return out
}

func checkPin(s tls.ConnectionState, pins []string) error {
	if len(s.PeerCertificates) == 0 {
		return ErrPin
	}
	shown := []byte(PinOf(s.PeerCertificates[0]))
	for _, pin := range pins {
		if subtle.ConstantTimeCompare(shown, []byte(strings.TrimPrefix(pin, pinPrefix))) == 1 {
			return nil
		}
	}
	return ErrPin
}

// pinPrefix may stand before a pin, as openconnect's --servercert writes it.
const pinPrefix = "pin-sha256:"

// trouble is the error of a connection that says what the person can do about it.
func (c *connection) trouble(err error) error {
	var chain *tls.CertificateVerificationError
	if errors.As(err, &chain) {
		e := &UntrustedError{Err: chain.Err}
		if len(chain.UnverifiedCertificates) > 0 {
			e.Pin = PinOf(chain.UnverifiedCertificates[0])
		}
		return e
	}
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
