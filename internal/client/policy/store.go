package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/skybridge-cloud/skybridge/internal/client/local"
	"github.com/skybridge-cloud/skybridge/internal/platform/bundle"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

const (
	actsFile    = "acceptance.jsonl"
	textPattern = "policies/*.json"
	answersFile = "permissions.json"
)

// Store keeps the texts that operators brought, the acts, and the answers to
// permissions. It is safe for several processes.
type Store struct {
	dir   *local.Dir
	clock clock.Clock
}

// New returns the store of a directory and registers its files there.
func New(dir *local.Dir, c clock.Clock) *Store {
	dir.Own(actsFile, "acceptance")
	dir.Own(textPattern, "policy")
	dir.Own(answersFile, "permission")
	return &Store{dir, c}
}

// offered is the form of the file of a text.
type offered struct {
	Version int           `json:"version"`
	Scope   string        `json:"scope"`
	Policy  bundle.Policy `json:"policy"`
}

func textFile(scope, version string) string {
	return "policies/" + digest(scope)[:16] + "-" + version + ".json"
}

// Offer keeps a text that an operator brought, for the person to read and
// accept. Another text under a version that is known is ErrUnknown: one of the
// two is not the operator's.
func (s *Store) Offer(scope string, p bundle.Policy) error {
	if scope == BuiltIn {
		return ErrUnknown.With("version", p.Version)
	}
	if err := p.Check(); err != nil {
		return err
	}
	unlock, err := s.dir.Lock(local.Acts)
	if err != nil {
		return err
	}
	defer unlock()
	known, err := s.readText(textFile(scope, p.Version))
	if err == nil && known.SHA256 != p.SHA256 {
		return ErrUnknown.With("version", p.Version)
	}
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return s.keepLocked(scope, p)
}

func (s *Store) keepLocked(scope string, p bundle.Policy) error {
	text, err := json.MarshalIndent(offered{1, scope, p}, "", "  ")
	if err != nil {
		return fmt.Errorf("keeping policy %s: %w", p.Version, err)
	}
	return s.dir.Replace(textFile(scope, p.Version), text)
}

func (s *Store) readText(name string) (Text, error) {
	raw, err := s.dir.Read(name, bundle.MaxSize)
	if err != nil {
		return Text{}, err
	}
	var f offered
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	err = dec.Decode(&f)
	if err == nil {
		err = f.Policy.Check()
	}
	if err == nil && (f.Version != 1 || textFile(f.Scope, f.Policy.Version) != name) {
		err = errors.New("it is not the file of its name")
	}
	if err != nil {
		return Text{}, errs.Wrap(errs.Forbidden, "policy.broken", err).With("file", name)
	}
	return Text{f.Scope, f.Policy}, nil
}

// Texts lists the texts of a scope, the oldest version first. The client's own
// scope has one.
func (s *Store) Texts(scope string) ([]Text, error) {
	if scope == BuiltIn {
		return []Text{OwnText()}, nil
	}
	names, err := s.dir.List(textFile(scope, "*"))
	if err != nil {
		return nil, err
	}
	var all []Text
	for _, name := range names {
		t, err := s.readText(name)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b Text) int { return number(a.Version).Compare(number(b.Version)) })
	return all, nil
}

// number is of a version that was checked.
func number(version string) bundle.Number {
	n, _ := bundle.ParseNumber(version)
	return n
}

// InForce returns the text of a scope that governs now, and the one that will
// when its day comes, nil where there is none. A scope without a text that
// governs is ErrUnknown.
func (s *Store) InForce(scope string) (now Text, next *Text, err error) {
	all, err := s.Texts(scope)
	if err != nil {
		return Text{}, nil, err
	}
	at, found := s.clock.Now(), false
	for i, t := range all {
		if !t.Effective.After(at) {
			now, next, found = t, nil, true
		} else if next == nil {
			next = &all[i]
		}
	}
	if !found {
		return Text{}, next, ErrUnknown.With("version", "–")
	}
	return now, next, nil
}
