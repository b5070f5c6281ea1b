package shape

import (
	"container/heap"
	"time"
)

// slack is how many bytes of its share a flow may catch up on after it was
// quiet or held back by its own rate.
const slack = 32 << 10

// Fair gives flows turns under one rate, so that each gets the same share of it
// (start-time fair queueing), less where it asks for less or its own rate is
// lower. It counts bytes and holds no packets; time is a parameter. It is not
// safe for concurrent use.
//
//	Ask ──▶ early (own rate) ──▶ ready, least served first ──▶ Next ──▶ Pay
//	                                                            │
//	                                          the common rate ──┘
//
// Invariants: a flow that asks is in exactly one of the two heaps; flows that
// ask all the time are served within slack plus one turn of each other; a turn
// costs time logarithmic in the number of flows that ask, and no allocation.
type Fair[T any] struct {
	rate  *Bucket
	clock uint64 // in bytes: the tag of the flow served last
	ready flowHeap[T]
	early flowHeap[T]
}

// Flow is one party to a Fair. It belongs to one Fair at a time.
type Flow[T any] struct {
	Value T
	own   *Bucket
	tag   uint64    // in bytes: what it has had
	due   time.Time // while early: when its own rate lets it pass
	in    *flowHeap[T]
	index int
}

// NewFair returns a scheduler of flows under rate.
func NewFair[T any](rate *Bucket) *Fair[T] {
	return &Fair[T]{
		rate: rate, clock: slack,
		ready: flowHeap[T]{less: func(a, b *Flow[T]) bool { return a.tag < b.tag }},
		early: flowHeap[T]{less: func(a, b *Flow[T]) bool { return a.due.Before(b.due) }},
	}
}

// NewFlow returns a flow with a rate of its own, which other flows may share.
func NewFlow[T any](value T, own *Bucket) *Flow[T] { return &Flow[T]{Value: value, own: own} }

// Asking is how many flows want a turn.
func (s *Fair[T]) Asking() int { return s.ready.Len() + s.early.Len() }

// Ask says that f has something to send. Asking again changes nothing.
func (s *Fair[T]) Ask(now time.Time, f *Flow[T]) {
	if f.in != nil {
		return
	}
	if wait := f.own.Reserve(now, 0); wait > 0 {
		f.due = now.Add(wait)
		s.early.add(f)
		return
	}
	s.enter(f)
}

func (s *Fair[T]) enter(f *Flow[T]) {
	f.tag = max(f.tag, s.clock-slack)
	s.ready.add(f)
}

// Next returns the flow whose turn it is; it asks no more. Without one it
// returns how long until there may be, 0 if no flow asks.
func (s *Fair[T]) Next(now time.Time) (*Flow[T], time.Duration) {
	wait := s.admit(now)
	if s.ready.Len() == 0 {
		return nil, wait
	}
	if wait := s.rate.Reserve(now, 0); wait > 0 {
		return nil, wait
	}
	f := s.ready.flows[0]
	s.ready.remove(f)
	s.clock = max(s.clock, f.tag)
	return f, 0
}

// admit moves flows to ready whose own rate lets them pass, and returns how
// long until the next one may, 0 if none waits.
func (s *Fair[T]) admit(now time.Time) time.Duration {
	for s.early.Len() > 0 {
		f := s.early.flows[0]
		wait := f.own.Reserve(now, 0)
		switch {
		case wait == 0: // also when its rate was raised meanwhile
			s.early.remove(f)
			s.enter(f)
		case now.Before(f.due):
			return min(wait, f.due.Sub(now))
		default:
			f.due = now.Add(wait)
			heap.Fix(&s.early, f.index)
		}
	}
	return 0
}

// Pay books n bytes that f sends at time now.
func (s *Fair[T]) Pay(now time.Time, f *Flow[T], n int) {
	s.rate.Reserve(now, n)
	f.own.Reserve(now, n)
	f.tag = max(f.tag, s.clock-slack) + uint64(n)
}

// Leave takes back what f asked for.
func (s *Fair[T]) Leave(f *Flow[T]) {
	if f.in != nil {
		f.in.remove(f)
	}
}

// flowHeap is a heap of flows that know their places.
type flowHeap[T any] struct {
	flows []*Flow[T]
	less  func(a, b *Flow[T]) bool
}

func (h *flowHeap[T]) add(f *Flow[T]) { f.in = h; heap.Push(h, f) }

func (h *flowHeap[T]) remove(f *Flow[T]) { heap.Remove(h, f.index); f.in = nil }

// Len, Less, Swap, Push and Pop implement heap.Interface.
func (h *flowHeap[T]) Len() int           { return len(h.flows) }
func (h *flowHeap[T]) Less(i, j int) bool { return h.less(h.flows[i], h.flows[j]) }

func (h *flowHeap[T]) Swap(i, j int) {
	h.flows[i], h.flows[j] = h.flows[j], h.flows[i]
	h.flows[i].index, h.flows[j].index = i, j
}

func (h *flowHeap[T]) Push(x any) {
	f := x.(*Flow[T])
	f.index = len(h.flows)
	h.flows = append(h.flows, f)
}

func (h *flowHeap[T]) Pop() any {
	last := len(h.flows) - 1
	f := h.flows[last]
	h.flows[last] = nil
	h.flows = h.flows[:last]
	return f
}
