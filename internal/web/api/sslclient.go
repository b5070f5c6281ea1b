package api

import (
	"context"
	"encoding/pem"
	"mime"
	"net/netip"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/platform/idempotency"
)

// SSLClient is a login account of an SSL server on the wire.
type SSLClient struct {
	ID      string `json:"id" example:"sslcli-..."`
	Server  string `json:"server"`
	Gateway string `json:"gateway"`
	Name    string `json:"name" doc:"The login name"`
	SSLClientSettings
	Serial         string    `json:"serial" doc:"Of the certificate, hexadecimal"`
	CertificatePEM string    `json:"certificate_pem"`
	NotAfter       time.Time `json:"not_after" doc:"End of the certificate"`
	TwoFactor      bool      `json:"two_factor" doc:"A code seed exists"`
	SecretUntil    time.Time `json:"secret_until" doc:"Until then generated secrets can be read"`
	Version        int64     `json:"version"`
	CreatedAt      time.Time `json:"created_at"`
	UpdatedAt      time.Time `json:"updated_at"`
}

// SSLClientSettings are the settings of an SSL client.
type SSLClientSettings struct {
	State           string     `json:"state" enum:"enabled,disabled"`
	UpKbps          int64      `json:"up_kbps" doc:"From the client; 0 = the gateway's rate"`
	DownKbps        int64      `json:"down_kbps"`
	FixedIP         string     `json:"fixed_ip" doc:"Empty = from the pool"`
	FixedIP6        string     `json:"fixed_ip6" doc:"Likewise for IPv6"`
	Routes          []string   `json:"routes" nullable:"false" doc:"Networks behind the client, reached through its newest session"`
	TwoFactorExempt bool       `json:"two_factor_exempt"`
	MaxSessions     int        `json:"max_sessions" doc:"0 = the server's"`
	ExpiresAt       *time.Time `json:"expires_at,omitempty"`
}

// SSLClientSettingsPatch is what a request may set; what is left out keeps its
// value, or gets its default in a new client.
type SSLClientSettingsPatch struct {
	State           *string    `json:"state,omitempty" enum:"enabled,disabled"`
	UpKbps          *int64     `json:"up_kbps,omitempty" minimum:"0" maximum:"1000000"`
	DownKbps        *int64     `json:"down_kbps,omitempty" minimum:"0" maximum:"1000000"`
	FixedIP         *string    `json:"fixed_ip,omitempty" maxLength:"45"`
	FixedIP6        *string    `json:"fixed_ip6,omitempty" maxLength:"45"`
	Routes          *[]string  `json:"routes,omitempty" maxItems:"20"`
	TwoFactorExempt *bool      `json:"two_factor_exempt,omitempty"`
	MaxSessions     *int       `json:"max_sessions,omitempty" minimum:"0" maximum:"10"`
	ExpiresAt       *time.Time `json:"expires_at,omitempty" doc:"The year 1 = never"`
}

// SSLClientRequest asks for a new SSL client.
type SSLClientRequest struct {
	Server string `json:"server" maxLength:"40"`
	Name   string `json:"name" maxLength:"256"`
	CSRPEM string `json:"csr_pem,omitempty" maxLength:"16384" doc:"Certify this key instead of making one"`
	SSLClientSettingsPatch
}

// SSLClientPatch changes an SSL client.
type SSLClientPatch struct {
	SSLClientSettingsPatch
	Version int64 `json:"version,omitempty" doc:"Refuse if it changed since this version"`
}

// SSLClientSecret is what was generated for a client.
type SSLClientSecret struct {
	UserName   string    `json:"user_name"`
	Password   string    `json:"password,omitempty" doc:"Left out once a person has chosen one"`
	TOTPSecret string    `json:"totp_secret,omitempty" doc:"Base32"`
	TOTPURI    string    `json:"totp_uri,omitempty" doc:"For a QR code"`
	Until      time.Time `json:"until"`
}

// PasswordReset sets a password; without one, a random one is generated.
type PasswordReset struct {
	Password string `json:"password,omitempty" maxLength:"256"`
}

// secretCache marks answers with secrets: "private" beside what every answer of
// the API says, so that a store of answers can tell that this one is not for it.
const secretCache = "private, no-store"

// private is an answer that nothing on the way may keep.
type private[T any] struct {
	Cache string `header:"Cache-Control"`
	Body  T
}

// file is a download.
type file struct {
	Cache       string `header:"Cache-Control"`
	Type        string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

// SSLClients registers the operations of SSL clients.
func SSLClients(a *API, s *vpn.Service) {
	const tag = "SSL clients"
	Get(a, "/ssl-clients", Operation{ID: "list-ssl-clients", Summary: "Your SSL clients", Tag: tag, Access: Customer},
		func(ctx context.Context, in *struct {
			Page
			Server string `query:"server" maxLength:"40"`
		},
		) (*Body[List[SSLClient]], error) {
			all, next, err := s.Clients(ctx, Who(ctx).Account, in.Server, vpn.Page{Limit: in.Limit, Cursor: in.Cursor})
			return page(all, next, err, toClient)
		})
	Post(a, "/ssl-clients", Operation{ID: "create-ssl-client", Summary: "Create an SSL client", Tag: tag, Access: Customer, Status: 201},
		func(ctx context.Context, in *struct{ Body SSLClientRequest }) (*Body[SSLClient], error) {
			return createClient(ctx, s, in.Body)
		})
	Get(a, "/ssl-clients/{id}", Operation{ID: "get-ssl-client", Summary: "One SSL client", Tag: tag, Access: Customer},
		func(ctx context.Context, in *ResourceID) (*Body[SSLClient], error) {
			c, err := s.Client(ctx, Who(ctx).Account, in.ID)
			return &Body[SSLClient]{toClient(c)}, err
		})
	Patch(a, "/ssl-clients/{id}", Operation{
		ID: "update-ssl-client", Summary: "Change an SSL client", Tag: tag, Access: Customer,
		Detail: "Rates and networks behind it change without reconnecting; disabling and another fixed address end its sessions.",
	},
		func(ctx context.Context, in *struct {
			ResourceID
			Body SSLClientPatch
		},
		) (*Body[SSLClient], error) {
			return updateClient(ctx, s, in.ID, in.Body)
		})
	Delete(a, "/ssl-clients/{id}", Operation{ID: "delete-ssl-client", Summary: "Delete an SSL client and revoke its certificate", Tag: tag, Access: Customer},
		func(ctx context.Context, in *ResourceID) (*struct{}, error) {
			return nil, s.DeleteClient(ctx, Who(ctx), in.ID)
		})
	clientActions(a, s)
}

func clientActions(a *API, s *vpn.Service) {
	const tag = "SSL clients"
	Get(a, "/ssl-clients/{id}/bundle", Operation{ID: "get-ssl-client-bundle", Summary: "Certificate, key, profile and instructions as ZIP", Tag: tag, Access: Customer},
		func(ctx context.Context, in *ResourceID) (*file, error) {
			b, err := s.Bundle(ctx, Who(ctx), in.ID)
			return &file{secretCache, "application/zip", mime.FormatMediaType("attachment", map[string]string{"filename": b.Name}), b.ZIP}, err
		})
	Post(a, "/ssl-clients/{id}/secret", Operation{
		ID: "read-ssl-client-secret", Summary: "Read the generated password and code seed", Tag: tag, Access: Customer,
		Detail: "Each reading is recorded. Answers 410 when the time is over.",
	},
		func(ctx context.Context, in *ResourceID) (*private[SSLClientSecret], error) {
			v, err := s.Secret(ctx, Who(ctx), in.ID)
			return &private[SSLClientSecret]{secretCache, SSLClientSecret{v.UserName, v.Password, v.TOTP, v.TOTPURI, v.Until}}, err
		})
	Post(a, "/ssl-clients/{id}/reset-password", Operation{ID: "reset-ssl-client-password", Summary: "Replace the password; sessions end", Tag: tag, Access: Customer},
		func(ctx context.Context, in *struct {
			ResourceID
			Body PasswordReset
		},
		) (*Body[SSLClient], error) {
			c, err := resetPassword(ctx, s, in.ID, in.Body.Password)
			return &Body[SSLClient]{toClient(c)}, err
		})
	Post(a, "/ssl-clients/{id}/reset-totp", Operation{ID: "reset-ssl-client-totp", Summary: "Replace the code seed; sessions end", Tag: tag, Access: Customer},
		func(ctx context.Context, in *ResourceID) (*Body[SSLClient], error) {
			c, err := s.ResetTOTP(ctx, Who(ctx), in.ID)
			return &Body[SSLClient]{toClient(c)}, err
		})
	Post(a, "/ssl-clients/{id}/disconnect", Operation{ID: "disconnect-ssl-client", Summary: "End all sessions of a client", Tag: tag, Access: Customer},
		func(ctx context.Context, in *ResourceID) (*struct{}, error) {
			return nil, s.Disconnect(ctx, Who(ctx), in.ID)
		})
}

func resetPassword(ctx context.Context, s *vpn.Service, id, chosen string) (vpn.SSLClient, error) {
	if chosen == "" {
		return s.ResetPassword(ctx, Who(ctx), id)
	}
	return s.SetPassword(ctx, Who(ctx), id, chosen)
}

func createClient(ctx context.Context, s *vpn.Service, r SSLClientRequest) (*Body[SSLClient], error) {
	settings, err := r.apply(vpn.ClientSettings{State: vpn.ClientEnabled})
	if err != nil {
		return nil, err
	}
	in := vpn.NewClient{Key: idempotency.Key(ctx), Server: r.Server, Name: r.Name, ClientSettings: settings}
	if r.CSRPEM != "" {
		block, _ := pem.Decode([]byte(r.CSRPEM))
		if block == nil || block.Type != "CERTIFICATE REQUEST" {
			return nil, vpn.ErrCSR
		}
		in.CSR = block.Bytes
	}
	c, err := s.CreateClient(ctx, Who(ctx), in)
	return &Body[SSLClient]{toClient(c)}, err
}

func updateClient(ctx context.Context, s *vpn.Service, id string, r SSLClientPatch) (*Body[SSLClient], error) {
	now, err := s.Client(ctx, Who(ctx).Account, id)
	if err != nil {
		return nil, err
	}
	if r.Version != 0 && r.Version != now.Version {
		return nil, vpn.ErrStale
	}
	settings, err := r.apply(now.ClientSettings)
	if err != nil {
		return nil, err
	}
	c, err := s.UpdateClient(ctx, Who(ctx), id, now.Version, settings)
	return &Body[SSLClient]{toClient(c)}, err
}

func (r SSLClientSettingsPatch) apply(c vpn.ClientSettings) (vpn.ClientSettings, error) {
	set(&c.TwoFactorExempt, r.TwoFactorExempt)
	set(&c.MaxSessions, r.MaxSessions)
	set(&c.ExpiresAt, r.ExpiresAt)
	if r.State != nil {
		c.State = vpn.ClientState(*r.State)
	}
	if r.UpKbps != nil {
		c.UpRate = *r.UpKbps * 1000
	}
	if r.DownKbps != nil {
		c.DownRate = *r.DownKbps * 1000
	}
	return r.applyAddresses(c)
}

func (r SSLClientSettingsPatch) applyAddresses(c vpn.ClientSettings) (_ vpn.ClientSettings, err error) {
	if r.FixedIP != nil {
		if c.FixedIP, err = optional(*r.FixedIP, netip.ParseAddr, vpn.ErrFixedIP); err != nil {
			return c, err
		}
	}
	if r.FixedIP6 != nil {
		if c.FixedIP6, err = optional(*r.FixedIP6, netip.ParseAddr, vpn.ErrFixedIP); err != nil {
			return c, err
		}
	}
	if r.Routes != nil {
		c.Routes, err = parseAll(*r.Routes, netip.ParsePrefix, vpn.ErrRoutes)
	}
	return c, err
}

func toClient(c vpn.SSLClient) SSLClient {
	w := SSLClient{
		ID: c.ID, Server: c.Server, Gateway: c.Gateway, Name: c.Name, Serial: c.Serial, NotAfter: c.NotAfter, TwoFactor: c.HasTOTP,
		CertificatePEM: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate})), SecretUntil: c.SecretUntil,
		Version: c.Version, CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt,
	}
	w.SSLClientSettings = SSLClientSettings{
		State: string(c.State), UpKbps: c.UpRate / 1000, DownKbps: c.DownRate / 1000,
		FixedIP: addressText(c.FixedIP), FixedIP6: addressText(c.FixedIP6), Routes: Items(c.Routes, netip.Prefix.String),
		TwoFactorExempt: c.TwoFactorExempt, MaxSessions: c.MaxSessions, ExpiresAt: toTime(c.ExpiresAt),
	}
	return w
}
