package consent

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	"golang.org/x/text/unicode/norm"

	"github.com/skybridge-cloud/skybridge/internal/control/clause"
)

//go:embed documents/*.md
var documentFiles embed.FS

// Locales of the documents; the first is authoritative.
var Locales = []string{"zh-CN", "en"}

var documentNames = []string{DocPlatform, DocClient, DocTerms, DocAgreement, DocSLA}

// documentsOf are the documents of a profile. Hong Kong's has no children, so
// that it has no rules for them.
func documentsOf(profile string) []string {
	if profile != Mainland {
		return documentNames
	}
	return append(slices.Clone(documentNames), DocChildren)
}

// head is the front matter of a document file.
type head struct {
	Document string   `yaml:"document"`
	Locale   string   `yaml:"locale"`
	Title    string   `yaml:"title"`
	Version  string   `yaml:"version"`
	Change   string   `yaml:"change"`
	Affects  []string `yaml:"affects"`
	Imports  []string `yaml:"imports"`
	Collects []string `yaml:"collects"` // categories of personal data that the text declares
	Purposes []string `yaml:"purposes"` // purposes that the text declares
}

// block is a heading or a clause.
type block struct {
	Heading int // 0 = clause
	IDs     []string
	Profile string // the only one that it is for; empty = all
	Text    string
}

// source is a parsed document file in one locale, for one profile.
type source struct {
	head
	Blocks []block
}

var (
	clauseTag = regexp.MustCompile(`^\[((?:[A-Z]+-[0-9A-Za-z.-]+ ?)+)(@[a-z]+)?\] `)
	marker    = regexp.MustCompile(`\{\{([a-z_]+)\}\}`)
)

func loadSource(document, locale, profile string) (source, error) {
	name := "documents/" + document + "." + locale + ".md"
	text, err := documentFiles.ReadFile(name)
	if err != nil {
		return source{}, fmt.Errorf("reading document: %w", err)
	}
	s, err := parseSource(text, profile)
	if err != nil {
		return source{}, fmt.Errorf("%s: %w", name, err)
	}
	if s.Document != document || s.Locale != locale {
		return source{}, fmt.Errorf("%s: names itself %s.%s", name, s.Document, s.Locale)
	}
	return s, nil
}

// loadText is loadSource without what comes with later work only.
func loadText(document, locale, profile string) (source, error) {
	s, err := loadSource(document, locale, profile)
	if err != nil {
		return s, err
	}
	all, err := clause.Load()
	if err != nil {
		return s, err
	}
	s.Blocks = withoutPlanned(s.Blocks, all)
	return s, nil
}

// withoutPlanned leaves out paragraphs of which every clause is planned, and
// headings that then stand over nothing: a text promises nothing of a feature
// before it is there.
func withoutPlanned(blocks []block, all []clause.Clause) (kept []block) {
	for _, b := range blocks {
		if b.Heading > 0 {
			kept = append(bare(kept, b.Heading), b)
			continue
		}
		if slices.ContainsFunc(b.IDs, func(id string) bool { return !planned(all, id) }) {
			kept = append(kept, b)
		}
	}
	return bare(kept, 1)
}

// bare takes headings of a level or below from the end, but for the first.
func bare(blocks []block, level int) []block {
	for n := len(blocks); n > 1 && blocks[n-1].Heading >= level; n-- {
		blocks = blocks[:n-1]
	}
	return blocks
}

func planned(all []clause.Clause, id string) bool {
	return slices.ContainsFunc(all, func(c clause.Clause) bool { return c.ID == id && c.State() == clause.Planned })
}

// anyProfile has parseSource keep the paragraphs of every profile.
const anyProfile = "*"

// parseSource reads front matter and blocks. Every block that is not a heading
// begins with its clause ids in brackets; @profile limits it to one profile.
func parseSource(text []byte, profile string) (source, error) {
	parts := strings.SplitN(norm.NFC.String(string(text)), "---\n", 3)
	if len(parts) != 3 || parts[0] != "" {
		return source{}, fmt.Errorf("no front matter")
	}
	var s source
	dec := yaml.NewDecoder(bytes.NewReader([]byte(parts[1])))
	dec.KnownFields(true)
	if err := dec.Decode(&s.head); err != nil {
		return source{}, fmt.Errorf("front matter: %w", err)
	}
	for _, raw := range strings.Split(parts[2], "\n\n") {
		raw = strings.TrimSpace(raw)
		if raw == "" {
			continue
		}
		b, keep, err := parseBlock(raw, profile)
		if err != nil {
			return source{}, err
		}
		if keep {
			s.Blocks = append(s.Blocks, b)
		}
	}
	return s, nil
}

func parseBlock(raw, profile string) (b block, keep bool, err error) {
	if level := len(raw) - len(strings.TrimLeft(raw, "#")); level > 0 {
		return block{Heading: level, Text: strings.TrimSpace(raw[level:])}, true, nil
	}
	tag := clauseTag.FindStringSubmatch(raw)
	if tag == nil {
		return block{}, false, fmt.Errorf("a paragraph without clause id: %.40q", raw)
	}
	if tag[2] != "" && tag[2] != "@"+profile && profile != anyProfile {
		return block{}, false, nil
	}
	return block{IDs: strings.Fields(tag[1]), Profile: strings.TrimPrefix(tag[2], "@"), Text: raw[len(tag[0]):]}, true, nil
}

// Clauses lists the ids of a document in order.
func (s source) clauses() []string {
	var ids []string
	for _, b := range s.Blocks {
		ids = append(ids, b.IDs...)
	}
	return ids
}

// canonical renders the text whose hash people accept: NFC, LF, one empty line
// between blocks, clause ids kept, bold kept.
func (s source) canonical(values map[string]string) (string, error) {
	var out []string
	for _, b := range s.Blocks {
		text, err := fill(b.Text, values)
		if err != nil {
			return "", fmt.Errorf("%s.%s %v: %w", s.Document, s.Locale, b.IDs, err)
		}
		switch {
		case b.Heading > 0:
			out = append(out, strings.Repeat("#", b.Heading)+" "+text)
		default:
			out = append(out, "["+strings.Join(b.IDs, " ")+"] "+text)
		}
	}
	lines := strings.Split(norm.NFC.String(strings.Join(out, "\n\n")), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " \t\r")
	}
	return strings.Join(lines, "\n") + "\n", nil
}

// fill replaces {{markers}}; one that has no value is an error, so that a text
// with a hole is never published.
func fill(text string, values map[string]string) (string, error) {
	var missing string
	filled := marker.ReplaceAllStringFunc(text, func(m string) string {
		v, ok := values[m[2:len(m)-2]]
		if !ok || v == "" {
			missing = m
		}
		return v
	})
	if missing != "" {
		return "", fmt.Errorf("no value for %s", missing)
	}
	return filled, nil
}

func hashText(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// number is major.minor.patch.
type number [3]int

func parseNumber(s string) (number, error) {
	parts := strings.Split(s, ".")
	var n number
	if len(parts) != 3 {
		return n, fmt.Errorf("version %q is not major.minor.patch", s)
	}
	for i, p := range parts {
		v, err := strconv.Atoi(p)
		if err != nil || v < 0 || v > 9999 {
			return n, fmt.Errorf("version %q is not major.minor.patch", s)
		}
		n[i] = v
	}
	return n, nil
}

func (n number) String() string { return fmt.Sprintf("%d.%d.%d", n[0], n[1], n[2]) }
