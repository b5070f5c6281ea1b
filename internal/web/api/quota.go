package api

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// Quota is how much of something you use, and may.
type Quota struct {
	Name     string `json:"name" enum:"vpn_gateways,ssl_gateways,certificates,ssl_servers,ssl_clients,vpn_sessions,local_subnets,exclude_routes,client_routes,acl_rules,trusted_networks"`
	Region   string `json:"region,omitempty" doc:"Of vpn_gateways"`
	Resource string `json:"resource,omitempty" doc:"VPN gateway or SSL server that it belongs to; left out: the account"`
	Label    string `json:"label,omitempty" doc:"The resource's name"`
	Used     int    `json:"used"`
	Limit    int    `json:"limit"`
	Settable bool   `json:"settable,omitempty" doc:"You may ask for more, see quota-requests"`
	Asked    int    `json:"asked,omitempty" doc:"What you asked for and nobody has decided"`
}

// QuotaAsk asks for more of something.
type QuotaAsk struct {
	Name  string `json:"name" enum:"vpn_gateways,ssl_gateways,ssl_clients,certificates"`
	Limit int    `json:"limit" minimum:"1" maximum:"100000" doc:"What the limit should be: of ssl_clients for each SSL server, of vpn_gateways in each region"`
}

// QuotaRequest is a customer's request that waits for a decision.
type QuotaRequest struct {
	Account string    `json:"account"`
	Name    string    `json:"name"`
	Limit   int       `json:"limit" doc:"What was asked for"`
	AskedAt time.Time `json:"asked_at"`
}

// QuotaDecision is a limit that staff give an account, or with decline the
// answer to its request.
type QuotaDecision struct {
	Account string `json:"account" maxLength:"40"`
	Name    string `json:"name" enum:"vpn_gateways,ssl_gateways,ssl_clients,certificates"`
	Limit   int    `json:"limit,omitempty" minimum:"0" maximum:"100000"`
	Decline bool   `json:"decline,omitempty" doc:"Nothing changes, and the request is answered; limit is not looked at"`
	Reason  string `json:"reason" minLength:"1" maxLength:"200" doc:"For the audit log: id of a ticket or case, or words without personal data"`
}

// Owners tells who owns an account; NotFound if there is none. *account.Service
// fills it.
type Owners interface {
	Owner(ctx context.Context, a account.ID) (id.Handle, error)
}

// Limit is what a value may be, whoever asks. Several of one name are ranges of
// which one must hold.
type Limit struct {
	Name string `json:"name" example:"mtu"`
	Low  int64  `json:"low"`
	High int64  `json:"high"`
	Unit string `json:"unit,omitempty"`
	Off  bool   `json:"off,omitempty" doc:"0 turns it off"`
}

// StaffQuotas registers what staff see of requests for more, and decide.
func StaffQuotas(a *API, s *vpn.Service, owners Owners) {
	Get(a, "/admin/quota-requests", Operation{ID: "admin-list-quota-requests", Summary: "Requests for more, the oldest first", Tag: "Staff", Access: Staff("fleet.read")},
		func(ctx context.Context, _ *struct{}) (*Body[List[QuotaRequest]], error) {
			all, err := s.QuotaRequests(ctx, "")
			return page(all, "", err, func(q vpn.QuotaRequest) QuotaRequest {
				return QuotaRequest{string(q.Account), q.Name, q.Wanted, q.AskedAt}
			})
		})
	Post(a, "/admin/quotas", Operation{
		ID: "admin-decide-quota", Summary: "Set a limit of an account, or decline its request", Tag: "Staff", Access: Staff(account.PermFleetWrite), Status: 204,
		Detail: "The account is told. A limit below what it uses removes nothing.",
	},
		func(ctx context.Context, in *struct{ Body QuotaDecision }) (*struct{}, error) {
			b := in.Body
			d := vpn.QuotaDecision{Account: account.ID(b.Account), Name: b.Name, Limit: b.Limit, Reason: b.Reason}
			if _, err := owners.Owner(ctx, d.Account); err != nil {
				return nil, err
			}
			if b.Decline {
				d.Limit = 0
				return nil, s.DeclineQuota(ctx, Who(ctx), d)
			}
			return nil, s.SetQuota(ctx, Who(ctx), d)
		})
}

// Quotas registers what an account uses and may, and the restrictions of use.
func Quotas(a *API, s *vpn.Service) {
	const tag = "Quotas"
	Get(a, "/quotas", Operation{ID: "list-quotas", Summary: "What you use and may use", Tag: tag, Access: Customer},
		func(ctx context.Context, _ *struct{}) (*Body[List[Quota]], error) {
			all, err := s.Quotas(ctx, Who(ctx).Account)
			return page(all, "", err, func(q vpn.Quota) Quota { return Quota(q) })
		})
	Post(a, "/quota-requests", Operation{
		ID: "ask-quota", Summary: "Ask for more; you are told what was decided", Tag: tag, Access: Customer, Status: 202,
		Detail: "Asking again replaces what was asked.",
	},
		func(ctx context.Context, in *struct{ Body QuotaAsk }) (*struct{}, error) {
			return nil, s.AskQuota(ctx, Who(ctx), in.Body.Name, in.Body.Limit)
		})
	Get(a, "/limits", Operation{ID: "list-limits", Summary: "Restrictions of use, as they are enforced", Tag: tag, Access: Public},
		func(context.Context, *struct{}) (*Body[List[Limit]], error) {
			return page(s.Restrictions(), "", nil, func(r vpn.Restriction) Limit { return Limit(r) })
		})
}
