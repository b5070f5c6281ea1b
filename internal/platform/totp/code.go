package totp

import (
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
)

// Period is how long a code lasts.
const Period = period * time.Second

// Code is the code of a moment, for programs that fill it in for their owner.
// An error means that the seed is no base32.
func Code(seed string, at time.Time) (string, error) { return codeAt(seed, at.Unix()/period) }

func codeAt(seed string, step int64) (string, error) {
	return hotp.GenerateCodeCustom(seed, uint64(step), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
}
