package consent

import "github.com/skybridge-cloud/skybridge/internal/platform/id"

// TopicChanged is published with every act and every withdrawal.
const TopicChanged = "consent.changed"

// Changed is its payload.
type Changed struct {
	Event    string
	Subject  id.Handle
	Purpose  string
	Decision string
}
