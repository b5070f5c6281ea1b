// Package realname verifies that the owner of an account is who they say:
// name and resident identity number against a source (Cybersecurity Law 26).
//
// It is not a profile: nobody edits a verified name, and no picture of a
// document is ever asked for. Other modules ask Require and take the Verified
// value that only this package makes.
//
//	none, rejected, revoked ── submit ──▶ verifying ── match ─────▶ verified ── revoke ──▶ revoked
//	  ▲                                     │  │  │                  │    ▲
//	  ├──── mismatch, provider_limit ───────┘  │  │        change_   │    │ withdrawn
//	  │                                        │  │        request   ▼    │
//	  ├── no_query ── unknown ◀── timeout ─────┘  │            change_requested
//	  │                                           │                  │ submit
//	  │                   no_record, source_error ▼                  │
//	  └─(a new submission)            manual_review ◀────────────────┘
//	                                     ├── approve ──▶ verified
//	                                     └── reject ───▶ rejected
//
// The order of a submission is fixed: form, age, limits, consent act, register
// of disclosures, call, result. What fails before the consent act leaves
// nothing behind.
//
// Invariants: name and number are sealed, found only by a blind index; an
// attempt is counted before the source is asked and stays counted; a call whose
// outcome is unknown is never repeated by itself; one number verifies at most
// three accounts; of whom the profile refuses for the age nothing is ever stored.
//
// A verified name or number is corrected by an identity-verification officer, for
// a case in which the person asked for it, and only once the source was asked
// again: the store takes values with a grant and no other way (grant.go).
//
// Tables: realname_verification, realname_grant, realname_attempt.
package realname

import (
	"embed"
	"io/fs"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/age"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations returns the module's schema.
func Migrations() db.Migrations {
	sub, err := fs.Sub(files, "migrations")
	if err != nil {
		panic(err)
	}
	return db.Migrations{Module: "realname", Files: sub}
}

// Errors.
var (
	ErrRequired     = errs.New(errs.Forbidden, "realname.required").ByClause("LT-1.1b") // the account is not verified
	ErrNotFound     = errs.New(errs.NotFound, "realname.not_found")
	ErrState        = errs.New(errs.Conflict, "realname.state") // not possible in the present state
	ErrName         = errs.New(errs.Unprocessable, "realname.name_invalid")
	ErrNumber       = errs.New(errs.Unprocessable, "realname.number_invalid")
	ErrDailyLimit   = errs.New(errs.Limited, "realname.daily_limit")
	ErrTotalLimit   = errs.New(errs.Limited, "realname.total_limit")
	ErrNumberLimit  = errs.New(errs.Limited, "realname.number_limit")
	ErrSourceLimit  = errs.New(errs.Limited, "realname.address_limit")
	ErrNumberInUse  = errs.New(errs.Conflict, "realname.number_in_use")                       // already verifies three accounts
	ErrOwnReview    = errs.New(errs.Forbidden, "realname.own_review")                         // staff decide about others only
	ErrGrant        = errs.New(errs.Forbidden, "realname.grant_needed").ByClause("LT-4.2")    // a verified name is not written
	ErrOfficer      = errs.New(errs.Forbidden, "realname.officer_needed").ByClause("LT-4.2")  // nobody else corrects it
	ErrCase         = errs.New(errs.Unprocessable, "realname.case_needed").ByClause("LT-4.2") // no open case of that person asks for it
	ErrReasonNeeded = errs.New(errs.Unprocessable, "realname.reason_needed")
)

// Verified proves that an account passed. Only this package makes one that is
// not zero.
type Verified struct {
	account account.ID
	id      string
	at      time.Time
}

// Account returns whose verification it is; empty for the zero value.
func (v Verified) Account() account.ID { return v.account }

// ID returns the verification's id, rnv_...
func (v Verified) ID() string { return v.id }

// At returns when it was decided.
func (v Verified) At() time.Time { return v.at }

// Submission is what a person hands in. It is never logged.
type Submission struct {
	Name         string
	Number       string
	ConsentToken string // of the prompt for the purpose realname
	Locale       string
	SourceIP     string // for the limit per address; kept as a blind index for two days
}

// Verification is one submission and what became of it, without the values.
type Verification struct {
	ID          string
	Account     account.ID
	Subject     id.Handle
	State       State
	Reason      string   // code of why it is in this state, empty for none
	Band        age.Band // of a minor, else empty
	SubmittedAt time.Time
	DecidedAt   time.Time

	name, number []byte // sealed; nil once erased
	index        string
	calledAt     time.Time
}

// View is a Verification as its person sees it.
type View struct {
	Verification
	MaskedName   string // first character and **; empty once erased
	MaskedNumber string // first, 16 stars, last
}

// TopicVerified is published when an account becomes verified.
const TopicVerified = "realname.verified"

// TopicDecided is published with every decision, verified or not.
const TopicDecided = "realname.decided"

// VerifiedEvent is the payload of TopicVerified.
type VerifiedEvent struct{ Account, Subject string }

// DecidedEvent is the payload of TopicDecided.
type DecidedEvent struct{ Account, Subject, Verification, State, Reason string }

// MaskName shows the first character only.
func MaskName(name string) string {
	for _, first := range name {
		return string(first) + "**"
	}
	return ""
}

// MaskNumber shows the first and the last character only.
func MaskNumber(number string) string {
	if len(number) != 18 {
		return ""
	}
	return number[:1] + "****************" + number[17:]
}
