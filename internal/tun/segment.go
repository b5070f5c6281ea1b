package tun

import "encoding/binary"

const (
	protoTCP = 6
	protoUDP = 17
)

// Segments cuts one frame into packets of wire size with complete checksums.
// The zero value holds nothing; Reset loads a frame. It keeps no memory of its
// own: the frame's buffer must stay until the last Next.
type Segments struct {
	packet  []byte
	h       header
	ipLen   int // length of the IP header with extensions
	headLen int // IP and TCP or UDP header
	size    int // payload per segment
	at      int // next payload byte
	index   int
	whole   bool
}

// Reset loads a frame as read from a Queue. It returns ErrFrame if the header
// contradicts the packet; then the frame is to be dropped.
func (s *Segments) Reset(frame []byte) error {
	*s = Segments{}
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
	if s.headLen < s.ipLen+8 || s.headLen >= len(p) || (!udp && s.headLen < s.ipLen+20) {
		return ErrFrame
	}
	s.packet, s.h, s.at = p, h, s.headLen
	return nil
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
	return s.nextSegment(dst)
}

func (s *Segments) nextSegment(dst []byte) int {
	n := min(s.size, len(s.packet)-s.at)
	last := s.at+n == len(s.packet)
	out := dst[:s.headLen+n]
	copy(out, s.packet[:s.headLen])
	copy(out[s.headLen:], s.packet[s.at:s.at+n])
	s.fixIP(out)
	if s.h.gsoType == gsoUDPL4 {
		s.fixUDP(out)
	} else {
		s.fixTCP(out, last)
	}
	s.at += n
	s.index++
	if last {
		s.packet = nil
	}
	return len(out)
}

func (s *Segments) fixIP(out []byte) {
	if out[0]>>4 == 6 {
		binary.BigEndian.PutUint16(out[4:], uint16(len(out)-40))
		return
	}
	binary.BigEndian.PutUint16(out[2:], uint16(len(out)))
	id := binary.BigEndian.Uint16(out[4:]) + uint16(s.index)
	binary.BigEndian.PutUint16(out[4:], id)
	ipv4Checksum(out[:min(int(out[0]&15)*4, s.ipLen)])
}

func (s *Segments) fixTCP(out []byte, last bool) {
	t := out[s.ipLen:]
	seq := binary.BigEndian.Uint32(t[4:]) + uint32(s.at-s.headLen)
	binary.BigEndian.PutUint32(t[4:], seq)
	if !last {
		t[13] &^= tcpFIN | tcpPSH
	}
	if s.index > 0 {
		t[13] &^= tcpCWR
	}
	t[16], t[17] = 0, 0
	c := ^fold(sum(t, pseudo(out, protoTCP, len(t))))
	binary.BigEndian.PutUint16(t[16:], c)
}

func (s *Segments) fixUDP(out []byte) {
	u := out[s.ipLen:]
	binary.BigEndian.PutUint16(u[4:], uint16(len(u)))
	u[6], u[7] = 0, 0
	c := ^fold(sum(u, pseudo(out, protoUDP, len(u))))
	if c == 0 {
		c = 0xffff
	}
	binary.BigEndian.PutUint16(u[6:], c)
}
