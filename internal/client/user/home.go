// Package user is the unprivileged half of skyconnect: one person's profiles,
// consent and keys, and what they ask of the daemon. The command line and the
// window are two faces of it.
//
//	profile, policy, keystore ──▶ Home ── client.Login ──▶ server (forms, code)
//	                               │ cookie
//	                               └── ipc ── Up, Down ──▶ daemon
//
// Invariants: no socket is opened, not even to the daemon for a connection,
// without the permit of the policy that governs the profile; a password is asked
// for, sent to the server that proved itself, and wiped; a withdrawal takes down
// what rests on it.
package user

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"

	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
	"github.com/skybridge-cloud/skybridge/internal/client/journal"
	"github.com/skybridge-cloud/skybridge/internal/client/keystore"
	"github.com/skybridge-cloud/skybridge/internal/client/local"
	"github.com/skybridge-cloud/skybridge/internal/client/policy"
	"github.com/skybridge-cloud/skybridge/internal/client/profile"
	"github.com/skybridge-cloud/skybridge/internal/client/trusted"
	"github.com/skybridge-cloud/skybridge/internal/platform/bundle"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// Person answers what only a person can. A nil function means that nobody can be
// asked.
type Person struct {
	Passphrase func(anew bool) ([]byte, error)                 // of the sealed file of keys
	Permission func(policy.Permission) (granted bool, _ error) // once for each
}

// Home is where a person's things are.
type Home struct {
	Dir      *local.Dir
	Profiles *profile.Store
	Policy   *policy.Store
	Journal  *journal.Journal
	Daemon   ipc.Client
	Detector trusted.Detector // of trusted networks

	clock  clock.Clock
	log    *slog.Logger
	person Person
	place  keystore.Place

	mu   sync.Mutex
	keys *keystore.Keys
}

// Open opens the directory root. It opens no socket, and no key store until a
// key is needed.
func Open(root, socket string, place keystore.Place, person Person) (*Home, error) {
	dir, err := local.Open(root)
	if err != nil {
		return nil, err
	}
	at := clock.System{}
	h := &Home{
		Dir: dir, Profiles: profile.New(dir, at), Policy: policy.New(dir, at), Journal: journal.New(dir, at), Daemon: ipc.Client{Path: socket},
		clock: at, person: person, place: place,
	}
	h.log = h.Journal.Logger(nil, slog.LevelInfo)
	_ = h.Journal.Sweep() // a log that cannot be kept stops nothing
	return h, nil
}

// Keys opens the person's key store.
func (h *Home) Keys(ctx context.Context) (*keystore.Keys, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.keys != nil {
		return h.keys, nil
	}
	keys, err := keystore.Open(ctx, keystore.Deps{
		Dir: h.Dir, Clock: h.clock, Passphrase: h.person.Passphrase, MaySeed: h.maySeed,
		Permitted: func() error { return h.Policy.Use(policy.KeyStore, policy.BuiltIn, h.person.Permission) },
	}, h.place)
	if err == nil {
		h.keys = keys
	}
	return keys, err
}

// KeepIn chooses where keys are kept from now on; Keys tells of a place that has
// some already.
func (h *Home) KeepIn(p keystore.Place) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.place = p
}

func (h *Home) maySeed(id string) (bool, error) {
	p, err := h.Profiles.Find(id)
	return err == nil && p.Options.KeepSeed, err
}

// Import takes a bundle into the profiles, its key into the key store and its
// policy among those to read.
func (h *Home) Import(ctx context.Context, b bundle.Bundle, passphrase string, c profile.Confirm) (profile.Profile, error) {
	var keys profile.Keys
	if b.Key != nil {
		k, err := h.Keys(ctx)
		if err != nil {
			return profile.Profile{}, err
		}
		keys = k
	}
	p, err := h.Profiles.Import(b, passphrase, c, keys)
	if err != nil {
		return p, err
	}
	h.Tell(Imported, p.ID, "")
	if b.Profile.Policy == nil {
		return p, nil
	}
	return p, h.Policy.Offer(policy.ScopeOf(b.Profile), *b.Profile.Policy)
}

// Scope names the policies that govern a profile: the client's own, and the
// operator's where it brought one.
func (h *Home) Scope(p profile.Profile) []string {
	scopes := []string{policy.BuiltIn}
	if p.Policy != nil {
		scopes = append(scopes, policy.ScopeOf(p.Profile))
	}
	return scopes
}

// Consoles lists where the accounts of profiles are managed and cancelled: the
// consoles of their operators. The client itself cancels none (clause TY-6.3).
func Consoles(profiles []profile.Profile) (all []string) {
	for _, p := range profiles {
		if c := p.Links.Console; c != "" && !slices.Contains(all, c) && !mutant.Off("TY-6.3") {
			all = append(all, c)
		}
	}
	return all
}

// permit is all that has to be accepted for a profile.
type permit []interface{ Allows() error }

// Allows asks each anew.
func (p permit) Allows() error {
	if len(p) == 0 {
		return policy.ErrNotAccepted
	}
	for _, one := range p {
		if err := one.Allows(); err != nil {
			return err
		}
	}
	return nil
}

// Permit returns the permit of a profile, and the digest of the text that it
// rests on; the first text that is not accepted is why there is none. The
// permission to use the network is asked for with it.
func (h *Home) Permit(p profile.Profile) (permit, string, error) {
	var out permit
	digest := ""
	for _, scope := range h.Scope(p) {
		one, err := h.Policy.Accepted(scope)
		if err != nil {
			pending := &PendingError{Scope: scope, Err: err}
			if scope != policy.BuiltIn {
				pending.Profile = p.Word()
			}
			return nil, "", pending
		}
		text, _, err := h.Policy.InForce(scope)
		if err != nil {
			return nil, "", err
		}
		out, digest = append(out, one), text.SHA256
	}
	if err := h.Policy.Use(policy.Network, policy.BuiltIn, h.person.Permission); err != nil && !mutant.Off("TY-2.6") {
		return nil, "", err
	}
	return out, digest, nil
}

// PendingError says that a text has to be accepted first.
type PendingError struct {
	Scope   string
	Profile string // whose operator's text it is; "": the client's own
	Err     error
}

func (e *PendingError) Error() string { return e.Err.Error() }

// Unwrap returns why the policy store gives no permit.
func (e *PendingError) Unwrap() error { return e.Err }

// Decide records what the person said to the text that is in force in a scope.
// A version, where one is given, has to be that text's: it may have changed while
// the person read.
func (h *Home) Decide(act policy.Decision, scope, version, locale string) (policy.Receipt, error) {
	text, _, err := h.Policy.InForce(scope)
	if err != nil {
		return policy.Receipt{}, err
	}
	if version != "" && version != text.Version {
		return policy.Receipt{}, policy.ErrUnknown.With("version", version)
	}
	r, err := h.Policy.Record(act, text, locale)
	if err == nil && act == policy.Accept {
		h.Tell(Accepted, "", "")
	}
	return r, err
}

// Withdraw withdraws the consent of a scope and takes down what rests on it: all
// connections for the client's own text, those of the operator's server else.
func (h *Home) Withdraw(ctx context.Context, scope, locale string) (policy.Receipt, error) {
	text, _, err := h.Policy.InForce(scope)
	if err != nil {
		return policy.Receipt{}, err
	}
	receipt, err := h.Policy.Record(policy.Withdraw, text, locale)
	if err != nil {
		return receipt, err
	}
	h.Tell(Withdrawn, "", "")
	return receipt, h.downWhere(ctx, func(p profile.Profile) bool { return slices.Contains(h.Scope(p), scope) })
}

// Down ends the connection of a profile, or all of the person's when it is empty.
func (h *Home) Down(ctx context.Context, profile string) error {
	err := h.Daemon.Down(ctx, profile)
	if err == nil {
		h.Tell(Disconnected, profile, "")
	}
	return err
}

// downWhere takes connections down. A daemon that does not run has none.
func (h *Home) downWhere(ctx context.Context, which func(profile.Profile) bool) error {
	all, _, err := h.Profiles.All()
	if err != nil {
		return err
	}
	for _, p := range all {
		if !which(p) {
			continue
		}
		err := h.Down(ctx, p.ID)
		if err != nil && !errors.Is(err, ipc.ErrUnknown) && !errors.Is(err, ipc.ErrNoDaemon) {
			return err
		}
	}
	return nil
}

// Remove deletes a profile, its keys and its connection.
func (h *Home) Remove(ctx context.Context, p profile.Profile) error {
	if err := h.downWhere(ctx, func(q profile.Profile) bool { return q.ID == p.ID }); err != nil {
		return err
	}
	keys, err := h.Keys(ctx)
	if err != nil && keystore.Chosen(h.Dir) { // it may hold this one's secrets
		return err
	}
	err = h.Profiles.Delete(p.ID, orNone(keys))
	if err == nil {
		h.Tell(Removed, p.ID, "")
	}
	return err
}

func orNone(keys *keystore.Keys) profile.Keys {
	if keys == nil {
		return noKeys{}
	}
	return keys
}

// noKeys is the key store of a profile that never had a key.
type noKeys struct{}

func (noKeys) SetPrivateKey(string, []byte) error { return keystore.ErrUnavailable }
func (noKeys) Forget(string) error                { return nil }

// Erase takes every connection down and deletes everything that is stored.
func (h *Home) Erase(ctx context.Context) error {
	if err := h.downWhere(ctx, func(profile.Profile) bool { return true }); err != nil {
		return err
	}
	if _, err := h.Keys(ctx); err != nil && !errors.Is(err, keystore.ErrUnavailable) {
		return err
	}
	return h.Dir.Erase(ctx)
}

// Held lists everything that is stored. Keys are asked for only where a place for
// them was chosen: looking makes nothing.
func (h *Home) Held(ctx context.Context) ([]local.Item, error) {
	var locked error
	if keystore.Chosen(h.Dir) {
		_, locked = h.Keys(ctx)
	}
	all, err := h.Dir.Held(ctx)
	return all, errors.Join(err, locked)
}

// Permitted asks for a permission that was not answered yet, at its use.
func (h *Home) Permitted(id string) error {
	return h.Policy.Use(id, policy.BuiltIn, h.person.Permission)
}
