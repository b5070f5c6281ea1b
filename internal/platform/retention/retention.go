// Package retention knows how long each class of personal data is kept: the
// floor that the law sets, and the ceiling at which it is gone, for each profile.
//
// Modules name a class for each personal column (package holding) and destroy
// what is over in a run (Keeper); this package says when, and nothing else does.
package retention

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

//go:embed classes.yaml
var classesFile []byte

// Span is a time from a day on. Months come first, then days or working days.
type Span struct {
	Months      int `yaml:"months"`
	Days        int `yaml:"days"`
	WorkingDays int `yaml:"working_days"`
	Hours       int `yaml:"hours"`
}

// last is the last day of the span.
func (s Span) last(from civil.Day) civil.Day {
	d := from.AddMonths(s.Months).AddDays(s.Days + (s.Hours+23)/24)
	for n := s.WorkingDays; n > 0; {
		d = d.AddDays(1)
		if working, _ := civil.Published().Working(d); working {
			n--
		}
	}
	return d
}

// Class is one retention class.
type Class struct {
	ID      string          `yaml:"id"`
	From    string          `yaml:"from"` // the event that the span begins with
	Law     []string        `yaml:"law"`
	Floor   Span            `yaml:"floor"`
	Ceiling map[string]Span `yaml:"ceiling"` // by profile
	Lasting bool            `yaml:"lasting"` // no personal data: never destroyed

	// Words of the published table by locale; a class without Data is not in it.
	Data         map[string]string `yaml:"data"`
	Kept         map[string]string `yaml:"kept"`
	KeptHongKong map[string]string `yaml:"kept_hongkong"`
}

// Profiles that a class sets a ceiling for.
var profiles = []string{"mainland", "hongkong"}

// Classes are all classes in the order of the file.
var Classes = sync.OnceValue(func() []Class {
	all, err := read(classesFile)
	if err != nil {
		panic(err) // the file is part of the program; a test reads it
	}
	return all
})

// read refuses a class that could be kept for ever, or not as long as the law
// wants (NDR 21; clause LT-5.3b).
func read(text []byte) ([]Class, error) {
	var all []Class
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&all); err != nil {
		return nil, fmt.Errorf("reading retention classes: %w", err)
	}
	seen := map[string]bool{}
	for _, c := range all {
		if c.ID == "" || seen[c.ID] || c.From == "" {
			return nil, fmt.Errorf("retention class %q: without id or start, or twice", c.ID)
		}
		seen[c.ID] = true
		if err := c.bounded(); err != nil {
			return nil, fmt.Errorf("retention class %s: %w", c.ID, err)
		}
	}
	return all, nil
}

func (c Class) bounded() error {
	if c.Lasting || mutant.Off("LT-5.3b") {
		return nil
	}
	day := civil.Day{Year: 2026, Month: time.August, Day: 31}
	for _, p := range profiles {
		ceiling, ok := c.Ceiling[p]
		if !ok || ceiling == (Span{}) {
			return fmt.Errorf("no ceiling for %s: it could be kept for ever", p)
		}
		if ceiling.last(day).Before(c.Floor.last(day)) {
			return fmt.Errorf("the ceiling for %s comes before the floor", p)
		}
	}
	return nil
}

// Known reports whether there is a class.
func Known(class string) bool {
	_, ok := find(class)
	return ok
}

func find(class string) (Class, bool) {
	for _, c := range Classes() {
		if c.ID == class {
			return c, true
		}
	}
	return Class{}, false
}

// of is a class that the program names; an unknown one is a mistake of the
// program, which must not go on to destroy anything.
func of(class string) Class {
	c, ok := find(class)
	if !ok {
		panic("retention: there is no class " + class)
	}
	return c
}

// MayGo is the first day on which what was recorded on a day may be destroyed:
// the one after the floor's last.
func MayGo(class string, from civil.Day) civil.Day {
	c := of(class)
	if mutant.Off("LT-5.3") && c.Floor.Months == 6 {
		return from.AddDays(180)
	}
	return c.Floor.last(from).AddDays(1)
}

// MustGo is the day at whose end what was recorded on a day is gone.
func MustGo(class, profile string, from civil.Day) civil.Day {
	return of(class).Ceiling[profile].last(from)
}

// Gone is the first day whose records of a class may still be there today; those of
// all days before it ought to be gone.
func Gone(class, profile string, today civil.Day) civil.Day {
	c, d := of(class), today
	for !c.Ceiling[profile].last(d.AddDays(-1)).Before(today) {
		d = d.AddDays(-1)
	}
	return d
}

// LastPast is the last day whose records of a class may be destroyed today;
// those of all days before it may be too.
func LastPast(class string, today civil.Day) civil.Day {
	if mutant.Off("TY-3.2a") {
		return today.AddMonths(-1200)
	}
	d := today
	for today.Before(MayGo(class, d)) {
		d = d.AddDays(-1)
	}
	return d
}

// Run is one nightly run.
type Run struct {
	Now     time.Time
	Profile string
	// Held reports whether a lawful hold keeps what a class holds of a person.
	// Empty subject: of anybody.
	Held func(class string, subject id.Handle) bool
}

// Unheld is a Held for when nothing is held.
func Unheld(string, id.Handle) bool { return false }

// Today is the civil day of the run.
func (r Run) Today() civil.Day { return civil.DayOf(r.Now) }

// Overdue reports whether records of a day ought to have been gone before today.
func (r Run) Overdue(class string, from civil.Day) bool {
	return MustGo(class, r.Profile, from).Before(r.Today())
}

// Result is what a run did with one class.
type Result struct {
	Class     string
	Examined  int64 // records whose floor is over
	Destroyed int64
	Held      int64 // kept by a lawful hold
	Overdue   int64 // of the destroyed and held: later than the ceiling
}

// Keeper is a module that keeps things for a time: it destroys the keys and
// deletes the rows of what is over.
type Keeper interface {
	Retain(ctx context.Context, r Run) ([]Result, error)
}
