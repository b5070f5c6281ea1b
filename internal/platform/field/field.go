// Package field classifies what leaves a table: keys of log lines, arguments of
// jobs, parameters that are sent to others, properties of the API. Columns are
// classified by package holding; this is the other half of clause group SCHEMA.
//
// A name has exactly one class. Either it is personal, then its class is the
// category of the data map, or it is one of the few kinds of value that tell of
// nobody:
//
//	id      names a row of ours and says nothing to whoever lacks the database
//	code    one word of a closed list of our own
//	number  a count, a size, a limit, a duration or a price
//	time    when something happened or ends
//	system  of the operator's own machines, papers and goods
//	text    a sentence of our own program, scrubbed of what looks personal
//	key     a digest, a signature, a token or a public key
//	group   holds other fields, which are classified themselves
//
// Invariants: a class outside of both lists is refused; where nothing personal
// may be (a log, a job), a category is refused too. The build refuses by
// internal/archtest, the start by the registers' own Verify.
package field

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Class is what a value tells: one of Plain, or a category of personal data.
type Class string

// Classes of what tells of nobody.
const (
	ID     Class = "id"
	Code   Class = "code"
	Number Class = "number"
	Time   Class = "time"
	System Class = "system"
	Text   Class = "text"
	Key    Class = "key"
	Group  Class = "group"
)

// Plain tells whether a class is one of those that tell of nobody.
func (c Class) Plain() bool {
	return slices.Contains([]Class{ID, Code, Number, Time, System, Text, Key, Group}, c)
}

// Register is a closed list of names with their classes.
type Register map[string]Class

// Errors.
var (
	ErrUnclassified = errors.New("it is not classified")
	ErrPersonal     = errors.New("it is personal, and nothing personal may be there")
)

// Check names every one of some names that does not stand in the register.
func (r Register) Check(names ...string) error {
	var wrong []error
	for _, name := range names {
		if r[name] == "" {
			wrong = append(wrong, fmt.Errorf("%q: %w", name, ErrUnclassified))
		}
	}
	return errors.Join(wrong...)
}

// Verify names every entry whose class is neither plain nor one of the personal
// categories that may be there.
func (r Register) Verify(categories ...string) error {
	var wrong []error
	for _, name := range slices.Sorted(maps.Keys(r)) {
		if c := r[name]; !c.Plain() && !slices.Contains(categories, string(c)) {
			wrong = append(wrong, fmt.Errorf("%q, class %q: %w", name, c, ErrPersonal))
		}
	}
	return errors.Join(wrong...)
}
