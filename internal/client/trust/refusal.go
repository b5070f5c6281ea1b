package trust

import (
	"crypto/x509"
	"errors"
	"strings"
	"time"
	"unicode"

	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// remedies are of the refusals' codes: "trust.remedy_…" are the sentences.
var remedies = map[string]string{
	ErrNobody.Code:  administrator,
	ErrExpired.Code: "trust.remedy_expired",
	ErrNotYet.Code:  "trust.remedy_clock",
	ErrName.Code:    "trust.remedy_name",
	ErrIssuer.Code:  "trust.remedy_issuer",
	ErrPin.Code:     "trust.remedy_pin",
	ErrPurpose.Code: administrator,
	ErrDamaged.Code: administrator,
}

// administrator is the remedy of what nobody can mend on this machine.
const administrator = "trust.remedy_administrator"

// Remedy is the code of the sentence that says what helps against a refusal; empty
// for a code that is none of this package's.
func Remedy(code string) string { return remedies[code] }

// Refused finds the refusal in an error; nil when there is none.
func Refused(err error) *errs.Error {
	var e *errs.Error
	if errors.As(err, &e) && Remedy(e.Code) != "" {
		return e
	}
	return nil
}

// Shown is what a server showed of itself. To show is not to be trusted: the
// person compares the pin with what the administrator told.
type Shown struct {
	Pin    string
	Names  string
	Issuer string
	From   time.Time
	Until  time.Time
}

// StrangerError is an ErrIssuer: nobody that is known vouches for the server.
type StrangerError struct {
	Shown
	err *errs.Error
}

func (e *StrangerError) Error() string { return e.err.Error() }

// Unwrap returns the refusal.
func (e *StrangerError) Unwrap() error { return e.err }

func stranger(c *x509.Certificate, cause error) error {
	s := Shown{Pin: Pin(c), Names: names(c), Issuer: issuer(c), From: c.NotBefore, Until: c.NotAfter}
	return &StrangerError{s, errs.Wrap(errs.Forbidden, ErrIssuer.Code, cause).With("issuer", s.Issuer).With("pin", s.Pin)}
}

// maxShown bounds what of a stranger's certificate is shown.
const maxShown = 120

// issuer and names are of a certificate that nobody vouches for: they are cut and
// cleaned before a person sees them.
func issuer(c *x509.Certificate) string { return shown(c.Issuer.String()) }

func names(c *x509.Certificate) string {
	all := append([]string{}, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		all = append(all, ip.String())
	}
	return shown(strings.Join(all, ", "))
}

func shown(s string) string {
	clean := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) && r != unicode.ReplacementChar {
			return r
		}
		return '?'
	}, s)
	if runes := []rune(clean); len(runes) > maxShown {
		return string(runes[:maxShown]) + "…"
	}
	if clean == "" {
		return "–"
	}
	return clean
}
