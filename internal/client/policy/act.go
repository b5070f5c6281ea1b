package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client/local"
	"github.com/skybridge-cloud/skybridge/internal/platform/bundle"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// Decision is what a person did with a text.
type Decision string

// Decisions.
const (
	Accept   Decision = "accept"
	Refuse   Decision = "refuse"
	Withdraw Decision = "withdraw"
)

// Receipt is an act: what the person saw, did, and when. It is the person's proof;
// nothing of it is sent.
type Receipt struct {
	Act     Decision  `json:"act"`
	Scope   string    `json:"scope"`
	Version string    `json:"version"`
	SHA256  string    `json:"sha256"` // of the policy, as its operator publishes it
	Locale  string    `json:"locale"` // in which it was shown
	At      time.Time `json:"at"`
}

// maxActs bounds the file; a person who changes their mind every minute fills it
// in months.
const maxActs = 8 << 20

// Record adds an act about the text that is in force in a scope. Only a click, or
// what is as clear as one, is an act: the caller calls it for nothing else.
func (s *Store) Record(act Decision, t Text, locale string) (Receipt, error) {
	if !slices.Contains([]Decision{Accept, Refuse, Withdraw}, act) || !slices.Contains(bundle.Languages, locale) {
		return Receipt{}, ErrUnknown.With("version", t.Version)
	}
	if err := s.known(t); err != nil {
		return Receipt{}, err
	}
	r := Receipt{act, t.Scope, t.Version, t.SHA256, locale, s.clock.Now()}
	line, err := json.Marshal(r)
	if err != nil {
		return Receipt{}, fmt.Errorf("recording an act: %w", err)
	}
	unlock, err := s.dir.Lock(local.Acts)
	if err != nil {
		return Receipt{}, err
	}
	defer unlock()
	if act == Accept && t.Scope == BuiltIn { // a later program has another text, and shows what changed
		if err := s.keepLocked(t.Scope, t.Policy); err != nil {
			return Receipt{}, err
		}
	}
	// The line break goes first: a line that was cut off by a power failure ends
	// there and does not spoil this one.
	return r, s.dir.Append(actsFile, append([]byte("\n"), append(line, '\n')...))
}

// known holds a text to one that was offered, or the client's own.
func (s *Store) known(t Text) error {
	all, err := s.Texts(t.Scope)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(all, func(x Text) bool { return x.SHA256 == t.SHA256 && x.Version == t.Version }) {
		return ErrUnknown.With("version", t.Version)
	}
	return nil
}

// Receipts lists all acts, the oldest first. broken counts lines that cannot be
// read.
func (s *Store) Receipts() (all []Receipt, broken int, err error) {
	lines, err := s.lines()
	if err != nil {
		return nil, 0, err
	}
	for _, line := range lines {
		if r, ok := parseReceipt(line); ok {
			all = append(all, r)
		} else {
			broken++
		}
	}
	return all, broken, nil
}

func (s *Store) lines() ([][]byte, error) {
	raw, err := s.dir.Read(actsFile, maxActs)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(bytes.Split(raw, []byte("\n")), func(line []byte) bool { return len(line) == 0 }), nil
}

func parseReceipt(line []byte) (r Receipt, ok bool) {
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	err := dec.Decode(&r)
	_, bad := bundle.ParseNumber(r.Version)
	return r, err == nil && bad == nil && len(r.SHA256) == 64 && r.Scope != "" && !dec.More()
}

// last is the standing act of a scope. A line that cannot be read may have been a
// withdrawal of any scope: what was accepted before it no longer counts.
func (s *Store) last(scope string) (Receipt, error) {
	lines, err := s.lines()
	if err != nil {
		return Receipt{}, err
	}
	for _, line := range slices.Backward(lines) {
		r, ok := parseReceipt(line)
		switch {
		case !ok:
			return Receipt{}, ErrBroken.With("file", actsFile)
		case r.Scope == scope:
			return r, nil
		}
	}
	return Receipt{}, ErrNotAccepted
}

// permit lets its holder open sockets for a scope, as long as Allows says so.
// Only Accepted makes one.
type permit struct {
	store *Store
	scope string
}

// Accepted returns the permit of a scope whose text in force was accepted, else
// why there is none: ErrNotAccepted, ErrWithdrawn, ErrMajorPending, ErrUnknown or
// ErrBroken.
func (s *Store) Accepted(scope string) (*permit, error) {
	p := &permit{s, scope}
	if err := p.Allows(); err != nil {
		return nil, err
	}
	return p, nil
}

// Allows looks at the disk anew: another process may have withdrawn, an operator
// may have brought a new text, a day may have come. An error is one of Accepted's.
func (p *permit) Allows() error {
	if p == nil || p.store == nil {
		return ErrNotAccepted
	}
	st, err := p.store.Standing(p.scope)
	if err != nil {
		return err
	}
	return st.Refused
}

// Standing is where a person stands with a scope.
type Standing struct {
	InForce Text
	Next    *Text    // shown before its day
	Last    *Receipt // nil: no act yet
	Refused error    // nil: accepted; else why nothing may be sent
	Told    bool     // a minor version is newer than what was accepted
}

// Standing tells where a person stands; an error is of the disk, or ErrUnknown
// for a scope without a text.
func (s *Store) Standing(scope string) (Standing, error) {
	now, next, err := s.InForce(scope)
	if err != nil {
		return Standing{Next: next}, err
	}
	st := Standing{InForce: now, Next: next}
	last, err := s.last(scope)
	switch {
	case mutant.Off("TY-0a") && errors.Is(err, ErrNotAccepted):
	case errors.Is(err, ErrNotAccepted), errors.Is(err, ErrBroken):
		st.Refused = err
	case err != nil:
		return st, err
	default:
		st.Last = &last
		st.Refused, st.Told = decide(last, now)
	}
	return st, nil
}

// decide compares the standing act with the text in force.
func decide(last Receipt, now Text) (refused error, told bool) {
	switch last.Act {
	case Accept:
	case Withdraw:
		if !mutant.Off("TY-6.4") {
			return ErrWithdrawn, false
		}
	default:
		return ErrNotAccepted, false
	}
	accepted, inForce := number(last.Version), number(now.Version)
	newer := inForce.Compare(accepted)
	switch {
	case last.SHA256 == now.SHA256:
		return nil, false
	case newer == 0:
		return ErrUnknown.With("version", now.Version), false // the same number over another text
	case newer > 0 && (inForce[0] > accepted[0] || now.Change == "major") && !mutant.Off("TY-8.1"):
		return ErrMajorPending.With("accepted", last.Version).With("version", now.Version), false
	default:
		return nil, newer > 0
	}
}
