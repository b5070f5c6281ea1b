package sslvpn

import (
	"sync"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/tun"
)

const (
	heldChunk = 32 << 10              // of a client's waiting packets
	heldTurn  = 16 << 10              // bytes that a client may send in one turn, at most
	heldSpan  = 20 * time.Millisecond // and at its rate
	leastTurn = 2 << 10
	// heldLeast and heldMost bound what may wait of one client, whatever its rate.
	heldLeast = 8 << 10
	heldMost  = 256 << 10
)

// pacer holds the uploads of clients to their rates and to the gateway's. What
// has to wait is copied out of the buffers it came in, into a bounded queue of
// its client: a client or a gateway over its rate costs no other anything.
//
//	datagrams ─▶ queue of client A ─┐ turn by turn, as A's rate allows
//	records  ──▶ queue of client B ─┴─▶ the gateway's rate ─▶ device
//
// Clients take turns of equal size (deficit round robin), so that the gateway's
// rate is shared by clients, not by their flows or packets. Without a rate
// nothing comes here.
type pacer struct {
	g    *gateway
	wake chan struct{} // capacity 1

	mu      sync.Mutex
	ring    []*heldQueue // clients with packets, in the order of their turns
	byOwner map[*client]*heldQueue
	closed  bool
}

// heldQueue is what waits of one client.
type heldQueue struct {
	owner   *client
	chunks  []*held
	bytes   int
	deficit int       // what the last turn took too much, as a negative number
	ready   time.Time // of the next turn, by the client's own rate
	space   chan struct{}
}

// held is a piece of a queue. Packets lie one behind the other.
type held struct {
	buf   []byte
	sizes []int
	at    int // in buf, of the first that has not been sent
	next  int // in sizes
	born  time.Time
}

var heldPool = sync.Pool{New: func() any { return &held{buf: make([]byte, 0, heldChunk)} }}

func newPacer(g *gateway) *pacer {
	return &pacer{g: g, wake: make(chan struct{}, 1), byOwner: map[*client]*heldQueue{}}
}

// put queues a copy of a packet; false when there is no room for it, in which
// case the packet is lost or waits elsewhere.
func (p *pacer) put(c *client, packet []byte, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(packet) > heldChunk {
		return false
	}
	q := p.byOwner[c]
	if q == nil {
		q = &heldQueue{owner: c, space: make(chan struct{}, 1)}
		p.byOwner[c] = q
	}
	if q.bytes > 0 && q.bytes+len(packet) > p.roomFor(c) {
		return false
	}
	if q.bytes == 0 {
		p.ring = append(p.ring, q)
		p.signal()
	}
	q.push(packet, now)
	return true
}

// waitFor is signalled when there may be room again for a client's packets.
func (p *pacer) waitFor(c *client) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if q := p.byOwner[c]; q != nil {
		return q.space
	}
	return nil
}

// holds tells whether packets of a client wait: what comes after them must not
// overtake them.
func (p *pacer) holds(c *client) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := p.byOwner[c]
	return q != nil && q.bytes > 0
}

// roomFor is how much of a client may wait: maxSojourn at the lower of the two
// rates, so that it gets loss, which senders heed, and not seconds of delay.
func (p *pacer) roomFor(c *client) int {
	return min(max(bytesAt(lower(c.up.Rate(), p.g.up.Rate()), maxSojourn), heldLeast), heldMost)
}

// turnOf is what a client may send at once: no more than its rate lets pass in
// a moment, so that a slow client is smooth, and the same for all others.
func (p *pacer) turnOf(c *client) int {
	return min(max(bytesAt(lower(c.up.Rate(), p.g.up.Rate()), heldSpan), leastTurn), heldTurn)
}

// lower is the lower of two rates, of which 0 is none.
func lower(a, b int64) int64 {
	if a <= 0 || (b > 0 && b < a) {
		return b
	}
	return a
}

// bytesAt is what passes at a rate in bit/s; without a rate, more than anything.
func bytesAt(rate int64, d time.Duration) int {
	if rate <= 0 {
		return 1 << 30
	}
	return int(float64(rate) / 8 * d.Seconds())
}

func (p *pacer) signal() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

func (q *heldQueue) push(packet []byte, now time.Time) {
	n := len(q.chunks)
	if n == 0 || len(q.chunks[n-1].buf)+len(packet) > heldChunk {
		h := heldPool.Get().(*held)
		h.buf, h.sizes, h.at, h.next, h.born = h.buf[:0], h.sizes[:0], 0, 0, now
		q.chunks = append(q.chunks, h)
		n++
	}
	h := q.chunks[n-1]
	h.buf = append(h.buf, packet...)
	h.sizes = append(h.sizes, len(packet))
	q.bytes += len(packet)
}

// turn moves about budget bytes of the queue's head to out. The packets lie in
// the queue's chunks and in those of done, which the caller gives back after it
// has sent them.
func (q *heldQueue) turn(budget int, out [][]byte, done []*held) (packets [][]byte, chunks []*held, bytes int) {
	for len(q.chunks) > 0 && bytes < budget {
		h := q.chunks[0]
		if h.next == len(h.sizes) {
			q.chunks = append(q.chunks[:0], q.chunks[1:]...)
			done = append(done, h)
			continue
		}
		n := h.sizes[h.next]
		out = append(out, h.buf[h.at:h.at+n])
		h.at, h.next, bytes = h.at+n, h.next+1, bytes+n
	}
	if q.bytes -= bytes; q.bytes == 0 {
		done = append(done, q.chunks...)
		q.chunks = q.chunks[:0]
	}
	return out, done, bytes
}

// next takes the turn of the first client in the ring that is ready, or says
// how long until one is; zero without any.
func (p *pacer) next(now time.Time, t *turn) (wait time.Duration, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for range p.ring {
		q := p.ring[0]
		p.ring = append(p.ring[:0], p.ring[1:]...)
		if early := q.ready.Sub(now); early > 0 {
			p.ring = append(p.ring, q)
			if wait == 0 || early < wait {
				wait = early
			}
			continue
		}
		budget := p.turnOf(q.owner) + q.deficit
		t.packets, t.done, t.bytes = q.turn(budget, t.packets[:0], t.done[:0])
		t.client = q.owner
		q.deficit = min(budget-t.bytes, 0)
		q.owner.up.Reserve(now, t.bytes)
		q.ready = now.Add(q.owner.up.Reserve(now, 0)) // when that is paid for
		p.settleLocked(q)
		return 0, true
	}
	return wait, false
}

// settleLocked keeps a queue in the ring while it has packets. An empty one
// keeps its time, so that leaving and coming back gains nothing.
func (p *pacer) settleLocked(q *heldQueue) {
	select {
	case q.space <- struct{}{}:
	default:
	}
	if q.bytes > 0 {
		p.ring = append(p.ring, q)
		return
	}
	q.deficit = 0
}

// turn is what one client sends at once.
type turn struct {
	client  *client
	packets [][]byte
	done    []*held
	bytes   int
}

// run writes to the device until the gateway stops.
func (p *pacer) run() {
	w := tun.NewWriter(p.g.queues[0])
	var t turn
	for {
		wait, ok := p.next(time.Now(), &t)
		if ok {
			if !p.pause(p.g.up.Reserve(time.Now(), t.bytes)) {
				return
			}
			if err := w.Write(t.packets); err != nil {
				p.g.log.Debug("writing to the tunnel device", "gateway", p.g.id, "error", err)
			}
			for _, h := range t.done {
				heldPool.Put(h)
			}
			continue
		}
		if !p.sleep(wait) {
			return
		}
	}
}

// pause waits for d; false when the gateway stops.
func (p *pacer) pause(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-p.g.stop:
		return false
	}
}

// sleep waits for a packet, and for d if it is not zero; false when the gateway
// stops.
func (p *pacer) sleep(d time.Duration) bool {
	var after <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		after = t.C
	}
	select {
	case <-p.wake:
	case <-after:
	case <-p.g.stop:
		return false
	}
	return true
}

// forget drops what waits of a client that is gone.
func (p *pacer) forget(c *client) {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := p.byOwner[c]
	if q == nil {
		return
	}
	delete(p.byOwner, c)
	for i, other := range p.ring {
		if other == q {
			p.ring = append(p.ring[:i], p.ring[i+1:]...)
			break
		}
	}
	q.chunks, q.bytes = nil, 0
}
