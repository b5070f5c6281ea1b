package sslvpn

import (
	"sync"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/shape"
)

// downPacer lets packets towards the clients pass, at the rates of the SSL clients
// and of the gateway, in fair turns. It holds no packets: writers of streams
// come with a pass and wait until it is granted.
type downPacer struct {
	g *gateway

	mu      sync.Mutex
	fair    *shape.Fair[*waitLine]
	byOwner map[*sslClient]*waitLine
	timer   *time.Timer // of the next turn
}

// waitLine is the passes of one SSL client's sessions, one each at most.
type waitLine struct {
	client *sslClient
	flow   *shape.Flow[*waitLine]
	passes []*pass
}

// pass asks for bytes to go. It belongs to one writer, which asks for one at a
// time.
type pass struct {
	bytes   int
	granted chan struct{} // capacity 1
}

func newPass() *pass { return &pass{granted: make(chan struct{}, 1)} }

func newDownPacer(g *gateway) *downPacer {
	t := &downPacer{g: g, byOwner: map[*sslClient]*waitLine{}, fair: shape.NewFair[*waitLine](g.down)}
	t.timer = time.AfterFunc(time.Hour, t.wake)
	t.timer.Stop()
	return t
}

// turnOf is how much an SSL client may send by one pass.
func (t *downPacer) turnOf(o *sslClient) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return turnOf(o.down.Rate(), t.g.down.Rate(), t.fair.Asking())
}

// ask lets n bytes of an SSL client pass as soon as it is their turn: p is
// granted then.
func (t *downPacer) ask(o *sslClient, p *pass, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.byOwner[o]
	if l == nil && o.gone.Load() { // forget was here: nothing of it is kept again
		p.granted <- struct{}{}
		return
	}
	if l == nil {
		l = &waitLine{client: o}
		l.flow = shape.NewFlow(l, o.down)
		t.byOwner[o] = l
	}
	p.bytes = n
	l.passes = append(l.passes, p)
	now := time.Now()
	t.fair.Ask(now, l.flow)
	t.grantLocked(now)
}

func (t *downPacer) wake() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.grantLocked(time.Now())
}

// grantLocked grants what may pass now and comes again when more may.
func (t *downPacer) grantLocked(now time.Time) {
	for {
		f, wait := t.fair.Next(now)
		if f == nil {
			if wait > 0 {
				t.timer.Reset(wait)
			}
			return
		}
		l := f.Value
		p := l.passes[0]
		l.passes = append(l.passes[:0], l.passes[1:]...)
		t.fair.Pay(now, f, p.bytes)
		if len(l.passes) > 0 {
			t.fair.Ask(now, f)
		}
		p.granted <- struct{}{}
	}
}

// withdraw takes back a pass, granted or not.
func (t *downPacer) withdraw(o *sslClient, p *pass) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if l := t.byOwner[o]; l != nil {
		for i, other := range l.passes {
			if other == p {
				l.passes = append(l.passes[:i], l.passes[i+1:]...)
				break
			}
		}
		if len(l.passes) == 0 {
			t.fair.Leave(l.flow)
		}
	}
	select {
	case <-p.granted:
	default:
	}
}

// forget drops an SSL client that has no session any more. Its writers end of
// themselves.
func (t *downPacer) forget(o *sslClient) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if l := t.byOwner[o]; l != nil {
		delete(t.byOwner, o)
		t.fair.Leave(l.flow)
	}
}

// stop ends the turns; writers see the gateway stop.
func (t *downPacer) stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.timer.Stop()
}
