// Package rsasign is the signature that payment protocols share: RSA PKCS #1
// v1.5 with SHA-256 (RFC 8017), base64, and the forms in which their papers hand
// out keys: PEM, or the base64 of PKCS #8, PKCS #1 or a public key alone.
//
// It is not for certificates nor for what is signed; errors never quote a key.
package rsasign

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strings"
)

// ErrKey refuses what is no RSA key of at least MinBits.
var ErrKey = errors.New("not an RSA key of at least 2048 bits")

// MinBits is the shortest modulus that is accepted.
const MinBits = 2048

// Private reads a private key.
func Private(text string) (*rsa.PrivateKey, error) {
	der, err := decode(text)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS1PrivateKey(der)
	if err != nil {
		any8, err := x509.ParsePKCS8PrivateKey(der)
		if err != nil {
			return nil, ErrKey
		}
		var ok bool
		if key, ok = any8.(*rsa.PrivateKey); !ok {
			return nil, ErrKey
		}
	}
	if key.N.BitLen() < MinBits {
		return nil, ErrKey
	}
	return key, nil
}

// Public reads a public key.
func Public(text string) (*rsa.PublicKey, error) {
	der, err := decode(text)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS1PublicKey(der)
	if err != nil {
		anyKey, err := x509.ParsePKIXPublicKey(der)
		if err != nil {
			return nil, ErrKey
		}
		var ok bool
		if key, ok = anyKey.(*rsa.PublicKey); !ok {
			return nil, ErrKey
		}
	}
	if key.N.BitLen() < MinBits {
		return nil, ErrKey
	}
	return key, nil
}

// Certificates reads the certificates of a PEM bundle in their order. Those that
// are not RSA are left out: bundles hold ones of curves that are not known here.
func Certificates(bundle string) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	rest := []byte(bundle)
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil || block.Type != "CERTIFICATE" {
			continue
		}
		if key, ok := c.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() >= MinBits {
			all = append(all, c)
		}
	}
	if len(all) == 0 {
		return nil, errors.New("no certificate with an RSA key of at least 2048 bits")
	}
	return all, nil
}

// Sign returns the base64 of the signature.
func Sign(key *rsa.PrivateKey, text []byte) (string, error) {
	sum := sha256.Sum256(text)
	raw, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	return base64.StdEncoding.EncodeToString(raw), err
}

// Verify tells whether a signature is the key's over the text.
func Verify(key *rsa.PublicKey, text []byte, signature string) bool {
	raw, err := base64.StdEncoding.Strict().DecodeString(signature)
	if err != nil {
		return false
	}
	sum := sha256.Sum256(text)
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], raw) == nil
}

func decode(text string) ([]byte, error) {
	if block, _ := pem.Decode([]byte(text)); block != nil {
		return block.Bytes, nil
	}
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return nil, ErrKey
	}
	return der, nil
}
