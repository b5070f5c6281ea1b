package netio

import (
	"io"
	"sync"

	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
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

var writeBuffers = sync.Pool{New: func() any { b := make([]byte, 0, FlushAt+2*maxCiphertext); return &b }}

// SendRecords sends each packet as one frame in one record of t, which writes
// to conn, and all of them at once. The packets need openconnect.HeaderLen
// bytes of room in front.
func SendRecords(conn *Conn, t io.Writer, c *Chunk) error {
	buf := writeBuffers.Get().(*[]byte)
	conn.Cork(*buf)
	var first error
	for _, it := range c.Items {
		frame := c.Buf[it.Off-openconnect.HeaderLen : it.Off+it.Size]
		openconnect.PutHeader(frame, openconnect.TypeData, it.Size)
		if _, err := t.Write(frame); err != nil {
			first = err
			break
		}
	}
	out, err := conn.Flush()
	*buf = out[:0]
	writeBuffers.Put(buf)
	if first == nil {
		first = err
	}
	return first
}
