package bundle

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
)

// Signature is the operator's, over the canonical form of a bundle without it.
type Signature struct {
	Key   string `json:"key"`   // Ed25519 public key, base64
	Value string `json:"value"` // base64
}

// context keeps a signature from being taken for one of another purpose.
const context = "skyconnect-bundle/v1\n"

// canonical is what is signed.
func (b Bundle) canonical() ([]byte, error) {
	b.Signature = nil
	text, err := encode(b, "")
	return append([]byte(context), text...), err
}

// Sign returns the bundle with a signature by key.
func (b Bundle) Sign(key ed25519.PrivateKey) (Bundle, error) {
	if err := b.check(); err != nil {
		return b, err
	}
	text, err := b.canonical()
	if err != nil {
		return b, err
	}
	public := key.Public().(ed25519.PublicKey)
	b.Signature = &Signature{base64.StdEncoding.EncodeToString(public), base64.StdEncoding.EncodeToString(ed25519.Sign(key, text))}
	return b, nil
}

// Verify returns the id of the key that signed, empty for a bundle that nobody
// signed, and ErrSignature for a signature that does not hold. Whether the key
// is the operator's, the caller knows: by the one it was told first.
func (b Bundle) Verify() (keyID string, err error) {
	if b.Signature == nil {
		return "", nil
	}
	public, err := base64.StdEncoding.Strict().DecodeString(b.Signature.Key)
	if err != nil || len(public) != ed25519.PublicKeySize {
		return "", ErrSignature
	}
	value, err := base64.StdEncoding.Strict().DecodeString(b.Signature.Value)
	if err != nil || len(value) != ed25519.SignatureSize {
		return "", ErrSignature
	}
	text, err := b.canonical()
	if err != nil {
		return "", err
	}
	if !ed25519.Verify(public, text, value) {
		return "", ErrSignature
	}
	return KeyID(public), nil
}

// KeyID names a public key: the first 20 bytes of its SHA-256, hexadecimal.
func KeyID(public ed25519.PublicKey) string {
	h := sha256.Sum256(public)
	return hex.EncodeToString(h[:20])
}
