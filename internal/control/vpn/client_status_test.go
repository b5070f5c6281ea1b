package vpn_test

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/fleet"
	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

// TestClientsByTheirStatus: locks and live sessions are shown, and lists by them
// are whole whatever the length of a page.
func TestClientsByTheirStatus(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		g := r.gateway(t, "a", alice.Account)
		srv := r.server(t, alice, g.ID, func(n *vpn.NewServer) { n.TwoFactor, n.LoginMode = false, vpn.LoginPassword })
		ids := map[string]string{}
		for i := range 5 {
			c, _ := r.client(t, alice, srv.ID, fmt.Sprintf("c%d", i))
			ids[c.ID] = c.Name
		}
		var off, locked vpn.SSLClient
		for client, name := range ids {
			c, err := r.s.Client(ctx, alice.Account, client)
			must(t, err)
			switch name {
			case "c1":
				next := c.ClientSettings
				next.State = vpn.ClientDisabled
				off, err = r.s.UpdateClient(ctx, alice, client, 0, next)
				must(t, err)
			case "c3":
				locked = c
			}
		}
		for range 5 {
			_, err := r.say(srv, source(1), "", nil, "username", locked.Name, "password", "wrong")
			must(t, err)
		}
		r.opened(t, gwlink.Grant{Session: id.New("ses"), Gateway: g.ID, Server: srv.ID, Client: locked.ID}, "10.9.0.9")
		names := func(f vpn.ClientFilter, limit int) (got []string) {
			t.Helper()
			page := vpn.Page{Limit: limit}
			for {
				all, next, err := r.s.Clients(ctx, alice.Account, f, page)
				must(t, err)
				if len(all) > limit {
					t.Fatalf("got %d clients on a page of %d", len(all), limit)
				}
				for _, c := range all {
					got = append(got, c.Name)
				}
				if next == "" {
					return got
				}
				page.Cursor = next
			}
		}
		yes, no := true, false
		for _, limit := range []int{1, 2, 50} {
			for name, c := range map[string]struct {
				f    vpn.ClientFilter
				want int
			}{
				"all": {vpn.ClientFilter{}, 5}, "enabled": {vpn.ClientFilter{State: vpn.ClientEnabled}, 3},
				"disabled": {vpn.ClientFilter{State: vpn.ClientDisabled}, 1}, "locked": {vpn.ClientFilter{State: vpn.ClientLocked}, 1},
				"online": {vpn.ClientFilter{Online: &yes}, 1}, "offline": {vpn.ClientFilter{Online: &no}, 4},
				"of another server": {vpn.ClientFilter{Server: "sslsrv-x"}, 0},
			} {
				if got := names(c.f, limit); len(got) != c.want {
					t.Errorf("%s, pages of %d: got %v, want %d", name, limit, got, c.want)
				}
			}
		}
		elsewhere := vpn.New(vpn.Deps{DB: r.db, Clock: r.clock, Queue: job.New(r.db, r.clock, slog.New(slog.DiscardHandler)), Fleet: fleet.New(fleet.Deps{
			DB: r.db, Clock: r.clock, Queue: job.New(r.db, r.clock, slog.New(slog.DiscardHandler)),
		})})
		all, _, err := elsewhere.Clients(ctx, alice.Account, vpn.ClientFilter{Online: &yes, State: vpn.ClientLocked}, vpn.Page{})
		if err != nil || len(all) != 1 || all[0].ID != locked.ID {
			t.Errorf("asked at another control process: got %v, %v", all, err)
		}
		if got := names(vpn.ClientFilter{State: vpn.ClientLocked}, 1); len(got) != 1 || got[0] != locked.Name || off.Shown() != vpn.ClientDisabled {
			t.Errorf("locked: got %v, want %s", got, locked.Name)
		}
		r.clock.Advance(24 * time.Hour)
		if got := names(vpn.ClientFilter{State: vpn.ClientLocked}, 50); len(got) != 0 {
			t.Errorf("a day later: got %v locked", got)
		}
		must(t, r.s.DeleteClient(ctx, alice, locked.ID))
	})
}
