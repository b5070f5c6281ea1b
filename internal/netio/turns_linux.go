package netio

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// shortTurn is the time on a processor that threads of a gateway ask for at
// once. The kernel's own is about 3 ms.
const shortTurn = 100 * time.Microsecond

// ShortTurns asks the kernel to let the threads of this process, and those that
// they start, run often and briefly instead of seldom and long. They get no
// more time than before; a packet that comes while others keep the processors
// busy waits less. Linux before 6.12 takes the request and does nothing.
func ShortTurns() error {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return fmt.Errorf("listing threads: %w", err)
	}
	for _, t := range threads {
		id, err := strconv.Atoi(t.Name())
		if err != nil {
			return fmt.Errorf("listing threads: %w", err)
		}
		if err := shortTurns(id); err != nil && !errors.Is(err, unix.ESRCH) { // which has ended
			return fmt.Errorf("asking for short turns: %w", err)
		}
	}
	return nil
}

func shortTurns(thread int) error {
	attr, err := unix.SchedGetAttr(thread, 0)
	if err != nil {
		return err
	}
	attr.Runtime = uint64(shortTurn)
	attr.Size = uint32(unsafe.Sizeof(*attr))
	return unix.SchedSetAttr(thread, attr, 0)
}
