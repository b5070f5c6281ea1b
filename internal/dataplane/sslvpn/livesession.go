package sslvpn

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/filter"
	"github.com/skybridge-cloud/skybridge/internal/dataplane/session"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/netio"
	"github.com/skybridge-cloud/skybridge/internal/tun"
)

// liveSession is one session as it runs: the state machine, its present stream and
// its counters.
type liveSession struct {
	svc    *Service
	rec    Record // fixed but for the counters of earlier processes
	grant  gwlink.Grant
	server atomic.Pointer[server]
	path   atomic.Pointer[path] // where packets to the client go; nil while detached
	holder atomic.Pointer[filter.Holder]

	sslClient *sslClient  // fixed once the session is entered
	paced     atomic.Bool // its SSL client has a rate down
	upPaced   atomic.Bool
	held      atomic.Bool // packets of it may wait in the gateway's pacer
	ended     atomic.Bool // the session is over: nothing of it passes any more

	bytesIn, bytesOut, packetsIn, packetsOut atomic.Uint64
	sendsMuch                                much         // by DTLS
	mtu                                      atomic.Int32 // of the tunnel, both ways; 0 before the first CONNECT
	heardTLS, heardDTLS, lastData            atomic.Int64 // Unix nanoseconds
	agent                                    atomic.Pointer[string]
	transport                                atomic.Uint32 // session.Channel that is shown

	mu       sync.Mutex
	families families // that the last CONNECT gave addresses of
	mobile   bool     // it came from a phone
	state    *session.Session
	actions  []session.Action // scratch of step
	stream   *stream          // of state.Conn
	conns    uint64           // streams so far

	timer timer
}

// path says how packets reach a client and how they are laid out for it.
type path struct {
	channel    session.Channel
	stream     *stream
	link       *link         // DTLS only
	out        *dtlsOut      // DTLS only
	head, tail int           // DTLS: bytes before and after each packet
	framing    netio.Framing // TLS
}

// room is the space that a packet of seg takes in a chunk.
func (p *path) room(seg *tun.Segments) int {
	if p.channel == session.TLS {
		return p.framing.Room(seg)
	}
	return p.head + seg.MaxLen() + p.tail
}

func (p *path) fill(c *netio.Chunk, seg *tun.Segments) bool {
	if p.channel == session.TLS {
		return p.framing.Fill(c, seg)
	}
	return c.Fill(seg, p.head, p.tail)
}

// endHost tells that nothing is behind the client that it would have to pass
// packets on to: those above its MTU end there.
func (c *liveSession) endHost() bool { return len(c.holder.Load().Routed) == 0 }

func newLiveSession(svc *Service, srv *server, grant gwlink.Grant, r Record, now time.Time) *liveSession {
	c := &liveSession{svc: svc, rec: r, grant: grant, families: families{v4: true, v6: true}}
	c.server.Store(srv)
	c.holdLocked()
	c.state = session.New(now, c.limitsLocked(srv))
	c.bytesIn.Store(r.BytesIn)
	c.bytesOut.Store(r.BytesOut)
	return c
}

// limitsLocked are the session's limits under a server's configuration.
func (c *liveSession) limitsLocked(srv *server) session.Config {
	return session.Config{
		DPD: srv.dpd(c.mobile), Idle: srv.idle(c.mobile),
		Cookie: seconds(srv.spec.CookieTimeout), End: c.end(srv),
	}
}

// end is when the session ends at the latest: by its grant, by the server's
// session timeout and by the client's expiry, as the latter two are desired now.
func (c *liveSession) end(srv *server) time.Time {
	end := c.grant.NotAfter
	if srv.spec.SessionTimeout > 0 {
		end = sooner(end, c.rec.OpenedAt.Add(seconds(srv.spec.SessionTimeout)))
	}
	if expires := srv.clients[c.grant.Client].Expires; !expires.IsZero() {
		end = sooner(end, expires)
	}
	return end
}

func sooner(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// configure puts the session under its server as it is desired now, or ends it
// where it may be no more. Reading what is desired, leasing and putting it in
// place are one step: of two that come at once the later wins, and nothing is
// leased for a session that has ended.
func (c *liveSession) configure() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state.Ended() {
		return
	}
	srv, reason := c.svc.serverOf(c.rec.Server), ""
	switch {
	case srv == nil:
		reason = gwlink.ReasonAdministrator
	case srv.gateway.frozen():
		reason = gwlink.ReasonFrozen
	case srv.revokes(c.grant):
		reason = gwlink.ReasonRevoked
	case !srv.keeps(c):
		reason = gwlink.ReasonAdministrator
	}
	if reason != "" {
		c.stepLocked(session.Event{Kind: session.Kick, Reason: reason})
		return
	}
	if old := c.server.Swap(srv); old.gateway != srv.gateway {
		old.gateway.table.remove(c)
	}
	c.setRates(srv)
	c.holdLocked()
	srv.gateway.table.add(c)
	c.stepLocked(session.Event{Kind: session.Configure, Config: c.limitsLocked(srv)})
	c.stepLocked(session.Event{Kind: session.Tick, Heard: c.heard()}) // the new end may be past
	if c.stream != nil && c.stream.link != nil && !srv.spec.UDP {
		// Only a CONNECT that offers no DTLS stops the client from using it.
		c.stepLocked(session.Event{Kind: session.Renew})
	}
}

func (c *liveSession) setRates(srv *server) {
	up, down := c.grant.UpRate, c.grant.DownRate
	if r, ok := srv.clients[c.grant.Client]; ok {
		up, down = r.UpRate, r.DownRate
	}
	c.sslClient.up.SetRate(up)
	c.sslClient.down.SetRate(down)
	c.paced.Store(down > 0)
	c.upPaced.Store(up > 0)
}

// pacesDown tells whether packets to the client wait for their turn.
func (c *liveSession) pacesDown() bool { return c.paced.Load() || c.server.Load().gateway.paced.Load() }

// chunkLimit is how much of a chunk may be filled: with a rate, what passes in a
// moment, so that the number of waiting chunks bounds the delay.
func (c *liveSession) chunkLimit() int {
	if c.pacesDown() {
		g := c.server.Load().gateway
		return max(bytesAt(lower(c.sslClient.down.Rate(), g.down.Rate()), turnSpan), leastTurn)
	}
	return netio.ChunkSize
}

// holdsBack tells whether the client's packets to the VPC have to be paced: it
// or its gateway has a rate, or packets of it still wait from when one had.
func (c *liveSession) holdsBack(g *gateway) bool {
	if c.upPaced.Load() || g.upPaced.Load() {
		c.held.Store(true)
		return true
	}
	if !c.held.Load() {
		return false
	}
	if g.upPacer.holds(c.sslClient) {
		return true
	}
	c.held.Store(false)
	return false
}

// step gives the state machine an event and does what it says.
func (c *liveSession) step(e session.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stepLocked(e)
}

func (c *liveSession) stepLocked(e session.Event) {
	c.actions = c.state.Step(c.svc.cfg.Clock.Now(), e, c.actions[:0])
	for _, a := range c.actions {
		c.actLocked(a)
	}
	c.settleLocked()
}

// settleLocked follows what the state machine has become: the transport that is
// shown, and the timer.
func (c *liveSession) settleLocked() {
	c.transport.Store(uint32(c.state.Transport()))
	c.svc.timers.set(c, c.state.Deadline(c.heard()))
}

func (c *liveSession) actLocked(a session.Action) {
	switch a.Kind {
	case session.Send:
		if c.stream != nil {
			c.stream.out.tell(a.Channel, a.Type, a.Payload)
		}
	case session.Use:
		c.useLocked(a.Channel)
	case session.CloseTLS:
		if c.stream != nil && c.stream.number == a.Conn {
			c.stream.finish()
		}
	case session.CloseDTLS:
		if c.stream != nil && c.stream.link != nil {
			c.stream.link.disconnect()
		}
	case session.End:
		c.endLocked(a.Reason)
	}
}

func (c *liveSession) useLocked(ch session.Channel) {
	switch ch {
	case session.TLS:
		c.path.Store(c.stream.tlsPath)
	case session.DTLS:
		if p := c.stream.link.path.Load(); p != nil {
			c.path.Store(p)
		}
	default:
		c.path.Store(nil)
	}
}

func (c *liveSession) endLocked(reason string) {
	c.ended.Store(true)
	c.svc.forget(c, reason)
	c.svc.cfg.Sink.Closed(gwlink.SessionClosed{
		Session: c.rec.Session, At: c.svc.cfg.Clock.Now(), Reason: reason,
		BytesIn: c.bytesIn.Load(), BytesOut: c.bytesOut.Load(),
	})
	c.svc.cfg.Log.Info("vpn session closed", "session", c.rec.Session, "reason", reason)
}

// attach makes st the session's stream, with what its CONNECT gave; false when
// the session has ended.
func (c *liveSession) attach(st *stream, given families, mobile bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state.Ended() {
		return false
	}
	c.families, c.mobile = given, mobile
	c.mtu.Store(int32(st.mtu))
	srv := c.server.Load()
	c.holdLocked()
	srv.gateway.table.add(c)
	c.actions = c.state.Step(c.svc.cfg.Clock.Now(), session.Event{Kind: session.Configure, Config: c.limitsLocked(srv)}, c.actions[:0])
	c.conns++
	st.number = c.conns
	old := c.stream
	c.actions = c.state.Step(c.svc.cfg.Clock.Now(), session.Event{Kind: session.Attach, Conn: st.number}, c.actions[:0])
	for _, a := range c.actions {
		if a.Kind == session.Use { // of the new stream; the rest is the old one's
			c.stream = st
		}
		c.actLocked(a)
	}
	if !srv.spec.UDP {
		st.unlink() // it was offered just before
	}
	c.stream = st
	c.useLocked(c.state.Channel()) // also when the channel's name did not change
	c.settleLocked()
	if old != nil {
		old.unlink()
	}
	return true
}

// lost tells the state machine that stream st ended.
func (c *liveSession) lost(st *stream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stepLocked(session.Event{Kind: session.TLSLost, Conn: st.number})
}

// dtlsUp takes the association of l into use, unless its stream was replaced
// meanwhile. It may be a further one, on a channel in use already.
func (c *liveSession) dtlsUp(l *link) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stream != l.stream {
		return
	}
	c.stepLocked(session.Event{Kind: session.DTLSUp})
	if c.state.Channel() == session.DTLS {
		c.useLocked(session.DTLS)
	}
}

func (c *liveSession) tick() { c.step(session.Event{Kind: session.Tick, Heard: c.heard()}) }

// heard is when bytes last came.
func (c *liveSession) heard() session.Heard {
	at := func(v *atomic.Int64) time.Time { return time.Unix(0, v.Load()) }
	return session.Heard{TLS: at(&c.heardTLS), DTLS: at(&c.heardDTLS), Data: at(&c.lastData)}
}

// received books a batch of packets from the client and follows it to the
// channel it uses. active says that not all of them were chatter.
func (c *liveSession) received(ch session.Channel, packets, bytes int, active bool, now time.Time) {
	c.packetsIn.Add(uint64(packets))
	c.bytesIn.Add(uint64(bytes))
	if active {
		c.lastData.Store(now.UnixNano())
	}
	if p := c.path.Load(); p != nil && p.channel != ch {
		c.step(session.Event{Kind: session.DataOn, Channel: ch})
	}
}

// sent books packets that went to the client. active says that not all of them
// were chatter; when they went is known as exactly as timers are.
func (c *liveSession) sent(packets, bytes int, active bool) {
	if at := c.svc.lately.Load(); active && c.lastData.Load() < at {
		c.lastData.Store(at)
	}
	c.packetsOut.Add(uint64(packets))
	c.bytesOut.Add(uint64(bytes))
}

func (c *liveSession) counters() gwlink.Counters {
	k := gwlink.Counters{
		Session: c.rec.Session, BytesIn: c.bytesIn.Load(), BytesOut: c.bytesOut.Load(),
		PacketsIn: c.packetsIn.Load(), PacketsOut: c.packetsOut.Load(), Transport: session.Channel(c.transport.Load()).String(),
	}
	if a := c.agent.Load(); a != nil {
		k.Client = *a
	}
	return k
}

func (c *liveSession) record() Record {
	r := c.rec
	r.BytesIn, r.BytesOut = c.bytesIn.Load(), c.bytesOut.Load()
	return r
}
