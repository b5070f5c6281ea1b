// Package keystore keeps the two secrets that skyconnect may keep: the private
// key of a certificate, and the seed of a token where the operator allows it.
//
// Where are they? In the system's key store: the Secret Service by D-Bus on
// Linux, Keychain on macOS, Credential Manager on Windows. A machine without one
// keeps them in a file sealed by a passphrase, or, by an explicit choice, in a
// plain file of mode 0600. The choice is recorded and shown with what is stored.
//
// Where is the password? Nowhere: there is no kind for it, and so no call by which
// it could be kept.
//
//	Keys ── may a seed be kept? is the permission given? ──▶ Store ─┬─▶ Secret Service
//	                                                                ├─▶ sealed file
//	                                                                └─▶ plain file
//
// Invariants: the two kinds are all there are; what is listed is what is there;
// a seed whose profile does not allow it any more is deleted when it is asked for.
package keystore

import (
	"context"
	"slices"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// Kind is what a secret is.
type Kind string

// The kinds of secrets that are ever kept.
const (
	PrivateKey Kind = "private-key" // PKCS #8, DER
	TokenSeed  Kind = "token-seed"  // an otpauth URI without names, or a CTF string
)

// Kinds lists them.
func Kinds() []Kind { return []Kind{PrivateKey, TokenSeed} }

// Place is where secrets are.
type Place string

// Places.
const (
	SecretService Place = "secret-service" // Linux and other systems with D-Bus
	System        Place = "system"         // Keychain, Credential Manager
	SealedFile    Place = "sealed-file"
	PlainFile     Place = "plain-file"
)

// Entry is a secret that is kept, without the secret.
type Entry struct {
	Profile string
	Kind    Kind
	At      time.Time
}

// Store is a place. Its methods are safe for several goroutines and processes.
type Store interface {
	// Set keeps a secret in the place of a former one.
	Set(ctx context.Context, profile string, kind Kind, secret []byte) error
	// Get returns a secret; ErrAbsent where there is none.
	Get(ctx context.Context, profile string, kind Kind) ([]byte, error)
	// Delete deletes a secret; none is no error.
	Delete(ctx context.Context, profile string, kind Kind) error
	// List asks the place itself what it has.
	List(ctx context.Context) ([]Entry, error)
}

// Errors of stores.
var (
	ErrAbsent      = errs.New(errs.NotFound, "keystore.absent")
	ErrKind        = errs.New(errs.Invalid, "keystore.kind")
	ErrUnavailable = errs.New(errs.Unavailable, "keystore.unavailable")
	ErrDismissed   = errs.New(errs.Forbidden, "keystore.dismissed")
	ErrPassphrase  = errs.New(errs.Unauthenticated, "keystore.passphrase")
	ErrBroken      = errs.New(errs.Invalid, "keystore.broken") // parameter file
	ErrLarge       = errs.New(errs.TooLarge, "keystore.too_large")
	ErrSeed        = errs.New(errs.Forbidden, "keystore.seed_not_allowed")
	ErrChosen      = errs.New(errs.Conflict, "keystore.chosen") // parameter place
)

// maxSecret bounds a secret: an RSA key of 8192 bits is smaller.
const maxSecret = 8 << 10

func check(profile string, kind Kind, secret []byte) error {
	switch {
	case profile == "" || !slices.Contains(Kinds(), kind) && !mutant.Off("TY-2.2c"):
		return ErrKind
	case len(secret) > maxSecret:
		return ErrLarge
	}
	return nil
}
