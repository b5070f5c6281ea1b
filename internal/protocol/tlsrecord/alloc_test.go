//go:build !race

package tlsrecord

import "testing"

func TestNothingIsAllocated(t *testing.T) {
	_, out, in, _ := rfcKeys(t)
	rec, dst := make([]byte, 1400), make([]byte, 0, 1400)
	if n := testing.AllocsPerRun(100, func() {
		out.SealInPlace(rec, TypeApplicationData)
		if got, err := in.Open(dst, rec); err != nil || len(got) != len(rec)-HeaderLen-TailLen {
			t.Fatalf("got %d bytes, %v", len(got), err)
		}
	}); n != 0 {
		t.Errorf("got %v allocations for sealing and opening, want 0", n)
	}
}
