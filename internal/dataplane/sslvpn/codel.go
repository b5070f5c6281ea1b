package sslvpn

import (
	"math"
	"time"
)

// What a queue is held to, for paths over the internet: RFC 8289 section 4.2 has
// a target of 5 ms for single packets; here they come in chunks.
const (
	codelTarget   = 20 * time.Millisecond
	codelInterval = 100 * time.Millisecond
)

// codel is the law of RFC 8289 by which a queue loses packets at its head: none
// while what leaves it has waited for less than the target now and then, since
// a burst is no standing queue; then one, and more and more often until it has.
// A sender hears of it after one round trip, not after the whole queue.
type codel struct {
	above    time.Time // when packets will have waited too long for an interval; zero: they do not
	next     time.Time // of the next loss
	count    int       // losses since dropping began
	before   int       // count when it last began
	dropping bool
}

// drops is how many packets to drop, at most most, of what leaves the queue at
// now after sojourn in it. few says that there is hardly anything in the queue:
// then there is no shorter one to be had. Losses that were due while nothing left
// it are not made up for: a client that comes back would pay for its absence.
func (q *codel) drops(now time.Time, sojourn time.Duration, few bool, most int) int {
	switch {
	case sojourn < codelTarget || few:
		q.above, q.dropping = time.Time{}, false
		return 0
	case q.above.IsZero():
		q.above = now.Add(codelInterval)
		return 0
	case now.Before(q.above):
		return 0
	}
	if most < 1 {
		return 0
	}
	if !q.dropping {
		q.begin(now)
		return 1
	}
	n := 0
	for ; n < most && !now.Before(q.next); n++ {
		q.count++
		q.next = q.next.Add(q.pause())
	}
	if !now.Before(q.next) {
		q.next = now.Add(q.pause())
	}
	return n
}

// begin goes on where it ended not long ago, else slowly (RFC 8289 section 5.4).
func (q *codel) begin(now time.Time) {
	recent := q.count - q.before
	q.dropping, q.count = true, 1
	if recent > 1 && now.Sub(q.next) < 16*codelInterval {
		q.count = recent
	}
	q.before, q.next = q.count, now.Add(q.pause())
}

func (q *codel) pause() time.Duration {
	return time.Duration(float64(codelInterval) / math.Sqrt(float64(q.count)))
}
