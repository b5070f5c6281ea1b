package sslvpn

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/session"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
)

// open makes a session of rec: an address, a cookie, an entry in the tables.
// The reason is for the person.
func (s *Service) open(srv *server, grant gwlink.Grant, rec Record) (cookie, reason string, err error) {
	if s.isVoided(rec.Session) {
		return "", unavailable, errVoided
	}
	// Counting and letting in are one step: parallel logins pass no limit.
	srv.gateway.opening.Lock()
	defer srv.gateway.opening.Unlock()
	s.yieldOldest(srv, grant)
	if limit := srv.gateway.state.Load().SessionLimit; limit > 0 && srv.gateway.table.len() >= limit {
		return "", "The VPN gateway has reached its number of sessions.", errTooMany
	}
	if err = srv.take(&rec, grant); err != nil {
		return "", "No address is free.", err
	}
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails
	cookie = base64.RawURLEncoding.EncodeToString(raw)
	now := s.cfg.Clock.Now()
	rec.Cookie, rec.OpenedAt = sha256.Sum256([]byte(cookie)), now
	if err := s.cfg.Sink.Opened(rec); err != nil {
		srv.release(rec)
		return "", unavailable, err
	}
	c := newLiveSession(s, srv, grant, rec, now)
	s.enter(c)
	if s.isVoided(rec.Session) {
		c.step(session.Event{Kind: session.Kick, Reason: gwlink.ReasonAdministrator})
		return "", unavailable, errVoided
	}
	// Meanwhile the server may have changed, be frozen or gone, or the
	// certificate be revoked.
	if c.configure(); c.ended.Load() {
		return "", unavailable, errVoided
	}
	s.cfg.Log.Info("vpn session opened", "session", rec.Session, "server", rec.Server)
	return cookie, "", nil
}

// isVoided says that control wants a session closed. It is asked once more after
// the session was entered: CloseSessions finds what was entered before.
func (s *Service) isVoided(session string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.voided[session]
}

// yieldOldest ends the client's oldest sessions so that one more fits.
func (s *Service) yieldOldest(srv *server, grant gwlink.Grant) {
	if grant.MaxSessions <= 0 {
		return
	}
	key := sslClientKey{srv.spec.ID, grant.Client}
	for {
		oldest := s.oldest(key, grant)
		if oldest == nil {
			return
		}
		oldest.step(session.Event{Kind: session.Kick, Reason: gwlink.ReasonReplaced})
	}
}

// byCookie finds a session by its secret. Only the hash is compared, so that
// timing tells nothing about the secret.
func (s *Service) byCookie(cookie string) (*liveSession, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c, ok := s.cookies[sha256.Sum256([]byte(cookie))]
	return c, ok
}
