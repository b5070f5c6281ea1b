package service

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/control/realname"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// Line is a paid order line as this module needs it.
type Line struct {
	ID            string // ordl_... or as order names it; unique
	Order         string
	Account       account.ID
	Subject       id.Handle // who ordered
	Kind          string    // "new", "renew", "upgrade"
	Product       string    // "vpn-gateway"
	Region        string
	Options       map[string]string
	Configuration map[string]string
	Months        int
	Service       string // that a line of kind "upgrade" or "renew" is about; empty in others
	Amount        money.Money
	PaidAt        time.Time
	Shares        []Share // of an upgrade: what it paid for each period
}

// Share is what an upgrade has paid for a period.
type Share struct {
	Start, End time.Time // of the period
	Minor      int64
}

// OrderLines asks the module order for the lines of a paid order; it answers
// NotFound for an order that does not exist or is not paid.
type OrderLines interface {
	OrderLines(ctx context.Context, orderID string) ([]Line, error)
}

// Regions tells whether a region is subject to real-name verification (the
// catalog's rule: it lies in mainland China).
type Regions interface {
	RequiresRealName(ctx context.Context, region string) (bool, error)
}

// RealName gives the proof that an account is verified; realname.Service fills
// it. A Forbidden error says that it is not.
type RealName interface {
	Require(ctx context.Context, owner account.ID) (realname.Verified, error)
}

// Holds tells whether a law keeps what a person has from being deleted.
type Holds interface {
	Keeps(ctx context.Context, subject id.Handle) (bool, error)
}

// Books keep the money; ledger.Service fills it.
type Books interface {
	PostTx(ctx context.Context, tx *db.Tx, e ledger.Entry) (ledger.Journal, error)
	BalanceIn(ctx context.Context, q db.Q, c ledger.Code, cur money.Currency) (money.Money, error)
}

// Audit joins a leaf to the caller's transaction; audit.Service fills it.
type Audit interface {
	AppendTx(ctx context.Context, tx *db.Tx, e audit.Event) error
}

// Spec is what a provider should make.
type Spec struct {
	Account       account.ID
	Subject       id.Handle
	Product       string
	Region        string
	Options       map[string]string
	Configuration map[string]string
}

// Status is what a provider says of a thing.
type Status struct {
	Resource string
	State    ProviderState
	Problem  string // code, for operators
	Changing bool   // what is bought last is not in force yet
}

// ProviderState is the provider's word for how a thing is.
type ProviderState string

// States of a provided thing.
const (
	Creating ProviderState = "creating"
	Running  ProviderState = "running"
	Stopped  ProviderState = "stopped" // suspended, data kept
	Broken   ProviderState = "broken"  // creation failed finally
	Gone     ProviderState = "gone"
)

// Provider makes what was bought. Every changing call takes a key: a repeat
// with the same key gives the first result and does nothing more. Errors:
// errs.Unprocessable, Invalid, Forbidden and NotFound are final; everything
// else is temporary or unknown, and Get(key) tells what happened.
type Provider interface {
	Create(ctx context.Context, key string, spec Spec) (Status, error)
	Get(ctx context.Context, key string) (Status, error) // NotFound: the key was never seen
	Suspend(ctx context.Context, key, resource string, on bool) error
	Terminate(ctx context.Context, key, resource string) error
}

// Resizer is a Provider that can change what it made without interrupting it.
// options are the whole of what is bought from now on. It returns once the
// change is kept; Status.Changing tells when it is in force.
type Resizer interface {
	Resize(ctx context.Context, key, resource string, options map[string]string) error
}

// Releaser is a Provider whose things customers may release themselves.
// ReleaseTx stops one in the caller's transaction and refuses with errs.Conflict
// while it is in use, unless it may take everything in it along. Terminate
// follows.
type Releaser interface {
	ReleaseTx(ctx context.Context, tx *db.Tx, resource string, force bool) error
}
