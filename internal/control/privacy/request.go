package privacy

import (
	"slices"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// Kind is what a person asks for.
type Kind string

// Kinds: the closed list of section 2.9 of the specification.
const (
	Access     Kind = "access"
	Copy       Kind = "copy"
	Port       Kind = "port"
	Correct    Kind = "correct"
	Supplement Kind = "supplement"
	Delete     Kind = "delete"
	Restrict   Kind = "restrict"
	Explain    Kind = "explain" // what the policy says, and how it is applied (PIPL 48)
	Withdraw   Kind = "withdraw"
	Cancel     Kind = "cancel" // the account
	Deceased   Kind = "deceased"
	Guardian   Kind = "guardian"
	Complaint  Kind = "complaint"
	Misuse     Kind = "misuse" // somebody else uses the account
	Question   Kind = "question"
)

var kinds = []Kind{
	Access, Copy, Port, Correct, Supplement, Delete, Restrict, Explain, Withdraw, Cancel, Deceased, Guardian, Complaint, Misuse, Question,
}

// Kinds lists what may be asked for.
func Kinds() []Kind { return slices.Clone(kinds) }

// carried reports whether granting it starts work that lasts.
func (k Kind) carried() bool { return k == Copy || k == Port || k == Delete || k == Cancel }

// told reports whether it is answered by words: nothing else would be an answer.
func (k Kind) told() bool { return k == Explain || k == Question || k == Complaint }

// State of a request.
type State string

// States.
const (
	Received  State = "received"
	Asked     State = "asked" // who the person is, or on whose behalf
	Carrying  State = "carrying"
	Done      State = "done"
	Refused   State = "refused"
	Withdrawn State = "withdrawn"
)

// Event moves a request.
type Event string

// Events.
const (
	EventAsk        Event = "ask"
	EventIdentified Event = "identified"
	EventGrant      Event = "grant"
	EventCarry      Event = "carry" // granted, and the work begins
	EventCarried    Event = "carried"
	EventRefuse     Event = "refuse"
	EventWithdraw   Event = "withdraw"
)

// transitions is the state machine; what is not in it is refused.
var transitions = map[State]map[Event]State{
	Received: {EventAsk: Asked, EventGrant: Done, EventCarry: Carrying, EventRefuse: Refused, EventWithdraw: Withdrawn},
	Asked:    {EventIdentified: Received, EventRefuse: Refused, EventWithdraw: Withdrawn},
	Carrying: {EventCarried: Done},
}

// On returns the state after an event, or ErrState.
func (s State) On(e Event) (State, error) {
	to, ok := transitions[s][e]
	if !ok {
		return s, ErrState.With("state", string(s)).With("event", string(e))
	}
	return to, nil
}

// open reports whether something is still to be done.
func (s State) open() bool { return s == Received || s == Asked || s == Carrying }

// Decision is what the answer says.
type Decision string

// Decisions.
const (
	Granted Decision = "granted"
	Partial Decision = "partial"
	Denied  Decision = "refused"
)

// Identity tells whether it is known who asks.
type Identity string

// Identities. Who asks in the console has signed in.
const (
	IdentityAsked Identity = "asked"
	IdentityKnown Identity = "ok"
)

// Request is a request of a person, without its words and its letter.
type Request struct {
	ID          string // dsr_...
	Account     account.ID
	Subject     id.Handle
	Kind        Kind
	Channel     string // "console"
	Addressed   string // ToDPO; empty: the desk
	State       State
	Identity    Identity
	Special     string // why it takes longer, a code of Specials; empty for none
	Decision    Decision
	Reason      string // why it was not granted, a code of Reasons
	Law         string // a code of Laws
	Digest      string // SHA-256 of the letter in hex; empty without one
	ReceivedAt  time.Time
	AnsweredAt  time.Time // zero until the letter is there
	ClosedAt    time.Time // zero while something is to be done
	Due         time.Time // first instant that is too late; zero if no clock runs
	Provisional bool      // the calendar of that year is not published yet
	Version     int64

	words, letter []byte // sealed
	keyCase       string // whose key sealed them: keyOf
}

// begin gives a request its number, and by that a key of its own.
func begin(r Request) Request {
	r.ID, r.State, r.Identity, r.Version = id.New("dsr"), Received, IdentityKnown, 1
	r.keyCase = r.ID
	return r
}

// byMail reports whether a request has an address of its own for the answer.
func (r Request) byMail() bool {
	return r.Channel == ChannelServiceMail || r.Channel == ChannelPrivacyMail || r.Channel == ChannelDPO || r.Channel == ChannelQQ
}

func (r Request) ref(column string) vault.Ref {
	return vault.Ref{Table: "privacy_request", Column: column, Row: r.ID, Subject: r.Subject, Class: keyOf(r.keyCase)}
}

// class is the retention class of requests.
const class = "case"

// keyOf is the class of the key that seals what was written in a case, and what the
// audit log tells of it: one of the case alone, which ends with it. Rows of older
// releases name no case; they are sealed under the person's key of the class.
func keyOf(request string) string {
	if request == "" {
		return class
	}
	return class + "/" + request
}

// erasable is the class of what ends with the account: an erasure destroys its
// key, so that no backup opens it.
const erasable = "account_core"

// Errors.
var (
	ErrNotFound    = errs.New(errs.NotFound, "privacy.not_found")
	ErrState       = errs.New(errs.Conflict, "privacy.state") // not possible in the present state
	ErrKind        = errs.New(errs.Invalid, "privacy.kind_unknown")
	ErrWords       = errs.New(errs.Unprocessable, "privacy.words_needed")
	ErrWordsLong   = errs.New(errs.Unprocessable, "privacy.words_too_long").With("max", maxWords)
	ErrTooMany     = errs.New(errs.Limited, "privacy.too_many_open").With("max", maxOpen)
	ErrOwn         = errs.New(errs.Forbidden, "privacy.own_request")  // staff answer others only
	ErrAskedLate   = errs.New(errs.Conflict, "privacy.identity_late") // one working day is over
	ErrSpecial     = errs.New(errs.Unprocessable, "privacy.special")  // no such reason
	ErrNoExtension = errs.New(errs.Conflict, "privacy.no_extension")  // no clock that may move, or moved already
	ErrDecision    = errs.New(errs.Invalid, "privacy.decision")       // no such decision
	ErrReason      = errs.New(errs.Unprocessable, "privacy.reason")   // a refusal without a reason of the list
	ErrLaw         = errs.New(errs.Unprocessable, "privacy.law")      // a refusal without a law of the list
	ErrRemedy      = errs.New(errs.Unprocessable, "privacy.remedy")   // a refusal that does not tell the way to court
	ErrAnswerWords = errs.New(errs.Unprocessable, "privacy.answer")   // an explanation that explains nothing
)

// Limits.
const (
	maxWords = 4000 // characters
	maxOpen  = 30   // requests of one person that are open
)
