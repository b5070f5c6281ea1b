package policy

import (
	"regexp"
	"strings"
)

// Block is a paragraph or heading of a text, for a screen.
type Block struct {
	Heading int      // 1 to 6; 0 for a paragraph
	Clauses []string // ids of the clauses that the paragraph is
	Spans   []Span
}

// Span is a run of text. Bold ones are what the policy underlines: they have to
// stand out on every screen (TY-0a).
type Span struct {
	Text string
	Bold bool
}

var clauseTag = regexp.MustCompile(`^\[((?:[A-Z]+-[0-9A-Za-z.-]+ ?)+)\] `)

// Blocks takes a canonical text apart.
func Blocks(body string) []Block {
	var all []Block
	for _, raw := range strings.Split(body, "\n\n") {
		if raw = strings.TrimSpace(raw); raw != "" {
			all = append(all, block(raw))
		}
	}
	return all
}

func block(raw string) Block {
	text := strings.TrimLeft(raw, "#")
	b := Block{Heading: min(len(raw)-len(text), 6)}
	if tag := clauseTag.FindStringSubmatch(raw); tag != nil {
		b.Clauses, text = strings.Fields(tag[1]), raw[len(tag[0]):]
	}
	for i, part := range strings.Split(strings.TrimSpace(text), "**") {
		if part != "" {
			b.Spans = append(b.Spans, Span{part, i%2 == 1})
		}
	}
	return b
}

// Plain writes a text for a terminal; bold marks what is bold, such as by an
// escape sequence, or by stars where there are none.
func Plain(body string, bold func(string) string) string {
	var out strings.Builder
	for _, b := range Blocks(body) {
		for _, s := range b.Spans {
			if s.Bold || b.Heading > 0 {
				out.WriteString(bold(s.Text))
			} else {
				out.WriteString(s.Text)
			}
		}
		out.WriteString("\n\n")
	}
	return strings.TrimRight(out.String(), "\n") + "\n"
}
