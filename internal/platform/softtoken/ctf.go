package softtoken

import (
	"crypto/aes"
	"encoding/binary"
	"fmt"
	"strings"
	"time"
)

// A CTF string is '2', the serial number, 189 bits as octal digits and a
// checksum of 15 bits as octal digits. The bits:
//
//	128 encrypted seed | 16 flags | 14 expiry | 1 spare | 15 MAC of the seed | 15 of the device id
const (
	ctfLength  = 81
	serialEnd  = 13
	bodyEnd    = 76
	flag128    = 0x4000 // the seed has 128 bits; always set
	flagSecret = 0x3000 // a password or a device id protects the seed
	flagTime   = 0x0200 // codes follow the time
)

// epoch is day 0 of an expiry.
var epoch = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

// seedKeyText is what the key of an unprotected seed is the MAC of.
var seedKeyText = []byte{0xd8, 0xf5, 0x32, 0x53, 0x82, 0x89}

// noDevice stands for the device id of a token that belongs to none.
var noDevice [32]byte

func (t Token) flags() uint16 {
	f := uint16(flag128|flagTime) | uint16(t.Digits-1)<<6 | uint16(t.PIN)<<3
	if t.Interval == time.Minute {
		f |= 1
	}
	return f
}

// CTF writes the token as the 81 digits that programs import. They are the
// secret itself.
func (t Token) CTF() string {
	var w bits
	sealed := encrypt(mac(seedKeyText), t.Seed)
	w.put(binary.BigEndian.Uint64(sealed[:8]), 64)
	w.put(binary.BigEndian.Uint64(sealed[8:]), 64)
	w.put(uint64(t.flags()), 16)
	w.put(uint64(t.Expires.Sub(epoch)/(24*time.Hour)), 14)
	w.put(0, 1)
	w.put(uint64(shortMAC(t.Seed[:])), 15)
	w.put(uint64(shortMAC(noDevice[:])), 15)
	text := "2" + t.Serial + w.octal()
	w = bits{}
	w.put(uint64(shortMAC([]byte(text))), 15)
	return text + w.octal()
}

// URL is what applications for telephones read from a QR code.
func (t Token) URL() string { return "com.rsa.securid.iphone://ctf?ctfData=" + t.CTF() }

// Parse reads a CTF string of version 2, with or without dashes; ErrCTF for
// anything else and for tokens that a password or a device protects.
func Parse(text string) (Token, error) {
	text = strings.ReplaceAll(text, "-", "")
	if len(text) != ctfLength || text[0] != '2' || strings.Trim(text, "0123456789") != "" {
		return Token{}, ErrCTF
	}
	sum, ok := parseOctal(text[bodyEnd:])
	if !ok || uint16(sum.take(15)) != shortMAC([]byte(text[:bodyEnd])) {
		return Token{}, ErrCTF
	}
	body, ok := parseOctal(text[serialEnd:bodyEnd])
	if !ok {
		return Token{}, ErrCTF
	}
	return parseBody(text[1:serialEnd], body)
}

func parseBody(serial string, body bits) (Token, error) {
	t := Token{Serial: serial, Interval: 30 * time.Second}
	var sealed [16]byte
	binary.BigEndian.PutUint64(sealed[:8], body.take(64))
	binary.BigEndian.PutUint64(sealed[8:], body.take(64))
	t.Seed = decrypt(mac(seedKeyText), sealed)
	flags := uint16(body.take(16))
	t.Expires = epoch.AddDate(0, 0, int(body.take(14)))
	body.take(1)
	if flags&flag128 == 0 || flags&flagTime == 0 || flags&flagSecret != 0 || uint16(body.take(15)) != shortMAC(t.Seed[:]) {
		return Token{}, ErrCTF
	}
	t.Digits, t.PIN = int(flags>>6&7)+1, PINMode(flags>>3&3)
	switch flags & 3 {
	case 0:
	case 1:
		t.Interval = time.Minute
	default:
		return Token{}, fmt.Errorf("%w: unknown interval", ErrCTF)
	}
	return t, nil
}

// bits is a row of bits, the first first.
type bits []byte

func (b *bits) put(v uint64, n int) {
	for i := n - 1; i >= 0; i-- {
		*b = append(*b, byte(v>>i&1))
	}
}

// take removes n bits, at most 64, from the front.
func (b *bits) take(n int) (v uint64) {
	for _, bit := range (*b)[:n] {
		v = v<<1 | uint64(bit)
	}
	*b = (*b)[n:]
	return v
}

// octal writes three bits as a digit.
func (b *bits) octal() string {
	var t strings.Builder
	for len(*b) > 0 {
		t.WriteByte('0' + byte(b.take(3)))
	}
	return t.String()
}

func parseOctal(text string) (b bits, ok bool) {
	for _, c := range []byte(text) {
		if c < '0' || c > '7' {
			return nil, false
		}
		b.put(uint64(c-'0'), 3)
	}
	return b, true
}

// mac is the format's own checksum: every block of the message is the key that
// encrypts the state (openconnect spec, section 14.1).
func mac(message []byte) [16]byte {
	var state [16]byte
	for i := range state {
		state[i] = 0xff
	}
	turn := func(block [16]byte) { state = xor(state, encrypt(block, state)) }
	length := uint64(len(message)) * 8
	odd := false
	for len(message) > 16 {
		turn([16]byte(message[:16]))
		message, odd = message[16:], !odd
	}
	var last [16]byte
	copy(last[:], message)
	turn(last)
	if odd {
		turn([16]byte{})
	}
	var size [16]byte
	binary.BigEndian.PutUint64(size[8:], length)
	turn(size)
	return xor(state, encrypt(state, state))
}

// shortMAC is the first 15 bits.
func shortMAC(message []byte) uint16 {
	h := mac(message)
	return uint16(h[0])<<7 | uint16(h[1])>>1
}

func xor(a, b [16]byte) [16]byte {
	for i := range a {
		a[i] ^= b[i]
	}
	return a
}

func encrypt(key, data [16]byte) (out [16]byte) {
	c, _ := aes.NewCipher(key[:]) // 16 bytes are always a key
	c.Encrypt(out[:], data[:])
	return out
}

func decrypt(key, data [16]byte) (out [16]byte) {
	c, _ := aes.NewCipher(key[:])
	c.Decrypt(out[:], data[:])
	return out
}
