package vpn_test

import (
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
)

// plainServer is one that a password opens.
func (r rig) plainServer(t *testing.T) vpn.SSLServer {
	t.Helper()
	return r.server(t, alice, r.gateway(t, "a", alice.Account).ID, func(n *vpn.NewServer) { n.TwoFactor, n.LoginMode = false, vpn.LoginPassword })
}

// login signs a client in by its password; the node reports the session.
func (r rig) login(t *testing.T, srv vpn.SSLServer, c vpn.SSLClient, secret vpn.Secret) gwlink.Grant {
	t.Helper()
	a, err := r.say(srv, source(1), "", nil, "username", c.Name, "password", secret.Password)
	must(t, err)
	return r.grantOf(t, a)
}

func (r rig) wanted(t *testing.T) gwlink.Desired {
	t.Helper()
	d, err := r.fleet.Desired(ctx, r.node.ID)
	must(t, err)
	return d
}

// update changes settings of a client as they are now.
func (r rig) update(t *testing.T, client string, change func(*vpn.ClientSettings)) {
	t.Helper()
	c, err := r.s.Client(ctx, alice.Account, client)
	must(t, err)
	change(&c.ClientSettings)
	_, err = r.s.UpdateClient(ctx, alice, client, 0, c.ClientSettings)
	must(t, err)
}

func TestTheNodeLearnsOfAChangedExpiry(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.plainServer(t)
		c, _ := r.client(t, alice, srv.ID, "zhang.san")
		before := r.wanted(t)
		if got := before.Gateways[0].SSLServers[0].Clients[0].Expires; !got.IsZero() {
			t.Errorf("without an expiry: got %v", got)
		}
		for _, ends := range []time.Time{start.Add(time.Hour), start.Add(-time.Hour)} {
			r.update(t, c.ID, func(v *vpn.ClientSettings) { v.ExpiresAt = ends })
			d := r.wanted(t)
			if got := d.Gateways[0].SSLServers[0].Clients[0].Expires; !got.Equal(ends) || d.Generation <= before.Generation {
				t.Errorf("got %v in generation %d, want %v", got, d.Generation, ends)
			}
		}
	})
}
