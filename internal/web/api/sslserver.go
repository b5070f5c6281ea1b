package api

import (
	"context"
	"encoding/pem"
	"net/netip"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/platform/bundle"
	"github.com/skybridge-cloud/skybridge/internal/platform/idempotency"
)

// SSLServer is an SSL server on the wire.
type SSLServer struct {
	ID          string   `json:"id" example:"sslsrv-..."`
	Gateway     string   `json:"gateway"`
	State       string   `json:"state" enum:"creating,active,updating,error"`
	Port        int      `json:"port"`
	ServerNames []string `json:"server_names" nullable:"false" doc:"Names to connect to"`
	CAPEM       string   `json:"ca_pem" doc:"The server's own CA"`
	Pin         string   `json:"pin" doc:"openconnect's --servercert; empty until the node is certified"`
	SSLSettings
	Version   int64     `json:"version"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// SSLGroup is a group of SSL clients that sign in through a door of their own.
type SSLGroup struct {
	Name  string `json:"name" maxLength:"32" doc:"In the URL: https://server/name"`
	Label string `json:"label,omitempty" maxLength:"64" doc:"For people and for openconnect's --authgroup; default the name"`
}

// SSLSettings are the settings of an SSL server. Times are in seconds.
type SSLSettings struct {
	Name                 string     `json:"name"`
	Description          string     `json:"description"`
	LocalSubnets         []string   `json:"local_subnets" nullable:"false"`
	Pool                 string     `json:"pool"`
	Pool6                string     `json:"pool6" doc:"IPv6; empty = no IPv6 inside the tunnel"`
	UDP                  bool       `json:"udp" doc:"DTLS beside TLS, on the same port"`
	EnableDNS            bool       `json:"enable_dns"`
	DNS                  []string   `json:"dns" nullable:"false"`
	TwoFactor            bool       `json:"two_factor"`
	KeepSeed             bool       `json:"keep_seed" doc:"skyconnect may keep the seed of a software token in its system's key store"`
	TunnelMode           string     `json:"tunnel_mode" enum:"split,full"`
	SplitDNS             []string   `json:"split_dns" nullable:"false"`
	DefaultDomains       []string   `json:"default_domains" nullable:"false"`
	ClientBypass         bool       `json:"client_bypass" doc:"An address family without an address goes outside the tunnel, instead of nowhere"`
	ExcludeRoutes        []string   `json:"exclude_routes" nullable:"false"`
	MTU                  int        `json:"mtu"`
	DPD                  int        `json:"dpd"`
	MobileDPD            int        `json:"mobile_dpd"`
	Keepalive            int        `json:"keepalive"`
	IdleTimeout          int        `json:"idle_timeout" doc:"0 = off"`
	MobileIdleTimeout    int        `json:"mobile_idle_timeout" doc:"Of phones; 0 = off"`
	SessionTimeout       int        `json:"session_timeout"`
	CookieTimeout        int        `json:"cookie_timeout" doc:"Life of a session without connection"`
	RekeyTime            int        `json:"rekey_time" doc:"Clients make a new tunnel after this time"`
	MaxSessionsPerClient int        `json:"max_sessions_per_client"`
	ClientIsolation      bool       `json:"client_isolation"`
	Banner               string     `json:"banner"`
	TLSMin               string     `json:"tls_min" enum:"1.2,1.3"`
	TLSMax               string     `json:"tls_max" enum:"1.2,1.3"`
	DenyRoaming          bool       `json:"deny_roaming" doc:"A session reconnects only from the address that it signed in from"`
	LargeSegments        bool       `json:"large_segments" doc:"Larger TCP segments than the MTU, over TLS to Linux clients: much faster downloads for end hosts, but clients that forward for others drop them"`
	Certificate          string     `json:"certificate" doc:"Uploaded certificate that is shown; empty = the built-in one"`
	ClientCAs            []string   `json:"client_cas" nullable:"false" doc:"Uploaded CAs trusted for clients; none = the built-in one"`
	ClientCertField      string     `json:"client_cert_field" enum:"cn,uid,email" doc:"With client_cas: where the client's name stands in its certificate"`
	ClientCertDomain     string     `json:"client_cert_domain" doc:"With email: the domain of the addresses; the name is the part before the @"`
	Groups               []SSLGroup `json:"groups" nullable:"false"`
	LoginMode            string     `json:"login_mode" enum:"password,password_certificate,certificate"`

	ACLRules        []ACLRule `json:"acl_rules" nullable:"false" doc:"What clients may reach within the server's networks; the first match decides"`
	ACLDefault      string    `json:"acl_default" enum:"allow,deny" doc:"What no rule decides"`
	TrustedNetworks []string  `json:"trusted_networks" nullable:"false" doc:"Sources that logins are accepted from; empty = anywhere"`
	ClientNetworks  []string  `json:"client_trusted_networks" nullable:"false" doc:"Networks in which skyconnect needs no tunnel: DOMAIN@ADDRESS:PORT@pin-sha256:BASE64, of a TLS host that is reachable in them alone"`
}

// SSLSettingsPatch is what a request may set; what is left out keeps its value,
// or gets its default in a new server.
type SSLSettingsPatch struct {
	Name                 *string     `json:"name,omitempty" maxLength:"256"`
	Description          *string     `json:"description,omitempty" maxLength:"512" doc:"Up to 128 characters, not beginning with http: or https:"`
	LocalSubnets         *[]string   `json:"local_subnets,omitempty" maxItems:"20" doc:"The only destinations that clients reach; none = the subnets of the gateway"`
	Pool                 *string     `json:"pool,omitempty" maxLength:"43" example:"10.9.0.0/24"`
	Pool6                *string     `json:"pool6,omitempty" maxLength:"43" example:"fd3a:8c1e:5b20::/64" doc:"Empty = no IPv6 inside the tunnel"`
	UDP                  *bool       `json:"udp,omitempty" doc:"Default true. Sessions go on by TLS when it is turned off, and use it again when they reconnect after it is turned on"`
	EnableDNS            *bool       `json:"enable_dns,omitempty"`
	DNS                  *[]string   `json:"dns,omitempty" maxItems:"3"`
	TwoFactor            *bool       `json:"two_factor,omitempty" doc:"Default true"`
	KeepSeed             *bool       `json:"keep_seed,omitempty" doc:"Default false; skyconnect is told with the next login too"`
	TunnelMode           *string     `json:"tunnel_mode,omitempty" enum:"split,full"`
	SplitDNS             *[]string   `json:"split_dns,omitempty" maxItems:"50"`
	DefaultDomains       *[]string   `json:"default_domains,omitempty" maxItems:"6"`
	ClientBypass         *bool       `json:"client_bypass,omitempty" doc:"Default false"`
	ExcludeRoutes        *[]string   `json:"exclude_routes,omitempty" maxItems:"100"`
	MTU                  *int        `json:"mtu,omitempty"`
	DPD                  *int        `json:"dpd,omitempty"`
	MobileDPD            *int        `json:"mobile_dpd,omitempty"`
	Keepalive            *int        `json:"keepalive,omitempty"`
	IdleTimeout          *int        `json:"idle_timeout,omitempty"`
	MobileIdleTimeout    *int        `json:"mobile_idle_timeout,omitempty"`
	SessionTimeout       *int        `json:"session_timeout,omitempty"`
	CookieTimeout        *int        `json:"cookie_timeout,omitempty"`
	RekeyTime            *int        `json:"rekey_time,omitempty"`
	MaxSessionsPerClient *int        `json:"max_sessions_per_client,omitempty"`
	ClientIsolation      *bool       `json:"client_isolation,omitempty"`
	Banner               *string     `json:"banner,omitempty" maxLength:"500"`
	TLSMin               *string     `json:"tls_min,omitempty" enum:"1.2,1.3"`
	TLSMax               *string     `json:"tls_max,omitempty" enum:"1.2,1.3" doc:"Not below tls_min; 1.2 is for clients whose certificates fail with TLS 1.3. Default 1.3"`
	DenyRoaming          *bool       `json:"deny_roaming,omitempty" doc:"Default false"`
	LargeSegments        *bool       `json:"large_segments,omitempty" doc:"Default false; holds for tunnels made afterwards"`
	Certificate          *string     `json:"certificate,omitempty" maxLength:"40" doc:"Id of an uploaded certificate of type server; empty = the built-in one"`
	ClientCAs            *[]string   `json:"client_cas,omitempty" maxItems:"10" doc:"Ids of uploaded certificates of type client-ca"`
	ClientCertField      *string     `json:"client_cert_field,omitempty" enum:"cn,uid,email"`
	ClientCertDomain     *string     `json:"client_cert_domain,omitempty" maxLength:"253"`
	Groups               *[]SSLGroup `json:"groups,omitempty" maxItems:"32" doc:"A login chooses one, and only its members may"`
	LoginMode            *string     `json:"login_mode,omitempty" enum:"password,password_certificate,certificate" doc:"What a login needs besides a code; default password_certificate"`

	ACLRules        *[]ACLRule `json:"acl_rules,omitempty" maxItems:"200" doc:"Replaces the list; live sessions follow it"`
	ACLDefault      *string    `json:"acl_default,omitempty" enum:"allow,deny" doc:"Default allow"`
	TrustedNetworks *[]string  `json:"trusted_networks,omitempty" maxItems:"100"`
	ClientNetworks  *[]string  `json:"client_trusted_networks,omitempty" maxItems:"16" doc:"Goes into profiles that are handed out afterwards"`
}

// SSLServerRequest asks for a new SSL server. Gateway and port cannot be changed
// afterwards.
type SSLServerRequest struct {
	Gateway string `json:"gateway" maxLength:"40"`
	Port    int    `json:"port,omitempty" minimum:"1" maximum:"65535" default:"443"`
	SSLSettingsPatch
}

// SSLServerPatch changes an SSL server.
type SSLServerPatch struct {
	SSLSettingsPatch
	Version int64 `json:"version,omitempty" doc:"Refuse if it changed since this version"`
}

// SSLServers registers the operations of SSL servers.
func SSLServers(a *API, s *vpn.Service) {
	const tag = "SSL servers"
	Get(a, "/ssl-servers", Operation{ID: "list-ssl-servers", Summary: "Your SSL servers", Tag: tag, Access: Customer},
		func(ctx context.Context, in *struct {
			Page
			Gateway string `query:"gateway" maxLength:"40"`
		},
		) (*Body[List[SSLServer]], error) {
			all, next, err := s.Servers(ctx, Who(ctx).Account, in.Gateway, vpn.Page{Limit: in.Limit, Cursor: in.Cursor})
			return page(all, next, err, toServer)
		})
	Post(a, "/ssl-servers", Operation{ID: "create-ssl-server", Summary: "Create an SSL server", Tag: tag, Access: Customer, Status: 201},
		func(ctx context.Context, in *struct{ Body SSLServerRequest }) (*Body[SSLServer], error) {
			return createServer(ctx, s, in.Body)
		})
	Get(a, "/ssl-servers/{id}", Operation{ID: "get-ssl-server", Summary: "One SSL server", Tag: tag, Access: Customer},
		func(ctx context.Context, in *ResourceID) (*Body[SSLServer], error) {
			v, err := s.Server(ctx, Who(ctx).Account, in.ID)
			return &Body[SSLServer]{toServer(v)}, err
		})
	Patch(a, "/ssl-servers/{id}", Operation{
		ID: "update-ssl-server", Summary: "Change an SSL server", Tag: tag, Access: Customer, IfMatch: true,
		Detail: "A change of the pool, of the factors or of the trusted CAs ends its sessions; another certificate does not, nor does turning UDP off or on. After turning the second factor on, clients without a code seed need reset-totp.",
	},
		func(ctx context.Context, in *struct {
			ResourceID
			Body SSLServerPatch
		},
		) (*Body[SSLServer], error) {
			return updateServer(ctx, s, in.ID, in.Body)
		})
	Delete(a, "/ssl-servers/{id}", Operation{ID: "delete-ssl-server", Summary: "Delete an SSL server without clients", Tag: tag, Access: Customer, IfMatch: true},
		func(ctx context.Context, in *ResourceID) (*struct{}, error) {
			return nil, s.DeleteServer(ctx, Who(ctx), in.ID)
		})
	certificateBlocks(a, s)
}

func createServer(ctx context.Context, s *vpn.Service, r SSLServerRequest) (*Body[SSLServer], error) {
	settings, err := r.apply(vpn.DefaultSettings())
	if err != nil {
		return nil, err
	}
	v, err := s.CreateServer(ctx, Who(ctx), vpn.NewServer{Key: idempotency.Key(ctx), Gateway: r.Gateway, Port: r.Port, Settings: settings})
	return &Body[SSLServer]{toServer(v)}, err
}

// updateServer applies the patch to what it read; the module refuses if that
// changed in between.
func updateServer(ctx context.Context, s *vpn.Service, id string, r SSLServerPatch) (*Body[SSLServer], error) {
	now, err := s.Server(ctx, Who(ctx).Account, id)
	if err != nil {
		return nil, err
	}
	if r.Version != 0 && r.Version != now.Version {
		return nil, vpn.ErrStale
	}
	settings, err := r.apply(now.Settings)
	if err != nil {
		return nil, err
	}
	v, err := s.UpdateServer(ctx, Who(ctx), id, now.Version, settings)
	return &Body[SSLServer]{toServer(v)}, err
}

// set puts a value that is there into its place.
func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

func (r SSLSettingsPatch) apply(c vpn.Settings) (vpn.Settings, error) {
	set(&c.Name, r.Name)
	set(&c.UDP, r.UDP)
	set(&c.EnableDNS, r.EnableDNS)
	set(&c.TwoFactor, r.TwoFactor)
	set(&c.KeepSeed, r.KeepSeed)
	set(&c.SplitDNS, r.SplitDNS)
	set(&c.DefaultDomains, r.DefaultDomains)
	set(&c.ClientBypass, r.ClientBypass)
	set(&c.ClientIsolation, r.ClientIsolation)
	set(&c.Banner, r.Banner)
	set(&c.Description, r.Description)
	set(&c.TLSMin, r.TLSMin)
	set(&c.TLSMax, r.TLSMax)
	set(&c.DenyRoaming, r.DenyRoaming)
	set(&c.LargeSegments, r.LargeSegments)
	set(&c.CertID, r.Certificate)
	set(&c.ClientCAs, r.ClientCAs)
	set(&c.ClientCertField, r.ClientCertField)
	set(&c.ClientCertDomain, r.ClientCertDomain)
	if r.LoginMode != nil {
		c.LoginMode = vpn.LoginMode(*r.LoginMode)
	}
	if r.Groups != nil {
		c.Groups = toGroups(*r.Groups)
	}
	if r.TunnelMode != nil {
		c.FullTunnel = *r.TunnelMode == "full"
	}
	if r.ACLDefault != nil {
		c.ACLDefaultAllow = *r.ACLDefault == "allow"
	}
	r.applyNumbers(&c)
	return r.applyAddresses(c)
}

func toGroups(wire []SSLGroup) (all []vpn.Group) {
	for _, g := range wire {
		if g.Label == "" {
			g.Label = g.Name
		}
		all = append(all, vpn.Group{Name: g.Name, Label: g.Label})
	}
	return all
}

func (r SSLSettingsPatch) applyNumbers(c *vpn.Settings) {
	set(&c.MTU, r.MTU)
	set(&c.DPD, r.DPD)
	set(&c.MobileDPD, r.MobileDPD)
	set(&c.Keepalive, r.Keepalive)
	set(&c.IdleTimeout, r.IdleTimeout)
	set(&c.MobileIdleTimeout, r.MobileIdleTimeout)
	set(&c.SessionTimeout, r.SessionTimeout)
	set(&c.CookieTimeout, r.CookieTimeout)
	set(&c.RekeyTime, r.RekeyTime)
	set(&c.MaxSessionsPerClient, r.MaxSessionsPerClient)
}

func (r SSLSettingsPatch) applyAddresses(c vpn.Settings) (_ vpn.Settings, err error) {
	if r.LocalSubnets != nil {
		if c.LocalSubnets, err = parseAll(*r.LocalSubnets, netip.ParsePrefix, vpn.ErrSubnets); err != nil {
			return c, err
		}
	}
	if r.ExcludeRoutes != nil {
		if c.ExcludeRoutes, err = parseAll(*r.ExcludeRoutes, netip.ParsePrefix, vpn.ErrSetting.With("setting", "exclude_routes")); err != nil {
			return c, err
		}
	}
	if r.TrustedNetworks != nil {
		if c.TrustedNetworks, err = fromNetworks(*r.TrustedNetworks); err != nil {
			return c, err
		}
	}
	if r.ClientNetworks != nil {
		if c.ClientNetworks, err = parseAll(*r.ClientNetworks, bundle.ParseTrusted, vpn.ErrSetting.With("setting", "client_trusted_networks")); err != nil {
			return c, err
		}
	}
	if r.ACLRules != nil {
		if c.ACLRules, err = fromRules(*r.ACLRules); err != nil {
			return c, err
		}
	}
	if r.DNS != nil {
		if c.DNS, err = parseAll(*r.DNS, netip.ParseAddr, vpn.ErrDNS); err != nil {
			return c, err
		}
	}
	if r.Pool != nil {
		if c.Pool, err = netip.ParsePrefix(*r.Pool); err != nil {
			return c, vpn.ErrPool
		}
	}
	if r.Pool6 != nil {
		c.Pool6, err = optional(*r.Pool6, netip.ParsePrefix, vpn.ErrPool6)
	}
	return c, err
}

// optional parses a text that may be empty for none, or returns wrong.
func optional[T any](text string, parse func(string) (T, error), wrong error) (v T, err error) {
	if text == "" {
		return v, nil
	}
	if v, err = parse(text); err != nil {
		return v, wrong
	}
	return v, nil
}

// parseAll parses each text, or returns wrong.
func parseAll[T any](texts []string, parse func(string) (T, error), wrong error) ([]T, error) {
	all := make([]T, 0, len(texts))
	for _, t := range texts {
		v, err := parse(t)
		if err != nil {
			return nil, wrong
		}
		all = append(all, v)
	}
	return all, nil
}

func toServer(v vpn.SSLServer) SSLServer {
	return SSLServer{
		ID: v.ID, Gateway: v.Gateway, State: string(v.State), Port: v.Port, ServerNames: Items(v.ServerNames, itself),
		CAPEM: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: v.CA})), Pin: v.PinSHA256, SSLSettings: toSettings(v.Settings),
		Version: v.Version, CreatedAt: v.CreatedAt, UpdatedAt: v.UpdatedAt,
	}
}

func prefixText(p netip.Prefix) string {
	if !p.IsValid() {
		return ""
	}
	return p.String()
}

func itself(s string) string { return s }

func toSettings(c vpn.Settings) SSLSettings {
	mode := "split"
	if c.FullTunnel {
		mode = "full"
	}
	return SSLSettings{
		Name: c.Name, LocalSubnets: Items(c.LocalSubnets, netip.Prefix.String), Pool: c.Pool.String(), Pool6: prefixText(c.Pool6), UDP: c.UDP,
		DefaultDomains: Items(c.DefaultDomains, itself), ClientBypass: c.ClientBypass, EnableDNS: c.EnableDNS,
		DNS: Items(c.DNS, netip.Addr.String), TwoFactor: c.TwoFactor, KeepSeed: c.KeepSeed, TunnelMode: mode, SplitDNS: Items(c.SplitDNS, itself),
		ExcludeRoutes: Items(c.ExcludeRoutes, netip.Prefix.String), MTU: c.MTU, DPD: c.DPD, MobileDPD: c.MobileDPD, Keepalive: c.Keepalive,
		IdleTimeout: c.IdleTimeout, MobileIdleTimeout: c.MobileIdleTimeout, SessionTimeout: c.SessionTimeout, CookieTimeout: c.CookieTimeout, RekeyTime: c.RekeyTime,
		MaxSessionsPerClient: c.MaxSessionsPerClient, ClientIsolation: c.ClientIsolation, Banner: c.Banner, Description: c.Description,
		TLSMin: c.TLSMin, TLSMax: c.TLSMax, DenyRoaming: c.DenyRoaming, LargeSegments: c.LargeSegments,
		Certificate: c.CertID, ClientCAs: Items(c.ClientCAs, itself),
		ClientCertField: c.ClientCertField, ClientCertDomain: c.ClientCertDomain,
		LoginMode: string(c.LoginMode), Groups: Items(c.Groups, func(g vpn.Group) SSLGroup { return SSLGroup{g.Name, g.Label} }),
		ACLRules: Items(c.ACLRules, toRule), ACLDefault: action(c.ACLDefaultAllow), TrustedNetworks: Items(c.TrustedNetworks, netip.Prefix.String),
		ClientNetworks: Items(c.ClientNetworks, bundle.TrustedNetwork.String),
	}
}
