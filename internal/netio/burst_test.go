package netio

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/protocol/dtls/dtlstest"
	"github.com/skybridge-cloud/skybridge/internal/tun"
)

func port(t *testing.T) (*Socket, *Endpoint) {
	t.Helper()
	s, err := ListenUDP(netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, &Endpoint{Peer: s.LocalAddr()}
}

// frame is a super-packet of TCP segments with a mark in the addresses.
func frame(mark byte, segments, last int) []byte {
	f := make([]byte, tun.HeaderLen+40+1000*segments+last)
	copy(f, []byte{1, 1, 40, 0, 1000 & 0xff, 1000 >> 8, 20, 0, 16, 0})
	p := f[tun.HeaderLen:]
	p[0], p[8], p[9], p[12], p[32], p[33] = 0x45, 64, 6, mark, 5<<4, 0x10
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	for i := range p[40:] {
		p[40+i] = byte(i / 7)
	}
	return f
}

// A burst for two peers brings each of them its own packets, whole and in
// order, whatever runs they were sent in, and a small socket no long ones.
func TestABurstReachesEveryPeer(t *testing.T) {
	t.Parallel()
	from, _ := port(t)
	burst := NewBurst(from)
	for mark := byte(1); mark <= 2; mark++ {
		sock, at := port(t)
		sealer, opener := dtlstest.Pair(t)
		var want, got [][]byte
		for _, shape := range [][2]int{{60, 0}, {1, 0}, {5, 300}, {44, 0}, {0, 50}} {
			var seg tun.Segments
			f := frame(mark, shape[0], shape[1])
			if err := seg.Reset(bytes.Clone(f)); err != nil {
				t.Fatal(err)
			}
			for b := make([]byte, 1040); ; {
				n := seg.Next(b)
				if n == 0 {
					break
				}
				want = append(want, bytes.Clone(b[:n]))
			}
			if err := seg.Reset(f); err != nil {
				t.Fatal(err)
			}
			if err := burst.Add(sealer, &seg, at, mark == 2); err != nil {
				t.Fatal(err)
			}
		}
		if err := burst.Flush(); err != nil {
			t.Fatal(err)
		}
		r, in := sock.Receiver(), NewBuffers()
		r.Deadline = time.Now().Add(waitLimit)
		for len(got) < len(want) {
			n, err := r.Receive(in)
			if err != nil {
				t.Fatalf("after %d of %d packets: %v", len(got), len(want), err)
			}
			for i := range n {
				if d := in.At(i); mark == 2 && len(d.Data) > smallBurst*d.Size {
					t.Errorf("%d bytes at once in datagrams of %d", len(d.Data), d.Size)
				}
				for d := in.At(i); len(d.Data) > 0; d.Data = d.Data[min(d.Size, len(d.Data)):] {
					_, plain, _, err := opener.Open(d.Data[:min(d.Size, len(d.Data))])
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, bytes.Clone(plain[1:]))
				}
			}
		}
		for i := range want {
			if !bytes.Equal(got[i], want[i]) {
				t.Fatalf("peer %d, packet %d: got %d other bytes, want %d", mark, i, len(got[i]), len(want[i]))
			}
		}
	}
}
