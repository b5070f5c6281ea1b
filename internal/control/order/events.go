package order

import "github.com/skybridge-cloud/skybridge/internal/control/account"

// Topics that this module publishes.
const (
	TopicPlaced    = "order.placed"
	TopicPaid      = "order.paid"
	TopicExpired   = "order.expired"
	TopicCancelled = "order.cancelled"
)

// Changed is the payload of all topics of this module.
type Changed struct {
	Order   string
	Account account.ID
}
