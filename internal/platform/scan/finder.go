package scan

import (
	"bytes"
	"encoding/binary"
)

// finder finds all patterns in one pass over the bytes. Every pattern is at least
// MinValue = 6 long, so that of every three places one has four of its bytes from
// there on, which are its first, second or third: looking at every third place is
// enough. A table of bits, small enough for the processor's first cache, tells
// nearly all places at which no pattern lies; where one may, they are compared.
//
//	place    0 . . 3 . . 6 . .
//	pattern    a b c d e f        is seen at 3, by "cdef", its third to sixth
type finder struct {
	all     []pattern
	maybe   [1 << (tableBits - 6)]uint64
	at      map[uint32][]anchor // by four bytes
	longest int                 // bytes of the longest pattern
}

// anchor is where in a pattern four bytes stand.
type anchor struct{ pattern, offset int32 }

const (
	stride    = 3
	block     = 4
	tableBits = 17 // 16 KB
)

func slot(v uint32) uint32 { return v * 2654435761 >> (32 - tableBits) }

func build(all []pattern) *finder {
	f := &finder{all: all, at: map[uint32][]anchor{}}
	for n, p := range all {
		f.longest = max(f.longest, len(p.bytes))
		for offset := range stride {
			v := binary.LittleEndian.Uint32(p.bytes[offset:])
			s := slot(v)
			f.maybe[s/64] |= 1 << (s % 64)
			f.at[v] = append(f.at[v], anchor{int32(n), int32(offset)}) //nolint:gosec // a few thousand
		}
	}
	return f
}

// run tells each pattern that begins in the first bytes of text, limit of them,
// and lies in it.
func (f *finder) run(text []byte, limit int, hit func(pattern int32)) {
	for i := 0; i+block <= len(text) && i < limit+stride-1; i += stride {
		v := binary.LittleEndian.Uint32(text[i:])
		if s := slot(v); f.maybe[s/64]>>(s%64)&1 == 0 {
			continue
		}
		for _, a := range f.at[v] {
			begin := i - int(a.offset)
			if begin >= 0 && begin < limit && bytes.HasPrefix(text[begin:], f.all[a.pattern].bytes) {
				hit(a.pattern)
			}
		}
	}
}

// wipe forgets the patterns.
func (f *finder) wipe() {
	clear(f.maybe[:])
	clear(f.at)
	f.all = nil
}
