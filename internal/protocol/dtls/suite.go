package dtls

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"hash"
	"slices"

	"golang.org/x/crypto/chacha20poly1305"
)

// Suites of this package, by their IANA numbers. The PSK suites run a full
// handshake; the others only resume, so that the key exchange in their name has
// no part in anything.
const (
	SuitePSKAES128GCM   uint16 = 0x00a8
	SuitePSKAES256GCM   uint16 = 0x00a9
	SuitePSKChaCha20    uint16 = 0xccab
	SuiteRSAAES128GCM   uint16 = 0x009c
	SuiteRSAAES256GCM   uint16 = 0x009d
	SuiteECDHERSAAES128 uint16 = 0xc02f
	SuiteECDHERSAAES256 uint16 = 0xc030
	scsvRenegotiation   uint16 = 0x00ff
	explicitNonceLen           = 8
	tagLen                     = 16
	masterSecretLen            = 48
	randomLen                  = 32
	verifyDataLen              = 12
)

// ErrSuite says that a suite is not one of this package, or not of this mode.
var ErrSuite = errors.New("dtls: cipher suite not supported")

// suite holds the facts of one cipher suite.
type suite struct {
	id      uint16
	psk     bool
	keyLen  int
	ivLen   int // fixed part of the nonce
	newHash func() hash.Hash
	newAEAD func(key []byte) (cipher.AEAD, error)
}

var suites = []suite{
	{SuitePSKAES128GCM, true, 16, 4, sha256.New, newGCM},
	{SuitePSKAES256GCM, true, 32, 4, sha512.New384, newGCM},
	{SuitePSKChaCha20, true, 32, 12, sha256.New, chacha20poly1305.New},
	{SuiteRSAAES128GCM, false, 16, 4, sha256.New, newGCM},
	{SuiteRSAAES256GCM, false, 32, 4, sha512.New384, newGCM},
	{SuiteECDHERSAAES128, false, 16, 4, sha256.New, newGCM},
	{SuiteECDHERSAAES256, false, 32, 4, sha512.New384, newGCM},
}

// explicit returns the bytes of nonce carried in each record.
func (s *suite) explicit() int {
	if s.ivLen == 4 {
		return explicitNonceLen
	}
	return 0
}

func suiteByID(id uint16) (*suite, error) {
	i := slices.IndexFunc(suites, func(s suite) bool { return s.id == id })
	if i < 0 {
		return nil, ErrSuite
	}
	return &suites[i], nil
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// SuiteName is the name that IANA has for a suite of this package, "" for others.
func SuiteName(id uint16) string {
	return map[uint16]string{
		SuitePSKAES128GCM: "TLS_PSK_WITH_AES_128_GCM_SHA256", SuitePSKAES256GCM: "TLS_PSK_WITH_AES_256_GCM_SHA384",
		SuitePSKChaCha20: "TLS_PSK_WITH_CHACHA20_POLY1305_SHA256", SuiteRSAAES128GCM: "TLS_RSA_WITH_AES_128_GCM_SHA256",
		SuiteRSAAES256GCM: "TLS_RSA_WITH_AES_256_GCM_SHA384", SuiteECDHERSAAES128: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
		SuiteECDHERSAAES256: "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
	}[id]
}

// choosePSK picks the suite for a PSK handshake out of what the client offers.
// A client that lists ChaCha20 before every GCM suite has no AES instructions
// and gets it; otherwise the allowed list decides, in its order.
func choosePSK(offered, allowed []uint16) (*suite, error) {
	first := slices.IndexFunc(offered, func(id uint16) bool { return slices.Contains(allowed, id) })
	if first < 0 {
		return nil, ErrSuite
	}
	if offered[first] == SuitePSKChaCha20 {
		return suiteByID(SuitePSKChaCha20)
	}
	for _, id := range allowed {
		if slices.Contains(offered, id) {
			return suiteByID(id)
		}
	}
	return nil, ErrSuite
}
