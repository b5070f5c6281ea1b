package vpn_test

import (
	"slices"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

func TestLockedOutClientsEnterNowhere(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, func(n *vpn.NewServer) { n.TwoFactor = false })
		other := r.server(t, mallo, r.gateway(t, "m", mallo.Account).ID, func(n *vpn.NewServer) { n.TwoFactor = false })
		c, secret := r.client(t, alice, srv.ID, "zhang.san")
		theirs, theirSecret := r.client(t, mallo, other.ID, "li.si")
		if !r.enters(t, srv, c, secret, c.Certificate) {
			t.Fatal("it does not open before")
		}
		must(t, r.db.InTx(ctx, func(tx *db.Tx) error { return r.s.ShutClientsTx(ctx, tx, alice) }))
		if r.enters(t, srv, c, secret, c.Certificate) || !r.enters(t, other, theirs, theirSecret, theirs.Certificate) {
			t.Error("a locked client enters, or somebody else's does not")
		}
		d, err := r.fleet.Desired(ctx, r.node.ID)
		var revoked []string
		for _, g := range d.Gateways {
			for _, s := range g.SSLServers {
				revoked = append(revoked, s.RevokedSerials...)
			}
		}
		if !slices.Equal(revoked, []string{c.Serial}) {
			t.Errorf("got revoked %v, want %s alone", revoked, c.Serial)
		}
		if err != nil || len(d.Closures) != 1 {
			t.Errorf("the node is told to close %v, %v; want the one session", d.Closures, err)
		}
	})
}
