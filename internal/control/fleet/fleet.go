// Package fleet is the gateway nodes: which exist, which VPN gateway runs on
// which of them, what they should run and what they report.
//
// It is not for packets (internal/dataplane) and knows nothing of what a VPN
// gateway contains: the module vpn tells it through the port Source.
//
//	change in vpn ── ChangedTx ──▶ node.generation + 1 ──▶ Wait returns Desired{n}
//	                                                             │ node applies
//	session log ◀── Ingest ◀── Report{generation n, opened, closed, live} ◀──┘
//	                  └──▶ event fleet.observed, when an observation changed
//
// Invariants: a node's generation only grows, in the transaction of the change
// that it announces; Desired{n} holds at least every change up to n; a report
// may come again or in another order (closed before opened) and changes
// nothing the second time; a node reports only for gateways assigned to it.
// The session log holds exactly the fields of clause SUP-6, its addresses
// sealed by a key of the day; destinations, queries and payload have no column
// to be in (SUP-7).
package fleet

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"net/netip"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// Errors.
var (
	ErrNodeNotFound = errs.New(errs.NotFound, "fleet.node_not_found")
	ErrNoNode       = errs.New(errs.Unavailable, "fleet.no_node")
	ErrNotAssigned  = errs.New(errs.NotFound, "fleet.not_assigned")
	ErrNodeConflict = errs.New(errs.Conflict, "fleet.node_conflict")
)

// NodeSpec is what an operator, or the single-host assembly, says of a node.
type NodeSpec struct {
	Name      string // unique; the key of EnsureNode
	Region    string // catalog region whose gateways it may run
	Location  string // where the machine stands: "CN-mainland", "HK", ...
	Addresses []netip.Addr
	KeySHA256 string // KeyDigest of its TLS certificate; empty: unix socket only
}

// KeyDigest is what NodeSpec.KeySHA256 names the key of a certificate by:
// lower-case hex of the SHA-256 of its SubjectPublicKeyInfo.
func KeyDigest(c *x509.Certificate) string {
	sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return hex.EncodeToString(sum[:])
}

// Node is one machine that runs VPN gateways.
type Node struct {
	ID string // node_...
	NodeSpec
	Version    string    // as last reported
	LastSeen   time.Time // zero: never
	Generation uint64    // desired
	Applied    uint64    // last reported as applied
	Draining   bool      // see Drain
	CreatedAt  time.Time
}

// Health is what an operator sees of a node.
type Health string

// Healths of a node.
const (
	HealthOnline  Health = "online"  // reported within 45 s and runs what it should
	HealthBehind  Health = "behind"  // reports, but has not applied the desired generation
	HealthOffline Health = "offline" // silent for 45 s or more
	HealthNew     Health = "new"     // never reported
)

const silence = 45 * time.Second

// Health derives the node's health at a time.
func (n Node) Health(now time.Time) Health {
	switch {
	case n.LastSeen.IsZero():
		return HealthNew
	case now.Sub(n.LastSeen) >= silence:
		return HealthOffline
	case n.Applied < n.Generation:
		return HealthBehind
	}
	return HealthOnline
}

// Assignment says which node runs a gateway, and the node's generation that
// the assignment or the last change got.
type Assignment struct {
	Gateway    string
	Node       string
	Addresses  []netip.Addr // public addresses of the node
	Generation uint64
	Draining   bool // the node takes no new logins
}

// Observation is what a node last said of a gateway.
type Observation struct {
	Gateway    string
	Node       string
	Generation uint64
	State      string // "applied" or "failed"
	Problem    string // for operators
	At         time.Time
}

// Session is an entry of the session log, exactly the fields of SUP-6, and
// what is known of it while it lives.
type Session struct {
	ID       string // ses_...
	Client   string // the SSL client: the handle of SUP-6
	Gateway  string
	SourceIP netip.Addr // invalid unless the caller asked for addresses, or their day's key is gone
	Inner    netip.Addr // IPv4; kept with Inner6 in one column
	Inner6   netip.Addr // invalid without IPv6
	Start    time.Time
	End      time.Time // zero: alive
	Reason   string
	BytesIn  uint64 // from the client
	BytesOut uint64
	Live     Live

	sealedSource, sealedInner []byte
}

// Live is what is known of a session while it lives; never stored beyond it.
type Live struct {
	Transport  string // "tls", "dtls" or "detached"; empty when not alive
	PacketsIn  uint64
	PacketsOut uint64
	RateIn     uint64 // bytes in a second, between the last two reports
	RateOut    uint64
	Version    string // what the client calls itself
	Seen       time.Time
}

// Sample is the traffic of one gateway in ten seconds.
type Sample struct {
	At       time.Time // start of the ten seconds
	BytesIn  uint64
	BytesOut uint64
	Sessions int
}
