package vault

import (
	"context"
	"errors"

	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

var errPending = errors.New("pending")

type cachedKey struct{}

// New opens the vault.
func New(ctx context.Context, d Deps) (*Vault, error) { return nil, errPending }

// FileKEK opens or makes a key file.
func FileKEK(path string) (Custodian, error) { return nil, errPending }

// Seal seals.
func (v *Vault) Seal(ctx context.Context, ref Ref, plain []byte) ([]byte, error) {
	return nil, errPending
}

// Open opens.
func (v *Vault) Open(ctx context.Context, t Ticket, ref Ref, sealed []byte) ([]byte, error) {
	return nil, errPending
}

// SealSystem seals.
func (v *Vault) SealSystem(ctx context.Context, name string, plain []byte) ([]byte, error) {
	return nil, errPending
}

// OpenSystem opens.
func (v *Vault) OpenSystem(ctx context.Context, name string, sealed []byte) ([]byte, error) {
	return nil, errPending
}

// Blind returns the blind index of a normalised value.
func (v *Vault) Blind(ctx context.Context, field, normalised string) (string, error) {
	return "", errPending
}

// DestroyClass destroys the keys of a class.
func (v *Vault) DestroyClass(ctx context.Context, subject id.Handle, class string) error {
	return errPending
}

// DestroySubject destroys all keys of a person.
func (v *Vault) DestroySubject(ctx context.Context, subject id.Handle) error {
	return errPending
}
