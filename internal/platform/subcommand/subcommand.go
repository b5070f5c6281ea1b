// Package subcommand makes a mistyped subcommand an error. A cobra command that
// only holds others answers any word with its help and exit status 0, which a
// script takes for success.
package subcommand

import (
	"slices"

	"github.com/spf13/cobra"
)

// Unknown returns the error of a word that names no subcommand of c; near are
// those that it may have meant, which can be none.
type Unknown func(c *cobra.Command, word string, near []string) error

// Require has each command under root, and root itself, that holds others refuse
// a word that is none of them. Without a word, one that does nothing itself
// prints its help as before. Group tells them apart from what runs.
func Require(root *cobra.Command, unknown Unknown) {
	for _, c := range root.Commands() {
		Require(c, unknown)
	}
	if !root.HasSubCommands() {
		return
	}
	root.Args = func(c *cobra.Command, words []string) error {
		if len(words) == 0 {
			return nil
		}
		return unknown(c, words[0], near(c, words[0]))
	}
	if !root.Runnable() {
		root.Annotations = map[string]string{group: "yes"}
		root.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	}
}

const group = "group"

// Group reports whether a command only holds others.
func Group(c *cobra.Command) bool { return c.Annotations[group] != "" || !c.Runnable() }

// distance is how many letters a mistyped word may be away.
const distance = 2

func near(c *cobra.Command, word string) []string {
	if c.SuggestionsMinimumDistance == 0 {
		c.SuggestionsMinimumDistance = distance
	}
	all := c.SuggestionsFor(word)
	slices.Sort(all)
	return all
}
