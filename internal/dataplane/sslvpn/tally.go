package sslvpn

import (
	"sync/atomic"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/session"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
)

// Tally is what a Service has done since it was made, and its sessions now. It
// names no client, session or gateway.
type Tally struct {
	Sessions                                 map[string]uint64 // live, by transport: "tls", "dtls", "detached"
	BytesIn, BytesOut, PacketsIn, PacketsOut uint64            // of live and ended sessions
	Drops                                    map[string]uint64 // by Drop constant
	Handshakes                               map[string]uint64 // "tls ok", "tls failed", "dtls ok"
	Logins                                   map[string]uint64 // rounds that decided: "granted", "refused", "unavailable"
	LoginFails                               map[string]uint64 // rounds that failed, by Fail constant
	Ended                                    map[string]uint64 // sessions, by gwlink's reasons
}

// Reasons of rounds of a login that failed.
const (
	FailCredentials = "credentials" // a password or code was wrong
	FailCertificate = "certificate" // none that holds, where one is required
	FailBanned      = "banned"      // the source failed too often
	FailRefused     = "refused"     // control's last word, for reasons of its own
	FailUnavailable = "unavailable" // nobody is to blame but us
)

// Causes of dropped packets. A frame of several TCP segments counts as one.
const (
	DropNotAllowedUp   = "not_allowed_up"   // a client's, to where it may not go or from a wrong address
	DropNotAllowedDown = "not_allowed_down" // of the VPC, to a client that may not get it
	DropNoSession      = "no_session"       // of the VPC, to an address without a session
	DropDetached       = "detached"         // of the VPC, to a session without a connection
	DropRateUp         = "rate_up"          // a client's over its rate
	DropQueueDown      = "queue_down"       // of the VPC, to a client that is too slow
	DropTooBig         = "too_big"          // of the VPC, longer than the client's tunnel takes; its sender is told
)

// tally is where the Service counts. Fields are apart because several
// goroutines count at once; drops are off the fast path.
type tally struct {
	notAllowedUp, notAllowedDown, noSession, detached, rateUp, queueDown, tooBig atomic.Uint64

	tlsOK, tlsFailed, dtlsOK      atomic.Uint64
	granted, refused, unavailable atomic.Uint64

	failCredentials, failCertificate, failBanned, failRefused, failUnavailable atomic.Uint64

	// Of ended sessions; guarded by Service.mu, so that a session is counted
	// either as live or as ended.
	bytesIn, bytesOut, packetsIn, packetsOut uint64
	ended                                    map[string]uint64
	moved                                    map[string]moved // by gateway
}

// login counts a round of a login by its outcome and the status that it is
// answered with; forms and wrong passwords decide nothing yet.
func (t *tally) login(o gwlink.Outcome, status int) {
	switch {
	case status == 503:
		t.unavailable.Add(1)
	case o == gwlink.OutcomeGranted:
		t.granted.Add(1)
	case o == gwlink.OutcomeRefused || status == 401:
		t.refused.Add(1)
	}
}

// fail counts a round that came to nothing by its reason; "" is none.
func (t *tally) fail(reason string) {
	for r, n := range t.fails() {
		if r == reason {
			n.Add(1)
		}
	}
}

func (t *tally) fails() map[string]*atomic.Uint64 {
	return map[string]*atomic.Uint64{
		FailCredentials: &t.failCredentials, FailCertificate: &t.failCertificate, FailBanned: &t.failBanned,
		FailRefused: &t.failRefused, FailUnavailable: &t.failUnavailable,
	}
}

// failures is how many rounds failed, for whatever reason.
func (t *tally) failures() (n uint64) {
	for _, c := range t.fails() {
		n += c.Load()
	}
	return n
}

// endLocked books an ended session. The caller holds Service.mu.
func (t *tally) endLocked(c *liveSession, reason string) {
	in, out, pin, pout := c.ofThisProcess()
	t.bytesIn, t.bytesOut, t.packetsIn, t.packetsOut = t.bytesIn+in, t.bytesOut+out, t.packetsIn+pin, t.packetsOut+pout
	if t.ended == nil {
		t.ended, t.moved = map[string]uint64{}, map[string]moved{}
	}
	t.ended[reason]++
	m := t.moved[c.rec.Gateway]
	t.moved[c.rec.Gateway] = moved{m.in + in, m.out + out}
}

// ofThisProcess is a session's traffic less that of earlier processes.
func (c *liveSession) ofThisProcess() (bytesIn, bytesOut, packetsIn, packetsOut uint64) {
	return c.bytesIn.Load() - c.rec.BytesIn, c.bytesOut.Load() - c.rec.BytesOut, c.packetsIn.Load(), c.packetsOut.Load()
}

// Tally returns the present numbers.
func (s *Service) Tally() Tally {
	t := &s.tally
	out := Tally{
		Sessions: map[string]uint64{session.TLS.String(): 0, session.DTLS.String(): 0, session.None.String(): 0},
		Drops: map[string]uint64{
			DropNotAllowedUp: t.notAllowedUp.Load(), DropNotAllowedDown: t.notAllowedDown.Load(), DropNoSession: t.noSession.Load(),
			DropDetached: t.detached.Load(), DropRateUp: t.rateUp.Load(), DropQueueDown: t.queueDown.Load(),
			DropTooBig: t.tooBig.Load(),
		},
		Handshakes: map[string]uint64{"tls ok": t.tlsOK.Load(), "tls failed": t.tlsFailed.Load(), "dtls ok": t.dtlsOK.Load()},
		Logins:     map[string]uint64{"granted": t.granted.Load(), "refused": t.refused.Load(), "unavailable": t.unavailable.Load()},
		LoginFails: map[string]uint64{}, Ended: map[string]uint64{},
	}
	for reason, n := range t.fails() {
		out.LoginFails[reason] = n.Load()
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	out.BytesIn, out.BytesOut, out.PacketsIn, out.PacketsOut = t.bytesIn, t.bytesOut, t.packetsIn, t.packetsOut
	for reason, n := range t.ended {
		out.Ended[reason] = n
	}
	for _, c := range s.sessions {
		in, o, pin, pout := c.ofThisProcess()
		out.BytesIn, out.BytesOut, out.PacketsIn, out.PacketsOut = out.BytesIn+in, out.BytesOut+o, out.PacketsIn+pin, out.PacketsOut+pout
		out.Sessions[c.counters().Transport]++
	}
	return out
}
