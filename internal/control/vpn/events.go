package vpn

import (
	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// TopicChanged is published when a gateway came into another state.
const TopicChanged = "vpn.changed"

// Changed is its payload.
type Changed struct {
	Gateway string
	State   string
}

// TopicClientLeft is published when the user of an SSL client has it deleted.
const TopicClientLeft = "vpn.client_left"

// ClientLeft is its payload.
type ClientLeft struct {
	Account         account.ID
	Client, Gateway string
}

// TopicClientGone is published when an SSL client is deleted, by whomever: what
// was held of its user has no purpose any more.
const TopicClientGone = "vpn.client_gone"

// ClientGone is its payload.
type ClientGone struct {
	Client  string
	Subject id.Handle
}
