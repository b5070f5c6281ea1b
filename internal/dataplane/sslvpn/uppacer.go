package sslvpn

import (
	"sync"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/shape"
	"github.com/skybridge-cloud/skybridge/internal/tun"
)

// upPacer holds the uploads of SSL clients to their rates and to the gateway's.
// What has to wait is copied out of the buffers it came in, into a bounded queue
// of its SSL client: one over its rate costs no other anything.
//
//	datagrams ─▶ queue of A: acks, bulk ─┐ turn by turn (shape.Fair): A's rate,
//	records  ──▶ queue of B: acks, bulk ─┴─▶ the gateway's rate ─▶ device
//
// Without a rate nothing comes here.
type upPacer struct {
	g    *gateway
	wake chan struct{} // capacity 1

	mu       sync.Mutex
	fair     *shape.Fair[*upQueue]
	byClient map[*sslClient]*upQueue
}

func newUpPacer(g *gateway) *upPacer {
	return &upPacer{
		g: g, wake: make(chan struct{}, 1),
		fair: shape.NewFair[*upQueue](g.up), byClient: map[*sslClient]*upQueue{},
	}
}

// put queues a copy of a packet; false when there is no room for it, in which
// case the packet is lost or waits elsewhere.
func (p *upPacer) put(o *sslClient, packet []byte, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := p.byClient[o]
	if q == nil && o.gone.Load() { // forget was here: nothing of it is kept again
		return false
	}
	if q == nil {
		q = &upQueue{client: o, space: make(chan struct{}, 1)}
		q.flow = shape.NewFlow(q, o.up)
		p.byClient[o] = q
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
func (p *upPacer) roomFor(o *sslClient) int {
	return min(max(bytesAt(lower(o.up.Rate(), p.g.up.Rate()), maxSojourn), queueLeast), queueMost)
}

// waitFor is signalled when there may be room again for an SSL client's packets.
func (p *upPacer) waitFor(o *sslClient) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if q := p.byClient[o]; q != nil {
		return q.space
	}
	return nil
}

// holds tells whether packets of an SSL client wait: what comes after them must
// not overtake them.
func (p *upPacer) holds(o *sslClient) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := p.byClient[o]
	return q != nil && !q.empty()
}

// turn is what one SSL client sends at once. The packets lie in its queue's
// chunks and in those of done, which go back to the pool after they were sent.
type turn struct {
	client  *sslClient
	packets [][]byte
	done    []*piece
	bytes   int
}

// next takes the turn of the SSL client whose it is, or says how long until
// there is one; zero if nothing waits.
func (p *upPacer) next(now time.Time, t *turn) (wait time.Duration, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	asking := p.fair.Asking()
	f, wait := p.fair.Next(now)
	if f == nil {
		return wait, false
	}
	q := f.Value
	t.client, t.packets, t.done = q.client, t.packets[:0], t.done[:0]
	t.bytes = q.take(turnOf(q.client.up.Rate(), p.g.up.Rate(), asking), t)
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
func (p *upPacer) run() {
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

func (p *upPacer) send(w *tun.Writer, t *turn) {
	if err := w.Write(t.packets); err != nil {
		p.g.log.Debug("writing to the tunnel device", "gateway", p.g.id, "error", err)
	}
	for _, h := range t.done {
		piecePool.Put(h)
	}
}

// forget drops what waits of an SSL client that has no session any more.
func (p *upPacer) forget(o *sslClient) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if q := p.byClient[o]; q != nil {
		delete(p.byClient, o)
		p.fair.Leave(q.flow)
	}
}
