package order

import (
	"slices"
	"time"
)

// State is the state of an order.
type State string

// States.
const (
	Draft              State = "draft"
	PendingPayment     State = "pending_payment"
	Paid               State = "paid"
	AwaitingReview     State = "awaiting_review"
	Fulfilling         State = "fulfilling"
	Completed          State = "completed"
	PartiallyFulfilled State = "partially_fulfilled"
	NeedsAttention     State = "needs_attention"
	Refunding          State = "refunding"
	Refunded           State = "refunded"
	Cancelled          State = "cancelled"
	Expired            State = "expired"
)

// Event is what happens to an order.
type Event string

// Events.
const (
	Submit       Event = "submit"
	Discard      Event = "discard"
	FactPaid     Event = "fact_paid"
	WalletPaid   Event = "wallet_paid"
	NothingDue   Event = "nothing_due"
	UserCancel   Event = "user_cancel"
	AdminCancel  Event = "admin_cancel"
	Timeout      Event = "timeout"
	RiskRule     Event = "risk_rule"
	Approve      Event = "approve"
	Reject       Event = "reject"
	Start        Event = "start"
	AllOK        Event = "all_ok"
	SomeFailed   Event = "some_failed"
	NoneOK       Event = "none_ok"
	Settled      Event = "failed_lines_settled"
	Retry        Event = "retry"
	Resolve      Event = "resolve"
	Refund       Event = "refund"
	RefundFull   Event = "refund_full"
	RefundOK     Event = "refund_ok"
	RefundFailed Event = "refund_failed"
)

// Transition is one row of the state machine.
type Transition struct {
	From  State
	Event Event
	To    State
}

// Transitions is the state machine. What it does not list is refused.
var Transitions = []Transition{
	{Draft, Submit, PendingPayment},
	{Draft, Discard, Cancelled},
	{PendingPayment, FactPaid, Paid},
	{PendingPayment, WalletPaid, Paid},
	{PendingPayment, NothingDue, Paid},
	{PendingPayment, UserCancel, Cancelled},
	{PendingPayment, AdminCancel, Cancelled},
	{PendingPayment, Timeout, Expired},
	{Paid, RiskRule, AwaitingReview},
	{AwaitingReview, Approve, Fulfilling},
	{AwaitingReview, Reject, Refunding},
	{Paid, Start, Fulfilling},
	{Fulfilling, AllOK, Completed},
	{Fulfilling, SomeFailed, PartiallyFulfilled},
	{Fulfilling, NoneOK, NeedsAttention},
	{PartiallyFulfilled, Settled, Completed},
	{NeedsAttention, Retry, Fulfilling},
	{NeedsAttention, Resolve, Completed},
	{NeedsAttention, Refund, Refunding},
	{Paid, RefundFull, Refunding},
	{Completed, RefundFull, Refunding},
	{PartiallyFulfilled, RefundFull, Refunding},
	{Refunding, RefundOK, Refunded},
	{Refunding, RefundFailed, NeedsAttention},
}

// Terminal reports whether only a repair command leads out of the state.
func (s State) Terminal() bool { return s == Cancelled || s == Expired || s == Refunded }

// Apply returns the order after an event; ErrTransition if the table has no
// such row.
func (o Order) Apply(e Event, at time.Time) (Order, error) {
	i := slices.IndexFunc(Transitions, func(t Transition) bool { return t.From == o.State && t.Event == e })
	if i < 0 {
		return o, ErrTransition.With("state", string(o.State)).With("event", string(e))
	}
	o.State = Transitions[i].To
	if o.State.Terminal() || o.State == Completed {
		o.EndedAt = at
	}
	return o, nil
}

// Pay returns the paid order; ErrAmount unless the receipt is for the total.
func (o Order) Pay(r Receipt) (Order, error) {
	if r.Amount != o.Total {
		return o, ErrAmount
	}
	event := FactPaid
	if r.Wallet {
		event = WalletPaid
	}
	next, err := o.Apply(event, r.At)
	if err != nil {
		return o, err
	}
	next.PaidAt, next.Receipt = r.At, r.ID
	return next, nil
}

// Payable reports whether a receipt of its total would make the order paid.
func (o Order) Payable() bool { return o.State == PendingPayment }

// Expire returns the order whose time to pay has run out. Before ExpiresAt it
// is ErrTransition.
func (o Order) Expire(at time.Time) (Order, error) {
	if at.Before(o.ExpiresAt) {
		return o, ErrTransition.With("state", string(o.State)).With("event", "early "+string(Timeout))
	}
	return o.Apply(Timeout, at)
}

// Deliver returns the order after the outcome of one line: a service id, or
// the code of a final failure. An outcome that is known already changes
// nothing. A paid order is started first.
func (o Order) Deliver(line, service, problem string, at time.Time) (Order, error) {
	i := slices.IndexFunc(o.Lines, func(l Line) bool { return l.ID == line })
	if i < 0 {
		return o, ErrNotFound
	}
	lines := slices.Clone(o.Lines)
	if problem == "" {
		lines[i].State, lines[i].Service, lines[i].Problem = LineDelivered, service, ""
	} else if lines[i].State != LineDelivered {
		lines[i].State, lines[i].Service, lines[i].Problem = LineFailed, service, problem
	}
	var err error
	if o.State == Paid {
		if o, err = o.Apply(Start, at); err != nil {
			return o, err
		}
	}
	o.Lines = lines
	return o.settleLines(at)
}

func (o Order) settleLines(at time.Time) (Order, error) {
	count := map[LineState]int{}
	for _, l := range o.Lines {
		count[l.State]++
	}
	switch {
	case count[LineWaiting] > 0:
		return o, nil
	case o.State == PartiallyFulfilled && count[LineFailed] == 0:
		return o.Apply(Settled, at)
	case o.State == NeedsAttention && count[LineDelivered] > 0: // a retry succeeded
		next, err := o.Apply(Retry, at)
		if err != nil {
			return o, err
		}
		return next.settleLines(at)
	case o.State != Fulfilling:
		return o, nil
	case count[LineFailed] == 0:
		return o.Apply(AllOK, at)
	case count[LineDelivered] == 0:
		return o.Apply(NoneOK, at)
	}
	return o.Apply(SomeFailed, at)
}
