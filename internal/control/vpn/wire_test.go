package vpn_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
)

func TestSettingsOfTheWireReachTheNode(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		g := r.gateway(t, "a", alice.Account)
		srv := r.server(t, alice, g.ID, nil)
		if w := r.apply(t).Gateways[0].SSLServers[0]; w.TLSMax != "1.3" || w.MobileIdle != 3600 || w.RekeyTime != 172800 || !w.UDP || w.DenyRoaming || w.LargeSegments {
			t.Errorf("by default: got %+v", w)
		}
		next := srv.Settings
		next.TLSMax, next.MobileIdleTimeout, next.RekeyTime, next.DenyRoaming, next.LargeSegments, next.UDP = "1.2", 0, 86400, true, true, false
		_, err := r.s.UpdateServer(ctx, alice, srv.ID, 0, next)
		must(t, err)
		if w := r.apply(t).Gateways[0].SSLServers[0]; w.TLSMax != "1.2" || w.MobileIdle != 0 || w.RekeyTime != 86400 || w.UDP || !w.DenyRoaming || !w.LargeSegments {
			t.Errorf("got %+v", w)
		}
		for name, wrong := range map[string]func(*vpn.Settings){
			"no such version":        func(s *vpn.Settings) { s.TLSMax = "1.1" },
			"no version":             func(s *vpn.Settings) { s.TLSMax = "" },
			"highest below lowest":   func(s *vpn.Settings) { s.TLSMin, s.TLSMax = "1.3", "1.2" },
			"rekeying every minute":  func(s *vpn.Settings) { s.RekeyTime = 60 },
			"just under a day":       func(s *vpn.Settings) { s.RekeyTime = 86399 },
			"no rekeying":            func(s *vpn.Settings) { s.RekeyTime = 0 },
			"phones idle for a week": func(s *vpn.Settings) { s.MobileIdleTimeout = 604801 },
			"phones hardly idle":     func(s *vpn.Settings) { s.MobileIdleTimeout = 59 },
		} {
			bad := srv.Settings
			wrong(&bad)
			if _, err := r.s.UpdateServer(ctx, alice, srv.ID, 0, bad); !errors.Is(err, vpn.ErrSetting) {
				t.Errorf("%s: got %v, want it refused", name, err)
			}
		}
	})
}

// TestSettingsOfBeforeMeanWhatTheyDid: a row that knows nothing of phones, of
// highest versions and of the least rekey time.
func TestSettingsOfBeforeMeanWhatTheyDid(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, func(n *vpn.NewServer) { n.IdleTimeout = 600 })
		rewrite(t, d, srv.ID, func(m map[string]any) {
			for _, name := range []string{"TLSMax", "MobileIdleTimeout", "DenyRoaming", "LargeSegments"} {
				delete(m, name)
			}
			m["RekeyTime"] = 600
		})
		got, err := r.s.Server(ctx, alice.Account, srv.ID)
		must(t, err)
		if got.TLSMax != "1.3" || got.MobileIdleTimeout != 600 || got.RekeyTime != 86400 || got.DenyRoaming || got.LargeSegments {
			t.Errorf("got %+v", got.Settings)
		}
		_, err = r.s.UpdateServer(ctx, alice, srv.ID, 0, got.Settings)
		must(t, err)
	}, sets...)
}

// rewrite changes a server's settings as they are stored.
func rewrite(t *testing.T, d *db.DB, server string, change func(map[string]any)) {
	t.Helper()
	must(t, d.InTx(ctx, func(tx *db.Tx) error {
		text, err := db.Get(ctx, tx, nil, db.One[string], "SELECT settings FROM vpn_server WHERE id = $1", server)
		if err != nil {
			return err
		}
		m := map[string]any{}
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			return err
		}
		change(m)
		raw, err := json.Marshal(m)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "UPDATE vpn_server SET settings = $1 WHERE id = $2", string(raw), server)
		return err
	}))
}
