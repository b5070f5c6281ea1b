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

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"
	"time"
)

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

// Desired is everything that one node should run. It replaces the previous
// one as a whole.
type Desired struct {
	Generation uint64     `json:"generation"`
	Node       string     `json:"node"` // fleet node id
	IssuedAt   time.Time  `json:"issued_at"`
	GrantKeys  []GrantKey `json:"grant_keys"` // keys whose grants the node accepts
	Gateways   []Gateway  `json:"gateways"`
	Closures   []Closure  `json:"closures,omitempty"` // sessions to end now
}

// GrantKey is an Ed25519 public key of the control plane.
type GrantKey struct {
	ID     string `json:"id"`
	Public []byte `json:"public"` // 32 bytes
}

// Closure asks the node to end one session and void its cookie.
type Closure struct {
	Session string `json:"session"`
	Reason  string `json:"reason"` // one of the Reason constants
}

// GatewayState says whether a VPN gateway carries traffic.
type GatewayState string

// States of a desired gateway. A frozen gateway keeps its configuration and
// refuses sessions.
const (
	GatewayActive GatewayState = "active"
	GatewayFrozen GatewayState = "frozen"
)

// Gateway is one customer's VPN gateway: an isolated network of its own.
type Gateway struct {
	ID           string       `json:"id"` // vpngw-...
	State        GatewayState `json:"state"`
	Network      string       `json:"network"`       // VPC name in the node's configuration
	UpRate       int64        `json:"up_rate"`       // bit/s from clients to the VPC, 0 = unlimited
	DownRate     int64        `json:"down_rate"`     // bit/s from the VPC to clients, 0 = unlimited
	SessionLimit int          `json:"session_limit"` // concurrent SSL VPN sessions of the gateway
	SSLServers   []SSLServer  `json:"ssl_servers"`
}

// LoginMode is what an SSL server asks for, besides a code.
type LoginMode string

// Login modes. The node makes sure of the certificate, control of the rest.
const (
	LoginPassword            LoginMode = "password"
	LoginPasswordCertificate LoginMode = "password_certificate"
	LoginCertificate         LoginMode = "certificate" // the answer to init may be a grant
)

// Group is one that a login may choose, in a form or by the path /name.
type Group struct {
	Name  string `json:"name"`
	Label string `json:"label"` // what a person reads, and types for --authgroup
}

// SSLServer is one listener of a gateway. Several may share a port: SNI
// chooses among them.
type SSLServer struct {
	ID              string         `json:"id"` // sslsrv-...
	Name            string         `json:"name"`
	ServerNames     []string       `json:"server_names"` // SNI names, lower case
	Port            int            `json:"port"`
	UDP             bool           `json:"udp"`            // DTLS on the same port
	Pool            netip.Prefix   `json:"pool"`           // IPv4; first host is the gateway itself
	Pool6           netip.Prefix   `json:"pool6,omitzero"` // IPv6, likewise; invalid = no IPv6 inside the tunnel
	LocalSubnets    []netip.Prefix `json:"local_subnets"`  // of both families; pushed as split routes, and the only destinations allowed
	ExcludeRoutes   []netip.Prefix `json:"exclude_routes,omitempty"`
	FullTunnel      bool           `json:"full_tunnel,omitempty"`
	DNS             []netip.Addr   `json:"dns,omitempty"`
	SplitDNS        []string       `json:"split_dns,omitempty"`
	DefaultDomains  []string       `json:"default_domains,omitempty"`
	ClientBypass    bool           `json:"client_bypass,omitempty"` // a family without an address goes outside the tunnel
	Banner          string         `json:"banner,omitempty"`
	MTU             int            `json:"mtu"`                  // upper bound of the tunnel MTU
	DPD             int            `json:"dpd"`                  // seconds, as are the following
	MobileDPD       int            `json:"mobile_dpd,omitempty"` // for phones; 0 = as DPD
	Keepalive       int            `json:"keepalive"`
	IdleTimeout     int            `json:"idle_timeout"` // 0 = off
	MobileIdle      int            `json:"mobile_idle"`  // the same for phones
	SessionTimeout  int            `json:"session_timeout"`
	CookieTimeout   int            `json:"cookie_timeout"` // life of a session without connection
	RekeyTime       int            `json:"rekey_time"`
	ClientIsolation bool           `json:"client_isolation"`
	TLSMin          string         `json:"tls_min"`           // "1.2" or "1.3"
	TLSMax          string         `json:"tls_max,omitempty"` // likewise; empty = the newest
	// DenyRoaming keeps a session at the address that it logged in from.
	DenyRoaming bool      `json:"deny_roaming,omitempty"`
	LoginMode   LoginMode `json:"login_mode"` // empty from a control that knows RequireCertificate alone
	// RequireCertificate says the same for a node that knows no LoginMode.
	RequireCertificate bool     `json:"require_certificate"`
	Groups             []Group  `json:"groups,omitempty"`
	ClientCAs          [][]byte `json:"client_cas,omitempty"`      // DER
	Certificate        string   `json:"certificate,omitempty"`     // cert-... whose key the node asks for; empty = the node's own key
	Chain              [][]byte `json:"chain,omitempty"`           // DER, leaf first; empty until certified
	RevokedSerials     []string `json:"revoked_serials,omitempty"` // upper-case hex
	// Blocked are certificates of other CAs than the server's own, one by one: of
	// clients, and of CAs between them and a trusted one.
	Blocked []CertificateID `json:"blocked,omitempty"`
	Clients []Client        `json:"clients,omitempty"` // limits that change on live sessions
	// LargeSegments sends bulk TCP to Linux clients over TLS in segments of up
	// to 16 KiB, above the tunnel MTU. It about doubles their download rate, and
	// is only for clients that are end hosts: one that forwards would drop them.
	LargeSegments bool `json:"large_segments,omitempty"`
	// ACL judges packets from clients, in order; the first rule that matches
	// decides, else ACLDeny. It changes on live sessions.
	ACL     []ACLRule `json:"acl,omitempty"`
	ACLDeny bool      `json:"acl_deny,omitempty"`
}

// ACLRule is one line of an access list, of packets from clients to networks.
type ACLRule struct {
	Allow       bool         `json:"allow,omitempty"`
	Protocol    string       `json:"protocol,omitempty"`   // "tcp", "udp", "icmp"; empty = any
	Destination netip.Prefix `json:"destination,omitzero"` // invalid = everywhere
	Ports       []PortRange  `json:"ports,omitempty"`      // destination ports of TCP or UDP; none = all
}

// PortRange is a range of ports, both ends in it.
type PortRange struct {
	From uint16 `json:"from"`
	To   uint16 `json:"to"`
}

// WantsCertificate reports whether nobody gets in without a certificate. A mode
// that this release does not know asks for one.
func (s SSLServer) WantsCertificate() bool {
	if s.LoginMode == "" {
		return s.RequireCertificate
	}
	return s.LoginMode != LoginPassword
}

// Client carries what may change for live sessions of one SSL client. It holds
// no credential and no name.
type Client struct {
	ID       string `json:"id"`      // sslcli-...
	UpRate   int64  `json:"up_rate"` // bit/s, 0 = the gateway's
	DownRate int64  `json:"down_rate"`
	// FixedInner and FixedInner6 are kept for the client: no other gets them.
	FixedInner  netip.Addr `json:"fixed_inner,omitzero"`
	FixedInner6 netip.Addr `json:"fixed_inner6,omitzero"`
	// Routes are networks behind the client. They go to its newest session, and
	// its packets may come from them. They overlap with nothing else.
	Routes []netip.Prefix `json:"routes,omitempty"`
	// Expires ends the client's sessions, whatever their grants say; zero = never.
	Expires time.Time `json:"expires,omitzero"`
	// Pardoned is when it was last unlocked, in Unix microseconds. When it grows,
	// the node forgets what the client's failures earned their sources.
	Pardoned int64 `json:"pardoned,omitempty"`
}

// CertificateID names a certificate by what issued it, see NameHash, and by its
// serial number in upper-case hex: RFC 5280 section 4.1.2.2.
type CertificateID struct {
	Issuer string `json:"issuer"`
	Serial string `json:"serial"`
}

// NameHash is the SHA-256, in hex, of a distinguished name as it is encoded.
func NameHash(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// IDOf is what a certificate is named by.
func IDOf(c *x509.Certificate) CertificateID {
	return CertificateID{Issuer: NameHash(c.RawIssuer), Serial: strings.ToUpper(c.SerialNumber.Text(16))}
}

// PathOf names every certificate of the chains that x509 verified one by, each
// once and that one first.
func PathOf(chains [][]*x509.Certificate) (path []CertificateID) {
	for _, chain := range chains {
		for _, c := range chain {
			if id := IDOf(c); !slices.Contains(path, id) {
				path = append(path, id)
			}
		}
	}
	return path
}

// CertificateRequest asks for a certificate of an SSL server's own key.
type CertificateRequest struct {
	Server string `json:"server"`
	CSR    []byte `json:"csr"` // DER, PKCS #10
}

// CertificateAnswer is the issued chain, leaf first, DER.
type CertificateAnswer struct {
	Chain [][]byte `json:"chain"`
}

// MaxPeerChain is how many certificates behind a client's own are forwarded.
const MaxPeerChain = 4

// LoginRequest is one round of a login. The node forwards what the person
// typed and keeps nothing.
type LoginRequest struct {
	Gateway         string            `json:"gateway"`
	Server          string            `json:"server"`
	Conversation    string            `json:"conversation,omitempty"` // empty in the first round
	SourceIP        netip.Addr        `json:"source_ip"`
	Group           string            `json:"group,omitempty"`  // name of the chosen one; empty = none was chosen yet
	Fields          map[string]string `json:"fields,omitempty"` // form field name to value
	Device          Device            `json:"device,omitzero"`
	PeerCertificate []byte            `json:"peer_certificate,omitempty"` // DER of the leaf; possession was proven by TLS
	PeerChain       [][]byte          `json:"peer_chain,omitempty"`       // DER; what the client sent to prove whence the leaf is
}

// Device is what a client says of the machine that it runs on: nothing of it is
// proven.
type Device struct {
	ID       string `json:"id,omitempty"`       // of mobile clients
	Platform string `json:"platform,omitempty"` // such as linux-64
	Model    string `json:"model,omitempty"`
}

// MaxDeviceText is the longest thing that a client may say of its device, in bytes.
const MaxDeviceText = 200

// Fits reports whether nothing in it is longer than MaxDeviceText.
func (d Device) Fits() bool { return max(len(d.ID), len(d.Platform), len(d.Model)) <= MaxDeviceText }

// Outcome of a login round.
type Outcome string

// Outcomes. OutcomeUnavailable is no judgement about the person: control says
// it when a limit is used up or the server is not in service, the agent when
// control is away.
const (
	OutcomeForm        Outcome = "form"
	OutcomeGranted     Outcome = "granted"
	OutcomeRefused     Outcome = "refused"     // final for this conversation: 401
	OutcomeUnavailable Outcome = "unavailable" // 503 with X-Reason
)

// LoginAnswer is control's answer to a round.
type LoginAnswer struct {
	Outcome      Outcome `json:"outcome"`
	Conversation string  `json:"conversation,omitempty"`
	Form         *Form   `json:"form,omitempty"`
	Grant        []byte  `json:"grant,omitempty"`  // see SignGrant
	Reason       string  `json:"reason,omitempty"` // shown to the person
	// Failed says that a factor was wrong: the node counts it against the source.
	Failed bool `json:"failed,omitempty"`
	// Client is the SSL client that the node counts what was in vain for, beside
	// the source; empty if there is none by that name.
	Client string `json:"client,omitempty"`
}

// Form is what the person fills next.
type Form struct {
	ID      string  `json:"id"` // "main" or "challenge" (openconnect fills a challenge by token)
	Message string  `json:"message,omitempty"`
	Error   string  `json:"error,omitempty"`
	Fields  []Field `json:"fields"`           // none: the client shows the error and ends
	Groups  []Group `json:"groups,omitempty"` // to choose among; Group is the one that is chosen
	Group   string  `json:"group,omitempty"`
}

// Field is one input of a Form.
type Field struct {
	Name  string `json:"name"`
	Label string `json:"label"`
	Kind  string `json:"kind"` // "text", "password" or "hidden"
	Value string `json:"value,omitempty"`
}

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

// Reasons why a session ended.
const (
	ReasonUser          = "user"          // the person disconnected
	ReasonAdministrator = "administrator" // disconnected on the console or by API
	ReasonIdle          = "idle-timeout"
	ReasonSessionLimit  = "session-timeout"
	ReasonLost          = "connection-lost" // the cookie's life ran out
	ReasonReplaced      = "replaced"        // over the client's session limit
	ReasonRevoked       = "revoked"         // certificate, password or client withdrawn
	ReasonFrozen        = "gateway-frozen"
	ReasonProtocol      = "protocol-error"
	ReasonQuota         = "quota-used-up" // the client's traffic of the day or month
)

// Reasons are all of them, so that each is worded for people.
var Reasons = []string{
	ReasonUser, ReasonAdministrator, ReasonIdle, ReasonSessionLimit, ReasonLost, ReasonReplaced, ReasonRevoked, ReasonFrozen, ReasonProtocol,
	ReasonQuota,
}

// Routed are the networks behind all clients of the server.
func (s SSLServer) Routed() (all []netip.Prefix) {
	for _, c := range s.Clients {
		all = append(all, c.Routes...)
	}
	return all
}
