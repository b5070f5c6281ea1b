// Package service is the life cycle of what was bought: provisioning after
// payment, suspension, release. A service is one order line's thing in being;
// what provides it (our own VPN, an upstream) is behind the port Provider.
//
// It is not for prices and purchases (order, payment) and not for what a VPN
// gateway contains (vpn).
//
//	pending ─order_paid─▶ provisioning ─provider_ok─▶ active ⇄ suspended
//	   │                     │    ▲                      │         │
//	   ▼                     ▼    │ retry                ▼         ▼
//	cancelled ◀─refund─ provision_failed             terminating ─▶ terminated
//
// The table Transitions is the whole of it. Invariants: one service per order
// line; every call of a provider carries a key made from the business fact
// (svc:<id>:create:1), and an unknown outcome is asked for by that key before
// anything is repeated; nothing is provisioned in a mainland region without a
// realname.Verified; the first period starts at delivery; a line pays one period,
// and periods of a service never overlap; an upgrade that was paid is kept under
// its order line until the provider says that it is in force, and changes nothing
// of the period.
package service

import (
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// Errors.
var (
	ErrNotFound   = errs.New(errs.NotFound, "service.not_found")
	ErrTransition = errs.New(errs.Conflict, "service.transition")
	ErrNoProvider = errs.New(errs.Unprocessable, "service.no_provider")
)

// State is the state of a service.
type State string

// States.
const (
	Pending         State = "pending"
	Cancelled       State = "cancelled"
	Provisioning    State = "provisioning"
	ProvisionFailed State = "provision_failed"
	Active          State = "active"
	Suspended       State = "suspended"
	Terminating     State = "terminating"
	Terminated      State = "terminated"
)

// Item is one thing that was bought.
type Item struct {
	ID            string // svc_...
	Account       account.ID
	Subject       id.Handle
	Order         string
	Line          string
	Product       string
	Region        string
	Options       map[string]string // what was bought: "ssl_bandwidth": "100"
	Configuration map[string]string // what the customer chose beside: "name", "network"
	Months        int
	Resource      string // the provider's id of it: vpngw-...; empty before
	State         State
	Attempt       int // n of the key svc:<id>:create:n
	Problem       string
	Reasons       []Reason    // why it is suspended
	Paid          money.Money // by the first line; an empty currency: not known
	Anchor        time.Time   // periods are whole months from here
	AnchorMonths  int         // paid since the anchor
	PaidThrough   time.Time
	OverdueSince  time.Time
	CancelAtEnd   bool
	AutoRenew     bool
	Locked        bool      // staff keep it from being terminated
	LookedAt      time.Time // what is due until then was done
	NextDue       time.Time // when something is due next; zero: never
	OverdueStop   time.Time // suspended for being overdue since
	FinalNotice   time.Time // when the last warning was given
	DataUntil     time.Time // of a terminated one whose data are kept for a while
	Version       int64
	CreatedAt     time.Time
	DeliveredAt   time.Time
}

// Reason is why a service is suspended.
type Reason string

// Reasons for a suspension.
const (
	Overdue       Reason = "overdue"
	NoRealName    Reason = "realname"
	Abuse         Reason = "abuse"
	Admin         Reason = "admin"
	Upstream      Reason = "upstream"
	ByUser        Reason = "user"
	RefundPending Reason = "refund"
)
