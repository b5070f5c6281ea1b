package tun

import "encoding/binary"

const (
	tcpSYN = 2

	optionEnd, optionNop, optionMSS = 0, 1, 2

	protoICMP   = 1
	protoICMPv6 = 58

	flagDF, flagMF = 0x40, 0x20
	leastIPv6      = 1280 // RFC 8200 5
)

// ClampMSS lowers the segment size that a TCP SYN announces to what one packet
// of mtu bytes holds (RFC 6691): hosts beyond the tunnel's ends know nothing of
// its MTU. Other packets, and what announces less, stay as they are. The
// packet's checksum must be complete.
func ClampMSS(p []byte, mtu int) {
	t, head := tcpOf(p)
	if t == nil || t[13]&tcpSYN == 0 || mtu <= head+20 {
		return
	}
	most := uint16(mtu - head - 20)
	end := min(int(t[12]>>4)*4, len(t))
	for at := 20; at+1 < end; {
		switch t[at] {
		case optionEnd:
			return
		case optionNop:
			at++
			continue
		case optionMSS:
			if t[at+1] == 4 && at+4 <= end {
				lower(t, at+2, most)
			}
			return
		}
		if t[at+1] < 2 {
			return
		}
		at += int(t[at+1])
	}
}

// ClampFrame is ClampMSS for a frame, of whose checksum the rest may be left to
// the kernel that takes it: the option is no part of the sum that is there.
func ClampFrame(frame []byte, mtu int) {
	p := frame[HeaderLen:]
	t, _ := tcpOf(p)
	if t == nil || frame[0]&flagNeedsCsum == 0 {
		ClampMSS(p, mtu)
		return
	}
	begun := [2]byte(t[16:])
	ClampMSS(p, mtu)
	copy(t[16:], begun[:])
}

// tcpOf is the TCP segment of a packet without a fragment or extensions before
// it, and the length of the IP header; nil for all else.
func tcpOf(p []byte) (t []byte, head int) {
	switch {
	case len(p) >= 40 && p[0]>>4 == 4 && p[9] == protoTCP && p[6]&0x3f == 0 && p[7] == 0:
		head = int(p[0]&15) * 4
	case len(p) >= 60 && p[0]>>4 == 6 && p[6] == protoTCP:
		head = 40
	default:
		return nil, 0
	}
	if head < 20 || len(p) < head+20 {
		return nil, 0
	}
	return p[head:], head
}

// lower writes a 16-bit field of a TCP segment, if that makes it smaller, and
// puts the checksum right (RFC 1624). The field may lie across two words of it.
func lower(t []byte, at int, most uint16) {
	old := binary.BigEndian.Uint16(t[at:])
	if old <= most {
		return
	}
	binary.BigEndian.PutUint16(t[at:], most)
	if at%2 == 1 {
		old, most = old<<8|old>>8, most<<8|most>>8
	}
	acc := uint32(^binary.BigEndian.Uint16(t[16:])) + uint32(^old) + uint32(most)
	acc = acc>>16 + acc&0xffff
	acc = acc>>16 + acc&0xffff
	binary.BigEndian.PutUint16(t[16:], ^uint16(acc))
}

// Narrow makes the packets of a TCP super-packet at most mtu bytes long. It is
// called before Next and Take.
func (s *Segments) Narrow(mtu int) {
	if s.whole || s.h.gsoType == gsoUDPL4 || s.packet == nil || mtu <= s.headLen {
		return
	}
	s.size = min(s.size, mtu-s.headLen)
}

// Fragments cuts one IPv4 packet (RFC 791 2.3). The zero value holds nothing.
type Fragments struct {
	packet     []byte
	head, size int
	at         int
}

// Reset loads a packet that is longer than mtu; false when it must not be cut:
// IPv6, DF, or a header that leaves no room.
func (f *Fragments) Reset(p []byte, mtu int) bool {
	*f = Fragments{}
	if len(p) < 20 || p[0]>>4 != 4 || p[6]&flagDF != 0 {
		return false
	}
	head := int(p[0]&15) * 4
	size := (mtu - head) &^ 7
	if head < 20 || head > len(p) || size < 8 {
		return false
	}
	*f = Fragments{packet: p, head: head, size: size, at: head}
	return true
}

// Next writes the next fragment to dst, which holds mtu bytes, and returns its
// length; 0 after the last.
func (f *Fragments) Next(dst []byte) int {
	if f.packet == nil {
		return 0
	}
	n := min(f.size, len(f.packet)-f.at)
	out := dst[:f.head+n]
	copy(out, f.packet[:f.head])
	copy(out[f.head:], f.packet[f.at:f.at+n])
	if f.at > f.head {
		onlyCopied(out[20:f.head])
	}
	place := binary.BigEndian.Uint16(f.packet[6:]) + uint16((f.at-f.head)/8)
	f.at += n
	if f.at < len(f.packet) {
		place |= flagMF << 8
	}
	binary.BigEndian.PutUint16(out[2:], uint16(len(out)))
	binary.BigEndian.PutUint16(out[6:], place)
	ipv4Checksum(out[:f.head])
	if f.at == len(f.packet) {
		f.packet = nil
	}
	return len(out)
}

// onlyCopied blanks the options that belong to the first fragment alone (RFC
// 791 3.1: those without the copied flag).
func onlyCopied(options []byte) {
	for at := 0; at < len(options) && options[at] != optionEnd; {
		if options[at] == optionNop {
			at++
			continue
		}
		if at+1 >= len(options) || options[at+1] < 2 || at+int(options[at+1]) > len(options) {
			return
		}
		n := int(options[at+1])
		if options[at]&0x80 == 0 {
			for i := range n {
				options[at+i] = optionNop
			}
		}
		at += n
	}
}

// quoteLimit is how much of a packet an error quotes: IPv4 hosts take 576 bytes
// (RFC 1812 4.3.2.3).
const quoteLimit = 548

// TooBig writes the error that tells a packet's sender that mtu bytes are the
// most (RFC 1191, RFC 4443 3.2), as a frame for a Queue, and returns its length;
// 0 when the packet deserves none: a later fragment, an ICMP error, one from or
// to a group or nobody. The error comes from the packet's destination, since
// that is on the way to it. dst holds a MaxError.
func TooBig(dst, p []byte, mtu int) int {
	if !deserves(p) {
		return 0
	}
	clear(dst[:HeaderLen])
	out := dst[HeaderLen:]
	quote := p[:min(len(p), quoteLimit)]
	if p[0]>>4 == 4 {
		total := 28 + len(quote)
		copy(out, []byte{0x45, 0xc0, byte(total >> 8), byte(total), 0, 0, 0, 0, 64, protoICMP, 0, 0})
		copy(out[12:], p[16:20])
		copy(out[16:], p[12:16])
		ipv4Checksum(out[:20])
		copy(out[20:], []byte{3, 4, 0, 0, 0, 0, byte(mtu >> 8), byte(mtu)})
		copy(out[28:], quote)
		binary.BigEndian.PutUint16(out[22:], ^fold(sum(out[20:total], 0)))
		return HeaderLen + total
	}
	mtu = max(mtu, leastIPv6)
	total := 48 + len(quote)
	copy(out, []byte{0x60, 0, 0, 0, byte((total - 40) >> 8), byte(total - 40), protoICMPv6, 64})
	copy(out[8:], p[24:40])
	copy(out[24:], p[8:24])
	copy(out[40:], []byte{2, 0, 0, 0, 0, 0, byte(mtu >> 8), byte(mtu)})
	copy(out[48:], quote)
	binary.BigEndian.PutUint16(out[42:], ^fold(sum(out[40:total], pseudo(out, protoICMPv6, total-40))))
	return HeaderLen + total
}

// MaxError is room for a TooBig.
const MaxError = HeaderLen + 48 + quoteLimit

// deserves tells whether a packet may be answered by an error (RFC 1812
// 4.3.2.7, RFC 4443 2.4).
func deserves(p []byte) bool {
	switch {
	case len(p) >= 20 && p[0]>>4 == 4:
		head := int(p[0]&15) * 4
		if head < 20 || len(p) < head+8 || p[6]&0x1f != 0 || p[7] != 0 {
			return false
		}
		if p[9] == protoICMP && p[head] != 8 && p[head] != 0 {
			return false
		}
		return p[12] < 224 && p[12] != 0 && p[16] < 224
	case len(p) >= 48 && p[0]>>4 == 6:
		if p[6] == protoICMPv6 && p[40] < 128 {
			return false
		}
		return p[8] != 0xff && p[24] != 0xff && [16]byte(p[8:24]) != [16]byte{}
	}
	return false
}
