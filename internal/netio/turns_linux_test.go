package netio

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

func TestShortTurns(t *testing.T) {
	if err := ShortTurns(); err != nil {
		t.Fatal(err)
	}
	attr, err := unix.SchedGetAttr(0, 0)
	if err != nil || (attr.Runtime != 0 && attr.Runtime != uint64(shortTurn)) {
		t.Errorf("got turns of %d ns, %v, want %d, or 0 of a kernel without", attr.Runtime, err, shortTurn)
	}
	if err := shortTurns(1 << 30); !errors.Is(err, unix.ESRCH) {
		t.Errorf("a thread that is not there: got %v", err)
	}
}
