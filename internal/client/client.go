// Package client is the engine of our own VPN client: it logs in, turns the
// connection into a tunnel, keeps it up and moves packets between it and a
// tunnel device.
//
// It configures no device, route or name: who opens the device does, from the
// openconnect.Tunnel that he is told. It stores nothing and asks nobody; who the
// person is comes from the caller, form by form, and no socket is opened and no
// name looked up before his Permit allows it.
//
//	Login ──▶ cookie ──▶ Link.Run
//	                      │ connect, retry, rekey, probe, move ──▶ Snapshot
//	                      ▼
//	                    Session (one at a time; two while it moves)
//	                      ├─ sender ──▶ TLS
//	                      ├─ reader ◀── TLS ──▶ wires
//	                      └─ UDP channel: handshake, MTU, receiver ──▶ wires
//	                    wires (outlive sessions)
//	                      └─ device's queue ── pump ──▶ DTLS of the session, else its sender
//
// The life of a Link:
//
//	connecting ──▶ connected ◀──▶ reconnecting ──▶ ended (Cause)
//
// Invariants: a stock server sees a stock client (one frame per record, private
// extensions only after it agreed to them); packets from the server reach the
// device only with an authentic record; nothing allocates per packet once warm;
// what the other end says is bounded and printable; no password or cookie is in
// an error, and what was sent of them is wiped.
package client

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client/trust"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// Config says where the server is and what is wanted of it.
type Config struct {
	Permit Permit // nil: nothing is allowed

	Server string         // host:port
	At     netip.AddrPort // where it was reached before, so that no name need be looked up; zero = not known
	Path   string         // of the URL that was typed, such as "/sales", which may choose a group
	Proxy  *url.URL

	Trust       trust.Anchors    // what proves the server; the zero value trusts nobody
	Certificate *tls.Certificate // of the person; nil = none

	DTLS       bool            // not through a proxy
	Extensions []string        // of the private ones, which to ask for
	Seeds      func(keep bool) // told at a login whether the server lets a token's seed be kept; a server that does not say tells nothing
	Agent      string          // User-Agent; "" = DefaultAgent
	Mark       uint32          // of all sockets, for the system's routing; 0 = none
	Segment    int             // most bytes of TCP in one packet, either way; 0 = what the path is believed to carry

	Clock clock.Clock // nil = the system's
	noPSK bool        // for tests: do as if the TLS connection could export no key
}

// Permit is the person's consent to the policy in force. Only package policy
// makes one, and asks anew each time.
type Permit interface {
	// Allows returns nil when packets may leave.
	Allows() error
}

// DefaultAgent is what servers take for an openconnect client.
const DefaultAgent = "AnyConnect-compatible OpenConnect VPN Agent v9.01"

const (
	version    = "v9.01"
	setupLimit = 30 * time.Second
)

// Errors of Login, Connect and Link.Run, beside the refusals of package trust. What
// the server said is in their text.
var (
	ErrNoConsent   = errors.New("client: the policy is not agreed to")
	ErrCertificate = errors.New("client: the server wants a certificate of the person")
	ErrRefused     = errors.New("client: the server refuses") // a RefusedError, or by a form
	ErrRedirected  = errors.New("client: the server sends elsewhere")
	ErrRounds      = errors.New("client: too many forms")
	ErrUnanswered  = errors.New("client: the server asks for what is not known")
	ErrMore        = errors.New("client: the server asks for more than account, password and code")
	ErrProxy       = errors.New("client: the proxy refuses")
	ErrEnded       = errors.New("client: the server ended the session") // an EndedError
)

// permitted asks for consent, before anything that others can see.
func (c Config) permitted() error {
	if mutant.Off("TY-0a") {
		return nil
	}
	if c.Permit == nil {
		return ErrNoConsent
	}
	if err := c.Permit.Allows(); err != nil {
		return fmt.Errorf("%w: %w", ErrNoConsent, err)
	}
	return nil
}

func (c Config) agent() string {
	if c.Agent != "" {
		return c.Agent
	}
	return DefaultAgent
}

func (c Config) clock() clock.Clock {
	if c.Clock != nil {
		return c.Clock
	}
	return clock.System{}
}

// host is the server as it stands in URLs: without the usual port.
func (c Config) host() string {
	return strings.TrimSuffix(c.Server, ":443")
}

// name is the server's name or address.
func (c Config) name() string {
	host, _, err := net.SplitHostPort(c.Server)
	if err != nil {
		return c.Server
	}
	return host
}

// path is where a login begins.
func (c Config) path() string {
	u, err := url.Parse("/" + strings.TrimLeft(c.Path, "/"))
	if err != nil || u.Host != "" {
		return "/"
	}
	return u.RequestURI()
}
