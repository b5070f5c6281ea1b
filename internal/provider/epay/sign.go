package epay

import (
	"crypto/md5"
	"crypto/subtle"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const signType = "MD5"

// sign computes the version 1 signature over decoded parameters: sign and
// sign_type and empty values are left out, the rest is sorted by name and
// joined without encoding. MD5 is what the protocol has.
func sign(params map[string]string, key string, mode KeyMode) string {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if name == "sign" || name == "sign_type" || params[name] == "" {
			continue
		}
		if text.Len() > 0 {
			text.WriteByte('&')
		}
		text.WriteString(name + "=" + params[name])
	}
	if mode == AmpKey {
		text.WriteString("&key=")
	}
	text.WriteString(key)
	sum := md5.Sum([]byte(text.String()))
	return hex.EncodeToString(sum[:])
}

// verify compares the signature in constant time.
func verify(params map[string]string, key string, mode KeyMode) bool {
	got, want := strings.ToLower(params["sign"]), sign(params, key, mode)
	return subtle.ConstantTimeCompare([]byte(got), []byte(want)) == 1
}

// subject removes control characters and cuts at 127 bytes on a rune border,
// where gateways would cut anywhere.
func subject(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, s)
	for len(s) > 127 {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return s
}
