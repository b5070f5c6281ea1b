package sslvpn

import (
	"container/heap"
	"sync"
	"time"
)

// timers know when a session next has something to do of itself. Bytes that
// came since only make that later, so a deadline is looked at again when it is
// reached and never on the way of packets: idle sessions cost nothing.
type timers struct {
	mu   sync.Mutex
	heap timerHeap
}

// timer is a session's place among the timers, under timers.mu.
type timer struct {
	at    time.Time
	index int // in the heap, from 1; 0 = not there
}

// set makes c due at a time, the zero time for never; a time that is later than
// the one it has is left for when that is reached.
func (t *timers) set(c *liveSession, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	there := c.timer.index > 0
	switch {
	case at.IsZero() && there:
		heap.Remove(&t.heap, c.timer.index-1)
	case at.IsZero():
	case !there:
		c.timer.at = at
		heap.Push(&t.heap, c)
	case at.Before(c.timer.at):
		c.timer.at = at
		heap.Fix(&t.heap, c.timer.index-1)
	}
}

// due takes out the sessions whose time has come and appends them to out.
func (t *timers) due(now time.Time, out []*liveSession) []*liveSession {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.heap) > 0 && !now.Before(t.heap[0].timer.at) {
		out = append(out, heap.Pop(&t.heap).(*liveSession))
	}
	return out
}

// timerHeap has the session that is due first at its top.
type timerHeap []*liveSession

// Len, Less, Swap, Push and Pop implement heap.Interface.
func (h timerHeap) Len() int           { return len(h) }
func (h timerHeap) Less(i, j int) bool { return h[i].timer.at.Before(h[j].timer.at) }

func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].timer.index, h[j].timer.index = i+1, j+1
}

func (h *timerHeap) Push(x any) {
	c := x.(*liveSession)
	*h = append(*h, c)
	c.timer.index = len(*h)
}

func (h *timerHeap) Pop() any {
	last := len(*h) - 1
	c := (*h)[last]
	(*h)[last] = nil
	*h, c.timer.index = (*h)[:last], 0
	return c
}
