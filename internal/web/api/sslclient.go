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
	TwoFactor      bool      `json:"two_factor" doc:"A token exists"`
	TokenKind      string    `json:"token_kind" enum:"totp,stoken"`
	DevicesWaiting int       `json:"devices_waiting" doc:"For approval"`
	RecoveryLeft   int       `json:"recovery_left" doc:"Recovery codes that are not used up"`
	SecretUntil    time.Time `json:"secret_until" doc:"Until then a generated secret can be read"`
	Online         bool      `json:"online" doc:"It has a live session, by the reports of its node"`
	Sessions       int       `json:"sessions" doc:"Live ones"`
	// LockedUntil is left out for a client that is not locked.
	LockedUntil *time.Time `json:"locked_until,omitempty" doc:"A source has failed too often; GET .../locks lists them"`
	Version     int64      `json:"version"`
	CreatedAt   time.Time  `json:"created_at"`
	UpdatedAt   time.Time  `json:"updated_at"`
}

// SSLClientSettings are the settings of an SSL client.
type SSLClientSettings struct {
	Description     string     `json:"description"`
	State           string     `json:"state" enum:"enabled,disabled"`
	UpKbps          int64      `json:"up_kbps" doc:"From the client; 0 = the gateway's rate"`
	DownKbps        int64      `json:"down_kbps"`
	FixedIP         string     `json:"fixed_ip" doc:"Empty = from the pool"`
	FixedIP6        string     `json:"fixed_ip6" doc:"Likewise for IPv6"`
	Routes          []string   `json:"routes" nullable:"false" doc:"Networks behind the client, reached through its newest session"`
	TwoFactorExempt bool       `json:"two_factor_exempt"`
	MaxSessions     int        `json:"max_sessions" doc:"0 = the server's"`
	ExpiresAt       *time.Time `json:"expires_at,omitempty"`
	Groups          []string   `json:"groups" nullable:"false" doc:"Names of the server's groups that it may sign in to"`
	DailyQuota      int64      `json:"daily_quota_bytes" doc:"Both directions together, in a day at UTC+8; 0 = no limit"`
	MonthlyQuota    int64      `json:"monthly_quota_bytes" doc:"In a calendar month"`
	DeviceApproval  bool       `json:"device_approval" doc:"The first login from each device waits for approval"`
}

// SSLClientSettingsPatch is what a request may set; what is left out keeps its
// value, or gets its default in a new client.
type SSLClientSettingsPatch struct {
	Description     *string    `json:"description,omitempty" maxLength:"512" doc:"Up to 128 characters, not beginning with http: or https:"`
	State           *string    `json:"state,omitempty" enum:"enabled,disabled"`
	UpKbps          *int64     `json:"up_kbps,omitempty" minimum:"0" maximum:"1000000"`
	DownKbps        *int64     `json:"down_kbps,omitempty" minimum:"0" maximum:"1000000"`
	FixedIP         *string    `json:"fixed_ip,omitempty" maxLength:"45"`
	FixedIP6        *string    `json:"fixed_ip6,omitempty" maxLength:"45"`
	Routes          *[]string  `json:"routes,omitempty" maxItems:"20"`
	TwoFactorExempt *bool      `json:"two_factor_exempt,omitempty"`
	MaxSessions     *int       `json:"max_sessions,omitempty" minimum:"0" maximum:"10"`
	ExpiresAt       *time.Time `json:"expires_at,omitempty" doc:"The year 1 = never"`
	Groups          *[]string  `json:"groups,omitempty" maxItems:"32"`
	DailyQuota      *int64     `json:"daily_quota_bytes,omitempty" minimum:"0" maximum:"1125899906842624" doc:"A used up quota ends sessions and refuses logins until its period ends"`
	MonthlyQuota    *int64     `json:"monthly_quota_bytes,omitempty" minimum:"0" maximum:"1125899906842624"`
	DeviceApproval  *bool      `json:"device_approval,omitempty" doc:"Live sessions go on"`
}

// SSLClientRequest asks for a new SSL client.
type SSLClientRequest struct {
	Server string `json:"server" maxLength:"40"`
	Name   string `json:"name" maxLength:"256"`
	CSRPEM string `json:"csr_pem,omitempty" maxLength:"16384" doc:"Certify this key instead of making one"`
	Token  string `json:"token_kind,omitempty" enum:"totp,stoken" doc:"What makes its codes; default totp"`
	Enrols bool   `json:"enrols,omitempty" doc:"The user sets the token up by a link; no seed is made, and no login works before"`
	Online *bool  `json:"online,omitempty" doc:"Ignored, as a client's sessions say it: what was read may be sent again"`
	SSLClientSettingsPatch
}

// SSLClientPatch changes an SSL client.
type SSLClientPatch struct {
	SSLClientSettingsPatch
	Version int64 `json:"version,omitempty" doc:"Refuse if it changed since this version"`
}

// SSLClientUsage is what a client has moved, both directions together. Periods
// are those of UTC+8.
type SSLClientUsage struct {
	DayBytes    uint64    `json:"day_bytes"`
	DayEndsAt   time.Time `json:"day_ends_at"`
	MonthBytes  uint64    `json:"month_bytes"`
	MonthEndsAt time.Time `json:"month_ends_at"`
}

// SSLClientSecret is what was generated for a client.
type SSLClientSecret struct {
	UserName   string    `json:"user_name"`
	Password   string    `json:"password,omitempty" doc:"Left out once a person has chosen one"`
	TOTPSecret string    `json:"totp_secret,omitempty" doc:"Base32"`
	TOTPURI    string    `json:"totp_uri,omitempty" doc:"For a QR code"`
	TokenCTF   string    `json:"token_ctf,omitempty" doc:"Software token, 81 digits: for stoken and openconnect --token-mode=rsa"`
	TokenURI   string    `json:"token_uri,omitempty" doc:"Software token, for a QR code"`
	Until      time.Time `json:"until"`
}

// ResetReason is why an administrator replaces a credential; the user reads it.
type ResetReason struct {
	Reason string `json:"reason,omitempty" enum:"forgotten,compromised,device_lost,handover,rotation,other" doc:"Needed. The user reads it"`
	Words  string `json:"reason_text,omitempty" maxLength:"800" doc:"For the user; at most 200 characters. other needs it"`
}

func (r ResetReason) why() vpn.Reset { return vpn.Reset{Reason: r.Reason, Words: r.Words} }

// PasswordReset sets a password; without one, a random one is generated.
type PasswordReset struct {
	ResetReason
	Password string `json:"password,omitempty" maxLength:"256"`
}

// Reissue asks for a new certificate of an SSL client.
type Reissue struct {
	CSRPEM       string `json:"csr_pem,omitempty" maxLength:"16384" doc:"Certify this key instead of making one"`
	RevokeFormer bool   `json:"revoke_former,omitempty" doc:"Revoke the former certificate at once and end its sessions, instead of in 7 days"`
}

// SSLClientLock is a source from which a client may not sign in for a while.
type SSLClientLock struct {
	Source string    `json:"source" doc:"Address; an IPv6 one stands for its /64"`
	Until  time.Time `json:"until"`
	// BannedUntil is left out for a source that is not banned.
	BannedUntil *time.Time `json:"banned_until,omitempty" doc:"Nobody signs in from the source until then, unless unlocking takes enough of its points away"`
}

func toLock(l vpn.Lock) SSLClientLock {
	return SSLClientLock{l.Source.String(), l.Until, toTime(l.BannedUntil)}
}

// SSLClientRecoveryCodes are codes that stand in for those of a token, each once.
type SSLClientRecoveryCodes struct {
	Codes []string `json:"recovery_codes" nullable:"false"`
}

// TokenReset chooses the kind of a new token; left out, it is that of the old.
type TokenReset struct {
	ResetReason
	Token string `json:"token_kind,omitempty" enum:"totp,stoken"`
}

func toSecret(v vpn.Secret) SSLClientSecret {
	w := SSLClientSecret{UserName: v.UserName, Password: v.Password, TOTPSecret: v.TOTP, TokenCTF: v.CTF, Until: v.Until}
	if v.CTF != "" {
		w.TokenURI = v.TokenURI
	} else {
		w.TOTPURI = v.TokenURI
	}
	return w
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
			State  string `query:"state" enum:"enabled,locked,disabled"`
			Online string `query:"online" enum:"true,false" doc:"With or without a live session"`
		},
		) (*Body[List[SSLClient]], error) {
			f := vpn.ClientFilter{Server: in.Server, State: vpn.ClientState(in.State)}
			if in.Online != "" {
				online := in.Online == "true"
				f.Online = &online
			}
			all, next, err := s.Clients(ctx, Who(ctx).Account, f, vpn.Page{Limit: in.Limit, Cursor: in.Cursor})
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
		ID: "update-ssl-client", Summary: "Change an SSL client", Tag: tag, Access: Customer, IfMatch: true,
		Detail: "Rates, networks behind it and its expiry change without reconnecting; disabling, another fixed address and withdrawing the exemption from the second factor end its sessions, fewer sessions the oldest ones.",
	},
		func(ctx context.Context, in *struct {
			ResourceID
			Body SSLClientPatch
		},
		) (*Body[SSLClient], error) {
			return updateClient(ctx, s, in.ID, in.Body)
		})
	Delete(a, "/ssl-clients/{id}", Operation{ID: "delete-ssl-client", Summary: "Delete an SSL client and revoke its certificate", Tag: tag, Access: Customer, IfMatch: true},
		func(ctx context.Context, in *ResourceID) (*struct{}, error) {
			return nil, s.DeleteClient(ctx, Who(ctx), in.ID)
		})
	Get(a, "/ssl-clients/{id}/usage", Operation{ID: "get-ssl-client-usage", Summary: "What a client has moved today and this month", Tag: tag, Access: Customer},
		func(ctx context.Context, in *ResourceID) (*Body[SSLClientUsage], error) {
			u, err := s.Usage(ctx, Who(ctx).Account, in.ID)
			return &Body[SSLClientUsage]{SSLClientUsage{u.Day, u.DayEnds, u.Month, u.MonthEnds}}, err
		})
	clientActions(a, s)
	tokenEnrolments(a, s)
	bundleLinks(a, s)
	clientDevices(a, s)
	clientBatch(a, s)
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
		Detail: "The token is shown once, the password while its time lasts. Each reading is recorded. Answers 410 when there is nothing to read.",
	},
		func(ctx context.Context, in *ResourceID) (*private[SSLClientSecret], error) {
			v, err := s.Secret(ctx, Who(ctx), in.ID)
			return &private[SSLClientSecret]{secretCache, toSecret(v)}, err
		})
	Post(a, "/ssl-clients/{id}/reissue-certificate", Operation{
		ID: "reissue-ssl-client-certificate", Summary: "Renew the certificate of an SSL client", Tag: tag, Access: Customer,
		Detail: "With a request (CSR) no key is made or kept here. The former certificate works for 7 more days.",
	},
		func(ctx context.Context, in *struct {
			ResourceID
			Body Reissue
		},
		) (*Body[SSLClient], error) {
			return reissue(ctx, s, in.ID, in.Body)
		})
	Post(a, "/ssl-clients/{id}/reset-password", Operation{ID: "reset-ssl-client-password", Summary: "Replace the password; sessions end", Tag: tag, Access: Customer},
		func(ctx context.Context, in *struct {
			ResourceID
			Body PasswordReset
		},
		) (*Body[SSLClient], error) {
			c, err := resetPassword(ctx, s, in.ID, in.Body)
			return &Body[SSLClient]{toClient(c)}, err
		})
	Post(a, "/ssl-clients/{id}/reset-totp", Operation{ID: "reset-ssl-client-totp", Summary: "Replace the token; sessions end", Tag: tag, Access: Customer},
		func(ctx context.Context, in *struct {
			ResourceID
			Body TokenReset
		},
		) (*Body[SSLClient], error) {
			c, err := s.ResetToken(ctx, Who(ctx), in.ID, vpn.TokenKind(in.Body.Token), in.Body.why())
			return &Body[SSLClient]{toClient(c)}, err
		})
	Post(a, "/ssl-clients/{id}/recovery-codes", Operation{
		ID: "make-ssl-client-recovery-codes", Summary: "Ten new recovery codes, shown this once", Tag: tag, Access: Customer,
		Detail: "Each stands in for a code of the token once. Those of before open nothing any more.",
	},
		func(ctx context.Context, in *ResourceID) (*private[SSLClientRecoveryCodes], error) {
			codes, err := s.RecoveryCodes(ctx, Who(ctx), in.ID)
			return &private[SSLClientRecoveryCodes]{secretCache, SSLClientRecoveryCodes{codes}}, err
		})
	Get(a, "/ssl-clients/{id}/locks", Operation{
		ID: "list-ssl-client-locks", Summary: "Sources from which a client is locked now", Tag: tag, Access: Customer,
		Detail: "Five failures lock the account for that source for 15 minutes. Each reading is recorded.",
	},
		func(ctx context.Context, in *ResourceID) (*private[List[SSLClientLock]], error) {
			all, err := s.Locks(ctx, Who(ctx), in.ID)
			return &private[List[SSLClientLock]]{secretCache, List[SSLClientLock]{Items: Items(all, toLock)}}, err
		})
	Post(a, "/ssl-clients/{id}/unlock", Operation{
		ID: "unlock-ssl-client", Summary: "Lift all locks of a client", Tag: tag, Access: Customer,
		Detail: "What its failures counted against their sources is lifted too, also at the node. A source that others got banned stays banned for 20 minutes at most.",
	},
		func(ctx context.Context, in *ResourceID) (*struct{}, error) {
			return nil, s.Unlock(ctx, Who(ctx), in.ID)
		})
	Post(a, "/ssl-clients/{id}/disconnect", Operation{ID: "disconnect-ssl-client", Summary: "End all sessions of a client", Tag: tag, Access: Customer},
		func(ctx context.Context, in *ResourceID) (*struct{}, error) {
			return nil, s.Disconnect(ctx, Who(ctx), in.ID)
		})
}

func resetPassword(ctx context.Context, s *vpn.Service, id string, r PasswordReset) (vpn.SSLClient, error) {
	if r.Password == "" {
		return s.ResetPassword(ctx, Who(ctx), id, r.why())
	}
	return s.SetPassword(ctx, Who(ctx), id, r.Password, r.why())
}

func createClient(ctx context.Context, s *vpn.Service, r SSLClientRequest) (*Body[SSLClient], error) {
	settings, err := r.apply(vpn.ClientSettings{State: vpn.ClientEnabled})
	if err != nil {
		return nil, err
	}
	in := vpn.NewClient{Key: idempotency.Key(ctx), Server: r.Server, Name: r.Name, Token: vpn.TokenKind(r.Token), Enrols: r.Enrols, ClientSettings: settings}
	if in.CSR, err = parseCSR(r.CSRPEM); err != nil {
		return nil, err
	}
	c, err := s.CreateClient(ctx, Who(ctx), in)
	return &Body[SSLClient]{toClient(c)}, err
}

// parseCSR reads a certificate request; nothing gives nothing.
func parseCSR(text string) ([]byte, error) {
	if text == "" {
		return nil, nil
	}
	block, _ := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE REQUEST" && block.Type != "NEW CERTIFICATE REQUEST" {
		return nil, vpn.ErrCSR
	}
	return block.Bytes, nil
}

func reissue(ctx context.Context, s *vpn.Service, id string, r Reissue) (*Body[SSLClient], error) {
	csr, err := parseCSR(r.CSRPEM)
	if err != nil {
		return nil, err
	}
	c, err := s.ReissueCertificate(ctx, Who(ctx), id, vpn.Reissue{Key: idempotency.Key(ctx), CSR: csr, Revoke: r.RevokeFormer})
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
	set(&c.Description, r.Description)
	set(&c.Groups, r.Groups)
	set(&c.DailyQuota, r.DailyQuota)
	set(&c.MonthlyQuota, r.MonthlyQuota)
	set(&c.DeviceApproval, r.DeviceApproval)
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
		ID: c.ID, Server: c.Server, Gateway: c.Gateway, Name: c.Name, Serial: c.Serial, NotAfter: c.NotAfter, TwoFactor: c.HasToken, TokenKind: string(c.Token),
		CertificatePEM: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate})), SecretUntil: c.Readable.Until(),
		Online: c.Status.Sessions > 0, Sessions: c.Status.Sessions, DevicesWaiting: c.Status.Waiting, RecoveryLeft: c.Status.Recovery, LockedUntil: toTime(c.Status.LockedUntil),
		Version: c.Version, CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt,
	}
	w.SSLClientSettings = SSLClientSettings{
		Description: c.Description, State: string(c.State), UpKbps: c.UpRate / 1000, DownKbps: c.DownRate / 1000,
		FixedIP: addressText(c.FixedIP), FixedIP6: addressText(c.FixedIP6), Routes: Items(c.Routes, netip.Prefix.String),
		TwoFactorExempt: c.TwoFactorExempt, MaxSessions: c.MaxSessions, ExpiresAt: toTime(c.ExpiresAt), Groups: Items(c.Groups, itself),
		DailyQuota: c.DailyQuota, MonthlyQuota: c.MonthlyQuota, DeviceApproval: c.DeviceApproval,
	}
	return w
}
