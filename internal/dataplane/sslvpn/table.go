package sslvpn

import (
	"net/netip"
	"slices"
	"sort"
	"sync"
)

// table finds the session that a packet belongs to: by its inner addresses, or
// by a network behind the client. It is safe for concurrent use.
type table struct {
	mu     sync.RWMutex
	live   map[*liveSession][]netip.Prefix // with the networks behind them
	byAddr map[netip.Addr]*liveSession
	behind map[*liveSession]struct{} // those of live that have networks behind them
	routed []route                   // in order; they do not overlap
}

// route is a network behind a client.
type route struct {
	prefix netip.Prefix
	to     *liveSession
}

func newTable() *table {
	return &table{live: map[*liveSession][]netip.Prefix{}, byAddr: map[netip.Addr]*liveSession{}, behind: map[*liveSession]struct{}{}}
}

// find returns the session of an inner address, nil if there is none.
func (t *table) find(a netip.Addr) *liveSession {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if c := t.byAddr[a]; c != nil {
		return c
	}
	i := sort.Search(len(t.routed), func(i int) bool { return a.Less(t.routed[i].prefix.Addr()) }) // the first behind a
	if i > 0 && t.routed[i-1].prefix.Contains(a) {
		return t.routed[i-1].to
	}
	return nil
}

// add enters a session, or notes that the networks behind it changed.
func (t *table) add(c *liveSession) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, a := range c.rec.addresses() {
		t.byAddr[a] = c
	}
	t.putLocked(c, c.holder.Load().Routed)
}

func (t *table) remove(c *liveSession) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, a := range c.rec.addresses() {
		if t.byAddr[a] == c {
			delete(t.byAddr, a)
		}
	}
	t.putLocked(c, nil)
	delete(t.live, c)
}

// putLocked notes what is behind a session. Most have nothing, and sessions come
// and go by the thousand: the routes are made anew only when they change.
func (t *table) putLocked(c *liveSession, behind []netip.Prefix) {
	before := t.live[c]
	t.live[c] = behind
	if slices.Equal(before, behind) {
		return
	}
	delete(t.behind, c)
	if len(behind) > 0 {
		t.behind[c] = struct{}{}
	}
	t.routeLocked()
}

// routeLocked gives each network to the newest session of its client.
func (t *table) routeLocked() {
	to := map[netip.Prefix]*liveSession{}
	for c := range t.behind {
		for _, p := range t.live[c] {
			if o := to[p]; o == nil || o.rec.OpenedAt.Before(c.rec.OpenedAt) {
				to[p] = c
			}
		}
	}
	t.routed = t.routed[:0]
	for p, c := range to {
		t.routed = append(t.routed, route{p, c})
	}
	slices.SortFunc(t.routed, func(a, b route) int { return a.prefix.Addr().Compare(b.prefix.Addr()) })
}

// len is the number of sessions.
func (t *table) len() int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(t.live)
}
