package privacy

import (
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
)

// Topics that are published in the transaction of the fact. The payload of all
// is RequestEvent.
const (
	TopicReceived  = "privacy.request_received"
	TopicAnswered  = "privacy.request_answered"
	TopicCopyReady = "privacy.copy_ready" // Date is the last day on which it is there
)

// RequestEvent tells of a request, without what it says.
type RequestEvent struct {
	Request, Account, Subject, Kind, State string
	Date                                   string // last day in time, YYYY-MM-DD in China; empty once answered
}

func (s *Service) event(r Request) RequestEvent {
	return RequestEvent{r.ID, string(r.Account), string(r.Subject), string(r.Kind), string(r.State), lastDay(r.Due)}
}

// lastDay is the last day that is in time for a due date.
func lastDay(due time.Time) string {
	if due.IsZero() {
		return ""
	}
	return civil.DayOf(due.Add(-time.Second)).String()
}
