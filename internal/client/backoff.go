package client

import (
	"math/rand/v2"
	"time"
)

const (
	firstDelay = time.Second
	lastDelay  = 30 * time.Second
	steadyFor  = 30 * time.Second // after which a session counts as one that holds
)

// backoff is the time between tries: none before the first, then one second
// doubling to thirty, each cut by up to a quarter so that clients of one server
// do not come together.
type backoff struct{ last time.Duration }

// reset makes the next try one at once.
func (b *backoff) reset() { b.last = -1 }

func (b *backoff) next() time.Duration {
	switch {
	case b.last < 0:
		b.last = 0
		return 0
	case b.last == 0:
		b.last = firstDelay
	default:
		b.last = min(2*b.last, lastDelay)
	}
	return b.last - rand.N(b.last/4)
}
