package sslvpn

import (
	"container/list"
	"io"
	"net/netip"
	"slices"
	"sync"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/ban"
)

// Limits on connections without a session. With some 80 KB that each may hold at
// worst (stack, one record, its own memory) all of them together stay below 350
// MB.
const (
	maxEarly     = 4096
	maxEarlyFrom = 256 // one source, as ban counts them
)

// early is the connections that have no session yet, by their sources. A source
// that has its share gets no more; when all places are taken, the source that
// has the most gives its oldest one up, so that nobody can keep others out by
// connections that he does nothing with.
type early struct {
	mu      sync.Mutex
	room    int
	all     int
	sources map[netip.Prefix]*source
	bySize  [maxEarlyFrom + 1]list.List // of *source, those of a size in the order that they came to it
	most    int                         // the greatest size there is
}

// source is the connections of one, oldest first.
type source struct {
	prefix netip.Prefix
	conns  []io.Closer
	at     *list.Element // in early.bySize
}

func newEarly(room int) *early { return &early{room: room, sources: map[netip.Prefix]*source{}} }

// admit takes in a connection that has no session yet; false when its source
// has too many. It leaves once that changes.
func (e *early) admit(from netip.Addr, c io.Closer) bool {
	yields, ok := e.enter(ban.Source(from), c)
	if yields != nil {
		_ = yields.Close()
	}
	return ok
}

// enter is admit; it returns the connection that has to go for this one.
func (e *early) enter(prefix netip.Prefix, c io.Closer) (yields io.Closer, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.sources[prefix]
	if s != nil && len(s.conns) >= maxEarlyFrom {
		return nil, false
	}
	if e.all >= e.room {
		largest, _ := e.bySize[e.most].Front().Value.(*source)
		yields = largest.conns[0]
		e.dropLocked(largest, 0)
		s = e.sources[prefix] // which may have been that one
	}
	if s == nil {
		s = &source{prefix: prefix}
		e.sources[prefix] = s
	}
	s.conns = append(s.conns, c)
	e.all++
	e.placeLocked(s, len(s.conns)-1)
	return yields, true
}

// leave takes a connection out, if it is still there.
func (e *early) leave(from netip.Addr, c io.Closer) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.sources[ban.Source(from)]
	if s == nil {
		return
	}
	if i := slices.Index(s.conns, c); i >= 0 {
		e.dropLocked(s, i)
	}
}

func (e *early) dropLocked(s *source, i int) {
	s.conns = slices.Delete(s.conns, i, i+1)
	e.all--
	e.placeLocked(s, len(s.conns)+1)
}

// placeLocked puts a source among those of its size; former is what it had.
func (e *early) placeLocked(s *source, former int) {
	if former > 0 {
		e.bySize[former].Remove(s.at)
	}
	n := len(s.conns)
	if n == 0 {
		delete(e.sources, s.prefix)
	} else {
		s.at = e.bySize[n].PushBack(s)
	}
	for e.most = max(e.most, n); e.most > 0 && e.bySize[e.most].Len() == 0; {
		e.most--
	}
}
