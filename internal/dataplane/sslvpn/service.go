package sslvpn

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/ban"
	"github.com/skybridge-cloud/skybridge/internal/dataplane/session"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/netio"
)

// tickEvery is how exact the timers of sessions are.
const tickEvery = time.Second

// Service runs SSL servers. Make it with New.
type Service struct {
	cfg    Config
	ctx    context.Context // ends with Close; connections live as long
	cancel context.CancelFunc
	wg     sync.WaitGroup

	applyMu sync.Mutex // one Apply at a time

	mu         sync.RWMutex
	keys       []gwlink.GrantKey
	gateways   map[string]*gateway
	servers    map[string]*server
	ports      map[netip.AddrPort]*tcpPort
	udp        map[netip.AddrPort]*udpPort
	sessions   map[string]*liveSession
	sslClients map[sslClientKey]*sslClient
	cookies    map[[32]byte]*liveSession
	voided     map[string]bool    // sessions that control wants closed
	links      map[[32]byte]*link // by App-ID or session id
	conns      map[*netio.Conn]struct{}

	tally   tally      // see Tally
	sampler sampler    // see Load
	bans    *ban.Board // of sources; has a lock of its own

	early  *early  // connections without a session; has a lock of its own
	memory *memory // for what they send

	markKey []byte // see browser.go

	timers timers
	lately atomic.Int64 // Unix nanoseconds at the last tick
}

// New returns a Service that runs nothing yet.
func New(cfg Config) *Service {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Service{
		cfg: cfg, ctx: ctx, cancel: cancel,
		gateways: map[string]*gateway{}, servers: map[string]*server{},
		ports: map[netip.AddrPort]*tcpPort{}, udp: map[netip.AddrPort]*udpPort{},
		sessions: map[string]*liveSession{}, sslClients: map[sslClientKey]*sslClient{}, cookies: map[[32]byte]*liveSession{},
		links: map[[32]byte]*link{}, conns: map[*netio.Conn]struct{}{},
		early: newEarly(maxEarly), memory: newMemory(), bans: ban.New(cfg.MaxBanScore), markKey: make([]byte, 32),
	}
	_, _ = rand.Read(s.markKey) // never fails
	s.wg.Go(s.tickForever)
	return s
}

// Apply makes the running servers equal to gateways and accepts grants of keys
// from now on. Sessions of what is gone or frozen end. settle, which may be nil,
// is called before new ports open: sessions that it restores are there when
// their clients come back. The result tells by gateway id what could not be done.
func (s *Service) Apply(keys []gwlink.GrantKey, gateways []Gateway, settle func()) map[string]error {
	s.applyMu.Lock()
	defer s.applyMu.Unlock()
	s.mu.Lock()
	s.keys = keys
	gone := s.replaceLocked(gateways)
	s.mu.Unlock()
	s.configureSessions()
	for _, g := range gone {
		g.close()
	}
	if settle != nil {
		settle()
	}
	return s.listen(gateways)
}

// replaceLocked puts the new gateways and servers in place and returns the
// gateways that are no more.
func (s *Service) replaceLocked(gateways []Gateway) []*gateway {
	former := s.servers
	running := map[string]*gateway{}
	s.servers = map[string]*server{}
	var gone []*gateway
	for _, want := range gateways {
		id := want.Spec.ID
		g := s.gateways[id]
		if g != nil && !slices.Equal(g.queues, want.Queues) {
			gone = append(gone, g) // its device was made anew; sessions follow below
			g = nil
		}
		if g == nil {
			g = newGateway(id, want.Queues, s.cfg.Log, &s.tally)
		}
		g.configure(want.Spec)
		running[id] = g
		for _, spec := range want.Spec.SSLServers {
			s.servers[spec.ID] = newServer(spec, g, want.Certificates[spec.ID], former[spec.ID])
			s.pardon(former[spec.ID], s.servers[spec.ID])
		}
	}
	for id, g := range s.gateways {
		if running[id] == nil {
			gone = append(gone, g)
		}
	}
	s.gateways = running
	return gone
}

// serverOf returns a server as it is desired now; nil if it is not.
func (s *Service) serverOf(id string) *server {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.servers[id]
}

// configureSessions gives every session its server's new limits and ends those
// that may be no more.
func (s *Service) configureSessions() {
	for _, c := range s.all() {
		c.configure()
	}
}

// CloseSessions ends sessions for one of gwlink's reasons and refuses them from
// now on, in place of those of the last call. It returns those that are not
// here.
func (s *Service) CloseSessions(closures []gwlink.Closure) (unknown []string) {
	voided := make(map[string]bool, len(closures))
	for _, c := range closures {
		voided[c.Session] = true
	}
	s.mu.Lock()
	s.voided = voided
	s.mu.Unlock()
	for _, c := range closures {
		if !s.closeSession(c) {
			unknown = append(unknown, c.Session)
		}
	}
	return unknown
}

func (s *Service) closeSession(closure gwlink.Closure) bool {
	s.mu.RLock()
	c := s.sessions[closure.Session]
	s.mu.RUnlock()
	if c != nil {
		c.step(session.Event{Kind: session.Kick, Reason: closure.Reason})
	}
	return c != nil
}

// Live returns the counters of all sessions.
func (s *Service) Live() []gwlink.Counters {
	var out []gwlink.Counters
	for _, c := range s.all() {
		out = append(out, c.counters())
	}
	return out
}

// Records returns what to keep of all sessions, with counters as they are.
func (s *Service) Records() []Record {
	var out []Record
	for _, c := range s.all() {
		out = append(out, c.record())
	}
	return out
}

// Restore brings a session of an earlier process back as detached: its cookie
// reconnects with the same address. The servers must have been applied.
func (s *Service) Restore(r Record) error {
	now := s.cfg.Clock.Now()
	s.mu.RLock()
	srv, keys := s.servers[r.Server], s.keys
	s.mu.RUnlock()
	if srv == nil {
		return fmt.Errorf("restoring session %s: no server %s", r.Session, r.Server)
	}
	grant, err := gwlink.VerifyGrant(keys, r.Grant, now)
	if err != nil {
		return fmt.Errorf("restoring session %s: %w", r.Session, err)
	}
	if srv.revokes(grant) {
		return fmt.Errorf("restoring session %s: %w", r.Session, errRevoked)
	}
	if err := srv.takeBack(r, grant.Client); err != nil {
		return fmt.Errorf("restoring session %s: %w", r.Session, err)
	}
	s.enter(newLiveSession(s, srv, grant, r, now))
	return nil
}

// Close ends all connections without telling clients to stay away, so that
// they come back to the next process.
func (s *Service) Close() error {
	s.cancel()
	s.mu.Lock()
	var errs []error
	for _, p := range s.ports {
		errs = append(errs, p.close())
	}
	for _, p := range s.udp {
		errs = append(errs, p.close())
	}
	for c := range s.conns {
		_ = c.Close()
	}
	gateways := s.gateways
	s.gateways, s.ports, s.udp = nil, nil, nil // a second Close finds nothing
	s.mu.Unlock()
	for _, g := range gateways {
		g.close()
	}
	s.wg.Wait()
	return errors.Join(errs...)
}

// enter puts a new session into all tables. What ends it meanwhile waits until
// it is in the last one.
func (s *Service) enter(c *liveSession) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.mu.Lock()
	s.sessions[c.rec.Session] = c
	s.cookies[c.rec.Cookie] = c
	s.joinLocked(c)
	s.mu.Unlock()
	c.setRates(c.server.Load())
	c.server.Load().gateway.table.add(c)
	c.settleLocked()
}

// forget removes an ended session from all tables.
func (s *Service) forget(c *liveSession, reason string) {
	s.mu.Lock()
	s.tally.endLocked(c, reason)
	delete(s.sessions, c.rec.Session)
	delete(s.cookies, c.rec.Cookie)
	last := s.partLocked(c)
	s.mu.Unlock()
	srv := c.server.Load()
	srv.gateway.table.remove(c)
	if last {
		srv.gateway.upPacer.forget(c.sslClient)
		srv.gateway.downPacer.forget(c.sslClient)
	}
	srv.release(c.rec)
}

func (s *Service) all() []*liveSession {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]*liveSession, 0, len(s.sessions))
	for _, c := range s.sessions {
		out = append(out, c)
	}
	return out
}

func (s *Service) tickForever() {
	t := time.NewTicker(tickEvery)
	defer t.Stop()
	var due []*liveSession
	for {
		select {
		case <-t.C:
			due = s.tick(due[:0])
			s.sample(s.cfg.Clock.Now())
		case <-s.ctx.Done():
			return
		}
	}
}

// tick gives the sessions that are due their time; it returns them in due.
func (s *Service) tick(due []*liveSession) []*liveSession {
	now := s.cfg.Clock.Now()
	s.lately.Store(now.UnixNano())
	due = s.timers.due(now, due)
	for i, c := range due {
		c.tick()
		due[i] = nil
	}
	return due
}
