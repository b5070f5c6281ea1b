package vpn

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// Limits of networks behind clients.
const (
	maxRoutesPerClient = 20
	maxRoutesPerServer = 100 // section 8.4, pushed routes
)

// checkRoutes holds the networks behind a client to what a network is, and to
// the families of its server.
func (c ClientSettings) checkRoutes(srv SSLServer) error {
	if len(c.Routes) > maxRoutesPerClient {
		return ErrQuota.With("limit", maxRoutesPerClient)
	}
	for i, p := range c.Routes {
		if !validNetwork(p) || (p.Addr().Is6() && !srv.Pool6.IsValid()) {
			return ErrRoutes
		}
		for _, other := range c.Routes[:i] {
			if p.Overlaps(other) {
				return ErrRouteConflict.With("prefix", p.String()).With("other", other.String())
			}
		}
	}
	return nil
}

// checkRouted holds all networks behind clients of a gateway apart from each
// other and from everything that is somewhere else: pools, local subnets, the
// VPC. A packet has one way to go. The gateway has no other server, see
// ServerQuota. changed is a client as it is to be, nil when the server changes.
func (s *Service) checkRouted(ctx context.Context, q db.Q, srv SSLServer, changed *SSLClient) error {
	if changed != nil && len(changed.Routes) == 0 {
		return nil
	}
	g, err := gatewayByID(ctx, q, srv.Gateway)
	if err != nil {
		return err
	}
	vpc, err := s.network(g.Account, g.Region, g.Network)
	if err != nil {
		return err
	}
	taken := slices.Concat(srv.pools(), srv.LocalSubnets, vpc.Prefixes)
	clients, err := clientsOfServer(ctx, q, srv.ID)
	if err != nil {
		return err
	}
	if changed != nil {
		clients = append(slices.DeleteFunc(clients, func(c SSLClient) bool { return c.ID == changed.ID }), *changed)
	}
	n := 0
	for _, c := range clients {
		for _, p := range c.Routes {
			if i := slices.IndexFunc(taken, p.Overlaps); i >= 0 {
				return ErrRouteConflict.With("prefix", p.String()).With("other", taken[i].String())
			}
		}
		taken, n = append(taken, c.Routes...), n+len(c.Routes)
	}
	if n > maxRoutesPerServer {
		return ErrQuota.With("limit", maxRoutesPerServer)
	}
	return nil
}

// networksFit holds what clients of a server have to its next settings: fixed
// addresses stay in the pools, networks behind them apart from the rest.
func (s *Service) networksFit(ctx context.Context, tx *db.Tx, srv SSLServer) error {
	clients, err := clientsOfServer(ctx, tx, srv.ID)
	if err != nil {
		return err
	}
	for _, c := range clients {
		if err := c.checkAddresses(srv); err != nil {
			return err
		}
	}
	return s.checkRouted(ctx, tx, srv, nil)
}

// checkAddresses holds fixed addresses to the pools and networks to the families.
func (c ClientSettings) checkAddresses(srv SSLServer) error {
	if c.FixedIP.IsValid() {
		if err := checkFixed(srv.Pool, c.FixedIP); err != nil {
			return err
		}
	}
	if c.FixedIP6.IsValid() {
		if err := checkFixed(srv.Pool6, c.FixedIP6); err != nil {
			return err
		}
	}
	return c.checkRoutes(srv)
}

func routesText(all []netip.Prefix) string {
	var texts []string
	for _, p := range all {
		texts = append(texts, p.String())
	}
	return strings.Join(texts, " ")
}

func parseRoutes(text string) (all []netip.Prefix, err error) {
	for _, t := range strings.Fields(text) {
		p, err := netip.ParsePrefix(t)
		if err != nil {
			return nil, fmt.Errorf("stored route: %w", err)
		}
		all = append(all, p)
	}
	return all, nil
}
