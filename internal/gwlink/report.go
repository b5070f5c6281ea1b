package gwlink

import (
	"net/netip"
	"time"
)

// Report tells control what is. Lists may repeat earlier entries.
type Report struct {
	Node       string          `json:"node"`
	Sent       time.Time       `json:"sent"`
	Generation uint64          `json:"generation"` // last applied
	Version    string          `json:"version"`
	Gateways   []ObservedState `json:"gateways"`
	Opened     []SessionOpened `json:"opened,omitempty"`
	Closed     []SessionClosed `json:"closed,omitempty"`
	Unknown    []string        `json:"unknown,omitempty"` // sessions to be closed that the node does not have
	Live       []Counters      `json:"live,omitempty"`
}

// ObservedState is one gateway as the node runs it.
type ObservedState struct {
	Gateway    string `json:"gateway"`
	Generation uint64 `json:"generation"`
	State      string `json:"state"`             // "applied" or "failed"
	Problem    string `json:"problem,omitempty"` // for operators; no personal data
}

// SessionOpened is the opening half of the session log (clause SUP-6).
type SessionOpened struct {
	Session  string     `json:"session"`
	Gateway  string     `json:"gateway"`
	Server   string     `json:"server"`
	Client   string     `json:"client"`
	SourceIP netip.Addr `json:"source_ip"`
	Inner    netip.Addr `json:"inner"`
	Inner6   netip.Addr `json:"inner6,omitzero"`
	At       time.Time  `json:"at"`
}

// SessionClosed is the closing half of the session log. It repeats nothing of
// the opening but the session.
type SessionClosed struct {
	Session  string    `json:"session"`
	At       time.Time `json:"at"`
	Reason   string    `json:"reason"`
	BytesIn  uint64    `json:"bytes_in"`  // from the client
	BytesOut uint64    `json:"bytes_out"` // to the client
}

// Counters of a live session; totals since opening.
type Counters struct {
	Session    string `json:"session"`
	BytesIn    uint64 `json:"bytes_in"`
	BytesOut   uint64 `json:"bytes_out"`
	PacketsIn  uint64 `json:"packets_in"`
	PacketsOut uint64 `json:"packets_out"`
	Transport  string `json:"transport"`                // "tls", "dtls" or "detached"
	Client     string `json:"client_version,omitempty"` // live only, never stored
}
