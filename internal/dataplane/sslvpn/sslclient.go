package sslvpn

import (
	"sync/atomic"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/shape"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
)

// sslClientKey names an SSL client at one server.
type sslClientKey struct{ server, client string }

// sslClient is one SSL client with all its sessions: its rates cover them together,
// and in a gateway's turns it counts once, whatever it opens.
type sslClient struct {
	key      sslClientKey
	up, down *shape.Bucket
	sessions []*liveSession // oldest first; under Service.mu
	gone     atomic.Bool    // the last one has ended; the next makes it anew
}

// joinLocked puts a session under its SSL client.
func (s *Service) joinLocked(c *liveSession) {
	key := sslClientKey{c.rec.Server, c.rec.Client}
	o := s.sslClients[key]
	if o == nil {
		o = &sslClient{key: key, up: shape.New(0), down: shape.New(0)}
		s.sslClients[key] = o
	}
	c.sslClient = o
	at := len(o.sessions)
	for at > 0 && c.rec.OpenedAt.Before(o.sessions[at-1].rec.OpenedAt) {
		at-- // of an earlier process, restored late
	}
	o.sessions = append(o.sessions, nil)
	copy(o.sessions[at+1:], o.sessions[at:])
	o.sessions[at] = c
}

// partLocked takes a session from its SSL client; true if it was the last one.
func (s *Service) partLocked(c *liveSession) bool {
	o := c.sslClient
	for i, other := range o.sessions {
		if other == c {
			o.sessions = append(o.sessions[:i], o.sessions[i+1:]...)
			break
		}
	}
	if len(o.sessions) > 0 {
		return false
	}
	o.gone.Store(true)
	if s.sslClients[o.key] == o {
		delete(s.sslClients, o.key)
	}
	return true
}

// oldest returns the session that has to yield before its SSL client may have
// one more: the one at a fixed address, of which there is one, else the oldest
// if there are as many as the grant allows; nil if none has to.
func (s *Service) oldest(key sslClientKey, grant gwlink.Grant) *liveSession {
	s.mu.RLock()
	defer s.mu.RUnlock()
	o := s.sslClients[key]
	if o == nil {
		return nil
	}
	for _, c := range o.sessions {
		if grant.FixedInner.IsValid() && c.rec.Inner == grant.FixedInner || grant.FixedInner6.IsValid() && c.rec.Inner6 == grant.FixedInner6 {
			return c
		}
	}
	if len(o.sessions) < max(grant.MaxSessions, 1) {
		return nil
	}
	return o.sessions[0]
}
