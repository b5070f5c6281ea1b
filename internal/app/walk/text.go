package walk

import "strings"

// between returns what stands between two marks, or "".
func between(s, from, to string) string {
	_, rest, ok := strings.Cut(s, from)
	if !ok {
		return ""
	}
	found, _, ok := strings.Cut(rest, to)
	if !ok {
		return ""
	}
	return found
}
