// Package softtoken makes and checks software tokens in the form that stoken,
// libstoken and so `openconnect --token-mode=rsa` read: a CTF string of version
// 2 and the codes that follow from it with the time.
//
// It is for tokens that we generate ourselves. It is not totp, the usual second
// factor, and does not read version 3 strings or sdtid files.
//
//	New ──▶ Token ── CTF, URL ──▶ the person's program
//	          │                        │ code
//	          └── Find, Is ◀───────────┘ ──▶ step
//
// It keeps nothing: who checks a code notes its step in a transaction, so that
// a code is taken once, notes how far the program's clock is off, and counts
// the try before.
package softtoken

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"
)

// codeDigits is the length of the codes of our tokens.
const codeDigits = 8

// Steps of tolerance to each side.
const (
	Near = 1  // what is accepted at once
	Wide = 10 // what is accepted together with the code that follows it
)

// PINMode says what a token's program does with a PIN.
type PINMode uint16

// Modes that occur. We make tokens without a PIN: the password is the other
// factor.
const (
	PINNone  PINMode = 0 // none, or the program writes it before the code
	PINAdded PINMode = 3 // the program adds it to the code, digit by digit
)

// Token is one software token. Its seed is a secret.
type Token struct {
	Serial   string // 12 digits
	Seed     [16]byte
	Digits   int           // of a code, 6 or 8
	Interval time.Duration // of a step: 30 s or 60 s
	PIN      PINMode
	Expires  time.Time // a day; programs refuse to make codes after it
}

// New makes a token of eight digits and 60 seconds, which every version of
// libstoken knows.
func New(expires time.Time) Token {
	t := Token{Digits: codeDigits, Interval: time.Minute, Expires: expires}
	_, _ = rand.Read(t.Seed[:]) // never fails
	n, err := rand.Int(rand.Reader, big.NewInt(1e12))
	if err != nil {
		panic(err) // the system has no randomness
	}
	t.Serial = fmt.Sprintf("%012d", n)
	return t
}

// Code is the code at a moment, without a PIN.
func (t Token) Code(at time.Time) string { return t.codeOf(t.stepAt(at)) }

func (t Token) stepAt(at time.Time) int64 { return at.Unix() / int64(t.Interval/time.Second) }

// codeOf computes a code: the seed is turned five times into a key by parts of
// the time, and of four codes that come out at once one is chosen.
func (t Token) codeOf(step int64) string {
	at := time.Unix(step*int64(t.Interval/time.Second), 0).UTC()
	minute := at.Minute()
	index, together := minute&3, 4
	if t.Interval == 30*time.Second {
		index, together = (minute&1)<<1, 2
		if at.Second() >= 30 {
			index++
		}
	}
	key := t.Seed
	when := bcdTime(at, minute-minute%together)
	for _, n := range []int{2, 3, 4, 5, 8} {
		key = encrypt(key, t.timeBlock(when, n))
	}
	word := binary.BigEndian.Uint32(key[4*index:])
	return fmt.Sprintf("%0*d", t.Digits, uint64(word)%power10(t.Digits))
}

func power10(n int) uint64 {
	p := uint64(1)
	for range n {
		p *= 10
	}
	return p
}

// bcdTime writes year, month, day, hour and minute as decimal digits, and two
// bytes of zero.
func bcdTime(at time.Time, minute int) (b [8]byte) {
	parts := []int{at.Year() / 100, at.Year() % 100, int(at.Month()), at.Day(), at.Hour(), minute}
	for i, v := range parts {
		b[i] = byte(v/10<<4 | v%10)
	}
	return b
}

// timeBlock is the block of one turn: n bytes of the time, filled up, then the
// last eight digits of the serial number.
func (t Token) timeBlock(when [8]byte, n int) (b [16]byte) {
	for i := range b {
		switch {
		case i < n:
			b[i] = when[i]
		case i < 8:
			b[i] = 0xaa
		default:
			b[i] = 0xbb
		}
	}
	for i := range 4 {
		b[8+i] = (t.Serial[4+2*i]-'0')<<4 | (t.Serial[5+2*i] - '0')
	}
	return b
}

// Find returns the step that a code belongs to, the latest if there are
// several, among those within width steps of now on the program's clock, which
// is drift steps ahead of ours; ok is false if it belongs to none.
func (t Token) Find(code string, now time.Time, drift int64, width int) (step int64, ok bool) {
	middle := t.stepAt(now) + drift
	for s := middle - int64(width); s <= middle+int64(width); s++ {
		if t.Is(code, s) {
			step, ok = s, true
		}
	}
	return step, ok
}

// Is reports whether a code is that of a step.
func (t Token) Is(code string, step int64) bool {
	return subtle.ConstantTimeCompare([]byte(t.codeOf(step)), []byte(code)) == 1
}

// Drift is how many steps the clock is ahead that showed the code of step now.
func (t Token) Drift(step int64, now time.Time) int64 { return step - t.stepAt(now) }

// Split takes text apart into what stands before a code of New's tokens and the
// code; ok is false if it does not end like one. openconnect writes the PIN that
// it asks for before the code.
func Split(text string) (pin, code string, ok bool) {
	at := len(text) - codeDigits
	if at < 0 || strings.Trim(text[at:], "0123456789") != "" {
		return "", "", false
	}
	return text[:at], text[at:], true
}

// ErrCTF says that a string is not a CTF string of version 2 without password
// and device id.
var ErrCTF = errors.New("softtoken: malformed CTF string")
