package vpn

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"net/url"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
)

// Codes are TOTP by RFC 6238 with SHA-1, six digits, thirty seconds, one step
// of tolerance to each side.
const (
	codeStep   = 30
	codeWindow = 1
)

var seedEncoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// newSeed returns 160 random bits in base32.
func newSeed() string {
	b := make([]byte, 20)
	if _, err := rand.Read(b); err != nil {
		panic(err) // the system has no randomness
	}
	return seedEncoding.EncodeToString(b)
}

// seedURI is what authenticator applications read from a QR code.
func seedURI(server, name, seed string) string {
	v := url.Values{"secret": {seed}, "issuer": {"Skybridge " + server}, "algorithm": {"SHA1"}, "digits": {"6"}, "period": {"30"}}
	return (&url.URL{Scheme: "otpauth", Host: "totp", Path: "/" + server + ":" + name, RawQuery: v.Encode()}).String()
}

// stepOf returns the time step that a code belongs to; ok is false if it
// belongs to none near now.
func stepOf(seed, code string, now time.Time) (step int64, ok bool) {
	present := now.Unix() / codeStep
	for d := int64(-codeWindow); d <= codeWindow; d++ {
		want, err := hotp.GenerateCodeCustom(seed, uint64(present+d), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err == nil && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			step, ok = present+d, true
		}
	}
	return step, ok
}
