package clause

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// Problem is one thing that stands against publishing a text.
type Problem struct {
	Clause string `json:"clause,omitempty"` // empty: of the text as a whole
	What   string `json:"what"`
	// Promise tells that the text is lawful and the program does not keep it: such a
	// text may be shown where it is published already, not published anew.
	Promise bool `json:"promise,omitempty"`
}

func (p Problem) String() string {
	if p.Clause == "" {
		return p.What
	}
	return p.Clause + " " + p.What
}

// Span is a paragraph of a text and the clauses that it stands for.
type Span struct {
	At    string // as of Quote
	IDs   []string
	Words string // as in the document, markers not filled
}

// Hash is the digest of a paragraph's words: SHA-256 over their NFC form with
// each run of white space as one space.
func Hash(words string) string {
	sum := sha256.Sum256([]byte(strings.Join(strings.Fields(norm.NFC.String(words)), " ")))
	return hex.EncodeToString(sum[:])
}

// Lint says what stands against publishing a text on a day: ids that it promises
// and nothing keeps, that are planned only, that the registry does not know, or
// whose law is not in force. promised are the ids of the text.
func Lint(all []Clause, promised []string, day time.Time) (problems []Problem) {
	for _, id := range promised {
		i := slices.IndexFunc(all, func(c Clause) bool { return c.ID == id })
		if i < 0 {
			problems = append(problems, Problem{Clause: id, What: "is in the text and not in the registry"})
			continue
		}
		problems = append(problems, all[i].against(day)...)
	}
	return problems
}

func (c Clause) against(day time.Time) (problems []Problem) {
	switch c.State() {
	case Planned:
		problems = append(problems, Problem{c.ID, fmt.Sprintf("is promised already and comes with %q only", c.Planned), true})
	case Open:
		problems = append(problems, Problem{c.ID, "is promised and nothing enforces it", true})
	}
	if len(c.Law) > 0 && !slices.ContainsFunc(c.Law, func(l Law) bool { return l.InForce(day) }) {
		problems = append(problems, Problem{Clause: c.ID, What: "rests on no article that is in force" + c.successor()})
	}
	return problems
}

// successor names what took the place of the clause's articles.
func (c Clause) successor() string {
	for _, l := range c.Law {
		if l.Successor != "" {
			return fmt.Sprintf(": %s %s took the place of %s", l.Ref, l.Successor, l.Article)
		}
	}
	return ""
}

// Drift says where the words of a text are not those that the registry has:
// paragraphs that were changed, added or taken away since the registry was
// written. spans are all paragraphs of the documents named in at ("platform.en"),
// of every profile.
func Drift(all []Clause, spans []Span, at ...string) (problems []Problem) {
	type place struct{ id, at, sha string }
	missing := map[place]int{}
	for _, c := range all {
		for _, q := range c.Quotes {
			if document, _, _ := strings.Cut(q.At, "@"); slices.Contains(at, document) {
				missing[place{c.ID, q.At, q.SHA256}]++
			}
		}
	}
	for _, s := range spans {
		for _, id := range s.IDs {
			p := place{id, s.At, Hash(s.Words)}
			if missing[p]--; missing[p] < 0 {
				problems = append(problems, Problem{Clause: id, What: "has other words in " + s.At + " than the registry"})
			}
		}
	}
	for p, n := range missing {
		if n > 0 {
			problems = append(problems, Problem{Clause: p.id, What: "has words in the registry that " + p.at + " does not"})
		}
	}
	slices.SortStableFunc(problems, func(a, b Problem) int { return strings.Compare(a.String(), b.String()) })
	return problems
}

// Quotes are the quotes of spans in the form of quotes.yaml, clauses in the order
// of the registry.
func Quotes(all []Clause, spans []Span) string {
	var out strings.Builder
	out.WriteString("# The words of the texts that stand for each clause, by their digest (clause.Hash).\n" +
		"# Made by scripts/generate.sh; whoever changes a text looks at what it promises.\n")
	for _, c := range all {
		first := true
		for _, s := range spans {
			if !slices.Contains(s.IDs, c.ID) {
				continue
			}
			if first {
				fmt.Fprintf(&out, "%s:\n", c.ID)
				first = false
			}
			fmt.Fprintf(&out, "  - {at: %s, sha256: %s}\n", s.At, Hash(s.Words))
		}
	}
	return out.String()
}
