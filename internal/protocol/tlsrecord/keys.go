package tlsrecord

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash"

	"golang.org/x/crypto/chacha20poly1305"
)

// Errors of KeyLog.Keys.
var (
	ErrSuite   = errors.New("tlsrecord: no TLS 1.3 cipher suite known here")
	ErrSecrets = errors.New("tlsrecord: the handshake told no traffic secrets")
)

// KeyLog is the tls.Config.KeyLogWriter of one connection: it keeps the first
// traffic secret of each direction, or the master secret of TLS 1.2, until the
// keys are made of them. Everything else is forgotten.
type KeyLog struct {
	client, server []byte
	random, master []byte // TLS 1.2: client_random, master_secret
}

// Write takes one line of a key log: label, client random, secret.
func (l *KeyLog) Write(line []byte) (int, error) {
	f := bytes.Fields(line)
	if len(f) != 3 {
		return len(line), nil
	}
	switch string(f[0]) {
	case "CLIENT_TRAFFIC_SECRET_0":
		l.client = decoded(f[2])
	case "SERVER_TRAFFIC_SECRET_0":
		l.server = decoded(f[2])
	case "CLIENT_RANDOM":
		l.random, l.master = decoded(f[1]), decoded(f[2])
	}
	return len(line), nil
}

func decoded(text []byte) []byte {
	out := make([]byte, hex.DecodedLen(len(text)))
	if _, err := hex.Decode(out, text); err != nil {
		return nil
	}
	return out
}

// Keys returns the two directions of a connection with a cipher suite of TLS
// 1.3, as its server or its client, and forgets the secrets.
func (l *KeyLog) Keys(suite uint16, server bool) (*Opener, *Sealer, error) {
	in, out := l.server, l.client
	if server {
		in, out = l.client, l.server
	}
	l.client, l.server = nil, nil
	s := suites[suite]
	if s == nil {
		return nil, nil, ErrSuite
	}
	if len(in) != s.hash().Size() || len(out) != s.hash().Size() {
		return nil, nil, ErrSecrets
	}
	return &Opener{direction: newDirection(s, in), server: server}, &Sealer{newDirection(s, out)}, nil
}

type suite struct {
	keyLen int
	hash   func() hash.Hash
	aead   func(key []byte) (cipher.AEAD, error)
}

var suites = map[uint16]*suite{
	tls.TLS_AES_128_GCM_SHA256:       {16, sha256.New, newGCM},
	tls.TLS_AES_256_GCM_SHA384:       {32, sha512.New384, newGCM},
	tls.TLS_CHACHA20_POLY1305_SHA256: {32, sha256.New, chacha20poly1305.New},
}

func newGCM(key []byte) (cipher.AEAD, error) {
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(b)
}

// direction is the state of one direction: keys of the present generation and
// the number of the next record.
type direction struct {
	suite  *suite
	secret []byte
	aead   cipher.AEAD
	iv     [12]byte
	seq    uint64

	old      bool // TLS 1.2
	explicit int  // bytes of the nonce that each record carries

	nonce [12]byte // scratch, as is extra, because slices given to a cipher.AEAD escape
	extra [13]byte
}

// Head is what a record has before its content.
func (d *direction) Head() int { return HeaderLen + d.explicit }

// Tail is what a record has behind its content.
func (d *direction) Tail() int {
	if d.old {
		return tagLen
	}
	return TailLen
}

func newDirection(s *suite, secret []byte) direction {
	d := direction{suite: s}
	d.use(secret)
	return d
}

// use begins with a secret at record 0 (RFC 8446 7.3).
func (d *direction) use(secret []byte) {
	clear(d.secret)
	d.secret, d.seq = secret, 0
	aead, err := d.suite.aead(expand(d.suite, secret, "key", d.suite.keyLen))
	if err != nil {
		panic(err) // the length is the suite's
	}
	d.aead = aead
	copy(d.iv[:], expand(d.suite, secret, "iv", len(d.iv)))
}

// renew goes on to the next generation (RFC 8446 7.2).
func (d *direction) renew() {
	d.use(expand(d.suite, d.secret, "traffic upd", d.suite.hash().Size()))
}

// take makes the nonce of the next record (RFC 8446 5.3).
func (d *direction) take() {
	d.nonce = d.iv
	binary.BigEndian.PutUint64(d.nonce[4:], binary.BigEndian.Uint64(d.nonce[4:])^d.seq)
	d.seq++
}

// expand is HKDF-Expand-Label with an empty context (RFC 8446 7.1).
func expand(s *suite, secret []byte, label string, n int) []byte {
	info := binary.BigEndian.AppendUint16(nil, uint16(n))
	info = append(info, byte(len("tls13 ")+len(label)))
	info = append(info, "tls13 "+label...)
	out, err := hkdf.Expand(s.hash, secret, string(append(info, 0)), n)
	if err != nil {
		panic(err) // n is a key's or a hash's length
	}
	return out
}
