package tun

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// cutBy cuts a frame in one of the ways that there are.
func cutBy(frame []byte, next func(*Segments, []byte) []byte) (packets [][]byte, left, size int) {
	var s Segments
	frame = bytes.Clone(frame) // Reset and Take write there
	if s.Reset(frame) != nil {
		return nil, 0, 0
	}
	left, size = s.Left(), s.Size()
	dst := make([]byte, len(frame)) // no packet is longer, nor a frame of a part of them
	for p := next(&s, dst); len(p) > 0; p = next(&s, dst) {
		packets = append(packets, bytes.Clone(p))
	}
	return packets, left, size
}

// FuzzWaysToCut: a frame of a peer that was found good gives the same packets,
// written out one by one, taken where they lie, or cut into frames of another peer
// and cut once more there; as many and as long as was said. Made wider and narrower,
// it gives no other number of bytes.
func FuzzWaysToCut(f *testing.F) {
	f.Add(superFrame(false, 1000, 3000), 2200, 8)
	f.Add(superFrame(true, 700, 3001), 1500, 0)
	f.Add(superFrame(false, 1400, 100), 700, HeaderLen)
	f.Add(superUDP(300, 1000), 800, 3)
	f.Add(append(make([]byte, HeaderLen), tcp(segment{flags: tcpACK, payload: make([]byte, 60)})...), 1500, 1)
	part := append(make([]byte, HeaderLen), tcp(segment{flags: tcpACK, payload: make([]byte, 60)})...)
	header{flags: flagNeedsCsum, csumStart: 20, csumOffset: 16}.put(part)
	f.Add(part, 1500, 1)
	f.Fuzz(func(t *testing.T, frame []byte, limit, room int) {
		if len(frame) > MaxFrame || CheckFrame(frame) != nil {
			return
		}
		limit, room = min(max(limit, HeaderLen), MaxFrame), min(max(room, 0), HeaderLen)
		want, left, size := cutBy(frame, func(s *Segments, dst []byte) []byte { return dst[:s.Next(dst)] })
		total := 0
		for _, p := range want {
			total += len(p)
		}
		if len(want) != left || total != size || len(want) != Packets(frame) {
			t.Fatalf("got %d packets of %d bytes; said were %d and %d, of %d bytes", len(want), total, left, Packets(frame), size)
		}
		taken, _, _ := cutBy(frame, func(s *Segments, _ []byte) []byte {
			if p := s.Take(room); p != nil {
				return p[room:]
			}
			return nil
		})
		same(t, "taken", taken, want)

		frames, _, _ := cutBy(frame, func(s *Segments, dst []byte) []byte {
			if n := s.MaxFrameLen(limit); n > len(dst) {
				t.Fatalf("a frame of %d bytes", n)
			}
			return dst[:s.NextFrame(dst, limit)]
		})
		var again [][]byte
		for _, one := range frames {
			if err := CheckFrame(one); len(one) > limit || err != nil {
				t.Fatalf("a frame of %d bytes, of at most %d, which the peer refuses: %v", len(one), limit, err)
			}
			cut, _, _ := cutBy(one, func(s *Segments, dst []byte) []byte { return dst[:s.Next(dst)] })
			again = append(again, cut...)
		}
		if len(frames) > 0 { // else not one fits
			same(t, "cut twice", again, want)
		}
		payload := 0
		for i, fit := range []func(*Segments){func(*Segments) {}, func(s *Segments) { s.Widen(limit) }, func(s *Segments) { s.Narrow(limit) }} {
			var s Segments
			if s.Reset(bytes.Clone(frame)) != nil {
				t.Fatal("a good frame is refused")
			}
			fit(&s)
			got, head := 0, s.headLen
			if s.whole {
				head = 0
			}
			dst := make([]byte, s.MaxLen())
			for n := s.Next(dst); n > 0; n = s.Next(dst) {
				got += n - head
			}
			if i == 0 {
				payload = got
			} else if got != payload {
				t.Fatalf("%d bytes of payload, want %d", got, payload)
			}
		}
	})
}

func same(t *testing.T, how string, got, want [][]byte) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: got %d packets, want %d", how, len(got), len(want))
	}
	for i := range want {
		if !bytes.Equal(got[i], want[i]) {
			t.Fatalf("%s: packet %d is %x, want %x", how, i, got[i], want[i])
		}
	}
}

// superUDP is a frame of UDP packets of size bytes of payload, n bytes together.
func superUDP(size, n int) []byte {
	p := make([]byte, 28+n)
	p[0], p[8], p[9] = 0x45, 64, protoUDP
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	frame := make([]byte, HeaderLen, HeaderLen+len(p))
	header{flags: flagNeedsCsum, gsoType: gsoUDPL4, gsoSize: uint16(size), hdrLen: 28, csumStart: 20, csumOffset: 6}.put(frame)
	return append(frame, p...)
}
