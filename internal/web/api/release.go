package api

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/control/service"
)

// Releases registers how a customer ends what they bought. Releasing is for the
// module service, which knows what was bought; the gateway itself follows.
func Releases(a *API, s *service.Service) {
	Delete(a, "/vpn-gateways/{id}", Operation{
		ID: "release-vpn-gateway", Summary: "Release a VPN gateway for good", Tag: "VPN gateways", Access: Customer, IfMatch: true, Status: 202,
		Detail: "Nothing is refunded. Refused with 409 vpn.in_use while the gateway has SSL servers, unless force is given: it deletes them with " +
			"their clients and ends all sessions. The gateway is deleting until its node has removed it.",
	},
		func(ctx context.Context, in *struct {
			ResourceID
			Force bool `query:"force" doc:"Delete what is in it as well"`
		},
		) (*struct{}, error) {
			return nil, s.Release(ctx, Who(ctx), in.ID, in.Force)
		})
}
