package agent

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/platform/durable"
)

// errNoState says that nothing was kept under a name.
var errNoState = errors.New("no kept state")

// store keeps values sealed with AES-256-GCM under a key of this node. The
// name of a value is authenticated with it, so that files cannot be swapped.
type store struct {
	dir  string
	aead cipher.AEAD
}

// openStore opens or makes the state directory and its key.
func openStore(dir string) (*store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("state directory: %w", err)
	}
	key, err := nodeKey(filepath.Join(dir, "node.key"))
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("node key: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("node key: %w", err)
	}
	return &store{dir: dir, aead: aead}, nil
}

func nodeKey(path string) ([]byte, error) {
	key, err := os.ReadFile(path)
	if err == nil && len(key) == 32 {
		return key, nil
	}
	if err == nil {
		return nil, fmt.Errorf("node key %s: %d bytes, want 32", path, len(key))
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("node key: %w", err)
	}
	key = make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	return key, wrap("node key", writeFile(path, key, true))
}

// save keeps v under a name such as "desired" or "session/ses_1". After it the
// value is there also when the power fails.
func (s *store) save(name string, v any) error { return s.write(name, v, true) }

// saveLoosely is save for what may fall back to its last value when the power
// fails. It does not wait for the disk.
func (s *store) saveLoosely(name string, v any) error { return s.write(name, v, false) }

func (s *store) write(name string, v any, settled bool) error {
	plain, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding %s: %w", name, err)
	}
	return wrap("keeping "+name, writeFile(s.path(name), s.aead.Seal(nil, nil, plain, []byte(name)), settled))
}

// load reads what save kept. It returns errNoState if there is nothing, and
// another error if it was altered.
func (s *store) load(name string, v any) error {
	b, err := os.ReadFile(s.path(name))
	if errors.Is(err, os.ErrNotExist) {
		return errNoState
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	plain, err := s.aead.Open(nil, nil, b, []byte(name))
	if err != nil {
		return fmt.Errorf("opening %s: %w", name, err)
	}
	return wrap("decoding "+name, json.Unmarshal(plain, v))
}

// remove forgets a name; removing nothing is no error.
func (s *store) remove(name string) error {
	err := os.Remove(s.path(name))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return wrap("removing "+name, err)
}

// list returns the names kept under a directory such as "session".
func (s *store) list(dir string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(s.dir, dir))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing %s: %w", dir, err)
	}
	var out []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".sealed"); ok {
			out = append(out, dir+"/"+name)
		}
	}
	return out, nil
}

// path maps a name to a file. Ids come from control; one that is not a plain
// file name is made harmless.
func (s *store) path(name string) string {
	plain := func(part string) string { return filepath.Base(filepath.Clean("/" + part)) }
	dir, base, ok := strings.Cut(name, "/")
	if !ok {
		return filepath.Join(s.dir, plain(name)+".sealed")
	}
	return filepath.Join(s.dir, plain(dir), plain(base)+".sealed")
}

// writeFile replaces a file in a directory that it makes.
func writeFile(path string, b []byte, settled bool) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if !settled {
		return durable.ReplaceLoosely(path, b)
	}
	return durable.Replace(path, b)
}
