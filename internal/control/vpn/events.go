package vpn

import "github.com/skybridge-cloud/skybridge/internal/platform/id"

// TopicChanged is published when a gateway came into another state.
const TopicChanged = "vpn.changed"

// Changed is its payload.
type Changed struct {
	Gateway string
	State   string
}

// TopicClientGone is published when an SSL client is deleted, by whomever: what
// was held of its user has no purpose any more.
const TopicClientGone = "vpn.client_gone"

// ClientGone is its payload.
type ClientGone struct {
	Client  string
	Subject id.Handle
}
