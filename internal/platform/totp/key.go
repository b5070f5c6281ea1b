package totp

import (
	"encoding/base32"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
)

// ErrURI says that a text is no otpauth URI of codes that follow the time, or has
// parameters that no program knows.
var ErrURI = errors.New("totp: no otpauth URI of a time-based code")

// leastSeed is the shortest seed in bytes that services give out.
const leastSeed = 10

// Key is what codes come from. Other services than ours choose other parameters.
type Key struct {
	Seed      string // base32 without padding
	Algorithm string // SHA1, SHA256 or SHA512
	Digits    int    // 6 to 8
	Period    time.Duration
}

// ParseKey reads an otpauth URI, or a bare seed in base32, with or without spaces.
// Names in the URI are left out. ErrURI is its only error.
func ParseKey(text string) (Key, error) {
	k := Key{Seed: text, Algorithm: "SHA1", Digits: 6, Period: Period}
	if strings.Contains(text, ":") {
		u, err := url.Parse(text)
		if err != nil || !strings.EqualFold(u.Scheme, "otpauth") || !strings.EqualFold(u.Host, "totp") {
			return Key{}, ErrURI // the cause may quote the seed
		}
		if k, err = fromQuery(u.Query()); err != nil {
			return Key{}, err
		}
	}
	k.Seed = strings.ToUpper(strings.TrimRight(strings.NewReplacer(" ", "", "-", "").Replace(k.Seed), "="))
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(k.Seed)
	defer clear(raw)
	if err != nil || len(raw) < leastSeed {
		return Key{}, ErrURI
	}
	return k, nil
}

func fromQuery(q url.Values) (Key, error) {
	or := func(name, usual string) string {
		if v := q.Get(name); v != "" {
			return v
		}
		return usual
	}
	k := Key{Seed: q.Get("secret"), Algorithm: strings.ToUpper(or("algorithm", "SHA1"))}
	digits, errDigits := strconv.Atoi(or("digits", "6"))
	seconds, errPeriod := strconv.Atoi(or("period", "30"))
	_, known := algorithms[k.Algorithm]
	if !known || errDigits != nil || errPeriod != nil || digits < 6 || digits > 8 || seconds < 10 || seconds > 300 {
		return Key{}, ErrURI
	}
	k.Digits, k.Period = digits, time.Duration(seconds)*time.Second
	return k, nil
}

var algorithms = map[string]otp.Algorithm{"SHA1": otp.AlgorithmSHA1, "SHA256": otp.AlgorithmSHA256, "SHA512": otp.AlgorithmSHA512}

// URI is the key as ParseKey reads it, without anybody's name.
func (k Key) URI() string {
	v := url.Values{
		"secret": {k.Seed}, "algorithm": {k.Algorithm}, "digits": {strconv.Itoa(k.Digits)}, "period": {strconv.Itoa(int(k.Period / time.Second))},
	}
	return "otpauth://totp/?" + v.Encode()
}

// Code is the code of a moment.
func (k Key) Code(at time.Time) (string, error) {
	return hotp.GenerateCodeCustom(k.Seed, uint64(at.Unix()/int64(k.Period/time.Second)), hotp.ValidateOpts{Digits: otp.Digits(k.Digits), Algorithm: algorithms[k.Algorithm]})
}
