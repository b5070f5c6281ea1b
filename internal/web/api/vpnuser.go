package api

import (
	"context"
	"encoding/base64"
	"encoding/pem"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/erasure"
	"github.com/skybridge-cloud/skybridge/internal/control/fleet"
	"github.com/skybridge-cloud/skybridge/internal/control/incident"
	"github.com/skybridge-cloud/skybridge/internal/control/privacy"
	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
	"github.com/skybridge-cloud/skybridge/internal/web/cookie"
	"github.com/skybridge-cloud/skybridge/internal/web/problem"
	"github.com/skybridge-cloud/skybridge/internal/web/request"
)

// VPNUser allows the user of an SSL client, signed in with the credentials of the
// VPN. It is a class of its own: no such session opens a route of customers or
// staff, and none of theirs opens one of these (clause TY-0e).
var VPNUser = Access{vpnUser: true}

// Users tells which VPN user acts, by the token of a session on the page of their
// rights. Errors of kind Unauthenticated mean nobody.
type Users interface {
	AuthenticateUser(ctx context.Context, token string) (vpn.UserSession, error)
}

type userKey struct{}

// user is the VPN user of a request to a route of theirs.
func user(ctx context.Context) vpn.UserSession {
	u, _ := ctx.Value(userKey{}).(vpn.UserSession)
	return u
}

func (a *API) admitUser(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	u, err := a.userOf(r)
	if err != nil {
		problem.Write(w, r, a.opt.Log, err)
		return
	}
	next(huma.WithValue(huma.WithValue(ctx, userKey{}, u), principalKey{}, u.Principal()))
}

func (a *API) userOf(r *http.Request) (vpn.UserSession, error) {
	token := cookie.Read(r, cookie.Session)
	if token == "" {
		return vpn.UserSession{}, ErrUnauthenticated
	}
	return a.opt.Users.AuthenticateUser(r.Context(), token)
}

// VPNUserLogin is one round of signing in to the page of a VPN user's rights.
type VPNUserLogin struct {
	Server       string `json:"server" minLength:"1" maxLength:"300" doc:"Address that you connect to: a host name, with or without port"`
	UserName     string `json:"user_name,omitempty" maxLength:"256"`
	Password     string `json:"password,omitempty" maxLength:"256"`
	Conversation string `json:"conversation,omitempty" maxLength:"64" doc:"Of the round before; with answer"`
	Answer       string `json:"answer,omitempty" maxLength:"256" doc:"The code or password that the round before asked for"`
	Certificate  string `json:"certificate_pem,omitempty" maxLength:"16384" doc:"Where the certificate alone signs in; with challenge and signature"`
	Challenge    string `json:"challenge,omitempty" maxLength:"200"`
	Signature    string `json:"signature,omitempty" maxLength:"2000" doc:"Base64, over the challenge: ECDSA or RSA PKCS #1 v1.5 with SHA-256, or Ed25519"`
}

// VPNUserEntry is what a round of signing in led to.
type VPNUserEntry struct {
	SignedIn     bool       `json:"signed_in" doc:"The session is in the cookie"`
	ExpiresAt    *time.Time `json:"expires_at,omitempty"`
	Conversation string     `json:"conversation" doc:"To go on with; empty once signed in"`
	Asks         string     `json:"asks" enum:",code,next_code,password" doc:"next_code: the one after the code given"`
	Wrong        bool       `json:"wrong" doc:"The answer of this round was wrong"`
}

// VPNUserChallenge is what a certificate's key signs.
type VPNUserChallenge struct {
	Challenge string    `json:"challenge"`
	Until     time.Time `json:"until"`
}

// VPNUserProfile is the login account of a VPN user.
type VPNUserProfile struct {
	UserName    string     `json:"user_name"`
	Description string     `json:"description" doc:"What the administrator wrote about the account"`
	State       string     `json:"state" enum:"enabled,disabled"`
	Client      string     `json:"client" example:"sslcli-..."`
	Server      string     `json:"server" doc:"Name of the SSL server"`
	Gateway     string     `json:"gateway" doc:"Name of the VPN gateway"`
	Region      string     `json:"region"`
	Host        string     `json:"host" doc:"Address to connect to"`
	LoginMode   string     `json:"login_mode" enum:"password,password_certificate,certificate"`
	TwoFactor   bool       `json:"two_factor" doc:"A code is asked for"`
	Token       string     `json:"token_kind" enum:",totp,stoken" doc:"Empty: no token is set up. Its seed is shown to nobody"`
	Recovery    int        `json:"recovery_left" doc:"Recovery codes that are not used up"`
	Serial      string     `json:"serial" doc:"Of the certificate, hexadecimal"`
	NotAfter    time.Time  `json:"not_after" doc:"End of the certificate"`
	FixedIP     string     `json:"fixed_ip" doc:"Registered address inside the VPN; empty: from the pool"`
	FixedIP6    string     `json:"fixed_ip6"`
	Routes      []string   `json:"routes" nullable:"false" doc:"Networks behind you"`
	ExpiresAt   *time.Time `json:"expires_at,omitempty"`
	Live        int        `json:"live_sessions"`
	CreatedAt   time.Time  `json:"created_at"`
	SessionEnds time.Time  `json:"session_ends_at" doc:"Of this page"`
}

// VPNUserAct is what an administrator did with a login account.
type VPNUserAct struct {
	ID     string    `json:"id"`
	Kind   string    `json:"kind" enum:"password_reset,token_reset,recovery_codes,secret_read,addresses_read,disconnected,disabled,enabled"`
	By     string    `json:"by" enum:"administrator,staff"`
	Reason string    `json:"reason" enum:",forgotten,compromised,device_lost,handover,rotation,other"`
	Words  string    `json:"words" doc:"What the administrator wrote to you"`
	At     time.Time `json:"at"`
}

// NewVPNUserRequest is what a VPN user asks for.
type NewVPNUserRequest struct {
	Kind  string `json:"kind" enum:"access,copy,port,correct,supplement,restrict,explain,withdraw,complaint,misuse,question" doc:"misuse ends all your sessions and shuts your account at once"`
	Words string `json:"words,omitempty" maxLength:"16000" doc:"At most 4000 characters. Kept encrypted. correct, supplement, complaint and question need them"`
}

// NewVPNUserErasure asks that everything be erased.
type NewVPNUserErasure struct {
	UserName string `json:"user_name" maxLength:"256" doc:"Yours, typed, so that nobody does it by mistake"`
}

// VPNUserErasure is the erasure that was begun.
type VPNUserErasure struct {
	Request string  `json:"request"`
	Erasure Erasure `json:"erasure"`
}

// VPNUserRights are the modules that the page asks.
type VPNUserRights struct {
	VPN      *vpn.Service
	Privacy  *privacy.Service
	Erasure  *erasure.Service
	Audit    *audit.Service
	Incident *incident.Service
}

const (
	userPath = "/vpn-user"
	userTag  = "VPN users"
)

// VPNUsers registers what the user of an SSL client does without the
// administrator (clause TY-0e). There is no route to another password (TY-2.3).
func VPNUsers(a *API, m VPNUserRights) {
	m.sessions(a)
	m.account(a)
	m.data(a)
	m.requests(a)
	m.told(a)
}

func (m VPNUserRights) sessions(a *API) {
	Post(a, userPath+"/challenge", Operation{
		ID: "make-vpn-user-challenge", Summary: "A text for the key of a certificate to sign", Tag: userTag, Access: Public, Secret: true,
		Detail: "Where a certificate alone signs in. It is good for five minutes and one session.",
	},
		func(ctx context.Context, _ *struct{}) (*Body[VPNUserChallenge], error) {
			text, until, err := m.VPN.UserChallenge(ctx)
			return &Body[VPNUserChallenge]{VPNUserChallenge{text, until}}, err
		})
	Post(a, userPath+"/session", Operation{
		ID: "sign-in-vpn-user", Summary: "Sign in with the credentials of the VPN", Tag: userTag, Access: Public, Secret: true,
		Detail: "Lasts 30 minutes. Failures count as at the gateway, and lock and ban in the same way.",
	},
		func(ctx context.Context, in *struct{ Body VPNUserLogin }) (*withCookies[VPNUserEntry], error) {
			login, err := in.Body.login(ctx)
			if err != nil {
				return nil, err
			}
			e, err := m.VPN.LoginUser(ctx, login)
			if err != nil {
				return nil, err
			}
			out := &withCookies[VPNUserEntry]{Body: VPNUserEntry{Conversation: e.Conversation, Asks: e.Asks, Wrong: e.Wrong}}
			if e.Token != "" {
				out.SetCookie = []cookie.Line{cookie.Make(cookie.Session, e.Token, 0)}
				out.Body = VPNUserEntry{SignedIn: true, ExpiresAt: toTime(e.Session.ExpiresAt)}
			}
			return out, nil
		})
	Delete(a, userPath+"/session", Operation{ID: "sign-out-vpn-user", Summary: "Sign out", Tag: userTag, Access: VPNUser, Status: 204},
		func(ctx context.Context, _ *struct{}) (*cookiesOnly, error) {
			if err := m.VPN.SignOutUser(ctx, user(ctx)); err != nil {
				return nil, err
			}
			return &cookiesOnly{[]cookie.Line{cookie.Clear(cookie.Session)}}, nil
		})
}

func (b VPNUserLogin) login(ctx context.Context) (vpn.UserLogin, error) {
	in := vpn.UserLogin{
		Server: b.Server, Source: request.From(ctx).Source, Name: b.UserName, Password: b.Password,
		Conversation: b.Conversation, Answer: b.Answer, Challenge: strings.TrimSpace(b.Challenge),
	}
	if b.Certificate == "" {
		return in, nil
	}
	block, _ := pem.Decode([]byte(b.Certificate))
	signature, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(b.Signature), ""))
	if block == nil || block.Type != "CERTIFICATE" || err != nil {
		return in, vpn.ErrUserLogin
	}
	in.Certificate, in.Signature = block.Bytes, signature
	return in, nil
}

func (m VPNUserRights) account(a *API) {
	Get(a, userPath+"/profile", Operation{ID: "get-vpn-user-profile", Summary: "Your login account", Tag: userTag, Access: VPNUser, Secret: true},
		func(ctx context.Context, _ *struct{}) (*Body[VPNUserProfile], error) {
			p, err := m.VPN.Profile(ctx, user(ctx))
			return &Body[VPNUserProfile]{toUserProfile(p, user(ctx))}, err
		})
	Get(a, userPath+"/sessions", Operation{ID: "list-vpn-user-sessions", Summary: "Your VPN sessions, newest first", Tag: userTag, Access: VPNUser, Secret: true},
		func(ctx context.Context, in *struct{ Page }) (*Body[List[VPNSession]], error) {
			all, next, err := m.VPN.UserSessions(ctx, user(ctx), vpn.Page{Limit: in.Limit, Cursor: in.Cursor})
			lang := request.From(ctx).Language
			return page(all, next, err, func(v fleet.Session) VPNSession { return toSession(vpn.Session{Session: v}, lang) })
		})
	Post(a, userPath+"/disconnect", Operation{ID: "disconnect-vpn-user", Summary: "End all your VPN sessions", Tag: userTag, Access: VPNUser, Status: 204},
		func(ctx context.Context, _ *struct{}) (*struct{}, error) {
			return nil, m.VPN.EndUserTunnels(ctx, user(ctx))
		})
	Get(a, userPath+"/devices", Operation{ID: "list-vpn-user-devices", Summary: "Your devices, where they need approval", Tag: userTag, Access: VPNUser, Secret: true},
		func(ctx context.Context, _ *struct{}) (*Body[List[SSLClientDevice]], error) {
			all, err := m.VPN.UserDevices(ctx, user(ctx))
			return page(all, "", err, toDevice)
		})
	Delete(a, userPath+"/devices/{device}", Operation{ID: "forget-vpn-user-device", Summary: "Forget a device; its sessions end", Tag: userTag, Access: VPNUser},
		func(ctx context.Context, in *struct {
			Device string `path:"device" maxLength:"40"`
		},
		) (*struct{}, error) {
			return nil, m.VPN.ForgetUserDevice(ctx, user(ctx), in.Device)
		})
	Get(a, userPath+"/acts", Operation{
		ID: "list-vpn-user-acts", Summary: "What administrators did with your account, and why", Tag: userTag, Access: VPNUser, Secret: true,
	},
		func(ctx context.Context, _ *struct{}) (*Body[List[VPNUserAct]], error) {
			all, err := m.VPN.Acts(ctx, user(ctx))
			return page(all, "", err, func(v vpn.Act) VPNUserAct {
				return VPNUserAct{v.ID, string(v.Kind), v.By, v.Reason, v.Words, v.At}
			})
		})
}

func toUserProfile(p vpn.UserProfile, u vpn.UserSession) VPNUserProfile {
	c := toClient(p.SSLClient)
	out := VPNUserProfile{
		UserName: c.Name, Description: c.Description, State: c.State, Client: c.ID, Server: p.ServerName, Gateway: p.GatewayName, Region: p.Region, Host: p.Host,
		LoginMode: string(p.Mode), TwoFactor: p.TwoFactor, Recovery: c.RecoveryLeft, Serial: c.Serial, NotAfter: c.NotAfter, FixedIP: c.FixedIP, FixedIP6: c.FixedIP6,
		Routes: c.Routes, ExpiresAt: c.ExpiresAt, Live: c.Sessions, CreatedAt: c.CreatedAt, SessionEnds: u.ExpiresAt,
	}
	if c.TwoFactor {
		out.Token = c.TokenKind
	}
	return out
}

func (m VPNUserRights) data(a *API) {
	Get(a, userPath+"/data", Operation{ID: "list-vpn-user-data", Summary: "What is held of you, without the values", Tag: userTag, Access: VPNUser},
		func(ctx context.Context, _ *struct{}) (*Body[List[OwnData]], error) {
			all, err := m.Privacy.Inventories(ctx, Who(ctx))
			return page(all, "", err, func(i privacy.Inventory) OwnData { return toOwnData(m.Privacy, i) })
		})
	Get(a, userPath+"/data/{table}", Operation{
		ID: "get-vpn-user-data", Summary: "What is held of you under one name, opened; the reading is recorded", Tag: userTag, Access: VPNUser, Secret: true,
	},
		func(ctx context.Context, in *struct {
			Table string `path:"table" maxLength:"60"`
		},
		) (*Body[OwnDataSheet], error) {
			v, err := m.Privacy.Look(ctx, Who(ctx), in.Table)
			return &Body[OwnDataSheet]{OwnDataSheet(v)}, err
		})
	Get(a, userPath+"/reads", Operation{ID: "list-vpn-user-reads", Summary: "Who read your sealed data, and why", Tag: userTag, Access: VPNUser},
		func(ctx context.Context, in *readsInput) (*Body[List[ReadEvent]], error) {
			out, err := reads(ctx, m.Audit, in)
			if err != nil {
				return nil, err
			}
			for i, e := range out.Body.Items {
				if e.Reader == vault.Self && e.Handle != string(user(ctx).Subject) {
					out.Body.Items[i].Reader = "administrator"
				}
			}
			return out, nil
		})
	Get(a, userPath+"/disclosures", Operation{ID: "list-vpn-user-disclosures", Summary: "What was sent about you, to whom and why", Tag: userTag, Access: VPNUser},
		func(ctx context.Context, in *struct{ Page }) (*Body[List[Disclosure]], error) {
			all, err := m.Audit.Disclosures(ctx, user(ctx).Subject, in.Cursor, in.Limit)
			return page(all, nextCursor(all, in.Limit, func(d audit.Disclosure) string { return d.ID }), err, toDisclosure)
		})
}

func (m VPNUserRights) requests(a *API) {
	const path = userPath + "/requests"
	Post(a, path, Operation{ID: "make-vpn-user-request", Summary: "Ask for something about your data", Tag: userTag, Access: VPNUser, Status: 201},
		func(ctx context.Context, in *struct{ Body NewVPNUserRequest }) (*Body[DataSubjectRequest], error) {
			r, err := m.Privacy.Open(ctx, Who(ctx), privacy.NewRequest{Kind: privacy.Kind(in.Body.Kind), Words: in.Body.Words, Channel: privacy.ChannelUser})
			if err != nil {
				return nil, err
			}
			v, err := withCopy(ctx, m.Privacy, toRequest(r))
			return &Body[DataSubjectRequest]{v}, err
		})
	Get(a, path, Operation{ID: "list-vpn-user-requests", Summary: "Your requests, newest first", Tag: userTag, Access: VPNUser},
		func(ctx context.Context, _ *struct{}) (*Body[List[DataSubjectRequest]], error) {
			return mine(ctx, m.Privacy)
		})
	Get(a, path+"/{id}", Operation{ID: "get-vpn-user-request", Summary: "A request of yours with its words and the answer", Tag: userTag, Access: VPNUser, Secret: true},
		func(ctx context.Context, in *DataSubjectRequestID) (*Body[DataSubjectCase], error) {
			o, err := m.Privacy.Show(ctx, Who(ctx), in.ID)
			if err != nil {
				return nil, err
			}
			v := toCase(o)
			v.DataSubjectRequest, err = withCopy(ctx, m.Privacy, v.DataSubjectRequest)
			return &Body[DataSubjectCase]{v}, err
		})
	Post(a, path+"/{id}/withdraw", Operation{ID: "withdraw-vpn-user-request", Summary: "Take a request back", Tag: userTag, Access: VPNUser},
		func(ctx context.Context, in *DataSubjectRequestID) (*Body[DataSubjectRequest], error) {
			r, err := m.Privacy.Withdraw(ctx, Who(ctx), in.ID)
			return &Body[DataSubjectRequest]{toRequest(r)}, err
		})
	Post(a, path+"/{id}/copy", Operation{
		ID: "fetch-vpn-user-copy", Summary: "The file of your copy, which is used up by it", Tag: userTag, Access: VPNUser, Secret: true,
		Detail: "A ZIP of JSON and CSV files with a manifest. It can be fetched once, within ten minutes of signing in.",
	},
		func(ctx context.Context, in *DataSubjectRequestID) (*file, error) {
			b, err := m.Privacy.FetchCopy(ctx, Who(ctx), in.ID)
			return &file{secretCache, "application/zip", mime.FormatMediaType("attachment", map[string]string{"filename": in.ID + ".zip"}), b}, err
		})
	Post(a, userPath+"/erasure", Operation{
		ID: "erase-vpn-user", Summary: "Have your account deleted and your data erased", Tag: userTag, Access: VPNUser, Status: 202,
		Detail: "Cannot be undone; within ten minutes of signing in. VPN sessions end at once, certificates are revoked, the administrator is told. Keep the number: it shows how the erasure stands, to anybody who has it.",
	},
		func(ctx context.Context, in *struct{ Body NewVPNUserErasure }) (*Body[VPNUserErasure], error) {
			r, err := m.Privacy.EraseUser(ctx, Who(ctx), in.Body.UserName)
			if err != nil {
				return nil, err
			}
			c, err := m.Erasure.Of(ctx, user(ctx).Subject)
			return &Body[VPNUserErasure]{VPNUserErasure{r.ID, toErasure(c)}}, err
		})
}

func (m VPNUserRights) told(a *API) {
	Get(a, userPath+"/incident-notices", Operation{ID: "list-vpn-user-incident-notices", Summary: "Notices of incidents that concern you, newest first", Tag: userTag, Access: VPNUser},
		func(ctx context.Context, _ *struct{}) (*Body[List[OwnIncidentNotice]], error) {
			all, err := m.Incident.Mine(ctx, user(ctx).Subject, string(request.From(ctx).Language))
			return page(all, "", err, func(o incident.OwnNotice) OwnIncidentNotice {
				return OwnIncidentNotice{o.ID, o.Title, o.Text, o.At, toTime(o.SeenAt)}
			})
		})
	Post(a, userPath+"/incident-notices/{id}/seen", Operation{ID: "see-vpn-user-incident-notice", Summary: "You have read a notice", Tag: userTag, Access: VPNUser, Status: 204},
		func(ctx context.Context, in *incidentInput) (*struct{}, error) {
			return nil, m.Incident.Seen(ctx, user(ctx).Subject, in.ID)
		})
	Get(a, userPath+"/log-proof", Operation{
		ID: "prove-vpn-user-entry", Summary: "Proof file of an entry of the audit log about you", Tag: userTag, Access: VPNUser,
		Detail: "For skybridge-verify. The index is the log_index of a read or a disclosure; entries about others do not exist here.",
	},
		func(ctx context.Context, in *ownProofInput) (*Body[LogProof], error) {
			p, err := proof(ctx, m.Audit, in.Index, in.From, user(ctx).Subject)
			return &Body[LogProof]{p}, err
		})
}
