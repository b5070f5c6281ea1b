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

// packetQueue is what waits of one SSL client. Acknowledgements of what it
// downloads go before its uploads, or these would hold up its downloads too.
type packetQueue struct {
	owner      *owner
	flow       *shape.Flow[*packetQueue]
	acks, bulk band
	space      chan struct{}
}

// put copies a packet into its band, of which room bytes may be in use; a band
// whose first packet has waited for maxSojourn already takes little more.
func (q *packetQueue) put(packet []byte, now time.Time, room int) bool {
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

func (q *packetQueue) empty() bool { return q.acks.bytes+q.bulk.bytes == 0 }

// take moves about budget bytes to a turn and returns how many it were.
func (q *packetQueue) take(budget int, t *turn) int {
	n := q.acks.take(budget, t)
	if n < budget {
		n += q.bulk.take(budget-n, t)
	}
	return n
}

// band is a queue of copied packets.
type band struct {
	chunks []*piece
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
	for _, h := range b.chunks {
		if h.next < len(h.items) {
			return h.items[h.next].came
		}
	}
	return time.Unix(1<<40, 0)
}

func (b *band) push(packet []byte, now time.Time) {
	n := len(b.chunks)
	if n == 0 || len(b.chunks[n-1].buf)+len(packet) > pieceSize {
		h := piecePool.Get().(*piece)
		h.buf, h.items, h.at, h.next = h.buf[:0], h.items[:0], 0, 0
		b.chunks = append(b.chunks, h)
		n++
	}
	h := b.chunks[n-1]
	h.buf = append(h.buf, packet...)
	h.items = append(h.items, pieceItem{len(packet), now})
	b.bytes += len(packet)
}

// take moves about budget bytes of the band's head to a turn: the packet that
// goes beyond is the last one.
func (b *band) take(budget int, t *turn) int {
	taken := 0
	for len(b.chunks) > 0 && taken < budget {
		h := b.chunks[0]
		if h.next == len(h.items) {
			b.chunks = append(b.chunks[:0], b.chunks[1:]...)
			t.done = append(t.done, h)
			continue
		}
		n := h.items[h.next].size
		t.packets = append(t.packets, h.buf[h.at:h.at+n])
		h.at, h.next, taken = h.at+n, h.next+1, taken+n
	}
	if b.bytes -= taken; b.bytes == 0 {
		t.done = append(t.done, b.chunks...)
		b.chunks = b.chunks[:0]
	}
	return taken
}

const (
	protoTCP  = 6
	flagACK   = 0x10
	plainMask = 0x2f // FIN, SYN, RST, PSH and URG
)

// isAck tells whether an IP packet is a whole TCP segment that only
// acknowledges: it may overtake others of its connection, and is small.
func isAck(p []byte) bool {
	from, to := 0, 0
	switch {
	case len(p) >= 40 && p[0]>>4 == 4 && p[9] == protoTCP && p[6]&0x3f|p[7] == 0: // no fragment
		from, to = int(p[0]&15)*4, int(p[2])<<8|int(p[3])
	case len(p) >= 60 && p[0]>>4 == 6 && p[6] == protoTCP:
		from, to = 40, 40+(int(p[4])<<8|int(p[5]))
	}
	if to > len(p) || to-from < 20 {
		return false
	}
	tcp := p[from:to]
	return tcp[13]&(flagACK|plainMask) == flagACK && int(tcp[12]>>4)*4 == len(tcp)
}

// isChatter tells whether an IP packet is what IPv6 neighbours say by
// themselves: neighbour, router and multicast listener messages. It is no
// activity of a person.
func isChatter(p []byte) bool {
	if len(p) < 48 || p[0]>>4 != 6 {
		return false
	}
	next, at := p[6], 40
	if next == 0 { // hop-by-hop options, as before multicast listener reports
		next, at = p[40], 48+int(p[41])*8
	}
	return next == 58 && at < len(p) && (p[at] >= 130 && p[at] <= 137 || p[at] == 143)
}
