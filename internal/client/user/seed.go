package user

import (
	"context"
	"errors"
	"slices"

	"github.com/skybridge-cloud/skybridge/internal/client"
	"github.com/skybridge-cloud/skybridge/internal/client/keystore"
	"github.com/skybridge-cloud/skybridge/internal/client/profile"
	"github.com/skybridge-cloud/skybridge/internal/platform/bundle"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// Errors of importing a seed.
var (
	ErrNotSeed  = errs.New(errs.Invalid, "keystore.not_a_seed")
	ErrSeedKind = errs.New(errs.Conflict, "keystore.other_token") // parameters want, got
)

// ImportSeed keeps the seed of a profile's token in the key store. text is wiped.
// keystore.ErrSeed where the operator does not allow it.
func (h *Home) ImportSeed(ctx context.Context, p profile.Profile, text []byte) error {
	defer clear(text)
	if !p.Options.KeepSeed { // before a key store is opened for it
		return keystore.ErrSeed
	}
	seed, err := client.ParseSeed(string(text))
	if err != nil {
		return ErrNotSeed
	}
	kind := bundle.TokenTOTP
	if seed.Soft {
		kind = bundle.TokenSoft
	}
	if want := p.Options.Token; want != bundle.TokenNone && want != kind {
		return ErrSeedKind.With("want", string(want)).With("got", string(kind))
	}
	keys, err := h.Keys(ctx)
	if err != nil {
		return err
	}
	if err := keys.SetSeed(ctx, p.ID, []byte(seed.Text)); err != nil {
		return err
	}
	h.Tell(SeedKept, p.ID, "")
	return nil
}

// Token is the token of a profile's kept seed; keystore.ErrAbsent where there is
// none, keystore.ErrSeed where there may be none: then it is deleted.
func (h *Home) Token(ctx context.Context, profile string) (*client.Token, error) {
	if !keystore.Chosen(h.Dir) { // nothing is kept, and looking makes nothing
		return nil, keystore.ErrAbsent
	}
	keys, err := h.Keys(ctx)
	if err != nil {
		return nil, err
	}
	text, err := keys.Seed(ctx, profile)
	if err != nil {
		return nil, err
	}
	defer clear(text)
	seed, err := client.ParseSeed(string(text))
	if err != nil {
		return nil, ErrNotSeed
	}
	return seed.Token()
}

// ForgetSeed deletes a profile's seed; keystore.ErrAbsent where there is none.
func (h *Home) ForgetSeed(ctx context.Context, profile string) error {
	has, err := h.HasSeed(ctx, profile)
	if err == nil && !has {
		err = keystore.ErrAbsent
	}
	if err != nil {
		return err
	}
	keys, err := h.Keys(ctx)
	if err != nil {
		return err
	}
	if err := keys.ForgetSeed(ctx, profile); err != nil {
		return err
	}
	h.Tell(SeedGone, profile, "")
	return nil
}

// HasSeed tells whether a profile's seed is kept.
func (h *Home) HasSeed(ctx context.Context, profile string) (bool, error) {
	if !keystore.Chosen(h.Dir) {
		return false, nil
	}
	keys, err := h.Keys(ctx)
	if err != nil {
		return false, err
	}
	kinds, err := keys.Has(ctx, profile)
	return slices.Contains(kinds, keystore.TokenSeed), err
}

// heardSeed follows what the server said at a login: a seed that may not be kept
// any more is deleted at once. What fails here fails again, and closed, where the
// seed would be used.
func (h *Home) heardSeed(ctx context.Context, profile string, keep bool) {
	if _, err := h.Profiles.HeardSeed(profile, keep); err != nil || keep {
		return
	}
	if err := h.ForgetSeed(ctx, profile); err != nil && !errors.Is(err, keystore.ErrAbsent) {
		h.Tell(SeedStays, profile, CodeOf(err))
	}
}
