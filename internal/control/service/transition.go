package service

import (
	"slices"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
)

// Event is what may happen to a service.
type Event string

// Events that this release handles.
const (
	OrderPaid     Event = "order_paid"
	OrderCancel   Event = "order_cancel"
	ProviderOK    Event = "provider_ok"
	ProviderFinal Event = "provider_final"
	Retry         Event = "retry"
	Refund        Event = "refund"
	RenewPaid     Event = "renew_paid"
	DuePassed     Event = "due_passed"
	AddReason     Event = "add_reason"
	RemoveReason  Event = "remove_reason" // one of several
	LastReason    Event = "last_reason"   // the set becomes empty
	Terminate     Event = "terminate"     // by the user, at the end of the period, or when due
	ProviderGone  Event = "provider_gone"
)

// Transition is one row of the life cycle.
type Transition struct {
	From  State
	Event Event
	To    State
}

// Transitions is the whole life cycle; what is not here is refused.
var Transitions = []Transition{
	{Pending, OrderPaid, Provisioning},
	{Pending, OrderCancel, Cancelled},
	{Provisioning, ProviderOK, Active},
	{Provisioning, ProviderFinal, ProvisionFailed},
	{ProvisionFailed, Retry, Provisioning},
	{ProvisionFailed, Refund, Cancelled},
	{Active, RenewPaid, Active},
	{Suspended, RenewPaid, Suspended},
	{Active, DuePassed, Active},
	{Suspended, DuePassed, Suspended},
	{Active, AddReason, Suspended},
	{Suspended, AddReason, Suspended},
	{Suspended, RemoveReason, Suspended},
	{Suspended, LastReason, Active},
	{Active, Terminate, Terminating},
	{Suspended, Terminate, Terminating},
	{Terminating, ProviderGone, Terminated},
}

// next returns the state after an event; ErrTransition if the table has none.
func (s State) next(e Event) (State, error) {
	for _, t := range Transitions {
		if t.From == s && t.Event == e {
			return t.To, nil
		}
	}
	return s, ErrTransition.With("state", string(s)).With("event", string(e))
}

// deliver begins the first period: it starts at delivery, not at payment.
func (v Item) deliver(resource string, at time.Time) (Item, error) {
	to, err := v.State.next(ProviderOK)
	if err != nil {
		return v, err
	}
	v.State, v.Resource, v.Problem = to, resource, ""
	at = at.Truncate(time.Second)
	v.DeliveredAt, v.Anchor, v.AnchorMonths, v.PaidThrough = at, at, v.Months, addMonths(at, v.Months)
	v.LookedAt, v.NextDue = at, at
	return v, nil
}

// fail notes a final error of the provider by its code.
func (v Item) fail(problem string) (Item, error) {
	to, err := v.State.next(ProviderFinal)
	v.State, v.Problem = to, problem
	return v, err
}

// due notes that the paid time is over: since its end, whenever that is noticed.
func (v Item) due() (Item, error) {
	to, err := v.State.next(DuePassed)
	v.State, v.OverdueSince = to, v.PaidThrough
	return v, err
}

// suspend adds a reason; the same reason twice changes nothing.
func (v Item) suspend(r Reason) (Item, error) {
	if slices.Contains(v.Reasons, r) {
		return v, nil
	}
	to, err := v.State.next(AddReason)
	v.State, v.Reasons = to, append(slices.Clone(v.Reasons), r)
	return v, err
}

// terminate ends the service; its periods and what was due by them end with it.
func (v Item) terminate() (Item, error) {
	to, err := v.State.next(Terminate)
	if err != nil {
		return v, err
	}
	v.State, v.NextDue, v.AutoRenew = to, time.Time{}, false
	return v, nil
}

// resume takes a reason away; the service runs again when none is left.
func (v Item) resume(r Reason) (Item, error) {
	i := slices.Index(v.Reasons, r)
	if i < 0 {
		return v, nil
	}
	e := RemoveReason
	if len(v.Reasons) == 1 {
		e = LastReason
	}
	to, err := v.State.next(e)
	v.State, v.Reasons = to, slices.Delete(slices.Clone(v.Reasons), i, i+1)
	return v, err
}

// addMonths adds calendar months in the billing zone, the wall clock kept; a day
// that the month does not have is its last one. Always from the anchor: from the
// end of February a service would never find back to the 31st.
func addMonths(at time.Time, n int) time.Time {
	t := at.In(civil.Zone)
	y, m, d := t.Date()
	first := time.Date(y, m+time.Month(n), 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), civil.Zone)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(d, last)-1).UTC()
}
