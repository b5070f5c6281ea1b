// Package clock is where time comes from. Business rules take a time as a
// parameter; services take a Clock. Only this package calls time.Now for them.
package clock

import (
	"sync"
	"time"
)

// Clock tells the present time, in UTC with microsecond precision, which is
// what the database keeps.
type Clock interface{ Now() time.Time }

// System is the machine's clock.
type System struct{}

// Now returns the present UTC time, truncated to microseconds.
func (System) Now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// Steady returns a clock of this process that never jumps, whatever is done to
// the machine's: the time since the call.
func Steady() func() time.Duration {
	start := time.Now()
	return func() time.Duration { return time.Since(start) }
}

// Fake is a clock that stands still until it is moved. It is for tests and
// safe for concurrent use.
type Fake struct {
	mu sync.Mutex
	at time.Time
}

// NewFake returns a clock standing at t.
func NewFake(t time.Time) *Fake { return &Fake{at: t.UTC().Truncate(time.Microsecond)} }

// Now returns where the clock stands.
func (f *Fake) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at
}

// Advance moves the clock.
func (f *Fake) Advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at = f.at.Add(d)
}
