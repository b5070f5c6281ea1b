package sslvpn

import "time"

const (
	leastTurn = 2 << 10               // bytes of one turn, at least
	mostTurn  = 16 << 10              // and at most
	turnSpan  = 20 * time.Millisecond // what a round of turns takes
)

// turnOf is what an SSL client may send at once: no more than its rate and the
// gateway's let pass in a moment, and little where many take turns, so that
// nobody waits long for the next.
func turnOf(own, common int64, asking int) int {
	n := bytesAt(lower(own, common), turnSpan)
	n = min(n, bytesAt(common, turnSpan)/max(asking, 1))
	return min(max(n, leastTurn), mostTurn)
}

// lower is the lower of two rates, of which 0 is none.
func lower(a, b int64) int64 {
	if a <= 0 || (b > 0 && b < a) {
		return b
	}
	return a
}

// bytesAt is what passes at a rate in bit/s; without a rate, more than anything.
func bytesAt(rate int64, d time.Duration) int {
	if rate <= 0 {
		return 1 << 40
	}
	return int(float64(rate) / 8 * d.Seconds())
}
