//go:build windows || darwin

package keystore

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/zalando/go-keyring"

	"github.com/skybridge-cloud/skybridge/internal/client/local"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

const systemPlace = System

// service names our entries in Keychain and Credential Manager.
const service = "skyconnect"

// systemStore keeps secrets in Keychain or Credential Manager. Neither lists
// entries by their program in the library, so that a file says which there are:
// it names one before it is kept and until it is gone. Untested: it is only built.
type systemStore struct{ Deps }

func openSystem(_ context.Context, d Deps) (Store, error) { return systemStore{d}, nil }

func entryName(profile string, kind Kind) string { return profile + " " + string(kind) }

func (s systemStore) Set(_ context.Context, profile string, kind Kind, secret []byte) error {
	if err := check(profile, kind, secret); err != nil {
		return err
	}
	err := s.change(func(all []Entry) []Entry {
		return append(without(all, profile, kind), Entry{profile, kind, s.Clock.Now()})
	})
	if err != nil {
		return err
	}
	return failure(keyring.Set(service, entryName(profile, kind), base64.StdEncoding.EncodeToString(secret)))
}

func (s systemStore) Get(_ context.Context, profile string, kind Kind) ([]byte, error) {
	text, err := keyring.Get(service, entryName(profile, kind))
	if err != nil {
		return nil, failure(err)
	}
	secret, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, ErrBroken.With("file", service)
	}
	return secret, nil
}

func (s systemStore) Delete(_ context.Context, profile string, kind Kind) error {
	if err := keyring.Delete(service, entryName(profile, kind)); err != nil && !errors.Is(err, keyring.ErrNotFound) {
		return failure(err)
	}
	return s.change(func(all []Entry) []Entry { return without(all, profile, kind) })
}

func (s systemStore) List(context.Context) ([]Entry, error) {
	text, err := s.Dir.Read(indexFile, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []Entry
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(&all); err != nil {
		return nil, ErrBroken.With("file", indexFile)
	}
	return all, nil
}

func (s systemStore) change(change func([]Entry) []Entry) error {
	unlock, err := s.Dir.Lock(local.Keys)
	if err != nil {
		return err
	}
	defer unlock()
	all, err := s.List(context.Background())
	if err != nil {
		return err
	}
	text, err := json.Marshal(change(all))
	if err != nil {
		return fmt.Errorf("noting a key: %w", err)
	}
	return s.Dir.Replace(indexFile, text)
}

func without(all []Entry, profile string, kind Kind) []Entry {
	return slices.DeleteFunc(all, func(e Entry) bool { return e.Profile == profile && e.Kind == kind })
}

func failure(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, keyring.ErrNotFound):
		return ErrAbsent
	case errors.Is(err, keyring.ErrSetDataTooBig):
		return ErrLarge
	default:
		return errs.Wrap(errs.Unavailable, "keystore.unavailable", err)
	}
}
