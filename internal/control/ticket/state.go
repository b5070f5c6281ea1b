package ticket

import (
	"slices"
	"time"
)

// State is where a ticket stands.
type State string

// States.
const (
	Open            State = "open"
	InProgress      State = "in_progress"
	Awaiting        State = "awaiting_customer"
	CustomerReplied State = "customer_replied"
	OnHold          State = "on_hold"
	Resolved        State = "resolved"
	Closed          State = "closed"
)

// Move is what moves a ticket.
type Move string

// Moves.
const (
	MoveClaim         Move = "claim"
	MoveStaffReply    Move = "staff_reply"
	MoveCustomerReply Move = "customer_reply"
	MoveHold          Move = "hold"
	MoveResume        Move = "resume"
	MoveResolve       Move = "resolve"
	MoveClose         Move = "close"
)

// transitions is the state machine; what is not in it is refused. A customer may
// close a ticket in every state: what nobody needs any more waits for nobody.
var transitions = map[State]map[Move]State{
	Open: {
		MoveClaim: InProgress, MoveStaffReply: Awaiting, MoveCustomerReply: Open, MoveResolve: Resolved, MoveClose: Closed,
	},
	InProgress: {
		MoveClaim: InProgress, MoveStaffReply: Awaiting, MoveCustomerReply: InProgress, MoveHold: OnHold, MoveResolve: Resolved, MoveClose: Closed,
	},
	CustomerReplied: {
		MoveClaim: InProgress, MoveStaffReply: Awaiting, MoveCustomerReply: CustomerReplied, MoveHold: OnHold, MoveResolve: Resolved, MoveClose: Closed,
	},
	Awaiting: {MoveStaffReply: Awaiting, MoveCustomerReply: CustomerReplied, MoveResolve: Resolved, MoveClose: Closed},
	OnHold:   {MoveResume: InProgress, MoveStaffReply: Awaiting, MoveCustomerReply: CustomerReplied, MoveResolve: Resolved, MoveClose: Closed},
	Resolved: {MoveCustomerReply: CustomerReplied, MoveClose: Closed},
	Closed:   {MoveCustomerReply: CustomerReplied},
}

// On returns the state after a move, or ErrState.
func (s State) On(m Move) (State, error) {
	to, ok := transitions[s][m]
	if !ok {
		return s, ErrState.With("state", string(s)).With("event", string(m))
	}
	return to, nil
}

// owed reports whether staff owe a word.
func (s State) owed() bool { return slices.Contains([]State{Open, InProgress, CustomerReplied}, s) }

// Times of silence.
const (
	remindAfter  = 3 * 24 * time.Hour
	resolveAfter = 7 * 24 * time.Hour
	closeAfter   = 3 * 24 * time.Hour
	reopenWithin = 14 * 24 * time.Hour
)

// on moves a ticket and its clock. ErrState; a closed ticket that is too old to
// go on answers ErrState as well.
func (t Ticket) on(m Move, now time.Time) (Ticket, error) {
	if t.State == Closed && now.Sub(t.ClosedAt) > reopenWithin {
		return t, ErrState.With("state", string(t.State)).With("event", string(m))
	}
	was := t.State
	to, err := was.On(m)
	if err != nil {
		return t, err
	}
	t.State, t.ChangedAt, t.reminded = to, now, time.Time{}
	switch {
	case to == OnHold:
		t.left, t.Due = t.Due.Sub(now), time.Time{}
	case !to.owed():
		t.left, t.Due = 0, time.Time{}
	case was == OnHold:
		t.Due, t.left = now.Add(t.left), 0
	case !was.owed():
		t.Due = now.Add(within[t.Priority])
	}
	t.ClosedAt = time.Time{}
	if to == Closed {
		t.ClosedAt = now
	}
	return t, nil
}
