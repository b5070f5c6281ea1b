// Package webstore is the registry of what is kept in people's browsers: three
// cookies, and keys of local storage, of which there are none. It is no cookie
// jar; internal/web/cookie sets and filters cookies by it.
//
//	cookies.yaml ── Load ─▶ Registry ─▶ policies' table, page /cookies, Set-Cookie
//
// Invariants: a cookie is of one of three kinds, whose lives and contents the
// clauses LT-2.1 to LT-2.3 bound; all that outlives the browser follows an act of
// the person; without a valid registry there are no cookies at all.
package webstore

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"
)

//go:embed cookies.yaml
var embedded []byte

// Kind is what a cookie is for.
type Kind string

// Kinds of cookies: no other purpose is promised, so there is no other kind.
const (
	Session  Kind = "session"
	Remember Kind = "remember"
	Prefs    Kind = "prefs"
)

// Cookie is one entry. Texts are by locale.
type Cookie struct {
	Name    string            `yaml:"name"`
	Kind    Kind              `yaml:"kind"`
	Most    time.Duration     `yaml:"most"`
	Lasting bool              `yaml:"lasting"` // outlives the browser
	Act     string            `yaml:"act"`     // "sign-in", "tick", "choose"
	Script  bool              `yaml:"script"`  // readable by the page
	Holds   []string          `yaml:"holds"`
	Purpose map[string]string `yaml:"purpose"`
	Life    map[string]string `yaml:"life"`
}

// StorageKey is a key of the browser's local storage.
type StorageKey struct {
	Key     string            `yaml:"key"`
	Purpose map[string]string `yaml:"purpose"`
}

// Registry is all of it. The zero value allows nothing.
type Registry struct {
	Cookies []Cookie     `yaml:"cookies"`
	Storage []StorageKey `yaml:"storage"`
}

// Cookie returns the entry of a name; ok is false for one that is not
// registered.
func (r Registry) Cookie(name string) (c Cookie, ok bool) {
	for _, c := range r.Cookies {
		if c.Name == name {
			return c, true
		}
	}
	return Cookie{}, false
}

// Load reads the registry of this build.
func Load() (Registry, error) { return parse(embedded) }

// Get returns the registry of this build, once read. A broken one is empty:
// people then sign in at each visit.
var Get = sync.OnceValue(func() Registry {
	r, err := Load()
	if err != nil {
		return Registry{}
	}
	return r
})

func parse(text []byte) (Registry, error) {
	var r Registry
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&r); err != nil {
		return Registry{}, fmt.Errorf("registry of cookies: %w", err)
	}
	seen := map[Kind]bool{}
	for _, c := range r.Cookies {
		if seen[c.Kind] {
			return Registry{}, fmt.Errorf("registry of cookies: two of kind %s", c.Kind)
		}
		seen[c.Kind] = true
		if err := c.check(); err != nil {
			return Registry{}, fmt.Errorf("registry of cookies: %s: %w", c.Name, err)
		}
	}
	for _, k := range r.Storage {
		if k.Key == "" || !told(k.Purpose) {
			return Registry{}, errors.New("registry of cookies: a storage key without name or purpose")
		}
	}
	return r, nil
}

// bound is what a kind may be at most.
type bound struct {
	most    time.Duration
	lasting bool
	script  bool
	holds   []string
}

var bounds = map[Kind]bound{
	Session:  {12 * time.Hour, false, false, []string{"secret"}},
	Remember: {30 * 24 * time.Hour, true, false, []string{"secret"}},
	Prefs:    {365 * 24 * time.Hour, true, true, []string{"language", "layout", "theme"}},
}

// check holds an entry to the bounds of its kind.
func (c Cookie) check() error {
	b, known := bounds[c.Kind]
	switch {
	case c.Name == "" || !known:
		return fmt.Errorf("kind %q is none that the policy names", c.Kind)
	case c.Most <= 0 || c.Most > b.most:
		return fmt.Errorf("lives for %v, at most %v are promised", c.Most, b.most)
	case c.Lasting && !b.lasting:
		return errors.New("outlives the browser")
	case c.Act == "":
		return errors.New("names no act that it follows")
	case c.Script && !b.script:
		return errors.New("is readable by scripts")
	case len(c.Holds) == 0:
		return errors.New("does not say what it holds")
	case !told(c.Purpose) || !told(c.Life):
		return errors.New("purpose or life is not told in both languages")
	}
	for _, h := range c.Holds {
		if !slices.Contains(b.holds, h) {
			return fmt.Errorf("holds %s", h)
		}
	}
	return nil
}

func told(text map[string]string) bool { return text["zh-CN"] != "" && text["en"] != "" }
