package netio

import (
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
	"github.com/skybridge-cloud/skybridge/internal/protocol/tlsrecord"
	"github.com/skybridge-cloud/skybridge/internal/tun"
)

// ChunkSize is the memory of a Chunk in bytes, room around packets included.
const ChunkSize = 128 << 10

// Chunk holds packets on their way to one peer, each with room around it for
// the headers and tags of its path, so that sealing is in place and sealed
// records are contiguous. It has one owner at a time.
type Chunk struct {
	Buf   []byte
	Used  int
	Items []Item
	Bytes int // of packets
}

// Item is one packet in a chunk's buffer.
type Item struct{ Off, Size int }

// NewChunk returns an empty chunk.
func NewChunk() Chunk {
	return Chunk{Buf: make([]byte, ChunkSize), Items: make([]Item, 0, 256)}
}

// Reset empties the chunk.
func (c *Chunk) Reset() { c.Used, c.Items, c.Bytes = 0, c.Items[:0], 0 }

// Fits tells whether a packet of n bytes, room included, fits behind the others.
func (c *Chunk) Fits(n int) bool {
	return c.Used+n <= len(c.Buf) && len(c.Items) < cap(c.Items)
}

// Fill adds packets of seg, each with head bytes before and tail bytes behind,
// until seg is empty or the chunk full. It returns true when seg is empty.
func (c *Chunk) Fill(seg *tun.Segments, head, tail int) bool {
	longest := seg.MaxLen()
	for c.Fits(head + longest + tail) {
		off := c.Used + head
		n := seg.Next(c.Buf[off : off+longest])
		if n == 0 {
			return true
		}
		c.Items = append(c.Items, Item{off, n})
		c.Used, c.Bytes = off+n+tail, c.Bytes+n
	}
	return false
}

// Split returns the first packets of the chunk, about n bytes of them and one at
// least, and the others. Both parts use the chunk's memory.
func (c Chunk) Split(n int) (part, rest Chunk) {
	at, bytes := 0, 0
	for at < len(c.Items) && (at == 0 || bytes+c.Items[at].Size <= n) {
		bytes += c.Items[at].Size
		at++
	}
	part, rest = c, c
	part.Items, rest.Items = c.Items[:at:at], c.Items[at:]
	part.Bytes, rest.Bytes = bytes, c.Bytes-bytes
	if at > 0 && len(rest.Items) > 0 {
		last := c.Items[at-1]
		part.Used = last.Off + last.Size
	}
	return part, rest
}

// Framing says how packets travel in a TLS stream. The zero value is what every
// peer knows: one frame with one packet in one record.
type Framing struct {
	GSO      bool // openconnect.ExtGSO: frames with super-packets
	Coalesce bool // openconnect.ExtCoalesce: frames in records as they fall
	Widest   int  // without GSO: length to which TCP segments may grow; 0 = as they are

	head, tail int // of a record around its content; 0 = as in TLS 1.3
}

// around is the room before and after each packet: for its frame, and where
// that is a record of its own, for the record.
func (f Framing) around() (head, tail int) {
	if f.Coalesce {
		return openconnect.HeaderLen, 0
	}
	if f.head > 0 {
		return f.head + openconnect.HeaderLen, f.tail
	}
	return tlsrecord.HeaderLen + openconnect.HeaderLen, tlsrecord.TailLen
}

// Room is the room in a chunk that Fill needs for a packet of seg.
func (f Framing) Room(seg *tun.Segments) int {
	head, tail := f.around()
	if f.GSO {
		return head + seg.MaxFrameLen(openconnect.MaxPayload) + tail
	}
	return head + seg.MaxLen() + tail
}

// Fill is Chunk.Fill for a TLS stream.
func (f Framing) Fill(c *Chunk, seg *tun.Segments) bool {
	head, tail := f.around()
	if !f.GSO {
		return c.Fill(seg, head, tail)
	}
	longest := seg.MaxFrameLen(openconnect.MaxPayload)
	for c.Fits(head + longest + tail) {
		off := c.Used + head
		n := seg.NextFrame(c.Buf[off:off+longest], openconnect.MaxPayload)
		if n == 0 {
			return true
		}
		c.Items = append(c.Items, Item{off, n})
		c.Used, c.Bytes = off+n+tail, c.Bytes+n-tun.HeaderLen
	}
	return false
}
