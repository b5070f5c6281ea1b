package fleet

// Topics that this module publishes.
const (
	TopicObserved      = "fleet.observed"
	TopicSessionClosed = "fleet.session_closed"
	TopicReleased      = "fleet.released"
)

// Released is published when a node has removed a gateway.
type Released struct{ Gateway string }

// Observed is published when what a node says of a gateway changed.
type Observed struct {
	Gateway    string
	Generation uint64
	State      string // "applied" or "failed"
	Problem    string
}

// SessionClosed is published when a session has both its ends.
type SessionClosed struct {
	Session string
	Gateway string
	Client  string
	Reason  string
}
