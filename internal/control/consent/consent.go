// Package consent keeps the policies that people are shown, what they decided
// about them, and the gate that other modules ask before they process.
//
// It is not for permissions of staff (account), nor for what is sent to whom
// (platform/egress asks the gate here).
//
// Invariants: only an explicit act makes a consent, with a one-time token from
// Prompt that names purpose, document, version and the hash of the text that
// was shown; events are append-only and one series per person and purpose; the
// gate reads the database each time, so a withdrawal works at once; a new
// major version shuts the purposes it affects until a new act, and so does
// another handler; a published text never changes.
//
//	(nothing) ── grant ──▶ granted ── withdraw ──▶ withdrawn
//	    │                    │  ▲                      │
//	  refuse              major │ grant              grant
//	    ▼                 version                      ▼
//	 refused ── grant ─▶ granted; renewal needed ─▶ granted
//
// Tables: consent_version, consent_text, consent_event, consent_renewal,
// consent_token, consent_secret.
package consent

import (
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// Decisions of an act.
const (
	Grant    = "grant"
	Refused  = "refuse"
	Withdrew = "withdraw"
)

// Kinds of consent (PIPL 14, 23, 25, 29, 31, 39). A separate kind is one
// purpose per act.
const (
	Plain               = "plain"
	SeparateSensitive   = "separate.sensitive"
	SeparateShare       = "separate.share"
	SeparateCrossborder = "separate.crossborder"
	ByGuardian          = "guardian" // a guardian's, for a child
)

// Purposes of the closed list in purposes.yaml that code names.
const (
	PlatformPolicy  = "platform_policy"
	RealName        = "realname"
	PaymentAlipay   = "payment.alipay"
	CrossborderHome = "crossborder.platform"
	ChildRules      = "child_rules"
)

// Documents.
const (
	DocPlatform  = "platform"
	DocClient    = "client"
	DocTerms     = "terms"
	DocAgreement = "agreement"
	DocSLA       = "sla"
	DocChildren  = "children" // profile mainland only
)

// Errors that callers tell apart.
var (
	ErrGateClosed    = errs.New(errs.Forbidden, "consent.gate_closed")
	ErrRenewalNeeded = errs.New(errs.Forbidden, "consent.renewal_needed")
	ErrToken         = errs.New(errs.Conflict, "consent.token_invalid") // expired, used, foreign or for another text
	ErrAdult         = errs.New(errs.Unprocessable, "consent.adult_statement_required")
	ErrNotFound      = errs.New(errs.NotFound, "consent.not_found")
)

// Act is an explicit act of a person. Document, Version and TextSHA256 may be
// left empty: the token names them; where given they must agree with it.
type Act struct {
	Subject    id.Handle
	Session    string // the login session, or empty at registration
	Document   string
	Version    string
	Purpose    string
	Kind       string
	Decision   string // Grant or Refused
	TextSHA256 string
	Locale     string
	Channel    string // console, client, api
	Token      string
	Adult      bool      // the statement of adulthood inside the accept act
	Guardian   id.Handle // who acts for a child, in the guardian's session; empty: the person
}

// Prompt is what a person is shown before the act, and the token of the act.
type Prompt struct {
	Purpose    string
	Kind       string
	Document   string
	Version    string
	Title      string
	Notice     string // HTML: what for, which data, to whom, what happens on refusal
	NoticeText string // the same as text
	TextSHA256 string
	Locale     string
	Token      string
	ExpiresAt  time.Time
	Adult      bool // the act must state adulthood
}

// Version is one published version of a document.
type Version struct {
	Document    string
	Number      string // major.minor.patch
	Major       int
	Title       map[string]string // by locale
	SHA256      string            // over the hashes of all locales' texts
	TextSHA256  map[string]string // by locale
	Change      string            // major or minor
	Affects     []string          // purposes shut by a major change; empty = all of the document
	Imports     []string
	PublishedAt time.Time
	EffectiveAt time.Time
	PublishedBy string // handle of a staff member, or "system"

	rank int64 // orders the numbers of a document
}

// InForceAt reports whether the version has taken effect.
func (v Version) InForceAt(now time.Time) bool { return !now.Before(v.EffectiveAt) }

// Text is a version in one locale.
type Text struct {
	Version Version
	Locale  string
	Title   string
	HTML    string // safe: made here from clauses
	Plain   string
	Clauses []string // ids in order
}

// Record is one event, as its person may see it.
type Record struct {
	ID         string
	Subject    id.Handle
	Purpose    string
	Kind       string
	Decision   string
	Document   string
	Version    string
	TextSHA256 string
	Locale     string
	Channel    string
	Adult      bool
	At         time.Time
	Receipt    string // SHA-256 over the other fields, in the order above
}

// Due is a purpose that waits for an act of a person: the version in force is
// newer than the accepted one.
type Due struct {
	Purpose  string
	Document string
	Version  string
	Accepted string // the version accepted last; empty if none
}
