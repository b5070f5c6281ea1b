package client

import (
	"testing"
	"time"
)

// TestAClockThatIsNotSetWakesNobody: the kernel takes the timer that tells of a
// sleep, says nothing before one, and lets go of it.
func TestAClockThatIsNotSetWakesNobody(t *testing.T) {
	t.Parallel()
	f, err := openTimer()
	if err != nil {
		t.Fatalf("this kernel tells no jumps: %v", err)
	}
	_ = f.Close()
	told := make(chan struct{}, 1)
	stop := watchClock(told)
	select {
	case <-told:
		t.Error("a jump was told")
	case <-time.After(50 * time.Millisecond):
	}
	stop()
}
