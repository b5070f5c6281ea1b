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
	live   map[*client]struct{}
	byAddr map[netip.Addr]*client
	routed []route // in order; they do not overlap
}

// route is a network behind a client.
type route struct {
	prefix netip.Prefix
	to     *client
}

func newTable() *table {
	return &table{live: map[*client]struct{}{}, byAddr: map[netip.Addr]*client{}}
}

// find returns the session of an inner address, nil if there is none.
func (t *table) find(a netip.Addr) *client {
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
func (t *table) add(c *client) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.live[c] = struct{}{}
	for _, a := range c.rec.addresses() {
		t.byAddr[a] = c
	}
	t.routeLocked()
}

func (t *table) remove(c *client) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.live, c)
	for _, a := range c.rec.addresses() {
		if t.byAddr[a] == c {
			delete(t.byAddr, a)
		}
	}
	t.routeLocked()
}

// routeLocked gives each network to the newest session of its client.
func (t *table) routeLocked() {
	to := map[netip.Prefix]*client{}
	for c := range t.live {
		for _, p := range c.holder.Load().Routed {
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
