package vpn

import (
	"context"
	"net/netip"
	"slices"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// MaxGatewaySubnets is how many subnets a gateway may be for (section 4.1).
const MaxGatewaySubnets = 50

// GatewayChange is what a customer changes of a gateway; what is nil stays.
type GatewayChange struct {
	Name        *string
	Description *string
	// Network moves the gateway to another VPC of its region. It is for all of it
	// then, unless LocalSubnets say otherwise.
	Network      *string
	LocalSubnets *[]netip.Prefix // within the VPC; none = all of it
}

// UpdateGateway changes a gateway. version is that of the gateway which the
// change was made from (0 = whatever). No session ends: what clients may reach
// follows at once, the routes of a client with its next connection. A subnet
// that an SSL server names, and a VPC that does not fit its pools, are refused:
// ErrSubnetInUse, ErrPoolConflict; and so is everything while it is frozen:
// ErrState.
func (s *Service) UpdateGateway(ctx context.Context, p account.Principal, gateway string, version int64, c GatewayChange) (Gateway, error) {
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		g, err := gatewayFor(ctx, tx, p.Account, gateway)
		if err != nil {
			return err
		}
		if err := sameVersion(ctx, version, g.Version); err != nil {
			return err
		}
		return s.updateGatewayTx(ctx, tx, p, g, c)
	})
	if err != nil {
		return Gateway{}, err
	}
	return s.Gateway(ctx, p.Account, gateway)
}

func (s *Service) updateGatewayTx(ctx context.Context, tx *db.Tx, p account.Principal, g Gateway, c GatewayChange) error {
	if err := g.changeable(); err != nil {
		return err
	}
	next := c.of(g)
	if err := checkName(next.Name); err != nil {
		return err
	}
	if err := checkDescription(next.Description); err != nil {
		return err
	}
	if err := gatewayNameFree(ctx, tx, g, next.Name); err != nil {
		return err
	}
	moved := next.Network != g.Network || !slices.Equal(next.LocalSubnets, g.LocalSubnets)
	if moved {
		if g.State == GatewayActive {
			next.State = GatewayUpdating
		}
	}
	if err := updateGateway(ctx, tx, next, s.clock.Now()); err != nil {
		return err
	}
	if moved {
		if err := s.reachTx(ctx, tx, next); err != nil {
			return err
		}
		if _, err := s.fleet.ChangedTx(ctx, tx, g.ID); err != nil {
			return err
		}
	}
	return s.record(ctx, tx, p, "vpn.gateway_changed", tellChanges(map[string]string{"gateway": g.ID}, g.told(), next.told()))
}

// changeable refuses what is made or changed in a gateway that is frozen or goes.
func (g Gateway) changeable() error {
	if g.State == GatewayFrozen || g.State == GatewayDeleting || g.State == GatewayDeleted {
		return ErrState
	}
	return nil
}

func (c GatewayChange) of(g Gateway) Gateway {
	g.Name, g.Description = given(c.Name, g.Name), given(c.Description, g.Description)
	if c.Network != nil && *c.Network != g.Network {
		g.Network, g.LocalSubnets = *c.Network, nil
	}
	if c.LocalSubnets != nil {
		g.LocalSubnets = *c.LocalSubnets
	}
	return g
}

// reachTx holds a gateway's subnets to its VPC, and what its servers have to
// both.
func (s *Service) reachTx(ctx context.Context, tx *db.Tx, g Gateway) error {
	vpc, err := s.network(g.Account, g.Region, g.Network)
	if err != nil {
		return err
	}
	if err := checkGatewaySubnets(g.LocalSubnets, vpc.Prefixes); err != nil {
		return err
	}
	servers, err := serversOfGateway(ctx, tx, g.ID)
	if err != nil {
		return err
	}
	for _, srv := range servers {
		if err := s.checkSettings(ctx, tx, g, srv); err != nil {
			return err
		}
		if err := s.networksFit(ctx, tx, srv); err != nil {
			return err
		}
	}
	return nil
}

func checkGatewaySubnets(all, vpc []netip.Prefix) error {
	if len(all) > MaxGatewaySubnets {
		return ErrGatewaySubnets.With("limit", MaxGatewaySubnets)
	}
	for i, p := range all {
		if !validNetwork(p) || !within(p, vpc) || slices.ContainsFunc(all[:i], p.Overlaps) {
			return ErrGatewaySubnets.With("limit", MaxGatewaySubnets)
		}
	}
	return nil
}

// within tells whether one of the networks contains p.
func within(p netip.Prefix, networks []netip.Prefix) bool {
	return slices.ContainsFunc(networks, func(n netip.Prefix) bool { return n.Bits() <= p.Bits() && n.Contains(p.Addr()) })
}

// reaches is what clients of a server with these settings reach: its own local
// subnets or, if it names none, its gateway's, which are the VPC's if that names
// none either. IPv6 needs an IPv6 pool.
func (g Gateway) reaches(c Settings, vpc []netip.Prefix) []netip.Prefix {
	if len(c.LocalSubnets) > 0 {
		return c.LocalSubnets
	}
	all := g.LocalSubnets
	if len(all) == 0 {
		all = vpc
	}
	return slices.DeleteFunc(slices.Clone(all), func(p netip.Prefix) bool { return !c.has(p.Addr()) })
}

// checkOffered refuses a local subnet of a server that is in the VPC, or has the
// VPC in it, but not in the gateway's subnets. Networks elsewhere, behind the
// VPC's router, are not the gateway's to choose.
func (g Gateway) checkOffered(subnets, vpc []netip.Prefix) error {
	if len(g.LocalSubnets) == 0 {
		return nil
	}
	for _, p := range subnets {
		if slices.ContainsFunc(vpc, p.Overlaps) && !within(p, g.LocalSubnets) {
			return ErrSubnetInUse.With("subnet", p.String())
		}
	}
	return nil
}
