package incident

// State is where an incident stands.
type State string

// States.
const (
	Counting  State = "counting"  // whom it reaches is being listed
	Assessed  State = "assessed"  // the people are counted; they are not told yet
	Notifying State = "notifying" // a notice goes out
	Notified  State = "notified"  // everybody has it
	Waived    State = "waived"    // two members of staff signed that people are not told
	Closed    State = "closed"
)

// Event moves an incident.
type Event string

// Events.
const (
	EventCounted Event = "counted"
	EventResume  Event = "resume" // counted again, and a notice was going out
	EventSend    Event = "send"
	EventReached Event = "reached" // the notice has gone to everybody
	EventWaive   Event = "waive"
	EventWiden   Event = "widen"
	EventClose   Event = "close"
)

// transitions is the state machine; what is not in it is refused.
var transitions = map[State]map[Event]State{
	Counting:  {EventCounted: Assessed, EventResume: Notifying, EventWiden: Counting},
	Assessed:  {EventSend: Notifying, EventWaive: Waived, EventWiden: Counting},
	Notifying: {EventReached: Notified, EventWiden: Counting},
	Notified:  {EventSend: Notifying, EventWiden: Counting, EventClose: Closed},
	Waived:    {EventSend: Notifying, EventWiden: Counting, EventClose: Closed},
}

// On returns the state after an event, or ErrState.
func (s State) On(e Event) (State, error) {
	to, ok := transitions[s][e]
	if !ok {
		return s, ErrState.With("state", string(s)).With("event", string(e))
	}
	return to, nil
}
