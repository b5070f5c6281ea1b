// Package totp makes and checks one-time codes by RFC 6238 with SHA-1, six
// digits and thirty seconds, which is what authenticator applications know.
//
// It keeps nothing: who checks a code notes its time step in a transaction, so
// that a code is taken once, and counts the try before.
package totp

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"net/url"
	"time"
)

const (
	period = 30 // seconds
	window = 1  // steps of tolerance to each side
)

// NewSeed returns 160 random bits in base32 without padding.
func NewSeed() string {
	b := make([]byte, 20)
	if _, err := rand.Read(b); err != nil {
		panic(err) // the system has no randomness
	}
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b)
}

// URI is what authenticator applications read from a QR code.
func URI(issuer, name, seed string) string {
	v := url.Values{"secret": {seed}, "issuer": {issuer}, "algorithm": {"SHA1"}, "digits": {"6"}, "period": {"30"}}
	return (&url.URL{Scheme: "otpauth", Host: "totp", Path: "/" + issuer + ":" + name, RawQuery: v.Encode()}).String()
}

// Step returns the time step that a code belongs to, the latest if there are
// several; ok is false if it belongs to none near now.
func Step(seed, code string, now time.Time) (step int64, ok bool) {
	present := now.Unix() / period
	for d := int64(-window); d <= window; d++ {
		want, err := codeAt(seed, present+d)
		if err == nil && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			step, ok = present+d, true
		}
	}
	return step, ok
}
