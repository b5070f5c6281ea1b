package tun

import "encoding/binary"

// NextFrame writes the next packets as one frame of at most limit bytes to dst:
// as many segments of TCP as fit, or one of UDP, with the checksum left to the
// kernel that takes the frame. It returns the frame's length; 0 after the last, and for what does not
// fit even alone, which is dropped. It is not mixed with Next and Take.
func (s *Segments) NextFrame(dst []byte, limit int) int {
	if s.packet == nil {
		return 0
	}
	if s.whole || HeaderLen+s.headLen+s.size > limit {
		return s.wholeFrame(dst, limit)
	}
	most := (limit - HeaderLen - s.headLen) / s.size * s.size
	h := header{flags: flagNeedsCsum, csumStart: uint16(s.ipLen), csumOffset: 16}
	if s.h.gsoType == gsoUDPL4 {
		most, h.csumOffset = s.size, 6 // the other kernel may not know how to cut UDP
	}
	n := min(most, len(s.packet)-s.at)
	if n > s.size {
		h.gsoType, h.gsoSize, h.hdrLen = s.h.gsoType, uint16(s.size), uint16(s.headLen)
	}
	h.put(dst)
	out := dst[HeaderLen : HeaderLen+s.headLen+n]
	copy(out, s.head[:s.headLen])
	copy(out[s.headLen:], s.packet[s.at:s.at+n])
	s.finishIP(out)
	s.finishPartial(out, n)
	return HeaderLen + len(out)
}

func (s *Segments) wholeFrame(dst []byte, limit int) int {
	p := s.packet
	s.packet = nil
	if !s.whole || HeaderLen+len(p) > limit {
		return 0
	}
	clear(dst[:HeaderLen])
	return HeaderLen + copy(dst[HeaderLen:], p)
}

// finishPartial writes the fields of TCP or UDP with the pseudo header's sum
// only, and moves on by the segments in n bytes.
func (s *Segments) finishPartial(out []byte, n int) {
	t := out[s.ipLen:]
	if s.h.gsoType == gsoUDPL4 {
		binary.BigEndian.PutUint16(t[4:], uint16(len(t)))
		binary.BigEndian.PutUint16(t[6:], fold(pseudo(out, protoUDP, len(t))))
	} else {
		binary.BigEndian.PutUint32(t[4:], s.seq+uint32(s.at-s.headLen))
		t[13] = s.packetFlags(s.at+n == len(s.packet))
		binary.BigEndian.PutUint16(t[16:], fold(pseudo(out, protoTCP, len(t))))
	}
	s.at += n
	s.index += (n + s.size - 1) / s.size
	if s.at == len(s.packet) {
		s.packet = nil
	}
}

// MaxFrameLen is the length of the longest frame that NextFrame will produce.
func (s *Segments) MaxFrameLen(limit int) int { return min(HeaderLen+len(s.packet), limit) }

// CheckFrame tells whether a frame that came from elsewhere may be given to a
// Queue: its virtio-net header must be about the packet that follows, so that
// the kernel neither reads nor writes beside it. The packet's addresses are not
// looked at. ErrFrame is the only error.
func CheckFrame(frame []byte) error {
	if len(frame) < HeaderLen+20 {
		return ErrFrame
	}
	h, p := parseHeader(frame), frame[HeaderLen:]
	ipLen, proto, ok := layers(p)
	if !ok || h.flags&^flagNeedsCsum != 0 || frame[1]&gsoECN != 0 {
		return ErrFrame
	}
	if h.flags == 0 && h.gsoType == gsoNone {
		return nil
	}
	offset, least := 16, 20
	if proto == protoUDP {
		offset, least = 6, 8
	} else if proto != protoTCP {
		return ErrFrame
	}
	start := int(h.csumStart)
	if h.flags == 0 || start != ipLen || int(h.csumOffset) != offset || start+least > len(p) {
		return ErrFrame
	}
	return checkGSO(h, p, proto)
}

// Packets is how many packets of wire size a frame stands for that CheckFrame
// has found good.
func Packets(frame []byte) int {
	h := parseHeader(frame)
	if h.gsoType == gsoNone || h.gsoSize == 0 {
		return 1
	}
	payload, size := len(frame)-HeaderLen-int(h.hdrLen), int(h.gsoSize)
	return max(1, (payload+size-1)/size)
}

func checkGSO(h header, p []byte, proto byte) error {
	if h.gsoType == gsoNone {
		return nil
	}
	want, headLen := byte(gsoUDPL4), int(h.csumStart)+8
	if proto == protoTCP {
		want, headLen = gsoTCPv4, int(h.csumStart)+int(p[int(h.csumStart)+12]>>4)*4
		if p[0]>>4 == 6 {
			want = gsoTCPv6
		}
		if headLen < int(h.csumStart)+20 {
			return ErrFrame
		}
	}
	if h.gsoType != want || int(h.hdrLen) != headLen || headLen >= len(p) || h.gsoSize == 0 {
		return ErrFrame
	}
	return nil
}

// layers finds the upper layer of a packet that is no fragment and as long as it
// says.
func layers(p []byte) (ipLen int, proto byte, ok bool) {
	switch {
	case p[0]>>4 == 4:
		ipLen = int(p[0]&15) * 4
		whole := binary.BigEndian.Uint16(p[6:])&0x3fff == 0 && int(binary.BigEndian.Uint16(p[2:])) == len(p)
		return ipLen, p[9], whole && ipLen >= 20 && ipLen <= len(p)
	case p[0]>>4 == 6 && len(p) >= 40:
		return 40, p[6], int(binary.BigEndian.Uint16(p[4:])) == len(p)-40
	}
	return 0, 0, false
}
