// Package ipc is how the command line and the window of skyconnect ask its
// privileged daemon for something, on one machine.
//
// A call is a connection of its own: one request, then answers until the daemon
// closes it. Both are JSON, one object a line. Who asks is told by the system
// (the credentials of the socket's peer), never by the request:
//
//	caller ── Request ──▶ daemon
//	caller ◀── Answer … ── daemon      several of them for Up and Watch
//
// Invariants: there is no port; a line is at most MaxLine long; a field that the
// daemon does not know is refused, so that an option is never silently ignored;
// a connection belongs to the user who made it, and others neither see nor
// change it; secrets travel in Up alone and are never printed.
package ipc

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/bundle"
)

// Version of the messages. A daemon of another version says so and does nothing.
const Version = 1

// MaxLine bounds a request and an answer, in bytes.
const MaxLine = 4 << 20

// Op is what is asked for.
type Op string

// Operations.
const (
	OpStatus Op = "status" // one Answer with Status
	OpWatch  Op = "watch"  // an Answer with Status at once and after every change
	OpUp     Op = "up"     // Answers with the Connection as it comes up, until it is up or failed
	OpDown   Op = "down"   // one Answer
	OpRepair Op = "repair" // one Answer with Undone
	// OpRestart has the program that is installed take the daemon's place: one Answer,
	// then the daemon goes away for a moment. It is understood in every Version.
	OpRestart Op = "restart"
)

// Request is one call.
type Request struct {
	Version int    `json:"version"`
	Op      Op     `json:"op"`
	Profile string `json:"profile,omitempty"` // of OpDown; empty = all of the caller's
	Up      *Up    `json:"up,omitempty"`
}

// Up asks for a connection. Login was the caller's: the daemon gets what came of
// it, never a password.
type Up struct {
	Profile string `json:"profile"` // id, of the caller's own choosing
	Name    string `json:"name"`
	Server  string `json:"server"` // host:port
	Path    string `json:"path,omitempty"`
	// At is where the server was reached at login, so that its name need not be
	// looked up, which a kill switch may forbid.
	At    netip.AddrPort `json:"at,omitzero"`
	Pins  []string       `json:"pins,omitempty"`
	Roots string         `json:"roots,omitempty"` // PEM; empty = the system's
	// Certificate is a chain in PEM, and Key its private key in PKCS#8 PEM. A
	// cookie may be bound to it.
	Certificate string `json:"certificate,omitempty"`
	Key         Secret `json:"key,omitzero"`
	Cookie      Secret `json:"cookie,omitzero"`
	DTLS        bool   `json:"dtls"`
	Proxy       string `json:"proxy,omitempty"`
	KillSwitch  bool   `json:"kill_switch"`
	LocalLAN    bool   `json:"local_lan"`
	// LANPermitted: the person lets the local network be reached, so that a server
	// may propose it.
	LANPermitted bool `json:"lan_permitted"`
	// Trusted are networks in which nothing goes through the tunnel. A kill switch
	// knows none.
	Trusted []bundle.TrustedNetwork `json:"trusted,omitempty"`
	// Policy is the digest of the policy text that the person accepted; without
	// one the daemon opens no socket.
	Policy string `json:"policy"`
}

// State of a connection.
type State string

// States. Login means that the server wants the person again: the cookie is over.
// Paused is connected, in a trusted network: nothing goes through the tunnel.
const (
	Connecting   State = "connecting"
	Connected    State = "connected"
	Reconnecting State = "reconnecting"
	Paused       State = "paused"
	Login        State = "login"
	Down         State = "down"
	Failed       State = "failed"
)

// Over reports whether nothing moves any more by itself.
func (s State) Over() bool { return s == Login || s == Down || s == Failed }

// Connection is one VPN connection as it is now.
type Connection struct {
	Profile    string            `json:"profile"`
	Name       string            `json:"name"`
	Server     string            `json:"server"`
	At         netip.AddrPort    `json:"at,omitzero"` // where the server was reached
	State      State             `json:"state"`
	Since      time.Time         `json:"since"`           // of the state
	Cause      string            `json:"cause,omitempty"` // code of why it is not connected
	With       map[string]string `json:"with,omitempty"`  // parameters of the cause's sentence
	Text       string            `json:"text,omitempty"`  // the server's or system's own words
	Warnings   []string          `json:"warnings,omitempty"`
	Device     string            `json:"device,omitempty"`
	Addresses  []netip.Prefix    `json:"addresses,omitempty"`
	Include    []netip.Prefix    `json:"include,omitempty"` // empty while connected = everything
	Exclude    []netip.Prefix    `json:"exclude,omitempty"`
	DNS        []netip.Addr      `json:"dns,omitempty"`
	Domains    []string          `json:"domains,omitempty"`
	SplitDNS   []string          `json:"split_dns,omitempty"`
	Banner     string            `json:"banner,omitempty"`
	Channel    string            `json:"channel,omitempty"`  // dtls or tls
	TLS        string            `json:"tls,omitempty"`      // version
	Cipher     string            `json:"cipher,omitempty"`   // of the channel
	UDPPort    uint16            `json:"udp_port,omitempty"` // of the gateway; 0 = it has none, or none is reached through a proxy
	MTU        int               `json:"mtu,omitempty"`
	FullMTU    int               `json:"full_mtu,omitempty"` // what the server gave; MTU is less where the path carries less
	RTT        float64           `json:"rtt_ms,omitempty"`
	BytesIn    uint64            `json:"bytes_in"`
	BytesOut   uint64            `json:"bytes_out"`
	PacketsIn  uint64            `json:"packets_in"`
	PacketsOut uint64            `json:"packets_out"`
	KillSwitch bool              `json:"kill_switch"`
	LocalLAN   bool              `json:"local_lan"`
	Notices    int               `json:"notices,omitempty"` // of the operator that the person has not read
	Trusted    string            `json:"trusted,omitempty"` // domain of the network in which it is paused
	Ends       time.Time         `json:"ends,omitzero"`     // of the session, if the server limits it
}

// Status is all that the caller may see.
type Status struct {
	Version     string       `json:"version"`           // of the daemon
	Began       time.Time    `json:"began,omitzero"`    // when this daemon did
	Renewed     bool         `json:"renewed,omitempty"` // another program is installed than the daemon runs
	Stayed      bool         `json:"stayed,omitempty"`  // it restarted, but the other program did not take its place
	Connections []Connection `json:"connections"`
}

// Answer is one line from the daemon.
type Answer struct {
	Error      *Error      `json:"error,omitempty"`
	Status     *Status     `json:"status,omitempty"`
	Connection *Connection `json:"connection,omitempty"`
	Undone     []string    `json:"undone,omitempty"`
	Done       bool        `json:"done,omitempty"` // the last line of a call
}

// Error is a refusal of the daemon.
type Error struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

func (e *Error) Error() string { return e.Text }

// Is makes errors of one code equal.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// Refusals.
var (
	ErrVersion   = &Error{"version", "the daemon is of another version than this program: restart it"}
	ErrRequest   = &Error{"request", "the daemon does not understand the request"}
	ErrForbidden = &Error{"forbidden", "this user may not use the daemon"}
	ErrPolicy    = &Error{"policy", "the privacy policy is not accepted"}
	ErrBusy      = &Error{"busy", "the profile is connected already"}
	ErrConflict  = &Error{"conflict", "the routes overlap those of another connection"}
	ErrUnknown   = &Error{"unknown", "there is no such connection"}
	ErrTooMany   = &Error{"too_many", "too many connections"}
	ErrDevice    = &Error{"device", "no tunnel device can be made"}
	ErrSystem    = &Error{"system", "the system refused a change of its network"}
	// Of a restart.
	ErrRestarting = &Error{"restarting", "the daemon restarts, and its connections come back"}
	ErrNotRenewed = &Error{"not_renewed", "the daemon is the program that is installed; only an administrator restarts it for nothing"}
	ErrSuccessor  = &Error{"successor", "the program that is installed cannot take the daemon's place"}
	ErrManager    = &Error{"manager", "on this system its service manager restarts the daemon"}
)

// With is the error with its cause appended.
func (e *Error) With(err error) *Error { return &Error{e.Code, fmt.Sprintf("%s: %v", e.Text, err)} }

// Secret is a value that is written to the daemon's socket and nowhere else:
// printing it shows that there is one.
type Secret struct{ b []byte }

// NewSecret wraps b without copying it.
func NewSecret(b []byte) Secret { return Secret{b} }

// Reveal returns the bytes themselves.
func (s Secret) Reveal() []byte { return s.b }

// Clear overwrites the bytes.
func (s Secret) Clear() { clear(s.b) }

// IsZero says that there is none.
func (s Secret) IsZero() bool { return len(s.b) == 0 }

// Format implements [fmt.Formatter] for every verb.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, "[secret]") }

// MarshalJSON is for the socket and for the memory that a daemon hands to its
// successor, and for nothing else: logs are made by slog's handlers from values,
// and no handler is given an Up.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(s.b) }

// UnmarshalJSON is the inverse of MarshalJSON.
func (s *Secret) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, &s.b) }
