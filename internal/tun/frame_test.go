package tun

import (
	"bytes"
	"encoding/binary"
	"testing"

	"pgregory.net/rapid"
)

// superFrame is what a kernel hands over for n bytes of a TCP stream.
func superFrame(v6 bool, size, n int) []byte {
	payload := make([]byte, n)
	for i := range payload {
		payload[i] = byte(i * 13)
	}
	p := tcp(segment{v6: v6, seq: 1 << 31, flags: tcpACK | tcpPSH, ttl: 64, payload: payload})
	h := header{flags: flagNeedsCsum, gsoType: gsoTCPv4, gsoSize: uint16(size), hdrLen: 52, csumStart: 20, csumOffset: 16}
	if v6 {
		h.gsoType, h.hdrLen, h.csumStart = gsoTCPv6, 72, 40
	}
	at := int(h.csumStart) + 16
	binary.BigEndian.PutUint16(p[at:], fold(pseudo(p, protoTCP, len(p)-int(h.csumStart))))
	frame := make([]byte, HeaderLen, HeaderLen+len(p))
	h.put(frame)
	return append(frame, p...)
}

// Frames cut for a peer and then cut into packets there are the packets that
// would have been cut at once.
func TestFramesForAPeerHoldTheSamePackets(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		frame := superFrame(rapid.Bool().Draw(t, "v6"), rapid.IntRange(1, 1400).Draw(t, "size"), rapid.IntRange(1, 20000).Draw(t, "bytes"))
		limit := rapid.IntRange(HeaderLen+72+1400, 16376).Draw(t, "limit")
		want := split(t, frame)
		var s Segments
		if err := s.Reset(bytes.Clone(frame)); err != nil {
			t.Fatal(err)
		}
		var got [][]byte
		for {
			b := make([]byte, s.MaxFrameLen(limit))
			n := s.NextFrame(b, limit)
			if n == 0 {
				break
			}
			if err := CheckFrame(b[:n]); err != nil {
				t.Fatalf("our own frame is refused: %x", b[:min(n, 90)])
			}
			got = append(got, split(t, b[:n])...)
		}
		if len(got) != len(want) {
			t.Fatalf("got %d packets, want %d", len(got), len(want))
		}
		for i := range got {
			if !bytes.Equal(got[i], want[i]) {
				t.Fatalf("packet %d: got %x, want %x", i, got[i][:80], want[i][:80])
			}
		}
	})
}

func TestFramesOfAPeerAreChecked(t *testing.T) {
	t.Parallel()
	good := superFrame(false, 1000, 3000)
	cases := []struct {
		name   string
		change func([]byte) []byte
	}{
		{"short", func(f []byte) []byte { return f[:25] }},
		{"unknown flag", func(f []byte) []byte { f[0] |= 4; return f }},
		{"gso without checksum", func(f []byte) []byte { f[0] = 0; return f }},
		{"ecn", func(f []byte) []byte { f[1] |= gsoECN; return f }},
		{"other family", func(f []byte) []byte { f[1] = gsoTCPv6; return f }},
		{"other protocol", func(f []byte) []byte { f[1] = gsoUDPL4; return f }},
		{"unknown type", func(f []byte) []byte { f[1] = 3; return f }},
		{"gso_size 0", func(f []byte) []byte { f[4], f[5] = 0, 0; return f }},
		{"hdr_len into the payload", func(f []byte) []byte { f[2]++; return f }},
		{"hdr_len beyond", func(f []byte) []byte { f[3] = 0xff; return f }},
		{"csum_start elsewhere", func(f []byte) []byte { f[6]++; return f }},
		{"csum_start beyond", func(f []byte) []byte { f[7] = 0xff; return f }},
		{"csum_offset elsewhere", func(f []byte) []byte { f[8]--; return f }},
		{"csum_offset beyond", func(f []byte) []byte { f[9] = 0xff; return f }},
		{"total length", func(f []byte) []byte { return append(f, 0) }},
		{"fragment", func(f []byte) []byte { f[HeaderLen+7] = 1; return f }},
		{"version", func(f []byte) []byte { f[HeaderLen] = 0x55; return f }},
		{"IP header length", func(f []byte) []byte { f[HeaderLen] = 0x44; return f }},
		{"TCP header length", func(f []byte) []byte { f[HeaderLen+20+12] = 0x10; return f }},
		{"neither TCP nor UDP", func(f []byte) []byte { f[HeaderLen+9] = 1; return f }},
	}
	if err := CheckFrame(good); err != nil {
		t.Fatalf("the good one: %v", err)
	}
	for _, c := range cases {
		if err := CheckFrame(c.change(bytes.Clone(good))); err == nil {
			t.Errorf("%s: got no error", c.name)
		}
	}
}

func FuzzCheckFrame(f *testing.F) {
	f.Add(superFrame(false, 1000, 3000))
	f.Add(superFrame(true, 1000, 3000))
	f.Add(make([]byte, 60))
	f.Fuzz(func(t *testing.T, frame []byte) {
		if CheckFrame(frame) != nil {
			return
		}
		var s Segments // what is accepted can be cut
		if err := s.Reset(frame); err != nil {
			t.Fatalf("accepted and not cut: %v", err)
		}
		for b := make([]byte, s.MaxLen()); s.Next(b) > 0; {
		}
	})
}
