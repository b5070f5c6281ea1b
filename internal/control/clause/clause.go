// Package clause is the registry of what the published texts promise: each
// clause with the law that it rests on, the symbols that enforce it and the
// tests that fail without them. It knows no database and no other module.
//
//	clauses.yaml, quotes.yaml ── Load ─▶ Clause ── State ─▶ board
//	texts ── Span ─▶ Against ─▶ Problem ─▶ publish gate
//
// Invariants: an id is used once; a clause is enforced only with a symbol and a
// test; one that is planned names the open work that brings it, and nothing
// published promises it before; the words of a text that a clause stands for
// are those whose digest the registry has.
package clause

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"
)

//go:embed clauses.yaml
var embedded []byte

//go:embed quotes.yaml
var quoted []byte

//go:embed killed.yaml
var killed []byte

// State is how far a clause is kept.
type State string

// States of a clause.
const (
	Enforced       State = "enforced"       // by symbols, shown by tests
	Organisational State = "organisational" // by people, shown by a register
	Planned        State = "planned"        // with a feature that open work brings
	Open           State = "open"           // by nothing yet
)

// Clause is one promise.
type Clause struct {
	ID         string   `yaml:"id"`
	Says       string   `yaml:"says"` // the words that it comes from
	Mechanism  []string `yaml:"mechanism"`
	Must       string   `yaml:"must"`
	MustZH     string   `yaml:"must_zh"` // the same in Chinese
	Law        []Law    `yaml:"law"`
	EnforcedBy []string `yaml:"enforced_by"` // "directory.Name" or "directory.Type.Method"
	Tests      []string `yaml:"tests"`       // "directory.TestName"
	Mutate     string   `yaml:"mutate"`      // what platform/mutant turns off; the id unless the row says otherwise
	Evidence   Evidence `yaml:"evidence"`
	Planned    string   `yaml:"planned"`
	Register   string   `yaml:"register"`

	// Quotes are the words of the texts that stand for the clause, from quotes.yaml.
	Quotes []Quote `yaml:"-"`
	// KilledBy is the test that failed with the clause's gate off, from killed.yaml;
	// empty where that was not tried since the row was written.
	KilledBy string `yaml:"-"`
}

// Evidence is a question that a running installation asks itself about a clause
// (package evidence): the name of a query and how many findings it may have.
// Expect is a number because what is asked for is what must not be there.
type Evidence struct {
	Query  string `yaml:"query"`
	Expect int64  `yaml:"expect"`
}

// Quote is a paragraph of a text by its digest (Hash).
type Quote struct {
	At     string `yaml:"at"` // document.locale, with @profile for a paragraph of one profile only
	SHA256 string `yaml:"sha256"`
}

// Law is an article that a clause rests on, while it is in force. The last day
// is zero while no end is known; Successor is the article that took its place.
type Law struct {
	Ref       string    `yaml:"ref"`
	Article   string    `yaml:"article"`
	From      time.Time `yaml:"from"`
	To        time.Time `yaml:"to"`
	Successor string    `yaml:"successor"`
}

// InForce tells whether the article is in force on a day.
func (l Law) InForce(day time.Time) bool {
	return !day.Before(l.From) && (l.To.IsZero() || day.Before(l.To.AddDate(0, 0, 1)))
}

// State is how far the clause is kept, by what the registry says.
func (c Clause) State() State {
	switch {
	case c.Planned != "":
		return Planned
	case c.Register != "":
		return Organisational
	case len(c.EnforcedBy) > 0 && len(c.Tests) > 0:
		return Enforced
	}
	return Open
}

// Load reads the registry of this build. What it returns is the caller's.
func Load() ([]Clause, error) {
	all, err := read()
	all = slices.Clone(all)
	for i := range all {
		all[i] = all[i].clone()
	}
	return all, err
}

func (c Clause) clone() Clause {
	c.Mechanism, c.Law, c.Quotes = slices.Clone(c.Mechanism), slices.Clone(c.Law), slices.Clone(c.Quotes)
	c.EnforcedBy, c.Tests = slices.Clone(c.EnforcedBy), slices.Clone(c.Tests)
	return c
}

// read reads the files once in a process: they are part of the program, and
// reading them for each document took most of the time that a control plane
// needs to assemble.
var read = sync.OnceValues(func() ([]Clause, error) {
	all, err := parse(embedded)
	if err != nil {
		return nil, err
	}
	quotes := map[string][]Quote{}
	if err := yaml.Unmarshal(quoted, &quotes); err != nil {
		return nil, fmt.Errorf("clause registry: quotes: %w", err)
	}
	killers := map[string]string{}
	if err := yaml.Unmarshal(killed, &killers); err != nil {
		return nil, fmt.Errorf("clause registry: killed mutants: %w", err)
	}
	for i := range all {
		if slices.Contains(all[i].Tests, killers[all[i].ID]) {
			all[i].KilledBy = killers[all[i].ID]
		}
		all[i].Quotes = quotes[all[i].ID]
		delete(quotes, all[i].ID)
	}
	for id := range quotes {
		return nil, fmt.Errorf("clause registry: quotes of %s, which is no clause", id)
	}
	return all, nil
})

func parse(text []byte) ([]Clause, error) {
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	var all []Clause
	if err := dec.Decode(&all); err != nil {
		return nil, fmt.Errorf("clause registry: %w", err)
	}
	var problems []error
	seen := map[string]bool{}
	for i, c := range all {
		if c.Mutate == "" {
			all[i].Mutate = c.ID
		}
		if seen[c.ID] {
			problems = append(problems, fmt.Errorf("clause registry: %s stands twice", c.ID))
		}
		seen[c.ID] = true
		if err := c.check(); err != nil {
			problems = append(problems, fmt.Errorf("clause registry: %s: %w", c.ID, err))
		}
	}
	return all, errors.Join(problems...)
}

var (
	goodID     = regexp.MustCompile(`^(TY|LT)-[0-9F][0-9a-z.]*$|^SUP-[1-9]$`)
	goodSymbol = regexp.MustCompile(`^[a-z0-9/]+(\.[A-Z]\w*){1,2}$`)
	goodQuery  = regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	goodTest   = regexp.MustCompile(`^[a-z0-9/]+\.(Test|Fuzz)[A-Z]\w*$`)
)

// check holds a row to what its state asks for.
func (c Clause) check() error {
	ways := 0
	for _, has := range []bool{c.Planned != "", c.Register != "", len(c.EnforcedBy)+len(c.Tests) > 0} {
		if has {
			ways++
		}
	}
	switch {
	case !goodID.MatchString(c.ID):
		return errors.New("this is no id")
	case strings.TrimSpace(c.Must) == "":
		return errors.New("it says nothing that must be")
	case ways > 1:
		return errors.New("it is enforced, organisational or planned, not several of them")
	case c.Evidence.Query != "" && !goodQuery.MatchString(c.Evidence.Query), c.Evidence.Query == "" && c.Evidence.Expect != 0:
		return errors.New("its evidence is no query")
	case (len(c.EnforcedBy) > 0) != (len(c.Tests) > 0):
		return errors.New("a symbol without a test, or a test without a symbol")
	}
	for _, s := range c.EnforcedBy {
		if !goodSymbol.MatchString(s) {
			return fmt.Errorf("%q is no symbol", s)
		}
	}
	for _, s := range c.Tests {
		if !goodTest.MatchString(s) {
			return fmt.Errorf("%q is no test", s)
		}
	}
	return c.checkLaw()
}

func (c Clause) checkLaw() error {
	for _, l := range c.Law {
		if l.Ref == "" || l.Article == "" || l.From.IsZero() || !l.To.IsZero() && l.To.Before(l.From) {
			return fmt.Errorf("article %s of %s has no days that make sense", l.Article, l.Ref)
		}
	}
	return nil
}
