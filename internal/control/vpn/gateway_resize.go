package vpn

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// CheckResize says why an account's gateway could not get other limits now;
// nil if it could. Only more is possible, and the pools of the SSL servers must
// hold an address for every connection: ErrLimits, ErrPoolTooSmall, ErrState.
func (s *Service) CheckResize(ctx context.Context, owner account.ID, gateway string, to Limits) error {
	if err := to.check(); err != nil {
		return err
	}
	g, err := gatewayFor(ctx, s.db, owner, gateway)
	if err != nil {
		return err
	}
	if err := g.changeable(); err != nil {
		return err
	}
	if to.SSLBandwidth < g.SSLBandwidth || to.SSLConnections < g.SSLConnections {
		return ErrLimits
	}
	if to.HasSSL() && !g.HasSSL() {
		if err := roomForSSL(ctx, s.db, owner); err != nil {
			return err
		}
	}
	servers, err := serversOfGateway(ctx, s.db, g.ID)
	if err != nil {
		return err
	}
	for _, srv := range servers {
		if usable := usable(srv.Pool); usable < to.SSLConnections {
			return ErrPoolTooSmall.With("usable", usable).With("needed", to.SSLConnections)
		}
	}
	return nil
}

// Resize gives a gateway the limits that are paid for. The node applies them to
// sessions that are up; none ends. It never takes away, so that a repeat that
// comes late does no harm, and it asks no more for room in the pools: what was
// paid for in between is given, and a full pool refuses the login. It is for
// the provider.
func (s *Service) Resize(ctx context.Context, gateway string, to Limits) error {
	if err := to.check(); err != nil {
		return err
	}
	return s.change(ctx, gateway, "vpn.gateway_resized", func(_ *db.Tx, g *Gateway) error {
		switch g.State {
		case GatewayDeleting, GatewayDeleted:
			return ErrState
		}
		more := Limits{max(to.SSLBandwidth, g.SSLBandwidth), max(to.SSLConnections, g.SSLConnections)}
		if more == g.Limits {
			return errNothing
		}
		g.Limits = more
		if g.State == GatewayActive {
			g.State = GatewayUpdating
		}
		return nil
	})
}
