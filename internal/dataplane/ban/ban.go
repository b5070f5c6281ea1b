// Package ban keeps a score of the sources of connections, so that one that
// only guesses is turned away before it costs control anything.
//
// It opens and closes nothing and knows no account: a source is an IPv4
// address or the /64 of an IPv6 one. Control keeps counters of its own, which
// hold over all nodes and over restarts; what is here is gone with the process.
//
//	       connection without result +1, wrong factor +10
//	          ┌────────────┐
//	unknown ──┴──▶ scored ─┴─ 80 ─▶ banned
//	   ▲             │                │ counts nothing more
//	   └── reset ────┴──── reset ─────┘
//
// Points are kept by the SSL client that they are about, as far as control says
// which: who unlocks a client lifts those and no others.
//
// Invariants: memory is bounded, however many sources there are; a ban ends by
// itself; a success forgives connections, never wrong factors, so that who
// holds one account cannot go on guessing at others.
package ban

import (
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Points and times are those of ocserv's defaults (spec OpenConnect, section
// 18.1).
const (
	DefaultMax = 80               // points at which a source is banned
	Failure    = 10               // points of a wrong factor
	Connection = 1                // points of a connection that came to nothing
	Reset      = 20 * time.Minute // from the last point until all are forgotten
)

const (
	// maxSources bounds the memory: about 10 MB.
	maxSources = 1 << 16
	// sample is how many sources are looked at to find one to forget.
	sample = 8
	// maxShares bounds the clients of one source; what further ones earn is
	// nobody's.
	maxShares = 16
)

// Board is the scores of one node. It is safe for concurrent use.
type Board struct {
	max  int
	room int

	mu     sync.Mutex
	scores map[netip.Prefix]score
}

type score struct {
	shares []share
	until  time.Time
}

// share is the points that one SSL client earned its source; "" is nobody known.
type share struct {
	client                string
	failures, connections int
}

func (s share) total() int { return s.failures + s.connections }

func (s score) total() (n int) {
	for _, one := range s.shares {
		n += one.total()
	}
	return n
}

// New returns an empty board that bans at max points; with 0 it never does.
func New(max int) *Board {
	return &Board{max: max, room: maxSources, scores: map[netip.Prefix]score{}}
}

// Banned says whether logins from an address are refused now.
func (b *Board) Banned(from netip.Addr, now time.Time) bool {
	if b.max <= 0 {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.at(Source(from), now).total() >= b.max
}

// Failed counts a wrong factor of an SSL client, "" if it is none's. It returns
// true when that makes the ban.
func (b *Board) Failed(from netip.Addr, client string, now time.Time) bool {
	return b.count(from, now, share{client: client, failures: Failure})
}

// Wasted counts a connection that ended without a login or a tunnel, after what
// it said of an SSL client. It returns true when that makes the ban.
func (b *Board) Wasted(from netip.Addr, client string, now time.Time) bool {
	return b.count(from, now, share{client: client, connections: Connection})
}

// Succeeded forgives the connections of a source: clients that use several for
// one login leave some behind.
func (b *Board) Succeeded(from netip.Addr, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := Source(from)
	s := b.at(key, now)
	for i := range s.shares {
		s.shares[i].connections = 0
	}
	b.keepLocked(key, s)
}

// Pardon forgets what an SSL client earned, at every source.
func (b *Board) Pardon(client string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for key, s := range b.scores {
		for i := range s.shares {
			if s.shares[i].client == client {
				s.shares[i] = share{}
				b.keepLocked(key, s)
				break
			}
		}
	}
}

// keepLocked puts a score in place of what was, without what holds no points.
func (b *Board) keepLocked(key netip.Prefix, s score) {
	s.shares = slices.DeleteFunc(s.shares, func(one share) bool { return one.total() == 0 })
	if len(s.shares) == 0 {
		delete(b.scores, key)
		return
	}
	b.scores[key] = s
}

func (b *Board) count(from netip.Addr, now time.Time, points share) bool {
	if b.max <= 0 {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	key := Source(from)
	s := b.at(key, now)
	if s.total() >= b.max {
		return false // a ban is not prolonged
	}
	if _, known := b.scores[key]; !known && len(b.scores) >= b.room {
		b.forgetOne(now)
	}
	s.add(points)
	s.until = now.Add(Reset)
	b.scores[key] = s
	return s.total() >= b.max
}

func (s *score) add(points share) {
	at := func(client string) int {
		return slices.IndexFunc(s.shares, func(one share) bool { return one.client == client })
	}
	i := at(points.client)
	if i < 0 && len(s.shares) >= maxShares {
		points.client = ""
		i = at("")
	}
	if i < 0 {
		s.shares = append(s.shares, points)
		return
	}
	s.shares[i].failures += points.failures
	s.shares[i].connections += points.connections
}

// at returns the score that still counts.
func (b *Board) at(key netip.Prefix, now time.Time) score {
	s, ok := b.scores[key]
	if ok && !now.Before(s.until) {
		delete(b.scores, key)
		return score{}
	}
	return s
}

// forgetOne makes room: of a few sources the one that is over, else the one
// with the least points. Whoever floods the board with addresses pushes out
// other such addresses before a ban.
func (b *Board) forgetOne(now time.Time) {
	var least netip.Prefix
	points, seen := 0, 0
	for key, s := range b.scores { // a map's order is random
		n := s.total()
		if !now.Before(s.until) {
			n = 0
		}
		if seen == 0 || n < points {
			least, points = key, n
		}
		if seen++; seen == sample {
			break
		}
	}
	delete(b.scores, least)
}

// Source is what an address counts as: itself, or its /64 for IPv6.
func Source(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	return netip.PrefixFrom(a, bits).Masked()
}
