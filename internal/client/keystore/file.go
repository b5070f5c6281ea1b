package keystore

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client/local"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
)

// Files of the places.
const (
	sealedFile = "keys.sealed"
	plainFile  = "keys.plain"
	indexFile  = "keys.index"
)

const maxFile = 1 << 20

// fileStore is a file of secrets: sealed one by one where phrase is there, plain
// else. Which secrets there are is readable in both, so that they can be listed
// and erased without the passphrase.
type fileStore struct {
	dir    *local.Dir
	clock  clock.Clock
	name   string
	phrase func(anew bool) ([]byte, error)

	mu  sync.Mutex // one question at a time
	box *box       // derived once
}

type keyFile struct {
	Version int         `json:"version"`
	Seal    *seal       `json:"seal,omitempty"`
	Entries []fileEntry `json:"entries"`
}

type fileEntry struct {
	Profile string    `json:"profile"`
	Kind    Kind      `json:"kind"`
	At      time.Time `json:"at"`
	Secret  []byte    `json:"secret"` // sealed, where the file is
}

func (s *fileStore) read() (keyFile, error) {
	text, err := s.dir.Read(s.name, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return keyFile{Version: 1}, nil
	}
	if err != nil {
		return keyFile{}, err
	}
	var f keyFile
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&f); err != nil || f.Version != 1 || (f.Seal != nil) != (s.phrase != nil) || f.Seal != nil && !f.Seal.sane() {
		return keyFile{}, ErrBroken.With("file", s.name)
	}
	return f, nil
}

func (s *fileStore) write(f keyFile) error {
	text, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("writing keys: %w", err)
	}
	return s.dir.Replace(s.name, text)
}

// change reads, changes and writes the file while no other process does.
func (s *fileStore) change(change func(*keyFile) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	unlock, err := s.dir.Lock(local.Keys)
	if err != nil {
		return err
	}
	defer unlock()
	f, err := s.read()
	if err != nil {
		return err
	}
	if err := change(&f); err != nil {
		return err
	}
	return s.write(f)
}

func (f *keyFile) find(profile string, kind Kind) int {
	return slices.IndexFunc(f.Entries, func(e fileEntry) bool { return e.Profile == profile && e.Kind == kind })
}

func (s *fileStore) Set(_ context.Context, profile string, kind Kind, secret []byte) error {
	if err := check(profile, kind, secret); err != nil {
		return err
	}
	return s.change(func(f *keyFile) error {
		kept, err := s.sealed(f, profile, kind, secret)
		if err != nil {
			return err
		}
		f.drop(profile, kind)
		f.Entries = append(f.Entries, fileEntry{profile, kind, s.clock.Now(), kept})
		return nil
	})
}

func (f *keyFile) drop(profile string, kind Kind) {
	if i := f.find(profile, kind); i >= 0 {
		f.Entries = slices.Delete(f.Entries, i, i+1)
	}
}

func (s *fileStore) Get(_ context.Context, profile string, kind Kind) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.read()
	if err != nil {
		return nil, err
	}
	i := f.find(profile, kind)
	if i < 0 {
		return nil, ErrAbsent
	}
	if s.phrase == nil {
		return f.Entries[i].Secret, nil
	}
	b, err := s.boxOf(&f)
	if err != nil {
		return nil, err
	}
	secret, err := b.open(aad(profile, kind), f.Entries[i].Secret)
	if err != nil {
		return nil, ErrBroken.With("file", s.name)
	}
	return secret, nil
}

func (s *fileStore) Delete(_ context.Context, profile string, kind Kind) error {
	if f, err := s.read(); err != nil || f.find(profile, kind) < 0 {
		return err
	}
	return s.change(func(f *keyFile) error {
		f.drop(profile, kind)
		return nil
	})
}

func (s *fileStore) List(context.Context) ([]Entry, error) {
	f, err := s.read()
	var all []Entry
	for _, e := range f.Entries {
		all = append(all, Entry{e.Profile, e.Kind, e.At})
	}
	return all, err
}

// sealed is what the file keeps of a secret.
func (s *fileStore) sealed(f *keyFile, profile string, kind Kind, secret []byte) ([]byte, error) {
	if s.phrase == nil {
		return secret, nil
	}
	b, err := s.boxOf(f)
	if err != nil {
		return nil, err
	}
	return b.seal(aad(profile, kind), secret), nil
}

func aad(profile string, kind Kind) []byte {
	return []byte("skyconnect-keys/v1\n" + profile + "\n" + string(kind))
}

// boxOf opens the file's seal by the passphrase, or makes one for a new file.
func (s *fileStore) boxOf(f *keyFile) (*box, error) {
	if s.box != nil && f.Seal != nil && bytes.Equal(s.box.salt, f.Seal.Salt) {
		return s.box, nil
	}
	phrase, err := s.phrase(f.Seal == nil)
	if err != nil {
		return nil, err
	}
	defer clear(phrase)
	if len(phrase) == 0 {
		return nil, ErrPassphrase
	}
	if f.Seal == nil {
		f.Seal, s.box = newSeal(phrase)
		return s.box, nil
	}
	s.box, err = f.Seal.unseal(phrase)
	return s.box, err
}
