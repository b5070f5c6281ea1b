package sslvpn

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/session"
	"github.com/skybridge-cloud/skybridge/internal/netio"
	"github.com/skybridge-cloud/skybridge/internal/tun"
)

const (
	maxReady = 6 // chunks a session may have waiting; then packets are dropped
	maxNotes = 16
	// maxSojourn is how long the oldest waiting chunk may have waited before new
	// packets are dropped: a slow client gets loss, which its senders heed, and
	// not seconds of delay.
	maxSojourn = 200 * time.Millisecond
	// fewPackets are no queue, however long they wait: a low rate takes its time
	// for each, and TCP needs some to go on after a loss.
	fewPackets = 4
)

// chunk holds packets on their way to one client. Its owner is the queue while
// it is filled, then the stream's writer.
type chunk struct {
	netio.Chunk
	path   *path
	born   time.Time // when the first packet came
	active bool      // not all of it is chatter
}

var chunks = sync.Pool{New: func() any { return &chunk{Chunk: netio.NewChunk()} }}

func takeChunk(p *path) *chunk {
	c := chunks.Get().(*chunk)
	c.Reset()
	c.path, c.born, c.active = p, time.Now(), false
	return c
}

func (c *chunk) release() {
	c.path = nil
	chunks.Put(c)
}

// note is a control frame on its way to the client.
type note struct {
	channel session.Channel
	typ     byte
	payload []byte
}

// downQueue is what waits for one stream's writer. Producers never wait: when
// the client is too slow, packets are dropped here, at the head of a queue that
// stands for long (codel), and at its tail when it is full.
type downQueue struct {
	mu      sync.Mutex
	ready   []*chunk
	filling *chunk
	notes   []note
	closed  bool
	dropped uint64
	law     codel
	lost    *atomic.Uint64 // counts what the law drops; may be nil
	limit   func() int
	wake    chan struct{} // capacity 1
}

// newDownQueue returns a queue whose chunks hold about limit bytes at most.
func newDownQueue(limit func() int) *downQueue {
	return &downQueue{limit: limit, wake: make(chan struct{}, 1)}
}

// put cuts a frame into the queue, laid out for path p; false when there was no
// room for all of it.
func (q *downQueue) put(p *path, seg *tun.Segments) (whole bool) {
	if p.framing.Widest > 0 && p.stream.client.endHost() {
		seg.Widen(p.framing.Widest)
	}
	need, active := p.room(seg), !isChatter(seg.Packet())
	q.mu.Lock()
	for !whole && q.spaceLocked(p, need) {
		q.filling.active = q.filling.active || active
		whole = p.fill(&q.filling.Chunk, seg)
	}
	q.mu.Unlock()
	q.signal()
	return whole
}

// spaceLocked makes the filling chunk one of path p with need bytes of space.
func (q *downQueue) spaceLocked(p *path, need int) bool {
	if q.closed || need > netio.ChunkSize {
		return false
	}
	if c := q.filling; c != nil {
		if c.path == p && c.Fits(need) && (len(c.Items) == 0 || c.Bytes+need <= q.limit()) {
			return true
		}
		if len(q.ready) >= maxReady || (len(q.ready) > 0 && time.Since(q.ready[0].born) > maxSojourn) {
			q.dropped++
			return false
		}
		q.ready = append(q.ready, c)
	}
	q.filling = takeChunk(p)
	return true
}

// tell queues a control frame; it copies payload. Frames beyond a small number
// are dropped, which only a peer that floods can reach.
func (q *downQueue) tell(ch session.Channel, typ byte, payload []byte) {
	q.mu.Lock()
	if len(q.notes) < maxNotes && !q.closed {
		q.notes = append(q.notes, note{ch, typ, append([]byte(nil), payload...)})
	}
	q.mu.Unlock()
	q.signal()
}

func (q *downQueue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take returns what is to be sent next, control frames first; ok is false when
// there is nothing. The chunk is the caller's to release.
func (q *downQueue) take() (notes []note, c *chunk, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	notes, q.notes = q.notes, nil
	switch {
	case len(q.ready) > 0:
		c = q.ready[0]
		q.ready = append(q.ready[:0], q.ready[1:]...)
	case q.filling != nil && len(q.filling.Items) > 0:
		c, q.filling = q.filling, nil
	}
	if c != nil {
		q.shortenLocked(c, time.Now())
	}
	return notes, c, len(notes) > 0 || c != nil
}

// shortenLocked drops from c, which leaves the queue, what the queue's law says.
// Something of it always goes on.
func (q *downQueue) shortenLocked(c *chunk, now time.Time) {
	waiting := len(c.Items)
	for _, r := range q.ready {
		waiting += len(r.Items)
	}
	n := q.law.drops(now, now.Sub(c.born), waiting <= fewPackets, len(c.Items)-1)
	if n == 0 {
		return
	}
	for _, it := range c.Items[:n] {
		c.Bytes -= it.Size
	}
	if c.path.framing.GSO {
		c.Bytes += n * tun.HeaderLen
	}
	c.Items = c.Items[:copy(c.Items, c.Items[n:])]
	if q.dropped += uint64(n); q.lost != nil {
		q.lost.Add(uint64(n))
	}
}

// takeNotes returns the control frames that wait.
func (q *downQueue) takeNotes() []note {
	q.mu.Lock()
	defer q.mu.Unlock()
	notes := q.notes
	q.notes = nil
	return notes
}

// close ends the queue; what take has not got is dropped, except notes.
func (q *downQueue) close() {
	q.mu.Lock()
	q.closed = true
	for _, c := range q.ready {
		c.release()
	}
	if q.filling != nil {
		q.filling.release()
	}
	q.ready, q.filling = nil, nil
	q.mu.Unlock()
	q.signal()
}
