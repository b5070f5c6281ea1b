package netio

import (
	"encoding/binary"
	"testing"

	"golang.org/x/sys/unix"
)

func TestCoalescedDatagramsAreCut(t *testing.T) {
	t.Parallel()
	ctl := make([]byte, unix.CmsgSpace(2))
	binary.NativeEndian.PutUint64(ctl, uint64(unix.CmsgLen(2)))
	binary.NativeEndian.PutUint32(ctl[8:], unix.SOL_UDP)
	binary.NativeEndian.PutUint32(ctl[12:], unix.UDP_GRO)
	binary.NativeEndian.PutUint16(ctl[16:], 1472)
	if got, _ := controls(ctl); got != 1472 {
		t.Errorf("got %d, want 1472", got)
	}
	for _, bad := range [][]byte{nil, ctl[:10], make([]byte, 32)} {
		if got, _ := controls(bad); got != 0 {
			t.Errorf("%x: got %d, want 0", bad, got)
		}
	}
}
