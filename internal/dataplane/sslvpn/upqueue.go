package sslvpn

import (
	"sync"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/shape"
)

const (
	pieceSize = 32 << 10 // memory of a piece of a waiting queue
	// queueLeast and queueMost bound what may wait of one SSL client, whatever its
	// rate.
	queueLeast = 8 << 10
	queueMost  = 256 << 10
)

// upQueue is what waits of one SSL client. Acknowledgements of what it
// downloads go before its uploads, or these would hold up its downloads too.
type upQueue struct {
	client     *sslClient
	flow       *shape.Flow[*upQueue]
	acks, bulk band
	space      chan struct{}
}

// put copies a packet into its band, of which room bytes may be in use; a band
// whose first packet has waited for maxSojourn already takes little more.
func (q *upQueue) put(packet []byte, now time.Time, room int) bool {
	l := &q.bulk
	if isAck(packet) {
		l = &q.acks
	}
	full := l.bytes + len(packet)
	if len(packet) > pieceSize || (l.bytes > 0 && full > room) || (full > queueLeast && now.Sub(l.eldest()) > maxSojourn) {
		return false
	}
	l.push(packet, now)
	return true
}

func (q *upQueue) empty() bool { return q.acks.bytes+q.bulk.bytes == 0 }

// take moves about budget bytes to a turn and returns how many it were.
func (q *upQueue) take(budget int, t *turn) int {
	n := q.acks.take(budget, t)
	if n < budget {
		n += q.bulk.take(budget-n, t)
	}
	return n
}

// band is a queue of copied packets.
type band struct {
	pieces []*piece
	bytes  int
}

// piece is a piece of a band. Packets lie one behind the other.
type piece struct {
	buf   []byte
	items []pieceItem
	at    int // in buf, of the first that has not been sent
	next  int // in items
}

type pieceItem struct {
	size int
	came time.Time
}

var piecePool = sync.Pool{New: func() any { return &piece{buf: make([]byte, 0, pieceSize)} }}

// eldest is when the first waiting packet came; in the far future without one.
func (b *band) eldest() time.Time {
	for _, h := range b.pieces {
		if h.next < len(h.items) {
			return h.items[h.next].came
		}
	}
	return time.Unix(1<<40, 0)
}

func (b *band) push(packet []byte, now time.Time) {
	n := len(b.pieces)
	if n == 0 || len(b.pieces[n-1].buf)+len(packet) > pieceSize {
		h := piecePool.Get().(*piece)
		h.buf, h.items, h.at, h.next = h.buf[:0], h.items[:0], 0, 0
		b.pieces = append(b.pieces, h)
		n++
	}
	h := b.pieces[n-1]
	h.buf = append(h.buf, packet...)
	h.items = append(h.items, pieceItem{len(packet), now})
	b.bytes += len(packet)
}

// take moves about budget bytes of the band's head to a turn: the packet that
// goes beyond is the last one.
func (b *band) take(budget int, t *turn) int {
	taken := 0
	for len(b.pieces) > 0 && taken < budget {
		h := b.pieces[0]
		if h.next == len(h.items) {
			b.pieces = append(b.pieces[:0], b.pieces[1:]...)
			t.done = append(t.done, h)
			continue
		}
		n := h.items[h.next].size
		t.packets = append(t.packets, h.buf[h.at:h.at+n])
		h.at, h.next, taken = h.at+n, h.next+1, taken+n
	}
	if b.bytes -= taken; b.bytes == 0 {
		t.done = append(t.done, b.pieces...)
		b.pieces = b.pieces[:0]
	}
	return taken
}
