package realname

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/control/age"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// Result is what a source says about a name and a number.
type Result string

// Results.
const (
	Match    Result = "match"
	Mismatch Result = "mismatch"
	NoRecord Result = "no_record"
)

// CheckRequest is one question to a source. Name and Number are normalised by
// this module's local checks. The values live for the call only.
type CheckRequest struct {
	Reference string // id of the verification
	Subject   id.Handle
	Name      string
	Number    string
}

// Checker asks a source whether a name belongs to a number. An error is one of
// ErrSource (the source is broken: a person decides), ErrRefused (it
// does not take the values: a new submission), ErrProviderLimit (nothing was
// asked: try tomorrow) or ErrOutcomeUnknown (it may have been asked and billed);
// kind Forbidden means that nothing was sent for lack of a basis; any other
// error counts as an unknown outcome.
type Checker interface {
	Check(ctx context.Context, r CheckRequest) (Result, error)
}

// Errors of a Checker.
var (
	ErrSource         = errs.New(errs.Unavailable, "realname.source_error")
	ErrRefused        = errs.New(errs.Unprocessable, "realname.refused")
	ErrProviderLimit  = errs.New(errs.Limited, "realname.provider_limit")
	ErrOutcomeUnknown = errs.New(errs.Unavailable, "realname.outcome_unknown")
)

// Ages judges the birth that a number tells, and whether something that the age
// asks for is missing. The module age fills it.
type Ages interface {
	// Learn returns a minor's band, empty for adults. age.ErrTooYoung: nothing may
	// be kept, and what is held is being erased.
	Learn(ctx context.Context, subject id.Handle, account string, birth civil.Day) (age.Band, error)
	Gate(ctx context.Context, subject id.Handle) error
}

// Consent records the separate act and answers whether it still stands. The
// consent module fills it.
type Consent interface {
	GrantTx(ctx context.Context, tx *db.Tx, a consent.Act) error
	Gate(ctx context.Context, subject id.Handle, purpose string) error
}
