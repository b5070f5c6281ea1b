package agent

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// niceness of the packets' process. A packet waits for a processor behind
// whatever else the machine does, such as the control plane's password hashes.
const niceness = -10

// hurry raises the priority of all threads that there are; later ones inherit
// it from their makers. It fails without the right to do so, which is no reason
// not to run.
func hurry() error {
	const tasks = "/proc/self/task"
	all, err := os.ReadDir(tasks)
	if err != nil {
		return fmt.Errorf("listing threads: %w", err)
	}
	var errs []error
	for _, t := range all {
		id, err := strconv.Atoi(t.Name())
		if err != nil {
			continue
		}
		// A thread that has ended meanwhile needs none.
		if err := unix.Setpriority(unix.PRIO_PROCESS, id, niceness); err != nil && !errors.Is(err, unix.ESRCH) {
			errs = append(errs, fmt.Errorf("raising the priority of thread %d: %w", id, err))
		}
	}
	return errors.Join(errs...)
}
