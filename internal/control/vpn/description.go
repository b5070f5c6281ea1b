package vpn

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxDescription is how many characters a description has at most.
const MaxDescription = 128

// checkDescription holds what an owner says of a thing to section 2.1: 128
// characters of one line, not beginning like a link.
func checkDescription(text string) error {
	start := strings.ToLower(text[:min(len(text), len("https:"))])
	switch {
	case !utf8.ValidString(text), utf8.RuneCountInString(text) > MaxDescription, strings.ContainsFunc(text, unicode.IsControl),
		strings.HasPrefix(start, "http:"), strings.HasPrefix(start, "https:"):
		return ErrDescription
	}
	return nil
}

// given is a new value, or the old one where none is given.
func given(next *string, old string) string {
	if next == nil {
		return old
	}
	return *next
}
