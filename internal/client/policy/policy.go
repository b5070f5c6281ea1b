// Package policy is the first thing that a person meets in skyconnect: the
// privacy policy, the act of accepting it, and what hangs on that act.
//
// Which text? The operator's, where its bundle brought one; else the text that
// comes with the client, made from ours by `go generate` and held to it by a test.
// Texts are known by their digest; of several versions that an operator brought
// the newest one whose day has come is in force, so that an old bundle takes
// nobody back.
//
//	       ┌────── refuse, withdraw ◀─────┐
//	       ▼                              │
//	not accepted ── accept(digest) ──▶ accepted ── newer minor ──▶ accepted, told
//	       ▲                              │
//	       └──────── newer major ─────────┘
//
// What hangs on it? Everything that opens a socket takes a Permit, which only
// Accepted returns and which looks again each time: a withdrawal in another
// process holds at once. Permissions and the table of components are here too,
// since the text has to list them.
//
// Invariants: what cannot be read is not accepted; acts are only ever added; a
// permission that the text in force does not name is not given.
package policy

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/bundle"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

//go:generate go test -run TestTheBuiltInTextIsMadeFromOurs -update .

// Errors. Each of them leaves reading the text and exercising rights open, and
// nothing else.
var (
	ErrNotAccepted  = errs.New(errs.Forbidden, "policy.not_accepted").ByClause("TY-0a")
	ErrWithdrawn    = errs.New(errs.Forbidden, "policy.withdrawn").ByClause("TY-6.4")
	ErrMajorPending = errs.New(errs.Forbidden, "policy.major_pending").ByClause("TY-8.1") // parameters accepted, version
	ErrUnknown      = errs.New(errs.Forbidden, "policy.unknown")                          // parameter version
	ErrBroken       = errs.New(errs.Forbidden, "policy.broken")                           // parameter file
)

// BuiltIn is the scope of the text that comes with the client.
const BuiltIn = "builtin"

// ScopeOf names whose text governs a profile.
func ScopeOf(p bundle.Profile) string {
	if p.Policy == nil {
		return BuiltIn
	}
	return "server:" + p.Server
}

// Text is a version of a policy with whose it is.
type Text struct {
	Scope string
	bundle.Policy
}

// In returns the text in a language, "zh-CN" or "en"; the authoritative one for
// any other.
func (t Text) In(locale string) bundle.Text {
	for _, x := range t.Texts {
		if x.Locale == locale {
			return x
		}
	}
	return t.Texts[0]
}

var (
	//go:embed builtin/zh-CN.md
	builtInChinese string
	//go:embed builtin/en.md
	builtInEnglish string
)

// OwnText is the text that comes with the client.
func OwnText() Text {
	version, texts := "", []bundle.Text{}
	for i, file := range []string{builtInChinese, builtInEnglish} {
		head, body, _ := strings.Cut(file, "\n\n")
		var title string
		version, title, _ = strings.Cut(head, " ")
		texts = append(texts, bundle.Text{Locale: bundle.Languages[i], Title: title, Body: strings.TrimSuffix(body, "\n")})
	}
	return Text{BuiltIn, bundle.Policy{
		Version: version, Change: "major", Effective: time.Unix(0, 0).UTC(),
		SHA256: bundle.Digest(version, texts), Texts: texts,
	}}
}

func digest(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}
