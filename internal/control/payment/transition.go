package payment

import (
	"slices"
	"time"
)

// State is the state of an attempt.
type State string

// States.
const (
	Created       State = "created"
	Pending       State = "pending"
	Unknown       State = "unknown"
	Succeeded     State = "succeeded"
	SucceededLate State = "succeeded_late"
	Failed        State = "failed"
	Closed        State = "closed"
)

// Event is what happens to an attempt.
type Event string

// Events.
const (
	CreateOK       Event = "create_ok"
	Declined       Event = "declined"
	CreateUnknown  Event = "create_unknown"
	QueryPending   Event = "query_pending"
	QueryNotFound  Event = "query_not_found"
	FactPaidEvent  Event = "fact_paid"
	ProviderClosed Event = "provider_closed"
	ExpiredEvent   Event = "expired"
)

// Transition is one row of the state machine.
type Transition struct {
	From  State
	Event Event
	To    State
}

// Transitions is the state machine of an attempt. What it does not list is
// refused; a fact about a succeeded attempt is settled by ApplyFact.
var Transitions = []Transition{
	{Created, CreateOK, Pending},
	{Created, Declined, Failed},
	{Created, CreateUnknown, Unknown},
	{Pending, Declined, Failed},
	{Unknown, QueryPending, Pending},
	{Unknown, QueryNotFound, Failed},
	{Created, FactPaidEvent, Succeeded},
	{Pending, FactPaidEvent, Succeeded},
	{Unknown, FactPaidEvent, Succeeded},
	{Created, ProviderClosed, Closed},
	{Pending, ProviderClosed, Closed},
	{Unknown, ProviderClosed, Closed},
	{Created, ExpiredEvent, Closed},
	{Pending, ExpiredEvent, Closed},
	{Unknown, ExpiredEvent, Closed},
	{Closed, FactPaidEvent, SucceededLate},
	{Failed, FactPaidEvent, SucceededLate},
}

// Open reports whether money is still expected.
func (s State) Open() bool { return s == Created || s == Pending || s == Unknown }

// Paid reports whether money has come.
func (s State) Paid() bool { return s == Succeeded || s == SucceededLate }

// Apply returns the attempt after an event; ErrTransition if the table has no
// such row.
func (a Attempt) Apply(e Event) (Attempt, error) {
	i := slices.IndexFunc(Transitions, func(t Transition) bool { return t.From == a.State && t.Event == e })
	if i < 0 {
		return a, ErrTransition.With("state", string(a.State)).With("event", string(e))
	}
	a.State = Transitions[i].To
	return a, nil
}

// schedule of queries after an attempt began; then every half hour.
var schedule = []time.Duration{10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute}

const (
	lateEvery = 30 * time.Minute
	lateFor   = 24 * time.Hour // after the end, while the close is not confirmed
)

// nextQuery returns when to ask again after now; zero = not any more. The end
// of the attempt is always a time to ask.
func (a Attempt) nextQuery(now time.Time) time.Time {
	end := a.ExpireAt
	if a.State.Paid() || (a.State != Closed && !a.State.Open()) || a.CloseConfirmed {
		return time.Time{}
	}
	if a.State == Closed {
		end = end.Add(lateFor)
	}
	next := now.Add(lateEvery)
	for _, d := range schedule {
		if t := a.CreatedAt.Add(d); t.After(now) {
			next = t
			break
		}
	}
	if !next.After(end) {
		return next
	}
	if now.Before(end) {
		return end
	}
	return time.Time{}
}
