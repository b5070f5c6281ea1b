package app

import (
	"os/exec"
	"runtime"
	"sync"
)

// starter is one thread that lives as long as the program: Pdeathsig fires when
// the thread that started a child ends, not when the process does.
var starter = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range work {
			f()
		}
	}()
	return work
})

func startLocked(cmd *exec.Cmd) error {
	result := make(chan error, 1)
	starter() <- func() { result <- cmd.Start() }
	return <-result
}
