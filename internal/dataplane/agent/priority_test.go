package agent

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// Getpriority(2) as a system call returns 20 - nice.
func niceOfThisThread(t *testing.T) int {
	t.Helper()
	p, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err != nil {
		t.Fatal(err)
	}
	return 20 - p
}

// Whoever may raise the priority has it raised for every thread; whoever may
// not is told so and goes on with the one that was.
func TestThreadsHurry(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := niceOfThisThread(t)
	want := niceness
	if err := hurry(); err != nil {
		want = before
	}
	if got := niceOfThisThread(t); got != want {
		t.Errorf("got niceness %d, want %d", got, want)
	}
}
