package sslvpn

import (
	"sync"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/shape"
	"github.com/skybridge-cloud/skybridge/internal/tun"
)

const (
	leastTurn = 2 << 10               // bytes of one turn, at least
	mostTurn  = 16 << 10              // and at most
	turnSpan  = 20 * time.Millisecond // what a round of turns takes
)

// turnOf is what an SSL client may send at once: no more than its rate and the
// gateway's let pass in a moment, and little where many take turns, so that
// nobody waits long for the next.
func turnOf(own, common int64, asking int) int {
	n := bytesAt(lower(own, common), turnSpan)
	n = min(n, bytesAt(common, turnSpan)/max(asking, 1))
	return min(max(n, leastTurn), mostTurn)
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
		return 1 << 40
	}
	return int(float64(rate) / 8 * d.Seconds())
}

// pacer holds the uploads of SSL clients to their rates and to the gateway's.
// What has to wait is copied out of the buffers it came in, into a bounded queue
// of its SSL client: one over its rate costs no other anything.
//
//	datagrams ─▶ queue of A: acks, bulk ─┐ turn by turn (shape.Fair): A's rate,
//	records  ──▶ queue of B: acks, bulk ─┴─▶ the gateway's rate ─▶ device
//
// Without a rate nothing comes here.
type pacer struct {
	g    *gateway
	wake chan struct{} // capacity 1

	mu      sync.Mutex
	fair    *shape.Fair[*packetQueue]
	byOwner map[*owner]*packetQueue
}

func newPacer(g *gateway) *pacer {
	return &pacer{
		g: g, wake: make(chan struct{}, 1),
		fair: shape.NewFair[*packetQueue](g.up), byOwner: map[*owner]*packetQueue{},
	}
}

// put queues a copy of a packet; false when there is no room for it, in which
// case the packet is lost or waits elsewhere.
func (p *pacer) put(o *owner, packet []byte, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := p.byOwner[o]
	if q == nil && o.gone.Load() { // forget was here: nothing of it is kept again
		return false
	}
	if q == nil {
		q = &packetQueue{owner: o, space: make(chan struct{}, 1)}
		q.flow = shape.NewFlow(q, o.up)
		p.byOwner[o] = q
	}
	if !q.put(packet, now, p.roomFor(o)) {
		return false
	}
	p.fair.Ask(now, q.flow)
	select {
	case p.wake <- struct{}{}:
	default:
	}
	return true
}

// roomFor is how much of an SSL client may wait: maxSojourn at the lower of the
// two rates, so that it gets loss, which senders heed, and not seconds of delay.
func (p *pacer) roomFor(o *owner) int {
	return min(max(bytesAt(lower(o.up.Rate(), p.g.up.Rate()), maxSojourn), queueLeast), queueMost)
}

// waitFor is signalled when there may be room again for an SSL client's packets.
func (p *pacer) waitFor(o *owner) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if q := p.byOwner[o]; q != nil {
		return q.space
	}
	return nil
}

// holds tells whether packets of an SSL client wait: what comes after them must
// not overtake them.
func (p *pacer) holds(o *owner) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := p.byOwner[o]
	return q != nil && !q.empty()
}

// turn is what one SSL client sends at once. The packets lie in its queue's
// chunks and in those of done, which go back to the pool after they were sent.
type turn struct {
	owner   *owner
	packets [][]byte
	done    []*piece
	bytes   int
}

// next takes the turn of the SSL client whose it is, or says how long until
// there is one; zero if nothing waits.
func (p *pacer) next(now time.Time, t *turn) (wait time.Duration, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	asking := p.fair.Asking()
	f, wait := p.fair.Next(now)
	if f == nil {
		return wait, false
	}
	q := f.Value
	t.owner, t.packets, t.done = q.owner, t.packets[:0], t.done[:0]
	t.bytes = q.take(turnOf(q.owner.up.Rate(), p.g.up.Rate(), asking), t)
	p.fair.Pay(now, f, t.bytes)
	if !q.empty() {
		p.fair.Ask(now, f)
	}
	select {
	case q.space <- struct{}{}:
	default:
	}
	return 0, true
}

// run writes to the device until the gateway stops.
func (p *pacer) run() {
	w := tun.NewWriter(p.g.queues[0])
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var t turn
	for {
		wait, ok := p.next(time.Now(), &t)
		if ok {
			p.send(w, &t)
			continue
		}
		if wait == 0 {
			wait = time.Hour
		}
		timer.Reset(wait)
		select {
		case <-p.wake:
		case <-timer.C:
		case <-p.g.stop:
			return
		}
	}
}

func (p *pacer) send(w *tun.Writer, t *turn) {
	if err := w.Write(t.packets); err != nil {
		p.g.log.Debug("writing to the tunnel device", "gateway", p.g.id, "error", err)
	}
	for _, h := range t.done {
		piecePool.Put(h)
	}
}

// forget drops what waits of an SSL client that has no session any more.
func (p *pacer) forget(o *owner) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if q := p.byOwner[o]; q != nil {
		delete(p.byOwner, o)
		p.fair.Leave(q.flow)
	}
}
