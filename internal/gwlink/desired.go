package gwlink

import (
	"net/netip"
	"time"
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
	DenyRoaming bool `json:"deny_roaming,omitempty"`
	// KeepSeed has skyconnect told, at a login, that it may keep a token's seed.
	KeepSeed  bool      `json:"keep_seed,omitempty"`
	LoginMode LoginMode `json:"login_mode"` // empty from a control that knows RequireCertificate alone
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

// Routed are the networks behind all clients of the server.
func (s SSLServer) Routed() (all []netip.Prefix) {
	for _, c := range s.Clients {
		all = append(all, c.Routes...)
	}
	return all
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
