// Package sslvpn is the I/O shell of the SSL VPN: listeners, TLS, HTTP
// authentication, the CSTP and DTLS channels and the goroutines that move
// packets between them and the gateways' tunnel devices.
//
// It decides nothing about people: every login round goes to an Authenticator,
// and a session is allowed by the grant that comes back. Protocol rules live in
// protocol/openconnect and protocol/dtls, timers in dataplane/session. It makes
// no network; it is given tunnel queues.
//
//	TLS port ── SNI ──▶ server ── login rounds ──▶ Authenticator ──▶ grant
//	                      │  cookie                                    │
//	   CONNECT ◀──────────┘◀──────────── client (session, lease) ◀─────┘
//	      │
//	      ├─ stream: reader ── filter ──▶ tunnel queue
//	      │          writer ◀── outQueue ◀── pump ◀── tunnel queue
//	      │     UDP port ◀── seal ◀────────── pump, for DTLS without a rate
//	UDP port ── App-ID, peer address ──▶ link ── filter ──▶ upload ──▶ tunnel queue
//
// Goroutines: one per TLS connection, plus a writer per attached session (idle
// ones hold no buffers); one receiver per UDP port, and one per lane, which is
// the port of a client that sends much just now; one pump per tunnel queue; one
// ticker. All end before Close returns.
//
// Locks, outermost first: client.mu, then Service.mu, udpPort.mu, table.mu,
// outQueue.mu. Nothing calls a client while holding one of the others.
//
// Invariants: exactly one CSTP frame per TLS record; a packet reaches a device
// only through its server's filter; a batch's buffers have one owner at a time;
// no allocation per packet once warm; a panic ends one connection, never the
// process; cookies, secrets and form values are never logged.
package sslvpn

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/netip"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/tun"
)

// Authenticator takes one round of a login. An error means that it cannot be
// reached: the person is told to try again later.
type Authenticator interface {
	Login(ctx context.Context, r gwlink.LoginRequest) (gwlink.LoginAnswer, error)
}

// Sink learns of sessions. Its methods are called in the order of events of
// one session and must not wait for the network.
type Sink interface {
	// Opened is called before the client learns its cookie. An error refuses the
	// session: what cannot be remembered is not opened.
	Opened(r Record) error
	// Closed is called once at the end.
	Closed(c gwlink.SessionClosed)
}

// Record is what survives of a session over a restart of the process. It holds
// the cookie's hash, not the cookie.
type Record struct {
	Session string   `json:"session"`
	Gateway string   `json:"gateway"`
	Server  string   `json:"server"`
	Client  string   `json:"client"`
	Grant   []byte   `json:"grant"` // signed, see gwlink.VerifyGrant
	Cookie  [32]byte `json:"cookie"`
	// Certificate is the SHA-256 of the one that the client logged in with; zeros
	// without one. The cookie opens nothing for who does not hold it.
	Certificate [32]byte   `json:"certificate,omitzero"`
	Inner       netip.Addr `json:"inner"`
	Inner6      netip.Addr `json:"inner6,omitzero"` // where the server has an IPv6 pool
	Linux       bool       `json:"linux,omitempty"` // the client said so when it logged in
	SourceIP    netip.Addr `json:"source_ip"`
	OpenedAt    time.Time  `json:"opened_at"`
	BytesIn     uint64     `json:"bytes_in"` // totals of earlier processes
	BytesOut    uint64     `json:"bytes_out"`
}

// addresses are the leases of the session.
func (r Record) addresses() []netip.Addr {
	if r.Inner6.IsValid() {
		return []netip.Addr{r.Inner, r.Inner6}
	}
	return []netip.Addr{r.Inner}
}

// Gateway is one VPN gateway to run. Queues stay the caller's to close, after
// Apply without the gateway or Close has returned or before; the pump ends
// when they are closed.
type Gateway struct {
	Spec         gwlink.Gateway
	Queues       []tun.Queue
	Certificates map[string]*tls.Certificate // by server id; a server without one waits
}

// Config is what a Service needs. All fields but MaxBanScore are required.
type Config struct {
	Auth   Authenticator
	Sink   Sink
	Clock  clock.Clock
	Log    *slog.Logger
	Listen []netip.Addr // local addresses of every server's port

	MaxBanScore int // points at which a source's logins are refused, see ban; 0 = never
}
