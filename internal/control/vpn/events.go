package vpn

// TopicChanged is published when a gateway came into another state.
const TopicChanged = "vpn.changed"

// Changed is its payload.
type Changed struct {
	Gateway string
	State   string
}
