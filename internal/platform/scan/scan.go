// Package scan looks for values in everything that a program keeps: it is how an
// erasure shows that nothing of a person is left (privacy specification, ERASE).
//
// It is for values that say whom they belong to: addresses, numbers, serials. It
// is not for names or words, which stand in places that have nothing to do with a
// person.
//
//	values ── For ─▶ Patterns (each value in many forms) ── Files, Database ─▶ Report
//
// Invariants: a report names places and forms, never a value; what cannot be
// read is an error, never an absence; the values themselves are wiped by Wipe.
package scan

import (
	"crypto/md5"  //nolint:gosec // a form in which values may lie about, not a protection
	"crypto/sha1" //nolint:gosec // the same
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/emmansun/gmsm/sm3"
)

// MinValue is the length in bytes of the shortest value that is looked for; a
// shorter one would be found where it means nothing.
const MinValue = 6

// ErrShort says that a value is too short to be looked for.
var ErrShort = errors.New("scan: a value is too short to be looked for")

// Form is how a value may be written.
type Form string

// Forms. Those of base64 are of a value at each of the three places in which it
// can stand within a longer text.
const (
	Plain    Form = "plain"
	UTF16LE  Form = "utf-16le"
	UTF16BE  Form = "utf-16be"
	Hex      Form = "hex"
	HexUpper Form = "hex-upper"
	Base64   Form = "base64"
	Base64U  Form = "base64-url"
	Escaped  Form = "url"
	JSON     Form = "json"
	Reversed Form = "reversed"
	MD5      Form = "md5"
	SHA1     Form = "sha-1"
	SHA256   Form = "sha-256"
	SM3      Form = "sm3"
)

// pattern is one value in one form.
type pattern struct {
	value int // its number among the values
	form  Form
	bytes []byte
}

// Patterns are values in all their forms. It is safe for concurrent use until it
// is wiped.
type Patterns struct {
	values int
	all    []pattern
	find   *finder
}

// For makes the patterns of values. Equal values count once.
func For(values []string) (*Patterns, error) {
	values = slices.Compact(slices.Sorted(slices.Values(values)))
	p := &Patterns{values: len(values)}
	for i, v := range values {
		if len(v) < MinValue {
			return nil, ErrShort
		}
		for _, f := range forms(v) {
			f.value = i
			p.all = append(p.all, f)
		}
	}
	p.find = build(p.all)
	return p, nil
}

// Values is how many values are looked for.
func (p *Patterns) Values() int { return p.values }

// Forms is how many sequences of bytes are looked for.
func (p *Patterns) Forms() int { return len(p.all) }

// Wipe overwrites the values. Nothing is found afterwards.
func (p *Patterns) Wipe() {
	for _, one := range p.all {
		clear(one.bytes)
	}
	p.find.wipe()
	p.all, p.find = nil, build(nil)
}

// forms writes a value in every form, each sequence of bytes once.
func forms(v string) (all []pattern) {
	seen := map[string]bool{}
	add := func(f Form, b []byte) {
		if len(b) >= MinValue && !seen[string(b)] {
			seen[string(b)] = true
			all = append(all, pattern{form: f, bytes: b})
		}
	}
	raw := []byte(v)
	add(Plain, raw)
	little, big := wide(v)
	add(UTF16LE, little)
	add(UTF16BE, big)
	back := slices.Clone([]rune(v))
	slices.Reverse(back)
	add(Reversed, []byte(string(back)))
	if escaped := url.QueryEscape(v); escaped != v {
		add(Escaped, []byte(escaped))
		add(Escaped, []byte(strings.ToLower(escaped)))
	}
	if text, err := json.Marshal(v); err == nil {
		add(JSON, text[1:len(text)-1])
	}
	encoded(add, Hex, HexUpper, Base64, Base64U, raw)
	for f, sum := range digests(raw) {
		add(f, sum)
		encoded(add, f, f, f, f, sum)
	}
	return all
}

// encoded adds the forms in which bytes are written as text.
func encoded(add func(Form, []byte), lower, upper, std, web Form, raw []byte) {
	text := hex.EncodeToString(raw)
	add(lower, []byte(text))
	add(upper, []byte(strings.ToUpper(text)))
	for at := range 3 {
		add(std, aligned(base64.RawStdEncoding, raw, at))
		add(web, aligned(base64.RawURLEncoding, raw, at))
	}
}

// aligned is what base64 of any text that has raw at a place with the remainder
// at after division by 3 holds for sure: characters that mix with the neighbours
// are cut off.
func aligned(enc *base64.Encoding, raw []byte, at int) []byte {
	text := enc.EncodeToString(append(make([]byte, at), raw...))
	first := (at*8 + 5) / 6
	last := (at + len(raw)) * 8 / 6
	return []byte(text[first:last])
}

func digests(raw []byte) map[Form][]byte {
	a, b, c, d := md5.Sum(raw), sha1.Sum(raw), sha256.Sum256(raw), sm3.Sum(raw) //nolint:gosec // see the imports
	return map[Form][]byte{MD5: a[:], SHA1: b[:], SHA256: c[:], SM3: d[:]}
}

func wide(v string) (little, big []byte) {
	for _, u := range utf16.Encode([]rune(v)) {
		little = append(little, byte(u), byte(u>>8))
		big = append(big, byte(u>>8), byte(u))
	}
	return little, big
}
