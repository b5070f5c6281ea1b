// Package trust decides whether a VPN server is the one of a profile. Nothing else
// of the client does.
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
// There is no switch that skips it. What fails has a sentence and a remedy in both
// languages. A server that nobody vouches for is refused with what it showed
// ([StrangerError]); a person who compared the pin may put it into the profile, and
// then connects anew.
package trust

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/bundle"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// Causes of a refusal; Refused finds them all.
var (
	ErrNobody  = errs.New(errs.Forbidden, "trust.no_certificate")
	ErrExpired = errs.New(errs.Forbidden, "trust.expired")        // parameters until, now
	ErrNotYet  = errs.New(errs.Forbidden, "trust.not_yet")        // parameters from, now
	ErrName    = errs.New(errs.Forbidden, "trust.wrong_name")     // parameters host, names
	ErrIssuer  = errs.New(errs.Forbidden, "trust.unknown_issuer") // parameters issuer, pin; a StrangerError
	ErrPin     = errs.New(errs.Forbidden, "trust.pin_mismatch")   // parameter pin
	ErrPurpose = errs.New(errs.Forbidden, "trust.not_a_server")
	ErrDamaged = errs.New(errs.Forbidden, "trust.damaged")
)

// Anchors are what a profile trusts.
type Anchors struct {
	Pins   []string            // base64 of SHA-256, with or without "pin-sha256:"; any of them
	CA     []*x509.Certificate // beside the system's
	System func() (*x509.CertPool, error)
	Clock  clock.Clock // nil = the system's
}

// Of returns the anchors of a profile: its pins, its CA in PEM or nothing, and the
// system's store.
func Of(pins []string, ca string) (Anchors, error) {
	a := Anchors{Pins: pins, System: x509.SystemCertPool}
	if ca == "" {
		return a, nil
	}
	var err error
	a.CA, err = bundle.Certificates(ca)
	return a, err
}

// Pin is the pin of a certificate's public key: the SHA-256 of its
// SubjectPublicKeyInfo (RFC 7469 section 2.4).
func Pin(c *x509.Certificate) string {
	sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return bundle.PinPrefix + base64.StdEncoding.EncodeToString(sum[:])
}

// Guard has c verify that the server is host. The standard library's own check is
// off, since it cannot take a pin for an authority; Verify is in its place, in each
// handshake, resumed ones too.
func (a Anchors) Guard(c *tls.Config, host string) {
	c.ServerName, c.InsecureSkipVerify = host, true
	c.VerifyConnection = func(s tls.ConnectionState) error { return a.Verify(host, s.PeerCertificates) }
}

// Verify tells whether chain, the server's certificate first, is that of a host.
func (a Anchors) Verify(host string, chain []*x509.Certificate) error {
	if len(chain) == 0 {
		return ErrNobody
	}
	leaf, now := chain[0], a.now()
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
		return errs.Wrap(errs.Forbidden, ErrName.Code, err).With("host", host).With("names", names(leaf))
	}
	return nil
}

func (a Anchors) now() time.Time {
	if a.Clock == nil {
		return clock.System{}.Now()
	}
	return a.Clock.Now()
}

func (a Anchors) pinned(leaf *x509.Certificate) bool {
	got, found := []byte(strings.TrimPrefix(Pin(leaf), bundle.PinPrefix)), 0
	for _, p := range a.Pins {
		found |= subtle.ConstantTimeCompare(got, []byte(strings.TrimPrefix(p, bundle.PinPrefix)))
	}
	return found == 1
}

// roots are the system's authorities and the profile's. A system without a list
// leaves those of the profile.
func (a Anchors) roots() (*x509.CertPool, error) {
	out := x509.NewCertPool()
	if a.System != nil {
		system, err := a.System()
		switch {
		case err == nil:
			out = system
		case len(a.CA) == 0:
			return nil, errs.Wrap(errs.Forbidden, ErrDamaged.Code, err)
		}
	}
	for _, c := range a.CA {
		out.AddCert(c)
	}
	return out, nil
}

func (a Anchors) chained(chain []*x509.Certificate, now time.Time) error {
	roots, err := a.roots()
	if err != nil {
		return err
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
		return stranger(leaf, err)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		// One of the chain's: the leaf's dates hold.
		return ErrExpired.With("until", day(invalid.Cert.NotAfter)).With("now", day(now))
	case errors.As(err, &invalid) && invalid.Reason == x509.IncompatibleUsage:
		return ErrPurpose
	default:
		return errs.Wrap(errs.Forbidden, ErrDamaged.Code, err)
	}
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
