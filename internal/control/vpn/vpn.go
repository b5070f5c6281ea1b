// Package vpn is what customers configure: VPN gateways, their SSL servers and
// SSL clients, the certificates of both, and the login of an SSL client.
//
// It is not for packets or nodes (fleet, internal/dataplane) and not for what a
// gateway costs (service, order).
//
//	gateway   creating ─▶ active ⇄ updating        SSL server  creating ─▶ active ⇄ updating
//	              │         ▲ │                                    │
//	              ▼         │ ▼                                    ▼
//	            error     frozen ─▶ deleting ─▶ deleted          error
//
//	SSL client  enabled ⇄ disabled; expired by its date; deleted revokes
//	certificate valid ─▶ expiring ─▶ expired by its dates; issued ones also ─▶ revoked
//
// Invariants: every method for a customer filters by account, and what belongs
// to another account is NotFound; limits are counted in the transaction that
// creates; each SSL server has a CA of its own, so a certificate of one server
// opens no other; passwords are kept as Argon2id only, generated secrets also
// sealed until they expire; no password, code or key reaches a log or an error;
// no password or code reaches a gateway node, and of keys only that of an
// uploaded certificate which a server of the node shows, sealed to the node's
// request (docs/decisions/0009-uploaded-keys.md); in a frozen gateway nothing is
// made or changed, ErrState, but all that takes away goes on: disconnecting,
// deleting, revoking, other passwords and tokens; every change bumps the
// generation of the node that runs the gateway, in the same transaction.
package vpn

import (
	"net/netip"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	profile "github.com/skybridge-cloud/skybridge/internal/platform/bundle"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// GatewayState is the state of a VPN gateway.
type GatewayState string

// States of a gateway.
const (
	GatewayCreating GatewayState = "creating" // no node has applied it yet
	GatewayActive   GatewayState = "active"
	GatewayUpdating GatewayState = "updating" // a change of limits is not applied yet
	GatewayFrozen   GatewayState = "frozen"   // tunnels down, configuration kept
	GatewayDeleting GatewayState = "deleting"
	GatewayError    GatewayState = "error" // the node could not apply it
	GatewayDeleted  GatewayState = "deleted"
)

// Limits are what was bought for a gateway. A gateway without the SSL service has
// neither bandwidth nor connections of it, and takes no SSL server.
type Limits struct {
	SSLBandwidth   int // Mbit/s in each direction
	SSLConnections int // concurrent sessions
}

// Gateway is one customer's VPN gateway.
type Gateway struct {
	ID           string // vpngw-...
	Account      account.ID
	Name         string
	Description  string
	Region       string
	Network      string         // id of the VPC
	LocalSubnets []netip.Prefix // subnets of the VPC that it is for; none = all of it
	State        GatewayState
	Problem      string // code of what is wrong in state error
	Limits
	Node      string       // fleet node that runs it
	Addresses []netip.Addr // public addresses of that node; filled by reads of one gateway
	Version   int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

// ServerState is the state of an SSL server.
type ServerState string

// States of an SSL server.
const (
	ServerCreating ServerState = "creating" // not certified yet
	ServerActive   ServerState = "active"
	ServerUpdating ServerState = "updating"
	ServerError    ServerState = "error"
)

// LoginMode is what proves who signs in at an SSL server, before a code.
type LoginMode string

// Login modes. With a certificate alone the client is the one whose certificate
// it is, and no password opens anything.
const (
	LoginPassword            LoginMode = "password"
	LoginPasswordCertificate LoginMode = "password_certificate"
	LoginCertificate         LoginMode = "certificate"
)

func (m LoginMode) wantsCertificate() bool { return m != LoginPassword }

func (m LoginMode) wantsPassword() bool { return m != LoginCertificate }

// Group is a door of an SSL server: only its members sign in through it.
type Group struct {
	Name  string // in the path of the URL: lower-case letters, digits, "-", "_"
	Label string // what a person reads and types for openconnect's --authgroup
}

// Settings are the parameters of an SSL server that may change.
// Durations are whole seconds.
type Settings struct {
	Name                 string
	Description          string
	LocalSubnets         []netip.Prefix // of both families, IPv6 with Pool6 only; none = the gateway's
	Pool                 netip.Prefix   // IPv4
	Pool6                netip.Prefix   // invalid = no IPv6 inside the tunnel
	UDP                  bool           // DTLS beside TLS, on the same port
	EnableDNS            bool
	DNS                  []netip.Addr
	TwoFactor            bool
	KeepSeed             bool // clients may keep the seed of a software token in their system's key store
	FullTunnel           bool
	SplitDNS             []string
	DefaultDomains       []string
	ClientBypass         bool // a family without an address goes outside the tunnel instead of nowhere
	ExcludeRoutes        []netip.Prefix
	MTU                  int
	DPD                  int
	MobileDPD            int
	Keepalive            int
	IdleTimeout          int // 0 = off
	MobileIdleTimeout    int // of phones; 0 = off
	SessionTimeout       int
	CookieTimeout        int
	RekeyTime            int
	MaxSessionsPerClient int
	ClientIsolation      bool
	Banner               string
	TLSMin               string   // "1.2" or "1.3"
	TLSMax               string   // likewise
	DenyRoaming          bool     // a session stays at the address that it signed in from
	LargeSegments        bool     // above the MTU, to Linux end hosts over TLS
	CertID               string   // uploaded certificate to show; empty = the node's own key under the built-in CA
	ClientCAs            []string // uploaded CAs trusted for clients; empty = the built-in one
	ClientCertField      string   // with ClientCAs: where the client's name stands, one of NameInCN, NameInUID, NameInEmail
	ClientCertDomain     string   // with NameInEmail: the domain of the addresses
	LoginMode            LoginMode
	Groups               []Group // that a login chooses among; none = no choice
	ACLRules             []ACLRule
	ACLDefaultAllow      bool                     // what no rule decides
	TrustedNetworks      []netip.Prefix           // sources that logins are taken from; empty = all
	ClientNetworks       []profile.TrustedNetwork // in which skyconnect sends nothing through the tunnel
}

// ACLRule is one line of a server's access list: packets from clients to
// networks are judged by the first rule that matches. What comes back is not
// asked for.
type ACLRule struct {
	Allow       bool
	Protocol    string       // ProtocolAny, "tcp", "udp" or "icmp"
	Destination netip.Prefix // invalid = everywhere
	Ports       []PortRange  // destination ports of TCP or UDP; none = all
	Comment     string
}

// ProtocolAny is a rule of every protocol.
const ProtocolAny = "any"

// PortRange is a range of ports, both ends in it.
type PortRange struct{ From, To uint16 }

// DefaultSettings returns the defaults. Name and Pool have none.
func DefaultSettings() Settings {
	return Settings{
		UDP: true, TwoFactor: true, MTU: 1400, DPD: 90, MobileDPD: 1800, Keepalive: 300, IdleTimeout: 3600, MobileIdleTimeout: 3600,
		SessionTimeout: 86400, CookieTimeout: 300, RekeyTime: 172800, MaxSessionsPerClient: 1,
		ClientIsolation: true, TLSMin: "1.2", TLSMax: "1.3", LoginMode: LoginPasswordCertificate, ClientCertField: NameInCN,
		ACLDefaultAllow: true,
	}
}

// SSLServer is one listener of a gateway with a CA of its own.
type SSLServer struct {
	ID      string // sslsrv-...
	Gateway string
	Account account.ID
	Settings
	Port        int
	State       ServerState
	ServerNames []string // SNI names, the one to connect by first
	CA          []byte   // DER; the built-in one
	Chain       [][]byte // DER, leaf first; under the built-in CA; empty until the node asked for it
	Uploaded    [][]byte // DER, leaf first; of CertID, else empty
	PinSHA256   string   // "pin-sha256:..." of the key shown; empty until certified
	Version     int64
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// ClientState is the state of an SSL client.
type ClientState string

// States of an SSL client.
const (
	ClientEnabled  ClientState = "enabled"
	ClientDisabled ClientState = "disabled"
)

// ClientSettings are the parameters of an SSL client that may change.
type ClientSettings struct {
	Description     string
	UpRate          int64 // bit/s from the client; 0 = the gateway's
	DownRate        int64
	FixedIP         netip.Addr     // invalid = from the pool
	FixedIP6        netip.Addr     // likewise
	Routes          []netip.Prefix // networks behind the client
	TwoFactorExempt bool
	ExpiresAt       time.Time // zero = never
	MaxSessions     int       // 0 = the server's
	DailyQuota      int64     // bytes both ways in a day (+08:00); 0 = no limit
	MonthlyQuota    int64     // in a calendar month
	State           ClientState
	DeviceApproval  bool     // each device waits for the administrator before its first session
	Groups          []string // names of the server's groups that it may sign in to
}

// SSLClient is one login account of an SSL server.
type SSLClient struct {
	ID      string // sslcli-...
	Server  string
	Gateway string
	Account account.ID
	Subject id.Handle // of the person behind the client, who has no account here
	Name    string    // the login name, unique per server
	ClientSettings
	Serial      string // of its certificate, upper-case hex
	NotAfter    time.Time
	Certificate []byte // DER
	Token       TokenKind
	HasToken    bool // a seed exists
	Readable    Readable
	Version     int64
	CreatedAt   time.Time
	UpdatedAt   time.Time
	Status      ClientStatus // filled in by Clients and Client

	pardoned   int64 // when it was last unlocked, in Unix microseconds
	tokenStep  int64 // last step that was accepted
	tokenDrift int64 // steps that the token's clock is ahead
}

// TokenKind is what makes a client's codes.
type TokenKind string

// Kinds of tokens.
const (
	TokenTOTP   TokenKind = "totp"   // RFC 6238, see platform/totp
	TokenStoken TokenKind = "stoken" // see platform/softtoken
)

// Readable says until when each generated secret of a client may be read. A
// secret that is made anew is readable for a time again; the others are not.
type Readable struct {
	Password time.Time
	Key      time.Time // in the bundle
	Token    time.Time
}

// Until is the last of the three.
func (r Readable) Until() time.Time {
	last := r.Password
	for _, t := range []time.Time{r.Key, r.Token} {
		if t.After(last) {
			last = t
		}
	}
	return last
}

// Secret is what was generated for a client and may be read for a time. Of the
// token one of TOTP and CTF is given.
type Secret struct {
	UserName string
	Password string    // empty after a person chose one, or when its time is over
	TOTP     string    // base32 seed
	CTF      string    // 81 digits
	TokenURI string    // otpauth:// of TOTP, com.rsa.securid.iphone:// of CTF: for a QR code
	Until    time.Time // until then all of this can be read
}

// Network is a VPC that gateways may be put into, from the configuration.
type Network struct {
	ID       string // as the nodes' configuration names it
	Name     string
	Region   string
	Prefixes []netip.Prefix
	Accounts []account.ID // who may use it; empty = every account
}

// Page asks for a part of a list.
type Page struct {
	Limit  int    // 1-500, 0 = 50
	Cursor string // id after which to go on; empty = start
}
