//go:build mutate

package mutant

import (
	"os"
	"slices"
)

var chosen = os.Getenv("SKYBRIDGE_MUTANT")

// Off tells whether the gate of one of these clauses is turned off.
func Off(clauses ...string) bool { return slices.Contains(clauses, chosen) }
