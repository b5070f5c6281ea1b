package keystore

import (
	"crypto/cipher"
	"crypto/rand"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"
)

// seal is how a passphrase becomes the key of a file: argon2id (RFC 9106), and
// XChaCha20-Poly1305, whose nonces may be random. Check is the seal of nothing,
// by which a wrong passphrase is told from a broken secret.
type seal struct {
	Salt    []byte `json:"salt"`
	Rounds  uint32 `json:"rounds"`
	Memory  uint32 `json:"memory_kib"`
	Threads uint8  `json:"threads"`
	Check   []byte `json:"check"`
}

// The second recommended choice of RFC 9106, section 4.
const (
	rounds  = 3
	memory  = 64 << 10
	threads = 4
)

// sane refuses parameters that would be a weak seal, or eat the machine.
func (s seal) sane() bool {
	return len(s.Salt) == 16 && s.Rounds >= 1 && s.Rounds <= 16 && s.Memory >= 8<<10 && s.Memory <= 512<<10 &&
		s.Threads >= 1 && s.Threads <= 16 && len(s.Check) == chacha20poly1305.NonceSizeX+chacha20poly1305.Overhead
}

// box seals and opens single secrets.
type box struct {
	aead cipher.AEAD
	salt []byte
}

func (s seal) box(phrase []byte) *box {
	key := argon2.IDKey(phrase, s.Salt, s.Rounds, s.Memory, s.Threads, chacha20poly1305.KeySize)
	defer clear(key)
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		panic(err) // the key has its size
	}
	return &box{aead, s.Salt}
}

var checkAAD = []byte("skyconnect-keys/v1 check")

func newSeal(phrase []byte) (*seal, *box) {
	s := &seal{Salt: make([]byte, 16), Rounds: rounds, Memory: memory, Threads: threads}
	_, _ = rand.Read(s.Salt) // never fails
	b := s.box(phrase)
	s.Check = b.seal(checkAAD, nil)
	return s, b
}

func (s seal) unseal(phrase []byte) (*box, error) {
	b := s.box(phrase)
	if _, err := b.open(checkAAD, s.Check); err != nil {
		return nil, ErrPassphrase
	}
	return b, nil
}

func (b *box) seal(aad, plain []byte) []byte {
	nonce := make([]byte, b.aead.NonceSize(), b.aead.NonceSize()+len(plain)+b.aead.Overhead())
	_, _ = rand.Read(nonce) // never fails
	return b.aead.Seal(nonce, nonce, plain, aad)
}

func (b *box) open(aad, sealed []byte) ([]byte, error) {
	n := b.aead.NonceSize()
	if len(sealed) < n {
		return nil, ErrBroken
	}
	return b.aead.Open(nil, sealed[:n], sealed[n:], aad)
}
