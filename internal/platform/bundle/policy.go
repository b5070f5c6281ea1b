package bundle

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// PolicyDocument is the name of the document in the operator's register of
// policies.
const PolicyDocument = "client"

// Languages of a policy, the authoritative one first.
var Languages = []string{"zh-CN", "en"}

const maxPolicyText = 64 << 10

// Policy is a published version of the operator's client policy, with its text.
type Policy struct {
	Version   string    `json:"version"` // a.b.c
	Change    string    `json:"change"`  // "major": it has to be accepted anew
	Effective time.Time `json:"effective"`
	SHA256    string    `json:"sha256"` // Digest of version and texts, hexadecimal
	Texts     []Text    `json:"texts"`  // one for each of Languages, in their order
}

// Text is a policy in one language: the canonical Markdown that its digest is over.
type Text struct {
	Locale string `json:"locale"`
	Title  string `json:"title"`
	Body   string `json:"body"`
}

// Digest is over document, version and the digest of each language's text. It
// is the one that the operator publishes.
func Digest(version string, texts []Text) string {
	lines := []string{PolicyDocument, version}
	for _, t := range texts {
		lines = append(lines, t.Locale+" "+sum(t.Body))
	}
	return sum(strings.Join(lines, "\n") + "\n")
}

func sum(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}

var policyVersion = regexp.MustCompile(`^(0|[1-9][0-9]{0,3})\.(0|[1-9][0-9]{0,3})\.(0|[1-9][0-9]{0,3})$`)

// Number is a policy's version in its three parts.
type Number [3]int

// ParseNumber reads a version of the form a.b.c.
func ParseNumber(s string) (Number, error) {
	m := policyVersion.FindStringSubmatch(s)
	if m == nil {
		return Number{}, bad("policy.version")
	}
	var n Number
	for i := range n {
		n[i], _ = strconv.Atoi(m[i+1]) // four digits
	}
	return n, nil
}

// String writes the form that ParseNumber reads.
func (n Number) String() string { return fmt.Sprintf("%d.%d.%d", n[0], n[1], n[2]) }

// Compare is negative when n is the earlier version.
func (n Number) Compare(other Number) int {
	for i := range n {
		if n[i] != other[i] {
			return n[i] - other[i]
		}
	}
	return 0
}

// Check refuses a policy whose digest is not that of its texts, and other fields
// that are not what they should be.
func (p Policy) Check() error {
	if _, err := ParseNumber(p.Version); err != nil {
		return err
	}
	if p.Change != "major" && p.Change != "minor" {
		return bad("policy.change")
	}
	if len(p.Texts) != len(Languages) {
		return bad("policy.texts")
	}
	for i, t := range p.Texts {
		if t.Locale != Languages[i] || t.Body == "" || len(t.Body) > maxPolicyText || !readable(t.Body) || t.Title == "" || len(t.Title) > maxURL || !readable(t.Title) {
			return bad("policy.texts")
		}
	}
	if p.SHA256 != Digest(p.Version, p.Texts) {
		return bad("policy.sha256")
	}
	return nil
}

// readable refuses what would steer a terminal or turn the text's direction.
func readable(s string) bool {
	for _, r := range s {
		if !unicode.IsGraphic(r) && r != '\n' && r != '\t' {
			return false
		}
	}
	return utf8.ValidString(s)
}
