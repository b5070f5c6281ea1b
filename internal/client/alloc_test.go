//go:build !race

// Under the race detector sync.Pool drops at random: counts would say nothing.

package client

import (
	"bytes"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/netio"
	"github.com/skybridge-cloud/skybridge/internal/protocol/dtls"
	"github.com/skybridge-cloud/skybridge/internal/protocol/dtls/dtlstest"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
	"github.com/skybridge-cloud/skybridge/internal/tun"
	"github.com/skybridge-cloud/skybridge/internal/tun/tuntest"
)

func TestPathToTheServerDoesNotAllocate(t *testing.T) {
	b := newBed(t)
	s := b.run("dtls")
	original := super(s.Tunnel().IPv4.Addr().String(), "10.77.0.2", 40)
	frames := [][]byte{bytes.Clone(original)}
	w := dtlsWriter{}
	n := testing.AllocsPerRun(50, func() {
		copy(frames[0], original) // which was sealed in place
		if err := w.send(s.dtls.Load(), frames); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("dtls: got %v allocations for 40 packets, want 0", n)
	}
	var seg tun.Segments
	for name, f := range map[string]netio.Framing{"plain": {}, "extended": {GSO: true, Coalesce: true}} {
		c := netio.NewChunk()
		n := testing.AllocsPerRun(50, func() {
			c.Reset()
			if seg.Reset(original) != nil || !f.Fill(&c, &seg) {
				t.Fatal("the frame does not fit")
			}
		})
		if n != 0 {
			t.Errorf("tls, %s: got %v allocations for 40 packets, want 0", name, n)
		}
	}
}

func TestPathFromTheServerDoesNotAllocate(t *testing.T) {
	b := newBed(t)
	s := b.run("dtls")
	u := s.dtls.Load()
	const runs, count = 50, 40
	packet := append([]byte{openconnect.TypeData}, udp("10.77.0.2", s.Tunnel().IPv4.Addr().String(), 1300)...)
	sealer, opener := dtlstest.Pair(t)
	var records [][]byte
	first, err := sealer.Reserve((runs + 1) * count)
	if err != nil {
		t.Fatal(err)
	}
	for i := range (runs + 1) * count {
		records = append(records, sealer.Seal(nil, first+uint64(i), dtls.TypeApplicationData, packet))
	}
	in := &batch{packets: make([][]byte, 0, 256)}
	device := tun.NewWriter(tuntest.Discard())
	n := testing.AllocsPerRun(runs, func() {
		in.packets = in.packets[:0]
		for range count {
			s.open(u, in, opener, records[0])
			records = records[1:]
		}
		if len(in.packets) != count || device.Write(in.packets) != nil {
			t.Fatalf("got %d packets, want %d", len(in.packets), count)
		}
	})
	if n != 0 {
		t.Errorf("got %v allocations for %d packets, want 0", n, count)
	}
}
