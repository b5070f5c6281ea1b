package filter

import "net/netip"

// Protocol numbers (IANA).
const (
	hopByHop     = 0
	protoICMP    = 1
	protoTCP     = 6
	protoUDP     = 17
	routing      = 43
	fragment     = 44
	authHeader   = 51
	protoICMPv6  = 58
	destination  = 60
	headerLength = 40 // of IPv6 without extensions
)

// Bounds of IPv6 extension headers: real packets have one or two.
const (
	maxExtensions     = 4
	maxExtensionBytes = 256
)

// Addresses reads source and destination of an IPv4 or IPv6 packet. ok is
// false for anything else, when the packet's own length exceeds p, and for an
// IPv6 packet with extension headers that are too many, cut, or route it
// elsewhere.
func Addresses(p []byte) (src, dst netip.Addr, ok bool) {
	if len(p) < 20 {
		return src, dst, false
	}
	switch p[0] >> 4 {
	case 4:
		if n := int(p[2])<<8 | int(p[3]); n > len(p) || p[0]&15 < 5 {
			return src, dst, false
		}
		return netip.AddrFrom4([4]byte(p[12:16])), netip.AddrFrom4([4]byte(p[16:20])), true
	case 6:
		if len(p) < headerLength {
			return src, dst, false
		}
		end := headerLength + (int(p[4])<<8 | int(p[5]))
		if end > len(p) {
			return src, dst, false
		}
		if p[6] != protoTCP && p[6] != protoUDP {
			if _, _, ok := upper(p[:end]); !ok {
				return src, dst, false
			}
		}
		return netip.AddrFrom16([16]byte(p[8:24])), netip.AddrFrom16([16]byte(p[24:40])), true
	}
	return src, dst, false
}

// upper walks the extension headers of an IPv6 packet (RFC 8200 section 4) to
// the upper layer: its protocol and offset. A fragment that is not the first
// has none, 0.
func upper(p []byte) (proto byte, at int, ok bool) {
	proto, at = p[6], headerLength
	for range maxExtensions + 1 {
		switch proto {
		case hopByHop, destination, fragment, authHeader:
		case routing:
			return 0, 0, false // source routing goes around the filter
		default:
			return proto, at, true
		}
		if len(p) < at+8 {
			return 0, 0, false
		}
		if proto == fragment && (p[at+2] != 0 || p[at+3]&^7 != 0) {
			return 0, at, true
		}
		proto, at = p[at], at+extension(p[at:], proto)
		if at > len(p) || at > headerLength+maxExtensionBytes {
			return 0, 0, false
		}
	}
	return 0, 0, false
}

// extension is the length of the extension header that h begins with.
func extension(h []byte, proto byte) int {
	switch proto {
	case fragment:
		return 8
	case authHeader:
		return (int(h[1]) + 2) * 4
	}
	return (int(h[1]) + 1) * 8
}

// quoted reads source and destination of the packet that the ICMP error p is
// about; ok is false when it is none.
func quoted(p []byte) (src, dst netip.Addr, ok bool) {
	if p[0]>>4 == 4 {
		at := int(p[0]&15) * 4
		if p[9] != protoICMP || p[6]&0x1f != 0 || p[7] != 0 || len(p) < at+8+20 || !icmpError(p[at]) || p[at+8]>>4 != 4 {
			return src, dst, false
		}
		q := p[at+8:]
		return netip.AddrFrom4([4]byte(q[12:16])), netip.AddrFrom4([4]byte(q[16:20])), true
	}
	proto, at, ok := upper(p)
	if !ok || proto != protoICMPv6 || len(p) < at+8+headerLength || p[at] == 0 || p[at] > 4 || p[at+8]>>4 != 6 {
		return src, dst, false
	}
	q := p[at+8:]
	return netip.AddrFrom16([16]byte(q[8:24])), netip.AddrFrom16([16]byte(q[24:40])), true
}

// icmpError tells whether an ICMP type is one of the errors: unreachable, which
// "fragmentation needed" is part of, time exceeded, parameter problem.
func icmpError(typ byte) bool { return typ == 3 || typ == 11 || typ == 12 }
