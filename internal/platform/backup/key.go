package backup

import (
	"bytes"
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

// Words that the lines of key files begin with.
const (
	publicWord  = "skybridge-backup-public"
	privateWord = "skybridge-backup-private"
)

// ErrKey says that a file is no key of a backup, or not the one that opens it.
var ErrKey = errors.New("this is not the key of the backup")

// kem is X25519 and ML-KEM-768 together (X-Wing): a backup that is copied today
// stays shut when one of the two is broken.
func kem() hpke.KEM { return hpke.MLKEM768X25519() }

// NewKey makes a key pair: the private half into path, the public one into
// path.pub. Neither file may exist.
func NewKey(path string) (PublicKey, error) {
	secret, err := kem().GenerateKey()
	if err != nil {
		return PublicKey{}, err
	}
	raw, err := secret.Bytes()
	if err != nil {
		return PublicKey{}, err
	}
	if err := durable.Create(path, line(privateWord, raw)); err != nil {
		return PublicKey{}, fmt.Errorf("writing the private key: %w", err)
	}
	public := secret.PublicKey()
	if err := durable.Create(path+".pub", line(publicWord, public.Bytes())); err != nil {
		return PublicKey{}, fmt.Errorf("writing the public key: %w", err)
	}
	return PublicKey{public}, nil
}

func line(word string, raw []byte) []byte {
	return []byte(word + " " + base64.StdEncoding.EncodeToString(raw) + "\n")
}

// PublicKey seals backups. The program that runs has only this half.
type PublicKey struct{ key hpke.PublicKey }

// Fingerprint names the key in manifests: SHA-256 in hex, the first 16 digits.
func (k PublicKey) Fingerprint() string {
	sum := sha256.Sum256(k.key.Bytes())
	return hex.EncodeToString(sum[:8])
}

// ReadPublicKey reads the public half from the file that NewKey wrote.
func ReadPublicKey(path string) (PublicKey, error) {
	raw, err := readKey(path, publicWord)
	if err != nil {
		return PublicKey{}, err
	}
	k, err := kem().NewPublicKey(raw)
	if err != nil {
		return PublicKey{}, fmt.Errorf("%s: %w", path, ErrKey)
	}
	return PublicKey{k}, nil
}

// PrivateKey opens backups.
type PrivateKey struct{ key hpke.PrivateKey }

// Public returns the other half.
func (k PrivateKey) Public() PublicKey { return PublicKey{k.key.PublicKey()} }

// ReadPrivateKey reads the private half from the file that NewKey wrote.
func ReadPrivateKey(path string) (PrivateKey, error) {
	raw, err := readKey(path, privateWord)
	if err != nil {
		return PrivateKey{}, err
	}
	k, err := kem().NewPrivateKey(raw)
	if err != nil {
		return PrivateKey{}, fmt.Errorf("%s: %w", path, ErrKey)
	}
	return PrivateKey{k}, nil
}

func readKey(path, word string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	rest, ok := strings.CutPrefix(string(bytes.TrimSpace(text)), word+" ")
	raw, err := base64.StdEncoding.DecodeString(rest)
	if !ok || err != nil {
		return nil, fmt.Errorf("%s does not hold a line %s: %w", path, word, ErrKey)
	}
	return raw, nil
}
