package api

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
)

// Quota is how much of something you use, and may.
type Quota struct {
	Name     string `json:"name" enum:"vpn_gateways,certificates,ssl_servers,ssl_clients,vpn_sessions,local_subnets,exclude_routes,client_routes,acl_rules,trusted_networks"`
	Region   string `json:"region,omitempty" doc:"Of vpn_gateways"`
	Resource string `json:"resource,omitempty" doc:"VPN gateway or SSL server that it belongs to; left out: the account"`
	Label    string `json:"label,omitempty" doc:"The resource's name"`
	Used     int    `json:"used"`
	Limit    int    `json:"limit"`
}

// Limit is what a value may be, whoever asks.
type Limit struct {
	Name string `json:"name" example:"mtu"`
	Low  int64  `json:"low"`
	High int64  `json:"high"`
	Unit string `json:"unit,omitempty"`
	Off  bool   `json:"off,omitempty" doc:"0 turns it off"`
}

// Quotas registers what an account uses and may, and the restrictions of use.
func Quotas(a *API, s *vpn.Service) {
	const tag = "Quotas"
	Get(a, "/quotas", Operation{ID: "list-quotas", Summary: "What you use and may use", Tag: tag, Access: Customer},
		func(ctx context.Context, _ *struct{}) (*Body[List[Quota]], error) {
			all, err := s.Quotas(ctx, Who(ctx).Account)
			return page(all, "", err, func(q vpn.Quota) Quota { return Quota(q) })
		})
	Get(a, "/limits", Operation{ID: "list-limits", Summary: "Restrictions of use, as they are enforced", Tag: tag, Access: Public},
		func(context.Context, *struct{}) (*Body[List[Limit]], error) {
			return page(s.Restrictions(), "", nil, func(r vpn.Restriction) Limit { return Limit(r) })
		})
}
