// Package gwlink is the contract between the control plane and the gateway
// nodes: the messages, their version history and the signed grants.
//
// It is not a transport. The control end is internal/web/gwserver, the node
// end internal/dataplane/agent; both speak HTTP with these values as JSON,
// over a unix socket on one host or mutual TLS between hosts.
//
//	node                                   control
//	 │  GET  /gwlink/v1/desired?after=n ─────▶│  waits up to 25 s for a generation > n
//	 │◀──────────────── Desired ──────────────│  204 when nothing changed
//	 │  POST /gwlink/v1/certificate ─────────▶│  CSR of an SSL server, born on the node
//	 │  POST /gwlink/v1/key ─────────────────▶│  key of an uploaded certificate, sealed to this request
//	 │  POST /gwlink/v1/login ───────────────▶│  one round of a VPN login
//	 │  POST /gwlink/v1/report ──────────────▶│  what is, sessions opened and closed, counters
//
// Invariants: generations only grow; every report may be repeated (the reader
// deduplicates by session and sequence); a node needs nothing but its last
// Desired and the grants it holds to carry traffic and accept reconnects.
// No message carries a password from control to a node, nor tunnelled content;
// a private key only as KeyAnswer, which nothing but its request opens.
//
// Version history:
//
//	1  first version
package gwlink

// Version is the contract version that this build speaks. Both ends send it in
// the header named by VersionHeader; a control plane refuses a node whose
// version it does not know with 426.
const Version = 1

// Paths and headers of the transport.
const (
	VersionHeader   = "Skybridge-Gwlink-Version"
	PathDesired     = "/gwlink/v1/desired"
	PathCertificate = "/gwlink/v1/certificate"
	PathKey         = "/gwlink/v1/key"
	PathLogin       = "/gwlink/v1/login"
	PathReport      = "/gwlink/v1/report"
)
