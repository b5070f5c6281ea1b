package realname

// State of a verification.
type State string

// States. None is a submission that failed and may be followed by another.
const (
	None            State = "none"
	Verifying       State = "verifying"
	Approved        State = "verified"
	ManualReview    State = "manual_review"
	OutcomeUnknown  State = "unknown"
	Rejected        State = "rejected"
	ChangeRequested State = "change_requested"
	Revoked         State = "revoked"
)

// Event moves a verification.
type Event string

// Events.
const (
	EventSubmit        Event = "submit"
	EventMatch         Event = "match"
	EventMismatch      Event = "mismatch"
	EventNoRecord      Event = "no_record"
	EventSourceError   Event = "source_error"
	EventProviderLimit Event = "provider_limit"
	EventTimeout       Event = "timeout"
	EventNoQuery       Event = "no_query" // the source cannot be asked what became of the call
	EventInUse         Event = "in_use"   // matched, but the number verifies three accounts already
	EventDropped       Event = "dropped"  // never asked: consent withdrawn or values erased before
	EventRefused       Event = "refused"  // the source does not take the values
	EventAskManual     Event = "ask_manual"
	EventApprove       Event = "approve"
	EventReject        Event = "reject"
	EventChangeRequest Event = "change_request"
	EventWithdrawn     Event = "withdrawn"
	EventRevoke        Event = "revoke"
)

// transitions is the state machine; what is not in it is refused.
var transitions = map[State]map[Event]State{
	None:     {EventSubmit: Verifying, EventAskManual: ManualReview},
	Rejected: {EventSubmit: Verifying},
	Revoked:  {EventSubmit: Verifying},
	Verifying: {
		EventMatch: Approved, EventMismatch: None, EventNoRecord: ManualReview,
		EventSourceError: ManualReview, EventProviderLimit: None, EventTimeout: OutcomeUnknown, EventInUse: None, EventDropped: None, EventRefused: None,
	},
	OutcomeUnknown: {
		EventMatch: Approved, EventMismatch: None, EventNoRecord: ManualReview,
		EventSourceError: ManualReview, EventNoQuery: None, EventInUse: None, EventAskManual: ManualReview,
	},
	ManualReview:    {EventApprove: Approved, EventReject: Rejected},
	Approved:        {EventChangeRequest: ChangeRequested, EventRevoke: Revoked},
	ChangeRequested: {EventSubmit: ManualReview, EventWithdrawn: Approved},
}

// On returns the state after an event, or ErrState.
func (s State) On(e Event) (State, error) {
	to, ok := transitions[s][e]
	if !ok {
		return s, ErrState.With("state", string(s)).With("event", string(e))
	}
	return to, nil
}

// effective reports whether the account counts as verified.
func (s State) effective() bool { return s == Approved || s == ChangeRequested }
