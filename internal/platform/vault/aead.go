package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"

	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// Form of a sealed value: version(1) suite(1) key id(16) nonce(12) text tag(16).
const (
	version   = 1
	suiteStd  = 1 // AES-256-GCM
	keySize   = 32
	idSize    = 16
	nonceSize = 12
	header    = 2 + idSize
	minSealed = header + nonceSize + 16
)

func random(n int) []byte {
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		panic(err) // crypto/rand does not fail on supported systems
	}
	return b
}

func gcm(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// lock returns nonce and ciphertext. A nonce is random: that bounds a
// key to 2^32 seals (NIST SP 800-38D, 8.3), which no person's data reaches.
func lock(key, plain, aad []byte) ([]byte, error) {
	aad = place(aad)
	a, err := gcm(key)
	if err != nil {
		return nil, err
	}
	nonce := random(nonceSize)
	return a.Seal(nonce, nonce, plain, aad), nil
}

// unlock is the inverse of lock; every mismatch is ErrIntegrity.
func unlock(key, locked, aad []byte) ([]byte, error) {
	aad = place(aad)
	a, err := gcm(key)
	if err != nil {
		return nil, err
	}
	if len(locked) < nonceSize {
		return nil, ErrIntegrity
	}
	plain, err := a.Open(nil, locked[:nonceSize], locked[nonceSize:], aad)
	if err != nil {
		return nil, ErrIntegrity
	}
	return plain, nil
}

// place is what binds a sealed value to where it stands.
func place(aad []byte) []byte {
	if mutant.Off("TY-5.1a") {
		return nil
	}
	return aad
}

// bound joins parts, each with its length before it, so that no two lists of
// parts give the same bytes.
func bound(parts ...string) []byte {
	var b []byte
	for _, p := range parts {
		b = binary.BigEndian.AppendUint32(b, uint32(len(p)))
		b = append(b, p...)
	}
	return b
}
