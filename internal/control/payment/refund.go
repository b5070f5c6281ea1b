package payment

import (
	"slices"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// Errors of refunds.
var (
	ErrNoRefund     = errs.New(errs.NotFound, "payment.refund_not_found")
	ErrNotOffered   = errs.New(errs.Conflict, "payment.refund_not_offered")    // the order's state, or nothing is left
	ErrRefundOpen   = errs.New(errs.Conflict, "payment.refund_open")           // one is under way
	ErrChanged      = errs.New(errs.Conflict, "payment.refund_changed")        // renewed or upgraded since: staff decide
	ErrYear         = errs.New(errs.Limited, "payment.refund_year")            // as many as a year allows
	ErrTarget       = errs.New(errs.Unprocessable, "payment.refund_target")    // the money cannot go there
	ErrRefundStaff  = errs.New(errs.Forbidden, "payment.refund_staff_only")    // another permission is needed
	ErrSecondPerson = errs.New(errs.Forbidden, "payment.second_person_needed") // who asked or approved already does not do it again
	ErrReason       = errs.New(errs.Invalid, "payment.reason_needed")
)

// Refund is money on its way back to who paid it.
//
//	request     policy      execute            ok
//	──▶ requested ──▶ approved ───▶ processing ──▶ succeeded
//	       │   ▲        ▲  │ wallet    │ ▲  │ timeout    ▲
//	       ▼   │approve │  └───────────┼─┼──┼────────────┤
//	     review ────────┘              │ │  ▼            │ ok
//	       │ reject, cancel        fail│ │ unknown ──────┤   left only by asking
//	       ▼                           ▼ │retry_same     │
//	 rejected, cancelled ◀─abandon── failed ─to_wallet───┘
//
// Its number is committed before the provider hears of it, and is the only one
// that the provider ever hears. What it does to a service comes in this order:
// suspended, paid back, ended. One that failed leaves the service suspended, and
// can be given up, which lets it run again.
type Refund struct {
	No      string // R + yyMMddHHmmss + random, 32 characters
	Order   string // empty: of money in suspense
	Attempt string
	Receipt string // the money that it comes out of: a receipt, or the journal of a wallet that paid all
	Account account.ID
	Subject id.Handle
	Gateway string
	Rule    Rule
	Target  Target
	Amount  money.Money
	Wallet  money.Money // what of it was paid from the wallet, and goes back there
	Gift    money.Money // what of it was paid by gifts, likewise
	Phase   Phase
	Problem string // code of why it failed
	By      string // handle of who asked
	Second  string // handle of the first of two who approved
	Journal string // that took the money from where it was
	Tries   int
	Version int64

	RequestedAt time.Time
	SentAt      time.Time // last to the provider; zero: not, or to be sent again
	LastQueryAt time.Time
	LastQuery   string // class of the last answer: a RefundState or an error code
	NextQueryAt time.Time
	HeldAt      time.Time // services are suspended
	SettledAt   time.Time // the money is back, or the refund came to nothing
	EndedAt     time.Time // services are ended, or run again
}

// Rule is how the amount of a refund was found.
type Rule string

// Rules.
const (
	RuleFull        Rule = "full"        // within seven days of the purchase
	RuleProrata     Rule = "prorata"     // the share of the time that is left
	RuleUndelivered Rule = "undelivered" // what was paid and could not be made
	RuleSuspense    Rule = "suspense"    // money that belonged to no order
)

// Target is where a refund goes.
type Target string

// Targets.
const (
	ToOriginal   Target = "original" // the way it came
	TargetWallet Target = "wallet"
)

// Phase is the state of a refund here. RefundState is what the provider says.
type Phase string

// Phases.
const (
	PhaseRequested  Phase = "requested"
	PhaseReview     Phase = "review"
	PhaseApproved   Phase = "approved"
	PhaseProcessing Phase = "processing"
	PhaseUnknown    Phase = "unknown"
	PhaseSucceeded  Phase = "succeeded"
	PhaseFailed     Phase = "failed"
	PhaseRejected   Phase = "rejected"
	PhaseCancelled  Phase = "cancelled"
)

// RefundEvent is what happens to a refund.
type RefundEvent string

// Events of a refund.
const (
	PolicyAuto      RefundEvent = "policy_auto"
	PolicyManual    RefundEvent = "policy_manual"
	RefundApprove   RefundEvent = "approve"
	RefundReject    RefundEvent = "reject"
	RefundCancel    RefundEvent = "user_cancel"
	ExecuteWallet   RefundEvent = "execute_wallet"
	ExecuteOriginal RefundEvent = "execute_original"
	RefundOK        RefundEvent = "ok"
	RefundFail      RefundEvent = "fail"
	RefundTimeout   RefundEvent = "timeout"
	RefundUnderWay  RefundEvent = "under_way"
	RetrySame       RefundEvent = "retry_same"
	ToTheWallet     RefundEvent = "to_wallet"
	Abandon         RefundEvent = "abandon"
)

// events that leave the phase and are only steps of its history.
const (
	stepRequest RefundEvent = "request"
	stepSecond  RefundEvent = "second"
	stepHeld    RefundEvent = "service_suspended"
	stepSent    RefundEvent = "sent"
	stepEnded   RefundEvent = "service_ended"
	stepResumed RefundEvent = "service_resumed"
)

// RefundTransition is one row of the state machine.
type RefundTransition struct {
	From  Phase
	Event RefundEvent
	To    Phase
}

// RefundTransitions is the state machine of a refund. What it does not list is
// refused. A provider that says "paid back" after it had said "failed" is
// believed: the money has left.
var RefundTransitions = []RefundTransition{
	{PhaseRequested, PolicyAuto, PhaseApproved},
	{PhaseRequested, PolicyManual, PhaseReview},
	{PhaseRequested, RefundCancel, PhaseCancelled},
	{PhaseReview, RefundApprove, PhaseApproved},
	{PhaseReview, RefundReject, PhaseRejected},
	{PhaseReview, RefundCancel, PhaseCancelled},
	{PhaseApproved, ExecuteWallet, PhaseSucceeded},
	{PhaseApproved, ExecuteOriginal, PhaseProcessing},
	{PhaseProcessing, RefundOK, PhaseSucceeded},
	{PhaseProcessing, RefundFail, PhaseFailed},
	{PhaseProcessing, RefundTimeout, PhaseUnknown},
	{PhaseUnknown, RefundOK, PhaseSucceeded},
	{PhaseUnknown, RefundFail, PhaseFailed},
	{PhaseUnknown, RefundUnderWay, PhaseProcessing},
	{PhaseFailed, RetrySame, PhaseProcessing},
	{PhaseFailed, ToTheWallet, PhaseSucceeded},
	{PhaseFailed, Abandon, PhaseCancelled},
	{PhaseFailed, RefundOK, PhaseSucceeded},
}

// Over reports whether nothing more happens to the money.
func (p Phase) Over() bool {
	return p == PhaseSucceeded || p == PhaseRejected || p == PhaseCancelled
}

// takes reports whether the refund's amount is taken from what was paid: all but
// what came to nothing.
func (p Phase) takes() bool { return p != PhaseRejected && p != PhaseCancelled }

// Apply returns the refund after an event; ErrTransition if the table has no such
// row.
func (r Refund) Apply(e RefundEvent, at time.Time) (Refund, error) {
	i := slices.IndexFunc(RefundTransitions, func(t RefundTransition) bool { return t.From == r.Phase && t.Event == e })
	if i < 0 {
		return r, ErrTransition.With("state", string(r.Phase)).With("event", string(e))
	}
	r.Phase = RefundTransitions[i].To
	if r.Phase.Over() {
		r.SettledAt, r.NextQueryAt = at, time.Time{}
	}
	return r, nil
}

// RefundStep is one line of a refund's history.
type RefundStep struct {
	Event  RefundEvent
	Phase  Phase // after it
	Class  string
	Actor  string // handle; empty: the program
	Reason string
	At     time.Time
}

// RefundChanged is the payload of the topics of refunds.
type RefundChanged struct {
	Request string // number of the refund
	Order   string
	Account account.ID
	Subject id.Handle
	State   string
}

// Topics of refunds.
const (
	TopicRefundRequested = "refund.requested"
	TopicRefundApproved  = "refund.approved"
	TopicRefundRejected  = "refund.rejected"
	TopicRefundSucceeded = "refund.succeeded"
	TopicRefundFailed    = "refund.failed"
)

// refundSchedule are the pauses before a refund is asked about, then every six hours.
var refundSchedule = []time.Duration{
	10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, time.Hour, time.Hour,
}

func (r Refund) nextQuery(now time.Time) time.Time {
	if r.Tries < len(refundSchedule) {
		return now.Add(refundSchedule[r.Tries])
	}
	return now.Add(6 * time.Hour)
}
