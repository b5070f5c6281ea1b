package api

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/platform/i18n"
	"github.com/skybridge-cloud/skybridge/internal/web/request"
)

// VPNSession is an entry of the session log: the fields that both policies
// declare, and what is known while it lives.
type VPNSession struct {
	ID        string     `json:"id" example:"ses_..."`
	Client    string     `json:"client"`
	Gateway   string     `json:"gateway"`
	SourceIP  string     `json:"source_ip" doc:"Empty once its retention is over"`
	InnerIP   string     `json:"inner_ip"`
	InnerIP6  string     `json:"inner_ip6" doc:"Empty without IPv6 inside the tunnel"`
	StartedAt time.Time  `json:"started_at"`
	EndedAt   *time.Time `json:"ended_at,omitempty"`
	Reason    string     `json:"reason,omitempty" doc:"Why it ended"`
	// ReasonText is Reason worded for people.
	ReasonText    string `json:"reason_text,omitempty" doc:"The reason in the caller's language"`
	BytesIn       uint64 `json:"bytes_in" doc:"From the client"`
	BytesOut      uint64 `json:"bytes_out"`
	Server        string `json:"server,omitempty" doc:"SSL server of its client; left out once the client is deleted"`
	Transport     string `json:"transport,omitempty" enum:"tls,dtls,detached" doc:"While it lives"`
	PacketsIn     uint64 `json:"packets_in,omitempty" doc:"While it lives"`
	PacketsOut    uint64 `json:"packets_out,omitempty" doc:"While it lives"`
	RateIn        uint64 `json:"rate_in,omitempty" doc:"Bytes in a second between its node's last two reports, while it lives"`
	RateOut       uint64 `json:"rate_out,omitempty"`
	ClientVersion string `json:"client_version,omitempty" doc:"What the client calls itself, while the session lives; never kept"`
}

// VPNSessions registers the operations of VPN sessions.
func VPNSessions(a *API, s *vpn.Service) {
	const tag = "VPN sessions"
	Get(a, "/vpn-sessions", Operation{
		ID: "list-vpn-sessions", Summary: "Sessions of your gateways, newest first", Tag: tag, Access: Customer,
		Detail: "Reading addresses is recorded.",
	},
		func(ctx context.Context, in *struct {
			Page
			Gateway string `query:"gateway" maxLength:"40"`
			Client  string `query:"client" maxLength:"40"`
			Live    bool   `query:"live" doc:"Only sessions that have not ended"`
		},
		) (*Body[List[VPNSession]], error) {
			return sessions(ctx, s, vpn.SessionFilter{Gateway: in.Gateway, Client: in.Client, LiveOnly: in.Live, Page: vpn.Page{Limit: in.Limit, Cursor: in.Cursor}})
		})
	Get(a, "/ssl-servers/{id}/sessions", Operation{
		ID: "list-ssl-server-sessions", Summary: "Sessions of an SSL server, newest first", Tag: tag, Access: Customer,
		Detail: "Reading addresses is recorded.",
	},
		func(ctx context.Context, in *struct {
			ResourceID
			Page
			Live bool `query:"live" doc:"Only sessions that have not ended"`
		},
		) (*Body[List[VPNSession]], error) {
			return sessions(ctx, s, vpn.SessionFilter{Server: in.ID, LiveOnly: in.Live, Page: vpn.Page{Limit: in.Limit, Cursor: in.Cursor}})
		})
	Delete(a, "/vpn-sessions/{id}", Operation{ID: "end-vpn-session", Summary: "End one session", Tag: tag, Access: Customer},
		func(ctx context.Context, in *ResourceID) (*struct{}, error) {
			return nil, s.DisconnectSession(ctx, Who(ctx), in.ID)
		})
}

func sessions(ctx context.Context, s *vpn.Service, f vpn.SessionFilter) (*Body[List[VPNSession]], error) {
	all, next, err := s.Sessions(ctx, Who(ctx), f)
	lang := request.From(ctx).Language
	return page(all, next, err, func(v vpn.Session) VPNSession { return toSession(v, lang) })
}

// reasonText words the reason of an end. One that an older or newer node gives
// and that is not known here is another reason.
func reasonText(lang i18n.Language, reason string) string {
	if reason == "" {
		return ""
	}
	code := "vpn.ended_" + strings.ReplaceAll(reason, "-", "_")
	if text := i18n.Text(lang, code, nil); text != code {
		return text
	}
	return i18n.Text(lang, "vpn.ended_other", nil)
}

func toSession(v vpn.Session, lang i18n.Language) VPNSession {
	return VPNSession{
		ID: v.ID, Client: v.Client, Gateway: v.Gateway, SourceIP: addressText(v.SourceIP), InnerIP: addressText(v.Inner), InnerIP6: addressText(v.Inner6),
		StartedAt: v.Start, EndedAt: toTime(v.End), Reason: v.Reason, ReasonText: reasonText(lang, v.Reason), BytesIn: v.BytesIn, BytesOut: v.BytesOut, Server: v.Server, Transport: v.Live.Transport,
		PacketsIn: v.Live.PacketsIn, PacketsOut: v.Live.PacketsOut, RateIn: v.Live.RateIn, RateOut: v.Live.RateOut, ClientVersion: v.Live.Version,
	}
}

func addressText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}
