package client

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"reflect"
	"sync"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client/trust"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/protocol/dtls"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

// State is where a Link is in its life.
type State string

// States of a Link, in the order of its life.
const (
	Connecting   State = "connecting" // there was no tunnel yet
	Connected    State = "connected"
	Reconnecting State = "reconnecting"
	Ended        State = "ended"
)

// Cause is why a Link has ended.
type Cause string

// Causes of an end.
const (
	CauseUser        Cause = "user"        // Disconnect
	CauseStopped     Cause = "stopped"     // the context; the session lives on
	CauseCookie      Cause = "cookie"      // it is worth nothing any more: log in
	CauseServer      Cause = "server"      // in its words
	CauseUnreachable Cause = "unreachable" // for longer than GiveUp
	CauseUntrusted   Cause = "untrusted"   // it is not the server that it should be
	CauseCertificate Cause = "certificate" // it does not take the person's, or wants one
	CauseAnswer      Cause = "answer"      // it is no VPN server, or gives no tunnel
	CauseConsent     Cause = "consent"     // the policy is not agreed to
	CauseDevice      Cause = "device"      // of this machine
)

// Snapshot is a Link at a moment.
type Snapshot struct {
	State State
	Since time.Time // when State began
	Cause Cause     // of Ended
	Text  string    // the server's words at the end; may be empty
	Err   error     // why it ended, or why the last try failed; nil once connected

	// Of the present tunnel, or the last.
	Tunnel      openconnect.Tunnel
	Server      netip.AddrPort // that was reached; invalid through a proxy
	Peer        netip.AddrPort // of its TCP connection: the server or the proxy
	ConnectedAt time.Time      // when the first of an unbroken row of tunnels came up
	Expires     time.Time      // when the server will end the session; zero = it did not say
	Channel     string         // "tls" or "dtls": where packets to the server go; "" = nowhere
	TLSVersion  string
	TLSSuite    string
	DTLSSuite   string // "" while Channel is "tls"
	MTU         int    // that the device should have
	RoundTrip   time.Duration
	Connections int // made so far

	Up, Down Traffic // since the Link began
}

// status is what a Link tells of itself.
type status struct {
	mu      sync.Mutex
	at      clock.Clock
	snap    Snapshot
	session *Session
	wires   *wires
	changes chan struct{}
}

func (s *status) init(at clock.Clock) {
	s.at, s.changes = at, make(chan struct{}, 1)
	s.snap = Snapshot{State: Connecting, Since: at.Now()}
}

// change changes the snapshot and says that it did.
func (s *status) change(f func(*Snapshot)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.snap.State
	f(&s.snap)
	if s.snap.State != was {
		s.snap.Since = s.at.Now()
	}
	select {
	case s.changes <- struct{}{}:
	default:
	}
}

func (s *status) connected(session *Session, w *wires) {
	s.change(func(n *Snapshot) {
		if n.State != Connected {
			n.ConnectedAt = s.at.Now()
		}
		s.session, s.wires = session, w
		n.State, n.Err, n.Tunnel = Connected, nil, session.tunnel
		n.TLSVersion, n.TLSSuite = session.secured()
		if n.Expires = (time.Time{}); session.tunnel.SessionLeft > 0 {
			n.Expires = s.at.Now().Add(session.tunnel.SessionLeft)
		}
		n.Connections++
	})
}

// reached notes where the server is, and what the device's routes have to know
// first: to where packets may not go through the tunnel.
func (s *status) reached(at, peer netip.AddrPort) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.snap.Server, s.snap.Peer = at, peer
}

func (s *status) failed(err error) {
	s.change(func(n *Snapshot) {
		if n.Err = err; n.State == Connected {
			n.State = Reconnecting
		}
	})
}

func (s *status) end(err error) {
	s.change(func(n *Snapshot) { n.State, n.Err, n.Cause, n.Text = Ended, err, causeOf(err), wordsOf(err) })
}

func (s *status) setMTU(mtu int) { s.change(func(n *Snapshot) { n.MTU = mtu }) }

func (s *status) deviceMTU() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.snap.MTU
}

// Changes gives a token when State, Tunnel, MTU or Err have changed, one for any
// number of changes.
func (l *Link) Changes() <-chan struct{} { return l.status.changes }

// Snapshot may be called at any time.
func (l *Link) Snapshot() Snapshot {
	s := &l.status
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.snap
	if s.wires != nil {
		out.Up, out.Down = s.wires.tally.read()
	}
	if s.session == nil || out.State != Connected {
		return out
	}
	out.Channel, out.RoundTrip = "tls", s.session.watch.roundTrip()
	if u := s.session.dtls.Load(); u != nil {
		out.Channel, out.DTLSSuite = "dtls", dtls.SuiteName(u.client.Association().Suite)
		if trip := u.watch.roundTrip(); trip > 0 {
			out.RoundTrip = trip
		}
	}
	return out
}

func causeOf(err error) Cause {
	var refused *RefusedError
	var local *deviceError
	var gone *giveUpError
	switch {
	case errors.Is(err, errUser):
		return CauseUser
	case errors.As(err, &local):
		return CauseDevice
	case errors.As(err, &gone):
		return CauseUnreachable
	case errors.As(err, &refused) && refused.Status == http.StatusUnauthorized:
		return CauseCookie
	case errors.Is(err, ErrNoConsent):
		return CauseConsent
	case trust.Refused(err) != nil:
		return CauseUntrusted
	case errors.Is(err, openconnect.ErrAnswer), errors.Is(err, openconnect.ErrTunnel):
		return CauseAnswer
	case errors.Is(err, ErrCertificate):
		return CauseCertificate
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return CauseStopped
	}
	return CauseServer
}

// wordsOf is what the server said.
func wordsOf(err error) string {
	var refused *RefusedError
	var ended *EndedError
	switch {
	case errors.As(err, &refused):
		return refused.Reason
	case errors.As(err, &ended):
		return ended.Text
	}
	return ""
}

// alike tells whether a device that fits one tunnel fits the other.
func alike(a, b openconnect.Tunnel) bool {
	for _, t := range []*openconnect.Tunnel{&a, &b} {
		t.SessionLeft, t.DTLSID, t.DTLSMode, t.DTLSSuite, t.DTLSPort, t.DTLSDPD = 0, nil, 0, 0, 0, 0
		t.DPD, t.Keepalive, t.RekeyTime, t.IdleTimeout, t.SessionTimeout, t.DisconnectedTimeout = 0, 0, 0, 0, 0, 0
		t.Banner, t.Extensions, t.BaseMTU, t.Notices = "", nil, 0, 0
	}
	return reflect.DeepEqual(a, b)
}
