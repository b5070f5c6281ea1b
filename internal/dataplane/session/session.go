// Package session is one SSL VPN session as a state machine: events and time
// in, actions out. It owns no socket, clock, goroutine or packet; the shell
// around it is sslvpn. Frame types are those of openconnect, the same on both
// channels; reasons those of gwlink.
//
//	          Attach                 DTLSUp
//	detached ───────▶ on TLS ◀──────────────▶ on DTLS (TLS stays as control)
//	   ▲  ▲             │   data on TLS, DTLS    │
//	   │  └─ TLS lost ──┘   silent or down       │
//	   └───────── TLS lost, renew ───────────────┘
//	any ── b0, kick, idle, session end, cookie end ──▶ ended (final)
//
// Invariants: an ended session acts no more; data goes to exactly one channel
// while attached and to none while detached; a DISCONNECT to the client is
// always followed by closing its connection; KEEPALIVE is never answered; a
// DPD request is answered on its channel with its own payload; what comes late
// on a connection that another has replaced changes nothing.
package session

import (
	"time"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

// Reason bytes of a DISCONNECT from the client that void the session. Every
// other byte, and none, is temporary.
const (
	disconnectUser  = 0xb0
	disconnectError = 0x70
)

// Channel is a way to the client.
type Channel uint8

// Channels.
const (
	None Channel = iota
	TLS
	DTLS
)

// String returns the channel's name in reports.
func (c Channel) String() string { return [...]string{"detached", "tls", "dtls"}[c] }

// Config are the limits of a session. Zero durations switch a limit off, but
// for Cookie, where zero ends a session as soon as it is detached.
type Config struct {
	DPD    time.Duration // the client probes after this silence; three of it is dead
	Idle   time.Duration // without data
	Cookie time.Duration // life without a connection
	End    time.Time     // latest end; zero is never
}

// EventKind tells what happened.
type EventKind uint8

// Events.
const (
	Attach    EventKind = iota // CONNECT was answered on connection Conn
	TLSLost                    // connection Conn ended without our doing
	DTLSUp                     // a DTLS handshake was verified
	DTLSLost                   // the association that belongs to connection Conn was closed by its peer
	Frame                      // a control frame came on Channel, that of connection Conn or of its association
	DataOn                     // data came on Channel, which is not the one in use
	Tick                       // time passed; Heard is filled
	Kick                       // end it, for Reason
	Configure                  // Config changed
	Renew                      // the client is to make a new tunnel: what CONNECT said holds no more
)

// Event is something that happened to the session. Only the fields named at
// its kind are read. Payload is read during Step only; a Send action that
// echoes it refers to the same bytes.
type Event struct {
	Kind    EventKind
	Conn    uint64
	Channel Channel
	Type    byte
	Payload []byte
	Reason  string
	Config  Config

	Heard // Tick
}

// Heard is when bytes last came from the client: on each channel, and data that
// counts as activity.
type Heard struct{ TLS, DTLS, Data time.Time }

// ActionKind tells what to do.
type ActionKind uint8

// Actions.
const (
	Send      ActionKind = iota // a control frame of Type with Payload on Channel
	Use                         // data to the client goes by Channel from now on
	CloseTLS                    // close connection Conn, after what was sent on it
	CloseDTLS                   // forget the association
	End                         // the session is over for Reason; void its cookie
)

// Action is something for the shell to do, in order.
type Action struct {
	Kind    ActionKind
	Conn    uint64
	Channel Channel
	Type    byte
	Payload []byte
	Reason  string
}

// Session is the state. Make it with New; it is not safe for concurrent use.
type Session struct {
	cfg        Config
	use        Channel
	conn       uint64 // 0 = detached
	dtls       bool
	silent     bool // it is on TLS because DTLS was silent, not because the client is
	attachedAt time.Time
	dtlsAt     time.Time
	detachedAt time.Time
	ended      bool
}

// New returns a detached session whose cookie's life begins at now.
func New(now time.Time, cfg Config) *Session { return &Session{cfg: cfg, detachedAt: now} }

// Channel is where data to the client goes.
func (s *Session) Channel() Channel { return s.use }

// Transport is the channel that the client is said to be on: DTLS also while that
// is so silent that data goes down by TLS, if the association lives.
func (s *Session) Transport() Channel {
	if s.silent && s.dtls {
		return DTLS
	}
	return s.use
}

// Conn is the number of the TLS connection in use, 0 while detached.
func (s *Session) Conn() uint64 { return s.conn }

// Ended tells whether the session is over.
func (s *Session) Ended() bool { return s.ended }

// Step takes one event at time now and appends what is to be done to out.
func (s *Session) Step(now time.Time, e Event, out []Action) []Action {
	if s.ended || e.late(s.conn) {
		return out
	}
	switch e.Kind {
	case Attach:
		return s.attach(now, e.Conn, out)
	case TLSLost:
		return s.detach(now, out)
	case DTLSUp:
		return s.dtlsUp(now, out)
	case DTLSLost:
		return s.dropDTLS(out)
	case Frame:
		return s.frame(now, e, out)
	case DataOn:
		return s.follow(e.Channel, out)
	case Tick:
		return s.tick(now, e, out)
	case Kick:
		return s.kick(e.Reason, out)
	case Configure:
		s.cfg = e.Config
	case Renew:
		return s.hangUp(now, out)
	}
	return out
}

// late tells whether the event came by a connection that is not in use, or no
// more: its reader may still be at work.
func (e Event) late(conn uint64) bool {
	switch e.Kind {
	case TLSLost, DTLSLost, Frame:
		return e.Conn != conn || conn == 0
	}
	return false
}

// attach replaces the former connection. The old DTLS association dies with
// it: its key came from that connection.
func (s *Session) attach(now time.Time, conn uint64, out []Action) []Action {
	if s.conn != 0 {
		out = append(out, Action{Kind: CloseTLS, Conn: s.conn})
	}
	out = s.closeDTLS(out)
	s.conn, s.attachedAt = conn, now
	return s.switchTo(TLS, out)
}

func (s *Session) detach(now time.Time, out []Action) []Action {
	out = s.closeDTLS(out)
	s.conn, s.detachedAt = 0, now
	return s.switchTo(None, out)
}

func (s *Session) dtlsUp(now time.Time, out []Action) []Action {
	if s.conn == 0 {
		return append(out, Action{Kind: CloseDTLS})
	}
	s.dtls, s.dtlsAt = true, now
	return s.switchTo(DTLS, out)
}

func (s *Session) dropDTLS(out []Action) []Action {
	out = s.closeDTLS(out)
	if s.conn == 0 {
		return out
	}
	return s.switchTo(TLS, out)
}

func (s *Session) closeDTLS(out []Action) []Action {
	if !s.dtls {
		return out
	}
	s.dtls = false
	return append(out, Action{Kind: CloseDTLS})
}

func (s *Session) switchTo(c Channel, out []Action) []Action {
	s.silent = false
	if s.use == c {
		return out
	}
	s.use = c
	return append(out, Action{Kind: Use, Channel: c})
}

// follow answers on the channel that the client uses.
func (s *Session) follow(c Channel, out []Action) []Action {
	switch {
	case c == DTLS && s.dtls, c == TLS && s.conn != 0:
		return s.switchTo(c, out)
	}
	return out
}

func (s *Session) frame(now time.Time, e Event, out []Action) []Action {
	if e.Channel == DTLS {
		out = s.follow(DTLS, out)
	}
	switch {
	case e.Type == openconnect.TypeDPDRequest:
		return append(out, Action{Kind: Send, Channel: e.Channel, Type: openconnect.TypeDPDResponse, Payload: e.Payload})
	case e.Type == openconnect.TypeDisconnect && e.Channel == TLS:
		return s.disconnected(now, e.Payload, out)
	}
	return out // replies, keepalives and unknown types are signs of life only
}

func (s *Session) disconnected(now time.Time, payload []byte, out []Action) []Action {
	if len(payload) > 0 && payload[0] == disconnectUser {
		return s.end(gwlink.ReasonUser, out)
	}
	if len(payload) > 0 && payload[0] == disconnectError {
		return s.end(gwlink.ReasonProtocol, out)
	}
	return s.hangUp(now, out)
}

// hangUp closes the connection; the client may come back with its cookie.
func (s *Session) hangUp(now time.Time, out []Action) []Action {
	conn := s.conn
	if conn == 0 {
		return out
	}
	return append(s.detach(now, out), Action{Kind: CloseTLS, Conn: conn})
}

// tick checks the limits, the final ones first.
func (s *Session) tick(now time.Time, e Event, out []Action) []Action {
	if !s.cfg.End.IsZero() && !now.Before(s.cfg.End) {
		return s.kick(gwlink.ReasonSessionLimit, out)
	}
	if s.conn == 0 {
		if now.Sub(s.detachedAt) >= s.cfg.Cookie {
			return s.end(gwlink.ReasonLost, out)
		}
		return out
	}
	if s.cfg.Idle > 0 && now.Sub(latest(e.Data, s.attachedAt)) >= s.cfg.Idle {
		return s.kick(gwlink.ReasonIdle, out)
	}
	return s.silence(now, e.Heard, out)
}

// silentDTLS is after what silence of DTLS data goes by TLS. The association
// stays: what comes by it brings data back.
const silentDTLS = 25 * time.Second

// silence acts on channels that were not heard: on DTLS soon, since there is
// another way, and on both for good after three DPD intervals.
func (s *Session) silence(now time.Time, heard Heard, out []Action) []Action {
	dead, dtls := 3*s.cfg.DPD, now.Sub(latest(heard.DTLS, s.dtlsAt))
	if s.dtls && dead > 0 && dtls >= dead {
		out = s.dropDTLS(out)
	}
	if s.use == DTLS && dtls >= silentDTLS {
		out = s.switchTo(TLS, out)
		s.silent = true
	}
	if dead > 0 && now.Sub(latest(heard.TLS, s.attachedAt)) >= dead {
		out = s.hangUp(now, out)
	}
	return out
}

// Deadline is the earliest time at which a Tick could do something if no more
// bytes came, zero if none could: before it, a Tick does nothing.
func (s *Session) Deadline(h Heard) time.Time {
	if s.ended {
		return time.Time{}
	}
	at := s.cfg.End
	sooner := func(t time.Time) {
		if at.IsZero() || t.Before(at) {
			at = t
		}
	}
	if s.conn == 0 {
		sooner(s.detachedAt.Add(s.cfg.Cookie))
		return at
	}
	if s.cfg.Idle > 0 {
		sooner(latest(h.Data, s.attachedAt).Add(s.cfg.Idle))
	}
	if s.use == DTLS {
		sooner(latest(h.DTLS, s.dtlsAt).Add(silentDTLS))
	}
	if s.cfg.DPD > 0 {
		sooner(latest(h.TLS, s.attachedAt).Add(3 * s.cfg.DPD))
		if s.dtls {
			sooner(latest(h.DTLS, s.dtlsAt).Add(3 * s.cfg.DPD))
		}
	}
	return at
}

// kick ends the session and tells the client so, which then does not come
// back.
func (s *Session) kick(reason string, out []Action) []Action {
	if s.conn != 0 {
		payload := append([]byte{disconnectUser}, gwlink.ReasonText(reason)...)
		out = append(out, Action{Kind: Send, Channel: TLS, Type: openconnect.TypeDisconnect, Payload: payload})
	}
	return s.end(reason, out)
}

func (s *Session) end(reason string, out []Action) []Action {
	out = s.closeDTLS(out)
	if s.conn != 0 {
		out = append(out, Action{Kind: CloseTLS, Conn: s.conn})
	}
	s.ended, s.conn, s.use = true, 0, None
	return append(out, Action{Kind: Use, Channel: None}, Action{Kind: End, Reason: reason})
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
