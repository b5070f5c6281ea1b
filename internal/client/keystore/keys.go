package keystore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/skybridge-cloud/skybridge/internal/client/local"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// Deps is what Keys asks others.
type Deps struct {
	Dir   *local.Dir
	Clock clock.Clock
	// Passphrase asks the person for the passphrase of the sealed file; anew
	// asks for a new one, twice. The result is cleared after use.
	Passphrase func(anew bool) ([]byte, error)
	// MaySeed tells whether a profile's operator lets its seed be kept.
	MaySeed func(profile string) (bool, error)
	// Permitted asks for the permission to use the key store where it was not
	// answered yet. Nil refuses nothing: for tests of this package.
	Permitted func() error
}

// Keys is the key store of a person: the place that was chosen, and the rules.
type Keys struct {
	Deps
	store Store
	place Place
}

const choiceFile = "keystore.json"

type choice struct {
	Version int   `json:"version"`
	Place   Place `json:"place"`
}

// Open opens the place that was chosen before, else want, else the system's key
// store, and registers what it keeps with the directory. Another place than the
// one that holds secrets is ErrChosen; a machine without a key store, and nothing
// chosen, is ErrUnavailable, whose sentence tells the two other places.
func Open(ctx context.Context, d Deps, want Place) (*Keys, error) {
	d.Dir.Own(choiceFile, "key_index")
	d.Dir.Own(sealedFile, "sealed_keys")
	d.Dir.Own(plainFile, "plain_keys")
	d.Dir.Own(indexFile, "key_index")
	chosen, err := d.chosen()
	if err != nil {
		return nil, err
	}
	place := want
	if place == "" {
		place = chosen
	}
	if place == "" {
		place = systemPlace
	}
	k := &Keys{Deps: d, place: place}
	if k.store, err = d.open(ctx, place); err != nil {
		return nil, err
	}
	if chosen != "" && chosen != place {
		if err := d.empty(ctx, chosen); err != nil {
			return nil, err
		}
	}
	if chosen != place {
		if err := d.choose(place); err != nil {
			return nil, err
		}
	}
	d.Dir.Hold(k)
	return k, nil
}

// Chosen tells whether a place was chosen in a directory; without one no secret is
// kept.
func Chosen(dir *local.Dir) bool {
	p, err := Deps{Dir: dir}.chosen()
	return err != nil || p != ""
}

func (d Deps) chosen() (Place, error) {
	text, err := d.Dir.Read(choiceFile, 1<<10)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	var c choice
	if err := json.Unmarshal(text, &c); err != nil || c.Version != 1 {
		return "", ErrBroken.With("file", choiceFile)
	}
	return c.Place, nil
}

func (d Deps) choose(p Place) error {
	text, err := json.Marshal(choice{1, p})
	if err != nil {
		return fmt.Errorf("noting the place of keys: %w", err)
	}
	return d.Dir.Replace(choiceFile, text)
}

func (d Deps) open(ctx context.Context, p Place) (Store, error) {
	switch p {
	case SealedFile:
		return &fileStore{dir: d.Dir, clock: d.Clock, name: sealedFile, phrase: d.Passphrase}, nil
	case PlainFile:
		return &fileStore{dir: d.Dir, clock: d.Clock, name: plainFile}, nil
	case systemPlace:
		return openSystem(ctx, d)
	default:
		return nil, ErrUnavailable
	}
}

// empty holds a former place to having no secret left: two places would be one
// too many to erase.
func (d Deps) empty(ctx context.Context, p Place) error {
	s, err := d.open(ctx, p)
	if err != nil {
		return err
	}
	all, err := s.List(ctx)
	if err == nil && len(all) > 0 {
		err = ErrChosen.With("place", string(p))
	}
	return err
}

// Place tells where secrets are.
func (k *Keys) Place() Place { return k.place }

// SetPrivateKey keeps a private key in PKCS #8 for a profile.
func (k *Keys) SetPrivateKey(profile string, pkcs8 []byte) error {
	return k.set(context.Background(), profile, PrivateKey, pkcs8)
}

// PrivateKey returns a profile's private key.
func (k *Keys) PrivateKey(ctx context.Context, profile string) ([]byte, error) {
	return k.store.Get(ctx, profile, PrivateKey)
}

// SetSeed keeps the seed of a profile's token, where its operator allows it.
func (k *Keys) SetSeed(ctx context.Context, profile string, seed []byte) error {
	if err := k.maySeed(profile); err != nil {
		return err
	}
	return k.set(ctx, profile, TokenSeed, seed)
}

// Seed returns the seed of a profile's token. One that its operator does not
// allow any more is deleted.
func (k *Keys) Seed(ctx context.Context, profile string) ([]byte, error) {
	if err := k.maySeed(profile); err != nil {
		if errors.Is(err, ErrSeed) {
			err = errors.Join(err, k.store.Delete(ctx, profile, TokenSeed))
		}
		return nil, err
	}
	return k.store.Get(ctx, profile, TokenSeed)
}

// ForgetSeed deletes the seed of a profile's token; none is no error.
func (k *Keys) ForgetSeed(ctx context.Context, profile string) error {
	return k.store.Delete(ctx, profile, TokenSeed)
}

func (k *Keys) maySeed(profile string) error {
	may, err := k.MaySeed(profile)
	if err == nil && !may {
		err = ErrSeed
	}
	return err
}

func (k *Keys) set(ctx context.Context, profile string, kind Kind, secret []byte) error {
	if k.Permitted != nil {
		if err := k.Permitted(); err != nil {
			return err
		}
	}
	return k.store.Set(ctx, profile, kind, secret)
}

// Forget deletes all secrets of a profile.
func (k *Keys) Forget(profile string) error {
	for _, kind := range Kinds() {
		if err := k.store.Delete(context.Background(), profile, kind); err != nil {
			return err
		}
	}
	return nil
}

// Has tells which secrets of a profile are kept.
func (k *Keys) Has(ctx context.Context, profile string) ([]Kind, error) {
	all, err := k.store.List(ctx)
	var kinds []Kind
	for _, e := range all {
		if e.Profile == profile {
			kinds = append(kinds, e.Kind)
		}
	}
	return kinds, err
}

// Held lists the secrets for the account of everything that is stored.
func (k *Keys) Held(ctx context.Context) ([]local.Item, error) {
	all, err := k.store.List(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking the key store: %w", err)
	}
	var items []local.Item
	for _, e := range all {
		purpose := map[Kind]string{PrivateKey: "private_key", TokenSeed: "token_seed"}[e.Kind]
		if purpose == "" {
			purpose = local.Unregistered
		}
		items = append(items, local.Item{Where: string(k.place), Name: e.Profile + " " + string(e.Kind), Purpose: purpose, Size: -1, At: e.At})
	}
	return items, nil
}

// Erase deletes every secret and asks the place again.
func (k *Keys) Erase(ctx context.Context) error {
	all, err := k.store.List(ctx)
	if err != nil {
		return err
	}
	for _, e := range all {
		if err := k.store.Delete(ctx, e.Profile, e.Kind); err != nil {
			return err
		}
	}
	left, err := k.store.List(ctx)
	if err == nil && len(left) > 0 {
		err = errs.New(errs.Internal, "keystore.left")
	}
	return err
}
