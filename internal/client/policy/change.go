package policy

import (
	"slices"
	"strings"
)

// Changes are the paragraphs by which a text differs from the one that was
// accepted, in their canonical form and order.
type Changes struct {
	New  []string // are not in the accepted text, or not so
	Gone []string // are not in the text in force, or not so
}

// Changes compares the text in force with the one that was last accepted, in a
// language. There are none where nothing was accepted, or where the accepted text
// is not kept: then the whole text is what is new.
func (s *Store) Changes(st Standing, locale string) (c Changes) {
	if st.Last == nil || st.Last.Act != Accept || st.Last.SHA256 == st.InForce.SHA256 {
		return c
	}
	was, err := s.readText(textFile(st.InForce.Scope, st.Last.Version))
	if err != nil || was.SHA256 != st.Last.SHA256 {
		return c
	}
	before, now := paragraphs(was.In(locale).Body), paragraphs(st.InForce.In(locale).Body)
	return Changes{New: without(now, before), Gone: without(before, now)}
}

func paragraphs(body string) (all []string) {
	for _, p := range strings.Split(body, "\n\n") {
		if p = strings.TrimSpace(p); p != "" && !strings.HasPrefix(p, "# ") {
			all = append(all, p)
		}
	}
	return all
}

// without are the paragraphs of a that b does not have.
func without(a, b []string) (all []string) {
	for _, p := range a {
		if !slices.Contains(b, p) {
			all = append(all, p)
		}
	}
	return all
}
