// Package payment brings money in: attempts, provider notices, receipts.
//
// There is one door for money, ApplyFact. What a provider says, by a notice, by
// an answer to a query or by a bill, is a Fact, and only that function changes
// anything because of one. A browser that comes back from a
// provider proves nothing: it only causes a query.
//
//	           create_ok          fact_paid
//	created ─────────────▶ pending ──────────▶ succeeded
//	   │ create_unknown      │  ▲ query_pending
//	   ├─────────▶ unknown ──┼──┘
//	   │ declined            │ closed, expired        fact_paid
//	   └─────────▶ failed ◀──┴────▶ closed ──────────────────▶ succeeded_late
//
// Invariants: an attempt is committed before the provider hears of it; a trade
// of a provider is one receipt; a receipt lies in exactly one of order, wallet
// and suspense, with one journal over its real amount; a notice that is late,
// repeated, for another amount, another merchant or nobody never changes what
// is owed to a customer to his loss. Of a notice are kept a digest and five
// result fields, nothing else.
//
// The wallet is two accounts of the books: what was paid in, and what was given,
// which is spent first and never paid out. An order is paid from it in one
// transaction, or its part waits in a hold while a gateway brings the rest:
//
//	wallet ── hold: ──▶ held ── the rest arrives ──▶ spent
//	   ▲                 │
//	   └──── unhold: ────┘ the attempt ends unpaid, or the order is not payable
//
// It is not for prices (order) nor for wire formats (internal/provider).
package payment

import (
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// Errors.
var (
	ErrNotFound   = errs.New(errs.NotFound, "payment.not_found")
	ErrMethod     = errs.New(errs.Unprocessable, "payment.method_unknown")
	ErrAmount     = errs.New(errs.Unprocessable, "payment.amount_out_of_range")
	ErrNotPayable = errs.New(errs.Conflict, "payment.order_not_payable")
	ErrTransition = errs.New(errs.Conflict, "payment.wrong_state")
	ErrTooMany    = errs.New(errs.Limited, "payment.too_many_attempts")
	ErrStaffOnly  = errs.New(errs.Forbidden, "payment.staff_only")
	ErrToken      = errs.New(errs.NotFound, "payment.notify_address_unknown")
	ErrTopUp      = errs.New(errs.Unprocessable, "payment.top_up_closed")
	ErrCovered    = errs.New(errs.Unprocessable, "payment.wallet_covers_all")
	ErrGrant      = errs.New(errs.Unprocessable, "payment.grant_invalid")
	ErrNoGrant    = errs.New(errs.NotFound, "payment.grant_not_found")
	ErrOneself    = errs.New(errs.Forbidden, "payment.second_person")
	ErrTransfer   = errs.New(errs.Unprocessable, "payment.transfer_invalid")
	ErrNoTransfer = errs.New(errs.NotFound, "payment.transfer_not_found")
	ErrBooked     = errs.New(errs.Conflict, "payment.transfer_booked")
	ErrSetup      = errs.New(errs.Internal, "payment.gateway_misconfigured")
)

// Errors of a Gateway. A gateway wraps one of them.
var (
	ErrDeclined       = errs.New(errs.Unprocessable, "payment.declined")          // final
	ErrTemporary      = errs.New(errs.Unavailable, "payment.provider_temporary")  // not executed, may be repeated
	ErrUnknownOutcome = errs.New(errs.Unavailable, "payment.provider_unknown")    // sent, no usable answer: ask
	ErrBadSignature   = errs.New(errs.Forbidden, "payment.bad_signature")         // not from the provider
	ErrProbe          = errs.New(errs.Forbidden, "payment.probe")                 // wrong on purpose: the provider tests that it is refused
	ErrUnknownKey     = errs.New(errs.Forbidden, "payment.unknown_key")           // signed with a key that is not known here
	ErrMalformed      = errs.New(errs.Invalid, "payment.malformed_notice")        // unusable content
	ErrTradeNotFound  = errs.New(errs.NotFound, "payment.provider_does_not_know") // the provider has no such trade
	ErrUnsupported    = errs.New(errs.Unprocessable, "payment.unsupported")
)

// MaxAttempts is how many attempts an order may have.
const MaxAttempts = 20

// Attempt is one try to pay an order at a gateway.
type Attempt struct {
	No             string // merchant number: S + yyMMddHHmmss + random, 32 characters
	Purpose        Purpose
	Order          string
	Account        account.ID
	Subject        id.Handle
	Gateway        string // id of the gateway account
	Method         string // "alipay"
	Amount         money.Money
	State          State
	CloseConfirmed bool // the provider will take no money for it any more
	TradeNo        string
	CreatedAt      time.Time
	ExpireAt       time.Time
	PaidAt         time.Time
	LastNotifyAt   time.Time
	LastQueryAt    time.Time
	LastQuery      string // class of the last answer: a FactState or an error code
	NextQueryAt    time.Time
	Hold           Hold
	Version        int64
}

// Hold is the wallet's part of a mixed payment, beside the attempt's amount.
// The zero value: there is none.
type Hold struct {
	State  HoldState
	Wallet money.Money // paid in
	Gift   money.Money // given
}

// HoldState is where the wallet's part is.
type HoldState string

// States of a hold. An order has at most one that is held.
const (
	NoHold       HoldState = ""
	HoldHeld     HoldState = "held"     // in the account hold of the order
	HoldSpent    HoldState = "spent"    // the order is paid
	HoldReturned HoldState = "returned" // back in the wallet
)

// Purpose is what an attempt pays for.
type Purpose string

// Purposes.
const (
	ForOrder Purpose = "order"
	ForTopUp Purpose = "topup"
)

// Source is who brought a fact.
type Source string

// Sources.
const (
	FromNotify         Source = "notify"
	FromQuery          Source = "query"
	FromReconciliation Source = "reconciliation"
	FromStaff          Source = "staff"
)

// Result is what a fact came to; it is also the state of its event.
type Result string

// Results.
const (
	Received Result = "received"
	Applied  Result = "applied"  // the attempt changed, or money was booked
	NoOp     Result = "noop"     // known already
	Orphan   Result = "orphan"   // no such attempt
	Mismatch Result = "mismatch" // another amount or currency: in suspense
	Foreign  Result = "foreign"  // another merchant's
)

// Disposition is where the money of a receipt went.
type Disposition string

// Dispositions.
const (
	ToOrder    Disposition = "order"
	ToWallet   Disposition = "wallet"
	ToSuspense Disposition = "suspense"
	ToRefund   Disposition = "refund" // from suspense, on its way back or there
)

// Receipt is one trade in which money really arrived.
type Receipt struct {
	ID          string // rcp_...
	Gateway     string
	TradeNo     string
	Attempt     string
	Amount      money.Money
	Disposition Disposition
	Journal     string
	PaidAt      time.Time
	ReceivedAt  time.Time
}

// Method is a way to pay that a customer may choose.
type Method struct {
	ID      string // "epay-demo.alipay"
	Gateway string
	Type    string // "alipay", "wxpay"; empty: the provider's cashier asks
	Kind    string // of the gateway: "epay"
	Min     money.Money
	Max     money.Money
}

// Topics that this module publishes.
const (
	TopicSucceeded = "payment.succeeded"
	TopicSuspense  = "payment.suspense"
	TopicToppedUp  = "wallet.topup" // payload Moved
	TopicLow       = "wallet.low"   // payload Moved
)

// Moved is the payload of the topics of the wallet.
type Moved struct {
	ID      string // of the movement, jnl_...
	Account account.ID
	Amount  string // that was paid in
	Balance string // that is there now
}

// Changed is the payload of this module's topics.
type Changed struct {
	Attempt string
	Receipt string
}
