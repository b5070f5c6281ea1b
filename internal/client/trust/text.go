package trust

import (
	"crypto/x509"
	"errors"
	"strings"
	"unicode"

	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/i18n"
)

// Explanation is a refusal for a person: what is wrong and what to do.
type Explanation struct {
	Cause, Remedy string
}

// Explain says a refusal in a language. An error that is not one of this package's
// is told by its code alone.
func Explain(err error, lang i18n.Language) Explanation {
	var params map[string]any
	if e := asError(err); e != nil {
		params = e.Params
	}
	code := errs.CodeOf(err)
	return Explanation{i18n.Text(lang, code, params), i18n.Text(lang, remedy(code), params)}
}

// asError finds our error in a chain.
func asError(err error) *errs.Error {
	var e *errs.Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}

// remedies are the codes that have one; any other is for the administrator.
var remedies = map[string]string{
	ErrExpired.Code: "trust.remedy_expired", ErrNotYet.Code: "trust.remedy_clock", ErrName.Code: "trust.remedy_name",
	ErrIssuer.Code: "trust.remedy_issuer", ErrPin.Code: "trust.remedy_pin", ErrNoPermit.Code: "trust.remedy_policy",
}

func remedy(code string) string {
	if r := remedies[code]; r != "" {
		return r
	}
	return "trust.remedy_administrator"
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
