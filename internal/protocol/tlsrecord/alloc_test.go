//go:build !race

package tlsrecord

import (
	"crypto/tls"
	"testing"
)

func TestNothingIsAllocated(t *testing.T) {
	_, out, in, _ := rfcKeys(t)
	_, out12, in12, _ := keys12(t, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256)
	rec, dst := make([]byte, 1400), make([]byte, 0, 1400)
	for _, end := range []struct {
		in  *Opener
		out *Sealer
	}{{in, out}, {in12, out12}} {
		if n := testing.AllocsPerRun(100, func() {
			end.out.SealInPlace(rec, TypeApplicationData)
			if got, err := end.in.Open(dst, rec); err != nil || len(got) != len(rec)-end.out.Head()-end.out.Tail() {
				t.Fatalf("got %d bytes, %v", len(got), err)
			}
		}); n != 0 {
			t.Errorf("got %v allocations for sealing and opening, want 0", n)
		}
	}
}
