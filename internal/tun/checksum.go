package tun

import (
	"encoding/binary"
	"math/bits"
)

// sum adds b to the one's complement sum (RFC 1071) begun in initial. The
// words are added eight bytes wide in the machine's order of a little-endian
// load; fold puts them right.
func sum(b []byte, initial uint64) uint64 {
	acc, carry := initial, uint64(0)
	le := binary.LittleEndian
	for len(b) >= 64 {
		p := b[:64:64]
		acc, carry = bits.Add64(acc, le.Uint64(p[0:]), 0)
		acc, carry = bits.Add64(acc, le.Uint64(p[8:]), carry)
		acc, carry = bits.Add64(acc, le.Uint64(p[16:]), carry)
		acc, carry = bits.Add64(acc, le.Uint64(p[24:]), carry)
		acc, carry = bits.Add64(acc, le.Uint64(p[32:]), carry)
		acc, carry = bits.Add64(acc, le.Uint64(p[40:]), carry)
		acc, carry = bits.Add64(acc, le.Uint64(p[48:]), carry)
		acc, carry = bits.Add64(acc, le.Uint64(p[56:]), carry)
		acc, carry = bits.Add64(acc, 0, carry)
		acc += carry
		b = b[64:]
	}
	return sumTail(b, acc)
}

func sumTail(b []byte, acc uint64) uint64 {
	var carry uint64
	le := binary.LittleEndian
	for len(b) >= 8 {
		acc, carry = bits.Add64(acc, le.Uint64(b), 0)
		acc += carry
		b = b[8:]
	}
	if len(b) > 0 {
		var last [8]byte
		copy(last[:], b)
		acc, carry = bits.Add64(acc, le.Uint64(last[:]), 0)
		acc += carry
	}
	return acc
}

// fold brings a sum to 16 bits in network order, not complemented.
func fold(acc uint64) uint16 {
	acc = acc>>32 + acc&0xffffffff
	acc = acc>>32 + acc&0xffffffff
	acc = acc>>16 + acc&0xffff
	acc = acc>>16 + acc&0xffff
	acc = acc>>16 + acc&0xffff
	return bits.ReverseBytes16(uint16(acc))
}

// pseudo is the sum of the pseudo header of TCP or UDP for the packet p, whose
// upper layer has length bytes (RFC 9293 3.1, RFC 8200 8.1).
func pseudo(p []byte, proto uint8, length int) uint64 {
	var tail [8]byte
	binary.BigEndian.PutUint32(tail[:], uint32(length))
	tail[7] = proto
	acc := binary.LittleEndian.Uint64(tail[:])
	if p[0]>>4 == 4 {
		return sumTail(p[12:20], acc)
	}
	return sum(p[8:40], acc)
}

// ipv4Checksum recomputes the header checksum of an IPv4 header.
func ipv4Checksum(h []byte) {
	h[10], h[11] = 0, 0
	binary.BigEndian.PutUint16(h[10:], ^fold(sumTail(h, 0)))
}
