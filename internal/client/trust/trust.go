// Package trust decides whether a VPN server is the one of a profile.
//
// By what? By the system's certificate authorities and the profile's own, and by
// pins of the server's public key. A pin stands in for an authority that nobody
// knows and for a name; it never stands in for a date. Where a profile has pins,
// one of them has to match, whatever authority signed.
//
//	pins │ chain and name      │ dates │
//	─────┼─────────────────────┼───────┤
//	none │ have to hold        │ hold  │
//	any  │ pin instead of them │ hold  │ + one pin matches
//
// There is no switch that skips it. What fails is explained with a remedy; to see
// the pin of a server that is not known yet is a call of its own, which trusts
// nothing by itself.
package trust

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/bundle"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// Causes of a refusal. Each has a sentence with its remedy in both languages;
// Remedy tells it apart.
var (
	ErrNobody   = errs.New(errs.Forbidden, "trust.no_certificate")
	ErrExpired  = errs.New(errs.Forbidden, "trust.expired")        // parameters until, host
	ErrNotYet   = errs.New(errs.Forbidden, "trust.not_yet")        // parameters from, now
	ErrName     = errs.New(errs.Forbidden, "trust.wrong_name")     // parameters host, names
	ErrIssuer   = errs.New(errs.Forbidden, "trust.unknown_issuer") // parameters issuer, pin
	ErrPin      = errs.New(errs.Forbidden, "trust.pin_mismatch")   // parameter pin
	ErrPurpose  = errs.New(errs.Forbidden, "trust.not_a_server")
	ErrDamaged  = errs.New(errs.Forbidden, "trust.damaged")
	ErrNoPermit = errs.New(errs.Forbidden, "trust.no_permit").ByClause("TY-0a")
)

// Anchors are what a profile trusts.
type Anchors struct {
	Pins   []string            // pin-sha256:BASE64
	CA     []*x509.Certificate // beside the system's
	System func() (*x509.CertPool, error)
	Clock  clock.Clock
}

// Of returns the anchors of a profile.
func Of(p bundle.Profile, c clock.Clock) (Anchors, error) {
	a := Anchors{Pins: p.Pins, System: x509.SystemCertPool, Clock: c}
	if p.CA == "" {
		return a, nil
	}
	var err error
	a.CA, err = bundle.Certificates(p.CA)
	return a, err
}

// Pin is the pin of a certificate's public key.
func Pin(c *x509.Certificate) string {
	sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return bundle.PinPrefix + base64.StdEncoding.EncodeToString(sum[:])
}

// TLS returns the client's configuration for a server, "host:port". The standard
// library's own check is off, since it cannot take a pin for an authority; Verify
// is in its place, in each handshake, resumed ones too.
func (a Anchors) TLS(server string) (*tls.Config, error) {
	host, _, err := net.SplitHostPort(server)
	if err != nil {
		return nil, err
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host, InsecureSkipVerify: true}
	c.VerifyConnection = func(s tls.ConnectionState) error { return a.Verify(host, s.PeerCertificates) }
	return c, nil
}

// Verify tells whether chain, the server's certificate first, is that of a host.
func (a Anchors) Verify(host string, chain []*x509.Certificate) error {
	if len(chain) == 0 {
		return ErrNobody
	}
	leaf, now := chain[0], a.Clock.Now()
	if now.After(leaf.NotAfter) {
		return ErrExpired.With("until", day(leaf.NotAfter)).With("now", day(now))
	}
	if now.Before(leaf.NotBefore) {
		return ErrNotYet.With("from", day(leaf.NotBefore)).With("now", day(now))
	}
	if len(a.Pins) > 0 {
		if !a.pinned(leaf) {
			return ErrPin.With("pin", Pin(leaf))
		}
		return nil
	}
	if err := a.chained(chain, now); err != nil {
		return err
	}
	if err := leaf.VerifyHostname(host); err != nil {
		return errs.Wrap(errs.Forbidden, "trust.wrong_name", err).With("host", host).With("names", names(leaf))
	}
	return nil
}

func (a Anchors) pinned(leaf *x509.Certificate) bool {
	got, found := Pin(leaf), 0
	for _, p := range a.Pins {
		found |= subtle.ConstantTimeCompare([]byte(got), []byte(p))
	}
	return found == 1
}

func (a Anchors) chained(chain []*x509.Certificate, now time.Time) error {
	roots, err := a.System()
	if err != nil {
		if len(a.CA) == 0 {
			return errs.Wrap(errs.Forbidden, "trust.damaged", err)
		}
		roots = x509.NewCertPool()
	}
	for _, c := range a.CA {
		roots.AddCert(c)
	}
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err = chain[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: now})
	return explain(err, chain[0], now)
}

// explain turns an error of crypto/x509 into one of ours.
func explain(err error, leaf *x509.Certificate, now time.Time) error {
	var invalid x509.CertificateInvalidError
	var unknown x509.UnknownAuthorityError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &unknown):
		return errs.Wrap(errs.Forbidden, "trust.unknown_issuer", err).With("issuer", issuer(leaf)).With("pin", Pin(leaf))
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		// One of the chain's: the leaf's dates hold.
		return ErrExpired.With("until", day(invalid.Cert.NotAfter)).With("now", day(now))
	case errors.As(err, &invalid) && invalid.Reason == x509.IncompatibleUsage:
		return ErrPurpose
	default:
		return errs.Wrap(errs.Forbidden, "trust.damaged", err)
	}
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
