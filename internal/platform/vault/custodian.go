package vault

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/platform/durable"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

const kekHeading = "skybridge key-encryption key v1"

// fileKEK is custody in a file that only the service's user can read: the
// lowest step of the custody ladder.
type fileKEK struct {
	id  string
	key []byte
}

// FileKEK opens the key file at path, or makes one with mode 0600 if there is
// none. A file that others can read is refused.
func FileKEK(path string) (Custodian, error) {
	text, err := readPrivate(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeKEK(path); err != nil {
			return nil, fmt.Errorf("making the key file: %w", err)
		}
		text, err = readPrivate(path)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the key file: %w", err)
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) != 3 || lines[0] != kekHeading || !id.Has(lines[1], "kek") {
		return nil, errors.New("reading the key file: it is not a key file")
	}
	key, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(key) != keySize {
		return nil, errors.New("reading the key file: the key is malformed")
	}
	return &fileKEK{id: lines[1], key: key}, nil
}

func readPrivate(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("%s is readable by others: set its mode to 0600", filepath.Base(path))
	}
	raw, err := os.ReadFile(path)
	return string(raw), err
}

func makeKEK(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	text := fmt.Sprintf("%s\n%s\n%s\n", kekHeading, id.New("kek"), base64.StdEncoding.EncodeToString(random(keySize)))
	if err := durable.Create(path, []byte(text)); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil // also where another process was first
}

// ID returns kek_...
func (k *fileKEK) ID() string { return k.id }

// Wrap seals a key under the file's key.
func (k *fileKEK) Wrap(_ context.Context, plain, aad []byte) ([]byte, error) {
	return lock(k.key, plain, aad)
}

// Unwrap opens what Wrap made.
func (k *fileKEK) Unwrap(_ context.Context, wrapped, aad []byte) ([]byte, error) {
	return unlock(k.key, wrapped, aad)
}
