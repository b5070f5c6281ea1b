// Package mutant turns a gate off, in builds that are made to see whether a test
// notices.
//
// In a build with the tag "mutate" Off tells that a clause of the registry
// (internal/control/clause) was chosen:
//
//	SKYBRIDGE_MUTANT=LT-0c
//
// In every other build it is false and reads nothing. Releases are built without
// the tag. test/mutants runs all of them.
package mutant
