package gwlink

import (
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/rand"
	"errors"
	"fmt"
)

// KeyRequest asks for the private key of an uploaded certificate that an SSL
// server shows. A node's own keys are born on it and are never asked for.
type KeyRequest struct {
	Server      string `json:"server"`
	Certificate string `json:"certificate"` // cert-...
	Public      []byte `json:"public"`      // X25519, made for this request alone
}

// KeyAnswer is the private key, PKCS #8, sealed to the request's key with HPKE
// (RFC 9180): base mode, DHKEM(X25519), HKDF-SHA256, AES-256-GCM. Server and
// certificate are bound to it.
type KeyAnswer struct {
	Sealed []byte `json:"sealed"` // encapsulated key and ciphertext
}

// ErrKey is returned for a request or an answer that does not hold.
var ErrKey = errors.New("key exchange is not valid")

const keyContext = "skybridge-key/v1"

// KeyExchange is the node's side of one request.
type KeyExchange struct {
	Request KeyRequest
	private *ecdh.PrivateKey
}

// NewKeyExchange makes a request with a key of its own.
func NewKeyExchange(server, certificate string) (KeyExchange, error) {
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return KeyExchange{}, fmt.Errorf("making a key for a request: %w", err)
	}
	return KeyExchange{KeyRequest{server, certificate, key.PublicKey().Bytes()}, key}, nil
}

// Open returns the private key in an answer to the request, PKCS #8; ErrKey if
// the answer is for another one or was altered.
func (e KeyExchange) Open(a KeyAnswer) ([]byte, error) {
	key, err := hpke.NewDHKEMPrivateKey(e.private)
	if err != nil {
		return nil, ErrKey
	}
	plain, err := hpke.Open(key, hpke.HKDFSHA256(), hpke.AES256GCM(), e.Request.info(), a.Sealed)
	if err != nil {
		return nil, ErrKey
	}
	return plain, nil
}

// WrapKey is control's side: it seals a private key to a request.
func WrapKey(r KeyRequest, pkcs8 []byte) (KeyAnswer, error) {
	public, err := ecdh.X25519().NewPublicKey(r.Public)
	if err != nil {
		return KeyAnswer{}, ErrKey
	}
	to, err := hpke.NewDHKEMPublicKey(public)
	if err != nil {
		return KeyAnswer{}, ErrKey
	}
	sealed, err := hpke.Seal(to, hpke.HKDFSHA256(), hpke.AES256GCM(), r.info(), pkcs8)
	if err != nil {
		return KeyAnswer{}, ErrKey
	}
	return KeyAnswer{sealed}, nil
}

// info binds an answer to its request.
func (r KeyRequest) info() []byte {
	return fmt.Appendf(nil, "%s %d:%s %d:%s", keyContext, len(r.Server), r.Server, len(r.Certificate), r.Certificate)
}
