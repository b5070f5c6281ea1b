// Package envelope seals a file to a public key, so that who writes it cannot
// open it: backups for their keeper, answers to orders for an authority.
//
// It is not for values in the database (vault) and keeps no keys.
//
//	random file key ── HPKE (RFC 9180, X25519 and ML-KEM-768) ──▶ head of the file
//	       └── AES-256-GCM, chunk by chunk ──▶ the rest
//
// Invariants: no byte is returned that was not authenticated; a file that was cut
// is not read as whole; format and context are bound to what is sealed.
package envelope

import (
	"crypto/hpke"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/platform/durable"
)

// Format is a kind of file: what its first line and the lines of its key files
// begin with. A file of one format does not open as another.
type Format struct {
	Name    string // "skybridge-backup"
	Version int
}

func (f Format) magic() string       { return fmt.Sprintf("%s/%d\n", f.Name, f.Version) }
func (f Format) publicWord() string  { return f.Name + "-public" }
func (f Format) privateWord() string { return f.Name + "-private" }

// ErrKey says that something is no key of the format, or not the one that opens
// the file.
var ErrKey = errors.New("this is not the key")

// kem is X25519 and ML-KEM-768 together (X-Wing): a file that is copied today
// stays shut when one of the two is broken.
func kem() hpke.KEM { return hpke.MLKEM768X25519() }

// NewKey makes a key pair: the private half into path, the public one into
// path.pub. Neither file may exist.
func (f Format) NewKey(path string) (PublicKey, error) {
	secret, err := kem().GenerateKey()
	if err != nil {
		return PublicKey{}, err
	}
	raw, err := secret.Bytes()
	if err != nil {
		return PublicKey{}, err
	}
	if err := durable.Create(path, line(f.privateWord(), raw)); err != nil {
		return PublicKey{}, fmt.Errorf("writing the private key: %w", err)
	}
	public := secret.PublicKey()
	if err := durable.Create(path+".pub", line(f.publicWord(), public.Bytes())); err != nil {
		return PublicKey{}, fmt.Errorf("writing the public key: %w", err)
	}
	return PublicKey{public}, nil
}

func line(word string, raw []byte) []byte {
	return []byte(word + " " + base64.StdEncoding.EncodeToString(raw) + "\n")
}

// PublicKey seals. Who seals need not have the other half.
type PublicKey struct{ key hpke.PublicKey }

// Fingerprint names the key: SHA-256 in hex, the first 16 digits.
func (k PublicKey) Fingerprint() string {
	sum := sha256.Sum256(k.key.Bytes())
	return hex.EncodeToString(sum[:8])
}

// ReadPublicKey reads the public half from the file that NewKey wrote.
func (f Format) ReadPublicKey(path string) (PublicKey, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return PublicKey{}, err
	}
	k, err := f.ParsePublicKey(string(text))
	if err != nil {
		return PublicKey{}, fmt.Errorf("%s: %w", path, err)
	}
	return k, nil
}

// ParsePublicKey reads the public half from its line. Else ErrKey.
func (f Format) ParsePublicKey(text string) (PublicKey, error) {
	raw, err := parseKey(text, f.publicWord())
	if err != nil {
		return PublicKey{}, err
	}
	k, err := kem().NewPublicKey(raw)
	if err != nil {
		return PublicKey{}, ErrKey
	}
	return PublicKey{k}, nil
}

// PrivateKey opens.
type PrivateKey struct{ key hpke.PrivateKey }

// Public returns the other half.
func (k PrivateKey) Public() PublicKey { return PublicKey{k.key.PublicKey()} }

// ReadPrivateKey reads the private half from the file that NewKey wrote.
func (f Format) ReadPrivateKey(path string) (PrivateKey, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return PrivateKey{}, err
	}
	raw, err := parseKey(string(text), f.privateWord())
	if err != nil {
		return PrivateKey{}, fmt.Errorf("%s: %w", path, err)
	}
	k, err := kem().NewPrivateKey(raw)
	if err != nil {
		return PrivateKey{}, fmt.Errorf("%s: %w", path, ErrKey)
	}
	return PrivateKey{k}, nil
}

func parseKey(text, word string) ([]byte, error) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(text), word+" ")
	raw, err := base64.StdEncoding.DecodeString(rest)
	if !ok || err != nil {
		return nil, fmt.Errorf("no line %s: %w", word, ErrKey)
	}
	return raw, nil
}
