package tun

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// onesComplement is the plain sum of RFC 1071, to check the fast one by.
func onesComplement(b []byte, initial uint32) uint16 {
	acc := initial
	for i := 0; i+1 < len(b); i += 2 {
		acc += uint32(b[i])<<8 | uint32(b[i+1])
	}
	if len(b)%2 == 1 {
		acc += uint32(b[len(b)-1]) << 8
	}
	for acc > 0xffff {
		acc = acc>>16 + acc&0xffff
	}
	return uint16(acc)
}

func TestSumIsThatOfRFC1071(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "bytes")
		got, want := fold(sum(b, 0)), onesComplement(b, 0)
		if got != want && !(got%0xffff == 0 && want%0xffff == 0) {
			t.Fatalf("got %04x, want %04x", got, want)
		}
	})
}

type segment struct {
	v6          bool
	seq         uint32
	flags       byte
	port        uint16
	ttl         byte
	payload     []byte
	badChecksum bool
}

// tcp makes a segment with a complete checksum and a timestamp option.
func tcp(s segment) []byte {
	src, dst := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	ipLen := 20
	if s.v6 {
		src, dst, ipLen = netip.MustParseAddr("fd00::1"), netip.MustParseAddr("fd00::2"), 40
	}
	p := make([]byte, ipLen+32+len(s.payload))
	be := binary.BigEndian
	if s.v6 {
		p[0], p[6], p[7] = 0x60, protoTCP, s.ttl
		be.PutUint16(p[4:], uint16(len(p)-40))
		copy(p[8:], src.AsSlice())
		copy(p[24:], dst.AsSlice())
	} else {
		p[0], p[6], p[8], p[9] = 0x45, 0x40, s.ttl, protoTCP
		be.PutUint16(p[2:], uint16(len(p)))
		copy(p[12:], src.AsSlice())
		copy(p[16:], dst.AsSlice())
		ipv4Checksum(p[:20])
	}
	h := p[ipLen:]
	be.PutUint16(h, 1000+s.port)
	be.PutUint16(h[2:], 443)
	be.PutUint32(h[4:], s.seq)
	be.PutUint32(h[8:], 77)
	h[12], h[13] = 8<<4, s.flags
	be.PutUint16(h[14:], 512)
	copy(h[20:], []byte{1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2})
	copy(h[32:], s.payload)
	be.PutUint16(h[16:], ^onesComplement(h, pseudo32(p, len(h))))
	if s.badChecksum {
		h[16] ^= 1
	}
	return p
}

func pseudo32(p []byte, n int) uint32 {
	addrs := p[12:20]
	if p[0]>>4 == 6 {
		addrs = p[8:40]
	}
	return uint32(onesComplement(addrs, 0)) + protoTCP + uint32(n)
}

// checkPacket fails unless all lengths and checksums of p are right.
func checkPacket(t interface{ Fatalf(string, ...any) }, p []byte) {
	ipLen := 20
	if p[0]>>4 == 6 {
		ipLen = 40
		if n := int(binary.BigEndian.Uint16(p[4:])); n != len(p)-40 {
			t.Fatalf("got payload length %d of a packet of %d bytes", n, len(p))
		}
	} else {
		if n := int(binary.BigEndian.Uint16(p[2:])); n != len(p) {
			t.Fatalf("got total length %d of a packet of %d bytes", n, len(p))
		}
		if c := onesComplement(p[:20], 0); c != 0xffff {
			t.Fatalf("got IP header sum %04x", c)
		}
	}
	if c := onesComplement(p[ipLen:], pseudo32(p, len(p)-ipLen)); c != 0xffff {
		t.Fatalf("got TCP sum %04x", c)
	}
}

// capture is a Queue that keeps the frames written.
type capture struct{ frames [][]byte }

func (c *capture) ReadFrames([]byte, [][]byte) ([][]byte, error) { return nil, ErrFrame }
func (c *capture) Close() error                                  { return nil }
func (c *capture) WriteFrame(parts [][]byte) error {
	c.frames = append(c.frames, bytes.Join(parts, nil))
	return nil
}

func split(t interface{ Fatalf(string, ...any) }, frame []byte) [][]byte {
	var s Segments
	if err := s.Reset(bytes.Clone(frame)); err != nil {
		t.Fatalf("resetting to a frame of our own: %v", err)
	}
	var out [][]byte
	for {
		b := make([]byte, s.MaxLen())
		n := s.Next(b)
		if n == 0 {
			break
		}
		out = append(out, b[:n])
	}
	checkTake(t, frame, out)
	return out
}

// checkTake fails unless Take gives the packets want, whatever is written into
// the room in front of them.
func checkTake(t interface{ Fatalf(string, ...any) }, frame []byte, want [][]byte) {
	var s Segments
	if err := s.Reset(bytes.Clone(frame)); err != nil {
		t.Fatalf("resetting to the frame again: %v", err)
	}
	size := 0
	for _, w := range want {
		size += len(w)
	}
	if s.Size() != size {
		t.Fatalf("got size %d of all packets, want %d", s.Size(), size)
	}
	for i, w := range want {
		if got := s.Left(); got != len(want)-i {
			t.Fatalf("got %d packets left, want %d", got, len(want)-i)
		}
		got := s.Take(8)
		if !bytes.Equal(got[8:], w) {
			t.Fatalf("packet %d in place: got %x, want %x", i, got[8:], w)
		}
		for j := range got {
			got[j] = 0xee // as sealing in place might
		}
	}
	if s.Left() != 0 || s.Take(8) != nil {
		t.Fatalf("more packets in place than copied")
	}
}

func TestSegmentsOfUDPHaveRightChecksums(t *testing.T) {
	t.Parallel()
	frame := make([]byte, HeaderLen+28+2500)
	header{flags: flagNeedsCsum, gsoType: gsoUDPL4, gsoSize: 1000, csumStart: 20, csumOffset: 6}.put(frame)
	p := frame[HeaderLen:]
	p[0], p[8], p[9] = 0x45, 64, protoUDP
	copy(p[12:], []byte{10, 0, 0, 1, 10, 0, 0, 2, 0xff, 0xff, 0xff, 0xff})
	for i := range p[28:] {
		p[28+i] = byte(i * 7)
	}
	got := split(t, frame)
	if len(got) != 3 || len(got[2]) != 528 {
		t.Fatalf("got %d packets", len(got))
	}
	for i, p := range got {
		pseudo := uint32(onesComplement(p[12:20], 0)) + protoUDP + uint32(len(p)-20)
		if c := onesComplement(p[20:], pseudo); c != 0xffff || onesComplement(p[:20], 0) != 0xffff {
			t.Errorf("packet %d: got sum %04x", i, c)
		}
		if n := int(binary.BigEndian.Uint16(p[24:])); n != len(p)-20 || binary.BigEndian.Uint16(p[4:]) != uint16(i) {
			t.Errorf("packet %d: got length %d, id %x", i, n, p[4:6])
		}
	}
}

// TestJoinThenSplit is the life of a bulk transfer: whatever Writer joins,
// Segments cuts into the same payload in the same order with right checksums.
func TestJoinThenSplit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v6 := rapid.Bool().Draw(t, "v6")
		size := rapid.IntRange(1, 1348).Draw(t, "size")
		count := rapid.IntRange(1, 100).Draw(t, "count")
		var want []byte
		var packets [][]byte
		for i := range count {
			n := size
			if i == count-1 {
				n = rapid.IntRange(1, size).Draw(t, "last")
			}
			payload := bytes.Repeat([]byte{byte(i)}, n)
			packets = append(packets, tcp(segment{v6: v6, seq: uint32(len(want)), flags: tcpACK, ttl: 64, payload: payload}))
			want = append(want, payload...)
		}
		c := &capture{}
		if err := NewWriter(c).Write(packets); err != nil {
			t.Fatalf("writing: %v", err)
		}
		if most := (count*size)/60000 + count/maxMembers + 2; len(c.frames) > most {
			t.Fatalf("got %d frames for %d packets of %d, want at most %d", len(c.frames), count, size, most)
		}
		var got []byte
		for _, f := range c.frames {
			for _, p := range split(t, f) {
				checkPacket(t, p)
				got = append(got, p[packetHead(v6):]...)
			}
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("got other %d bytes than the %d sent", len(got), len(want))
		}
	})
}

func packetHead(v6 bool) int {
	if v6 {
		return 72
	}
	return 52
}

func TestWriterJoinsOnlyWhatMayBeJoined(t *testing.T) {
	t.Parallel()
	full := bytes.Repeat([]byte{1}, 100)
	seg := func(i uint32, change func(*segment)) []byte {
		s := segment{seq: i * 100, flags: tcpACK, ttl: 64, payload: full}
		if change != nil {
			change(&s)
		}
		return tcp(s)
	}
	six := func(s *segment) { s.v6 = true }
	cases := []struct {
		name    string
		packets [][]byte
		frames  int
	}{
		{"a run", [][]byte{seg(0, nil), seg(1, nil), seg(2, nil)}, 1},
		{"a gap", [][]byte{seg(0, nil), seg(2, nil)}, 2},
		{"after a gap nothing of the flow joins the first", [][]byte{seg(0, nil), seg(2, nil), seg(1, nil)}, 3},
		{"another flow between", [][]byte{seg(0, nil), seg(0, func(s *segment) { s.port = 5 }), seg(1, nil)}, 2},
		{"push ends", [][]byte{seg(0, nil), seg(1, func(s *segment) { s.flags |= tcpPSH }), seg(2, nil)}, 2},
		{"fin is alone", [][]byte{seg(0, nil), seg(1, func(s *segment) { s.flags |= tcpFIN })}, 2},
		{"other ttl", [][]byte{seg(0, nil), seg(1, func(s *segment) { s.ttl = 63 })}, 2},
		{"bad checksum", [][]byte{seg(0, nil), seg(1, func(s *segment) { s.badChecksum = true })}, 2},
		{"bad checksum first", [][]byte{seg(0, func(s *segment) { s.badChecksum = true }), seg(1, nil)}, 2},
		{"shorter ends", [][]byte{seg(0, nil), seg(1, func(s *segment) { s.payload = full[:50] }), seg(2, nil)}, 2},
		{"longer does not join", [][]byte{seg(0, func(s *segment) { s.payload = full[:50] }), tcp(segment{seq: 50, flags: tcpACK, ttl: 64, payload: full})}, 2},
		{"a run of IPv6", [][]byte{seg(0, six), seg(1, six), seg(2, six)}, 1},
		{"IPv6, other hop limit", [][]byte{seg(0, six), seg(1, func(s *segment) { s.v6, s.ttl = true, 63 })}, 2},
		{"IPv6, bad checksum", [][]byte{seg(0, six), seg(1, func(s *segment) { s.v6, s.badChecksum = true, true })}, 2},
		{"IPv4 and IPv6", [][]byte{seg(0, nil), seg(1, six)}, 2},
		{"pure acks", [][]byte{seg(0, func(s *segment) { s.payload = nil }), seg(0, func(s *segment) { s.payload = nil })}, 2},
	}
	for _, c := range cases {
		q := &capture{}
		if err := NewWriter(q).Write(c.packets); err != nil || len(q.frames) != c.frames {
			t.Errorf("%s: got %d frames, %v, want %d", c.name, len(q.frames), err, c.frames)
		}
	}
}

func TestSegmentsCompletesAChecksum(t *testing.T) {
	t.Parallel()
	p := tcp(segment{flags: tcpACK, ttl: 64, payload: []byte("hello")})
	want := bytes.Clone(p)
	binary.BigEndian.PutUint16(p[36:], fold(pseudo(p, protoTCP, len(p)-20)))
	frame := make([]byte, HeaderLen, HeaderLen+len(p))
	header{flags: flagNeedsCsum, csumStart: 20, csumOffset: 16}.put(frame)
	if got := split(t, append(frame, p...)); len(got) != 1 || !bytes.Equal(got[0], want) {
		t.Errorf("got %x, want %x", got, want)
	}
}

func TestWidenMakesFewerAndLongerSegments(t *testing.T) {
	t.Parallel()
	for _, v6 := range []bool{false, true} {
		var s Segments
		if err := s.Reset(superFrame(v6, 1000, 40_500)); err != nil {
			t.Fatal(err)
		}
		s.Widen(16376)
		var got []int
		for b := make([]byte, s.MaxLen()); ; {
			n := s.Next(b)
			if n == 0 {
				break
			}
			checkPacket(t, b[:n])
			got = append(got, n-packetHead(v6))
		}
		if want := []int{16000, 16000, 8500}; !slices.Equal(got, want) {
			t.Errorf("IPv6 %v: got payloads %v, want %v", v6, got, want)
		}
	}
}

// TestSegmentsOfIPv6 cuts a super-packet of IPv6: every segment has its own
// payload length and checksum, sequence numbers follow one another.
func TestSegmentsOfIPv6(t *testing.T) {
	t.Parallel()
	const first = 1 << 31 // as superFrame says
	seq, total := uint32(first), 0
	for i, p := range split(t, superFrame(true, 1328, 40*1328+7)) {
		checkPacket(t, p)
		if got := binary.BigEndian.Uint32(p[44:]); got != seq {
			t.Errorf("segment %d: got sequence %d, want %d", i, got, seq)
		}
		seq += uint32(len(p) - packetHead(true))
		total++
	}
	if total != 41 || seq != first+40*1328+7 {
		t.Errorf("got %d segments of %d bytes, want 41 of %d", total, seq-first, 40*1328+7)
	}
}

// TestWriterWritesIPv6SuperPackets looks at what the kernel is told.
func TestWriterWritesIPv6SuperPackets(t *testing.T) {
	t.Parallel()
	var packets [][]byte
	for i := range 3 {
		packets = append(packets, tcp(segment{v6: true, seq: uint32(i * 100), flags: tcpACK, ttl: 64, payload: make([]byte, 100)}))
	}
	q := &capture{}
	if err := NewWriter(q).Write(packets); err != nil || len(q.frames) != 1 {
		t.Fatalf("got %d frames, %v, want one", len(q.frames), err)
	}
	want := header{flags: flagNeedsCsum, gsoType: gsoTCPv6, hdrLen: 72, gsoSize: 100, csumStart: 40, csumOffset: 16}
	if got := parseHeader(q.frames[0]); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := binary.BigEndian.Uint16(q.frames[0][HeaderLen+4:]); got != 32+300 {
		t.Errorf("got payload length %d, want 332", got)
	}
}

func TestPacketPathDoesNotAllocate(t *testing.T) {
	var packets [][]byte
	for i := range 40 {
		packets = append(packets, tcp(segment{seq: uint32(i * 1000), flags: tcpACK, ttl: 64, payload: make([]byte, 1000)}))
	}
	var originals [][]byte
	for _, p := range packets {
		originals = append(originals, bytes.Clone(p))
	}
	q := &discard{frame: make([]byte, 0, MaxFrame)}
	w, out := NewWriter(q), make([]byte, 2000)
	var s Segments
	n := testing.AllocsPerRun(50, func() {
		for i, p := range originals {
			copy(packets[i], p)
		}
		if err := w.Write(packets); err != nil {
			t.Fatal(err)
		}
		if err := s.Reset(q.frame); err != nil {
			t.Fatal(err)
		}
		for s.Next(out) > 0 {
		}
	})
	if n != 0 {
		t.Errorf("got %v allocations for 40 packets, want 0", n)
	}
}

type discard struct{ frame []byte }

func (d *discard) ReadFrames([]byte, [][]byte) ([][]byte, error) { return nil, ErrFrame }
func (d *discard) Close() error                                  { return nil }
func (d *discard) WriteFrame(parts [][]byte) error {
	d.frame = d.frame[:0]
	for _, p := range parts {
		d.frame = append(d.frame, p...)
	}
	return nil
}

func FuzzSegments(f *testing.F) {
	frame := make([]byte, HeaderLen)
	header{flags: flagNeedsCsum, gsoType: gsoTCPv4, gsoSize: 100, csumStart: 20, csumOffset: 16}.put(frame)
	f.Add(append(frame, tcp(segment{flags: tcpACK, payload: make([]byte, 500)})...))
	f.Add(superFrame(true, 100, 500))
	f.Fuzz(func(t *testing.T, frame []byte) {
		var s Segments
		if s.Reset(frame) != nil {
			return
		}
		total := len(frame)
		for range total + 1 {
			if s.Next(make([]byte, s.MaxLen())) == 0 {
				return
			}
		}
		t.Error("segments without end")
	})
}

func FuzzWriter(f *testing.F) {
	f.Add(tcp(segment{flags: tcpACK, payload: make([]byte, 50)}), tcp(segment{seq: 50, flags: tcpACK, payload: make([]byte, 50)}))
	for _, v6 := range []bool{false, true} { // joined, then each for another reason not
		first := tcp(segment{v6: v6, flags: tcpACK, ttl: 64, payload: make([]byte, 50)})
		for _, next := range []segment{
			{seq: 50, ttl: 64}, {seq: 51, ttl: 64}, {seq: 50, ttl: 63}, {seq: 50, ttl: 64, port: 1}, {seq: 50, ttl: 64, badChecksum: true}, {seq: 50, ttl: 64, flags: tcpPSH},
		} {
			next.v6, next.flags, next.payload = v6, next.flags|tcpACK, make([]byte, 40)
			f.Add(first, tcp(next))
		}
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		c := &capture{}
		if err := NewWriter(c).Write([][]byte{a, b}); err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, p := range c.frames {
			n += len(p) - HeaderLen
		}
		if len(c.frames) == 2 && n != len(a)+len(b) {
			t.Errorf("got %d bytes of two unjoined packets of %d", n, len(a)+len(b))
		}
	})
}

func BenchmarkSplit(b *testing.B) {
	frame := make([]byte, HeaderLen)
	header{flags: flagNeedsCsum, gsoType: gsoTCPv4, gsoSize: 1348, csumStart: 20, csumOffset: 16}.put(frame)
	frame = append(frame, tcp(segment{flags: tcpACK, payload: make([]byte, 45*1348)})...)
	out := make([]byte, 2000)
	var s Segments
	b.SetBytes(int64(len(frame)))
	for b.Loop() {
		if err := s.Reset(frame); err != nil {
			b.Fatal(err)
		}
		for s.Next(out) > 0 {
		}
	}
}
