// Package profile keeps the VPN profiles of a person: what a bundle brought, or
// was typed, and what the person changed of it.
//
//	bundle ── Plan ──▶ what is new, who signed ── Import(confirmed) ──▶ stored
//	                                                 └▶ private key ──▶ key store
//
// A profile is one file, profiles/ID.json. It holds no secret: the private key
// goes to the key store, and a password goes nowhere.
//
// Invariants: a server whose bundles were signed by one key takes no bundle by
// another, or by none, unless the person confirms exactly that key; a file that
// cannot be read is reported beside those that can; two processes take turns.
package profile

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client/local"
	"github.com/skybridge-cloud/skybridge/internal/platform/bundle"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// Errors of the store.
var (
	ErrNotFound = errs.New(errs.NotFound, "profile.not_found")   // parameter name
	ErrBroken   = errs.New(errs.Invalid, "profile.broken")       // parameter file
	ErrSigner   = errs.New(errs.Forbidden, "profile.signer")     // parameters known, new
	ErrName     = errs.New(errs.Conflict, "profile.name_taken")  // parameter name
	ErrMany     = errs.New(errs.Unprocessable, "profile.many")   // parameter limit
	ErrNoKey    = errs.New(errs.Unprocessable, "profile.no_key") // a key without a certificate
	ErrOperator = errs.New(errs.Forbidden, "profile.operator")   // only who signed says it
)

// Most is how many profiles there may be.
const Most = 100

const pattern = "profiles/*.json"

var goodID = regexp.MustCompile(`^prf_[a-z2-7]{26}$`)

// newID is random: platform/id brings along what a client has no use for.
func newID() string { return "prf_" + strings.ToLower(rand.Text()) }

// Profile is a stored profile.
type Profile struct {
	ID string
	bundle.Profile
	Signer   string // id of the key that signed the bundle; empty: nobody did
	Own      bool   // the options are the person's own; a later bundle leaves them
	Imported time.Time
	Changed  time.Time
}

// stored is the form of the file.
type stored struct {
	Version  int            `json:"version"`
	ID       string         `json:"id"`
	Profile  bundle.Profile `json:"profile"`
	Signer   string         `json:"signer,omitempty"`
	Own      bool           `json:"own_options,omitempty"`
	Imported time.Time      `json:"imported"`
	Changed  time.Time      `json:"changed"`
}

// Store keeps profiles in a directory. It is safe for several processes.
type Store struct {
	dir   *local.Dir
	clock clock.Clock
}

// New returns the store of a directory and registers its files there.
func New(dir *local.Dir, c clock.Clock) *Store {
	dir.Own(pattern, "profile")
	return &Store{dir, c}
}

func file(profile string) string { return "profiles/" + profile + ".json" }

// All lists the profiles by name. What cannot be read comes as errors beside
// them, each naming its file: the other profiles still work.
func (s *Store) All() (all []Profile, broken []error, err error) {
	names, err := s.dir.List(pattern)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range names {
		p, err := s.read(name)
		switch {
		case errors.Is(err, fs.ErrNotExist): // deleted meanwhile
		case err != nil:
			broken = append(broken, err)
		default:
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b Profile) int { return strings.Compare(a.Name, b.Name) })
	return all, broken, nil
}

func (s *Store) read(name string) (Profile, error) {
	text, err := s.dir.Read(name, bundle.MaxSize)
	if err != nil {
		return Profile{}, err
	}
	var f stored
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	err = dec.Decode(&f)
	if err == nil {
		err = f.Profile.Check()
	}
	if err == nil && (f.Version != 1 || f.ID != strings.TrimSuffix(path.Base(name), ".json") || !goodID.MatchString(f.ID)) {
		err = errors.New("it is not the file of its name")
	}
	if err != nil {
		return Profile{}, errs.Wrap(errs.Invalid, "profile.broken", err).With("file", path.Join(s.dir.Root(), name))
	}
	return Profile{f.ID, f.Profile, f.Signer, f.Own, f.Imported, f.Changed}, nil
}

// plainWord is what no shell reads as anything else.
var plainWord = regexp.MustCompile(`^[\p{L}\p{N}_.@][\p{L}\p{N}_.@+-]*$`)

// Word is how a profile is named in a command line: its name comes from others, and
// where a shell could read it as anything else, it is the id.
func (p Profile) Word() string {
	if plainWord.MatchString(p.Name) {
		return p.Name
	}
	return p.ID
}

// Find returns the profile that has a name or an id.
func (s *Store) Find(nameOrID string) (Profile, error) {
	all, broken, err := s.All()
	if err != nil {
		return Profile{}, err
	}
	at := slices.IndexFunc(all, func(p Profile) bool { return p.ID == nameOrID })
	if at < 0 { // a name may be another's id, which it does not take the place of
		at = slices.IndexFunc(all, func(p Profile) bool { return p.Name == nameOrID })
	}
	if at >= 0 {
		return all[at], nil
	}
	return Profile{}, errors.Join(append([]error{ErrNotFound.With("name", nameOrID)}, broken...)...)
}

// Add stores a profile that the person typed.
func (s *Store) Add(p bundle.Profile) (Profile, error) {
	if err := p.Check(); err != nil {
		return Profile{}, err
	}
	unlock, err := s.dir.Lock(local.Profiles)
	if err != nil {
		return Profile{}, err
	}
	defer unlock()
	all, _, err := s.All()
	if err != nil {
		return Profile{}, err
	}
	if len(all) >= Most {
		return Profile{}, ErrMany.With("limit", Most)
	}
	if taken(all, p.Name, "") {
		return Profile{}, ErrName.With("name", p.Name)
	}
	now := s.clock.Now()
	out := Profile{ID: newID(), Profile: p, Own: true, Imported: now, Changed: now}
	return out, s.writeLocked(out)
}

func taken(all []Profile, name, but string) bool {
	return slices.ContainsFunc(all, func(p Profile) bool { return p.Name == name && p.ID != but })
}

// Change has the person change a profile. What an administrator set about the
// second factor stays: whether a seed may be kept is not the person's to say.
func (s *Store) Change(profile string, change func(*bundle.Profile)) (Profile, error) {
	unlock, err := s.dir.Lock(local.Profiles)
	if err != nil {
		return Profile{}, err
	}
	defer unlock()
	p, err := s.Find(profile)
	if err != nil {
		return Profile{}, err
	}
	was, name := p.Options, p.Name
	change(&p.Profile)
	if p.Signer != "" {
		p.Options = own(p.Options, was)
	}
	if err := p.Check(); err != nil {
		return Profile{}, err
	}
	all, _, err := s.All()
	if err != nil {
		return Profile{}, err
	}
	if taken(all, p.Name, p.ID) {
		return Profile{}, ErrName.With("name", p.Name)
	}
	p.Own = p.Own || p.Name != name || !reflect.DeepEqual(p.Options, was)
	p.Changed = s.clock.Now()
	return p, s.writeLocked(p)
}

// HeardSeed records what a server said at a login about keeping a token's seed: it
// wins over an older bundle, and over the person.
func (s *Store) HeardSeed(profile string, keep bool) (Profile, error) {
	unlock, err := s.dir.Lock(local.Profiles)
	if err != nil {
		return Profile{}, err
	}
	defer unlock()
	p, err := s.Find(profile)
	if err != nil || p.Options.KeepSeed == keep {
		return p, err
	}
	p.Options.KeepSeed, p.Changed = keep, s.clock.Now()
	return p, s.writeLocked(p)
}

func (s *Store) writeLocked(p Profile) error {
	text, err := json.MarshalIndent(stored{1, p.ID, p.Profile, p.Signer, p.Own, p.Imported, p.Changed}, "", "  ")
	if err != nil {
		return fmt.Errorf("writing profile %s: %w", p.ID, err)
	}
	return s.dir.Replace(file(p.ID), append(text, '\n'))
}

// Delete removes a profile. Its keys go first, so that no key is without a
// profile that says whose it was.
func (s *Store) Delete(nameOrID string, keys Keys) error {
	unlock, err := s.dir.Lock(local.Profiles)
	if err != nil {
		return err
	}
	defer unlock()
	p, err := s.Find(nameOrID)
	if err != nil {
		return err
	}
	if err := keys.Forget(p.ID); err != nil {
		return err
	}
	return s.dir.Remove(file(p.ID))
}
