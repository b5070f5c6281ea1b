// Package shape paces traffic to a rate without dropping it, and shares a rate
// between flows.
//
// A Bucket says how long a batch has to wait; the caller waits and its own
// bounded queue fills. Dropping is thus the queue's affair, not the bucket's. A
// Fair says whose turn it is under one bucket.
//
// Invariants: over any span the bytes passed do not exceed rate x span plus
// the burst plus one batch; a rate of 0 never waits.
package shape

import (
	"sync"
	"time"
)

// burst is how much may pass at once after silence, as time at the full rate.
const burst = 20 * time.Millisecond

// Bucket is a token bucket. It is safe for concurrent use; waiting batches of
// several goroutines are paced as one stream.
type Bucket struct {
	mu   sync.Mutex
	rate int64     // bit/s, 0 = unlimited
	free time.Time // when the debt of what has passed is paid
}

// New returns a bucket of rate bit/s; 0 is unlimited.
func New(rate int64) *Bucket { return &Bucket{rate: rate} }

// SetRate changes the rate for what comes next.
func (b *Bucket) SetRate(rate int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rate != rate {
		b.rate, b.free = rate, time.Time{}
	}
}

// Rate returns the rate in bit/s; 0 is unlimited.
func (b *Bucket) Rate() int64 {
	if b == nil {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rate
}

// Reserve books n bytes at time now and returns how long to wait before they
// may pass. A nil Bucket is unlimited.
func (b *Bucket) Reserve(now time.Time, n int) time.Duration {
	if b == nil {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rate <= 0 {
		return 0
	}
	if earliest := now.Add(-burst); b.free.Before(earliest) {
		b.free = earliest
	}
	wait := b.free.Sub(now)
	b.free = b.free.Add(time.Duration(float64(n) * 8 / float64(b.rate) * float64(time.Second)))
	return max(wait, 0)
}
