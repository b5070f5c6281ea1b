package tun

import (
	"encoding/binary"
	"math/bits"
)

const (
	protoTCP = 6
	protoUDP = 17
)

// Segments cuts one frame into packets of wire size with complete checksums.
// The zero value holds nothing; Reset loads a frame, whose buffer must stay until
// the last packet was taken.
type Segments struct {
	frame   []byte
	packet  []byte // of the frame; nil when nothing is left
	h       header
	ipLen   int // length of the IP header with extensions
	headLen int // IP and TCP or UDP header
	size    int // payload per segment
	at      int // next payload byte
	index   int
	whole   bool

	// The headers without what differs between packets, and their sums.
	head         [maxHead]byte
	ipSum, l4Sum uint64
	seq          uint32
	id           uint16
	flags        byte
}

// maxHead is room for the longest IPv4 and TCP headers. IPv6 with more
// extensions than that does not come from a kernel's segmentation.
const maxHead = 60 + 60

// Reset loads a frame as read from a Queue. It returns ErrFrame if the header
// contradicts the packet; then the frame is to be dropped.
func (s *Segments) Reset(frame []byte) error {
	s.frame, s.packet, s.whole, s.index = frame, nil, false, 0
	if len(frame) < HeaderLen+20 {
		return ErrFrame
	}
	h, p := parseHeader(frame), frame[HeaderLen:]
	if v := p[0] >> 4; v != 4 && (v != 6 || len(p) < 40) {
		return ErrFrame
	}
	if h.gsoType == gsoNone {
		return s.loadWhole(h, p)
	}
	return s.loadSuper(h, p)
}

func (s *Segments) loadWhole(h header, p []byte) error {
	if h.flags&flagNeedsCsum != 0 {
		start, field := int(h.csumStart), int(h.csumStart)+int(h.csumOffset)
		if field+2 > len(p) || start > len(p) {
			return ErrFrame
		}
		// The field holds the pseudo header's sum; the rest is ours to add.
		c := ^fold(sum(p[start:], 0))
		if c == 0 {
			c = 0xffff // zero means "no checksum" in UDP
		}
		binary.BigEndian.PutUint16(p[field:], c)
	}
	s.packet, s.whole = p, true
	return nil
}

func (s *Segments) loadSuper(h header, p []byte) error {
	s.ipLen, s.size = int(h.csumStart), int(h.gsoSize)
	udp := h.gsoType == gsoUDPL4
	if !udp && h.gsoType != gsoTCPv4 && h.gsoType != gsoTCPv6 {
		return ErrFrame
	}
	if s.ipLen < 20 || s.size == 0 || s.ipLen+20 > len(p) {
		return ErrFrame
	}
	s.headLen = s.ipLen + 8
	if !udp {
		s.headLen = s.ipLen + int(p[s.ipLen+12]>>4)*4
	}
	if s.headLen < s.ipLen+8 || s.headLen >= len(p) || s.headLen > maxHead || (!udp && s.headLen < s.ipLen+20) {
		return ErrFrame
	}
	s.packet, s.h, s.at = p, h, s.headLen
	s.loadHead(udp)
	return nil
}

// loadHead keeps the headers, cleared of what each packet has of its own, and
// sums them once for all packets.
func (s *Segments) loadHead(udp bool) {
	head := s.head[:copy(s.head[:], s.packet[:s.headLen])]
	if head[0]>>4 == 4 {
		s.id = binary.BigEndian.Uint16(head[4:])
		clear(head[2:6])
		clear(head[10:12])
		s.ipSum = short(sumTail(head[:min(int(head[0]&15)*4, s.ipLen)], 0))
	} else {
		clear(head[4:6])
	}
	t := head[s.ipLen:]
	if udp {
		clear(t[4:8])
		s.l4Sum = short(sumTail(t, pseudo(head, protoUDP, 0)))
		return
	}
	s.seq, s.flags = binary.BigEndian.Uint32(t[4:]), t[13]
	clear(t[4:8])
	t[13] = 0
	clear(t[16:18])
	s.l4Sum = short(sumTail(t, pseudo(head, protoTCP, 0)))
}

// Packet is the frame's packet as it came, for looking at its addresses.
func (s *Segments) Packet() []byte { return s.packet }

// MaxLen is the length of the longest packet that Next will produce.
func (s *Segments) MaxLen() int {
	if s.whole {
		return len(s.packet)
	}
	return min(s.headLen+s.size, len(s.packet))
}

// Widen lets the packets of a TCP super-packet grow to limit bytes, for a
// receiver that takes more than the device's MTU. It is called before Next.
func (s *Segments) Widen(limit int) {
	if s.whole || s.h.gsoType == gsoUDPL4 || s.size == 0 {
		return
	}
	if n := (limit - s.headLen) / s.size; n > 1 {
		s.size *= n
	}
}

// Size is the length in bytes of all packets still to come.
func (s *Segments) Size() int {
	if s.packet == nil || s.whole {
		return len(s.packet)
	}
	return len(s.packet) - s.at + s.Left()*s.headLen
}

// Left is how many packets are still to come.
func (s *Segments) Left() int {
	switch {
	case s.packet == nil:
		return 0
	case s.whole:
		return 1
	}
	return (len(s.packet) - s.at + s.size - 1) / s.size
}

// Next writes the next packet to dst, which holds at least MaxLen bytes, and
// returns its length; 0 after the last.
func (s *Segments) Next(dst []byte) int {
	if s.packet == nil {
		return 0
	}
	if s.whole {
		n := copy(dst, s.packet)
		s.packet = nil
		return n
	}
	n := min(s.size, len(s.packet)-s.at)
	out := dst[:s.headLen+n]
	copy(out[s.headLen:], s.packet[s.at:s.at+n])
	s.finish(out, n)
	return len(out)
}

// Take returns the next packet where its payload lies in the frame, with room
// bytes in front of it, at most HeaderLen, that are the caller's to write; nil
// after the last. Its headers overwrite the end of the packet before, which
// must not be needed any more. Next and Take are not mixed for one frame.
func (s *Segments) Take(room int) []byte {
	if s.packet == nil {
		return nil
	}
	if s.whole {
		s.packet = nil
		return s.frame[HeaderLen-room:]
	}
	n := min(s.size, len(s.packet)-s.at)
	start := HeaderLen + s.at - s.headLen
	out := s.frame[start-room : HeaderLen+s.at+n]
	s.finish(out[room:], n)
	return out
}

// finish writes the headers of the packet out, whose payload of n bytes is in
// place, and moves on.
func (s *Segments) finish(out []byte, n int) {
	copy(out, s.head[:s.headLen])
	s.finishIP(out)
	t := out[s.ipLen:]
	acc := s.l4Sum + word(len(t))
	if s.h.gsoType == gsoUDPL4 {
		binary.BigEndian.PutUint16(t[4:], uint16(len(t)))
		c := ^fold(sum(t[s.headLen-s.ipLen:], acc+word(len(t))))
		if c == 0 {
			c = 0xffff // zero means "no checksum" in UDP
		}
		binary.BigEndian.PutUint16(t[6:], c)
	} else {
		seq, flags := s.seq+uint32(s.at-s.headLen), s.packetFlags(s.at+n == len(s.packet))
		binary.BigEndian.PutUint32(t[4:], seq)
		t[13] = flags
		acc += word(int(seq>>16)) + word(int(seq&0xffff)) + word(int(flags))
		binary.BigEndian.PutUint16(t[16:], ^fold(sum(t[s.headLen-s.ipLen:], acc)))
	}
	s.at += n
	s.index++
	if s.at == len(s.packet) {
		s.packet = nil
	}
}

// short brings a sum to 33 bits, so that words can be added without a carry.
func short(acc uint64) uint64 { return acc>>32 + acc&0xffffffff }

// word is a 16-bit field as sum would have added it.
func word(v int) uint64 { return uint64(bits.ReverseBytes16(uint16(v))) }

func (s *Segments) finishIP(out []byte) {
	if out[0]>>4 == 6 {
		binary.BigEndian.PutUint16(out[4:], uint16(len(out)-40))
		return
	}
	id := s.id + uint16(s.index)
	binary.BigEndian.PutUint16(out[2:], uint16(len(out)))
	binary.BigEndian.PutUint16(out[4:], id)
	binary.BigEndian.PutUint16(out[10:], ^fold(s.ipSum+word(len(out))+word(int(id))))
}

// packetFlags are the TCP flags of the packet under way: FIN and PSH belong to
// the last, CWR to the first (RFC 3168 6.1.2).
func (s *Segments) packetFlags(last bool) byte {
	f := s.flags
	if !last {
		f &^= tcpFIN | tcpPSH
	}
	if s.index > 0 {
		f &^= tcpCWR
	}
	return f
}
