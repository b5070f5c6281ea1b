package client

import "time"

// pollEvery is how often a system is looked at that does not tell when it has slept.
const pollEvery = 5 * time.Second

// pollClock is watchClock for such a system: it leaves a token now and then.
func pollClock(to chan<- struct{}) (stop func()) {
	done, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		t := time.NewTicker(pollEvery)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				poke(to)
			case <-done:
				return
			}
		}
	}()
	return func() { close(done); <-over }
}
