package erasure

import (
	"slices"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// Trigger is why data end.
type Trigger string

// Triggers.
const (
	Asked       Trigger = "asked"        // by the person, in the console or on the page of a VPN user
	Granted     Trigger = "granted"      // a request at the rights desk
	PurposeOver Trigger = "purpose_over" // the administrator deleted the login account
	Minor       Trigger = "minor"        // collected of somebody too young
	Canary      Trigger = "canary"       // somebody who does not exist, whose erasure is watched
)

// Step is what a case does next. Steps follow each other in the order of Steps.
type Step string

// Steps.
const (
	Freeze  Step = "freeze"
	Settle  Step = "settle"
	Search  Step = "search"
	Tell    Step = "tell"
	Bury    Step = "bury"
	Rows    Step = "rows"
	Keys    Step = "keys"
	Files   Step = "files"
	Scan    Step = "scan"
	Certify Step = "certify"
	Done    Step = "done"
)

var steps = []Step{Freeze, Settle, Search, Tell, Bury, Rows, Keys, Files, Scan, Certify, Done}

// Steps lists the steps in their order.
func Steps() []Step { return slices.Clone(steps) }

// next is the step after one; that of Done is Done.
func (s Step) next() Step { return steps[min(slices.Index(steps, s)+1, len(steps)-1)] }

// after reports whether a step comes later than another.
func (s Step) after(o Step) bool { return slices.Index(steps, s) > slices.Index(steps, o) }

// Problems of a case, as codes.
const (
	problemUnsettled  = "unsettled"   // something is not ended yet
	problemLetter     = "letter"      // the last letter is not out yet
	problemScanFailed = "scan_failed" // something was found: staff look at it
	problemHeld       = "held"        // a lawful hold keeps what would go
	problemError      = "error"       // a store could not be reached: tried again
)

// Case is the erasure of one person.
type Case struct {
	ID          string // ers_...
	Subject     id.Handle
	Account     account.ID // of its owner; empty for the user of an SSL client
	Client      string     // of its user; empty for the owner of an account
	Trigger     Trigger
	Request     string // at the rights desk; empty without one
	Step        Step
	Problem     string // a code; empty: none
	AskedAt     time.Time
	DueAt       time.Time // first instant that is too late
	EffectiveAt time.Time // when the last key was destroyed; zero before
	CompleteAt  time.Time // when the last backup of a key is gone; zero before
	Version     int64

	settledBy   id.Handle // who of the staff settled by hand; empty: nobody
	settlement  string    // by which paper
	searched    []byte    // sealed values; empty before and after
	report      string    // of the scan, JSON; empty before
	certificate string    // JSON; empty before
}

func (c Case) person() holding.Person {
	return holding.Person{Handle: c.Subject, Account: string(c.Account), Client: c.Client}
}

// Certified reports whether the case has its certificate.
func (c Case) Certified() bool { return c.certificate != "" }

// Outcome is what a case does with a table.
type Outcome struct {
	Table   string
	Deleted int64
	Class   string // retention class that keeps the rows; empty: deleted
	Law     string
	Until   string
}

// Recipient is who was sent something about a person, and has been told of the
// erasure.
type Recipient struct {
	ID             string
	LegalName      string
	ToldAt         time.Time
	AcknowledgedAt time.Time // zero: not yet
}

// Errors.
var (
	ErrNotFound = errs.New(errs.NotFound, "erasure.not_found")
	ErrStaff    = errs.New(errs.Conflict, "erasure.staff")         // whoever works here leaves first
	ErrConfirm  = errs.New(errs.Unprocessable, "erasure.confirm")  // the user name, typed
	ErrNotYet   = errs.New(errs.NotFound, "erasure.not_certified") // no certificate yet
	ErrSettled  = errs.New(errs.Conflict, "erasure.nothing_to_settle")
	ErrPaper    = errs.New(errs.Unprocessable, "erasure.settlement") // without a reference
	// ErrRestricted says that what is left of a person is kept for the law alone.
	ErrRestricted = errs.New(errs.Restricted, "erasure.restricted")
	ErrRecipient  = errs.New(errs.NotFound, "erasure.recipient_not_found")
)
