package vpn_test

import (
	"errors"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
)

// TestPoolsOfOneVPCAreApart: the gateways of an account in a VPC have pools of
// their own, whichever comes last; other accounts and other VPCs are no matter.
func TestPoolsOfOneVPCAreApart(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		pool := func(text string) func(*vpn.NewServer) {
			return func(n *vpn.NewServer) { n.Name, n.Pool = "of-"+n.Gateway, prefix(text) }
		}
		one, two, away := r.gateway(t, "one", alice.Account), r.gateway(t, "two", alice.Account), r.gateway(t, "away", alice.Account)
		moved := "vpc-alice"
		_, err := r.s.UpdateGateway(ctx, alice, away.ID, 0, vpn.GatewayChange{Network: &moved})
		must(t, err)
		r.server(t, alice, one.ID, pool("10.9.0.0/24"))
		r.server(t, alice, away.ID, pool("10.9.0.0/24"))
		r.server(t, mallo, r.gateway(t, "hers", mallo.Account).ID, pool("10.9.0.0/24"))
		in := vpn.NewServer{Gateway: two.ID, Settings: settings()}
		pool("10.9.0.128/25")(&in)
		if _, err := r.s.CreateServer(ctx, alice, in); !errors.Is(err, vpn.ErrPoolConflict) {
			t.Errorf("creating within another's: got %v", err)
		}
		other := r.server(t, alice, two.ID, pool("10.10.0.0/24"))
		next := other.Settings
		next.Pool = prefix("10.9.0.0/16")
		if _, err := r.s.UpdateServer(ctx, alice, other.ID, 0, next); !errors.Is(err, vpn.ErrPoolConflict) {
			t.Errorf("growing over another's: got %v", err)
		}
		back := "vpc-demo"
		if _, err := r.s.UpdateGateway(ctx, alice, away.ID, 0, vpn.GatewayChange{Network: &back}); !errors.Is(err, vpn.ErrPoolConflict) {
			t.Errorf("moving beside another's: got %v", err)
		}
		next.Pool = prefix("10.11.0.0/24")
		_, err = r.s.UpdateServer(ctx, alice, other.ID, 0, next)
		must(t, err)
	})
}
