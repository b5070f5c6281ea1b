package ownvpn

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/control/service"
	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
)

// Check fills the port of the module order: could the line be made?
func (p *Provider) Check(ctx context.Context, spec service.Spec) error {
	bandwidth, err := number(spec.Options, "ssl_bandwidth")
	if err != nil {
		return err
	}
	connections, err := number(spec.Options, "ssl_connections")
	if err != nil {
		return err
	}
	return p.vpn.Check(ctx, vpn.NewGateway{Account: spec.Account, Subject: spec.Subject, Name: spec.Configuration["name"],
		Region: spec.Region, Network: spec.Configuration["network"], Limits: vpn.Limits{SSLBandwidth: bandwidth, SSLConnections: connections}})
}
