package client

import (
	"errors"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/softtoken"
	"github.com/skybridge-cloud/skybridge/internal/platform/totp"
)

// Token makes one-time codes in the person's stead.
type Token struct {
	Code func(at time.Time) (string, error)
	Step time.Duration // how long a code lasts
}

// TOTP is the token of a seed in base32 (RFC 6238: SHA-1, six digits, 30 s).
func TOTP(seed string) *Token {
	seed = strings.ToUpper(strings.TrimRight(strings.ReplaceAll(seed, " ", ""), "="))
	return &Token{Step: totp.Period, Code: func(at time.Time) (string, error) { return totp.Code(seed, at) }}
}

// SoftToken is the token of a stoken-compatible CTF string with the person's PIN,
// "" for none. softtoken.ErrCTF when it is none.
func SoftToken(ctf, pin string) (*Token, error) {
	t, err := softtoken.Parse(ctf)
	if err != nil {
		return nil, err
	}
	code := func(at time.Time) (string, error) {
		if t.PIN == softtoken.PINAdded {
			return addDigits(t.Code(at), pin), nil
		}
		return pin + t.Code(at), nil
	}
	return &Token{Step: t.Interval, Code: code}, nil
}

// Seed is the secret of a software token, in the form in which it is kept.
type Seed struct {
	Text string // an otpauth URI without names, or a CTF string
	Soft bool   // a CTF string
}

// ErrSeed says that a text is no seed of which codes can be made here.
var ErrSeed = errors.New("client: no otpauth://totp URI, no seed in base32 and no CTF string without a password")

// ctfParam comes before the CTF string in the links of its QR codes.
const ctfParam = "ctfData="

// ParseSeed reads what a person got: an otpauth URI, a bare seed in base32, a CTF
// string, or the link of one. ErrSeed is its only error and quotes nothing.
func ParseSeed(text string) (Seed, error) {
	text = strings.TrimSpace(text)
	if _, ctf, ok := strings.Cut(text, ctfParam); ok {
		text = ctf
	}
	if _, err := softtoken.Parse(text); err == nil {
		return Seed{strings.ReplaceAll(text, "-", ""), true}, nil
	}
	k, err := totp.ParseKey(text)
	if err != nil {
		return Seed{}, ErrSeed
	}
	return Seed{Text: k.URI()}, nil
}

// Token is the token of a seed.
func (s Seed) Token() (*Token, error) {
	if s.Soft {
		return SoftToken(s.Text, "")
	}
	k, err := totp.ParseKey(s.Text)
	if err != nil {
		return nil, ErrSeed
	}
	return &Token{Step: k.Period, Code: k.Code}, nil
}

// addDigits adds a PIN to the end of a code, digit by digit without carry.
func addDigits(code, pin string) string {
	out := []byte(code)
	for i := range min(len(pin), len(code)) {
		at, d := len(out)-1-i, pin[len(pin)-1-i]
		if d >= '0' && d <= '9' {
			out[at] = '0' + (out[at]-'0'+d-'0')%10
		}
	}
	return string(out)
}

// Code is a token that has one code: what the person read off a device.
func Code(code string) *Token {
	return &Token{Step: time.Hour, Code: func(time.Time) (string, error) { return code, nil }}
}
