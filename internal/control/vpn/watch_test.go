package vpn_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
)

// TestAMarkIsAnotherWheneverAThingChanged, of one's own things only.
func TestAMarkIsAnotherWheneverAThingChanged(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, nil)
		mark := func(k vpn.Kind) string {
			m, err := r.s.Mark(ctx, k, alice.Account)
			must(t, err)
			return m
		}
		c, _ := r.client(t, alice, srv.ID, "first")
		for _, step := range []struct {
			name string
			kind vpn.Kind
			f    func()
		}{
			{"another client", vpn.KindClient, func() { r.client(t, alice, srv.ID, "second") }},
			{"a change", vpn.KindClient, func() { must(t, second(r.s.ResetPassword(ctx, alice, c.ID, forgotten))) }},
			{"another certificate", vpn.KindCertificate, func() { must(t, second(r.s.ReissueCertificate(ctx, alice, c.ID, vpn.Reissue{}))) }},
			{"a change of the server", vpn.KindServer, func() {
				next := srv.Settings
				next.Banner = "hello"
				must(t, second(r.s.UpdateServer(ctx, alice, srv.ID, 0, next)))
			}},
			{"one goes and one comes", vpn.KindClient, func() {
				must(t, r.s.DeleteClient(ctx, alice, c.ID))
				r.clock.Advance(time.Second)
				r.client(t, alice, srv.ID, "third")
			}},
		} {
			if was := mark(step.kind); was != mark(step.kind) {
				t.Errorf("before %s: two marks of the same", step.name)
			} else if step.f(); was == mark(step.kind) {
				t.Errorf("%s: the mark is the same", step.name)
			}
		}
		for _, k := range vpn.Kinds() {
			if all, err := r.s.Versions(ctx, k, mallo.Account); err != nil || len(all) > 0 {
				t.Errorf("%s of another account: got %v, %v", k, all, err)
			}
		}
		got, err := r.s.Versions(ctx, vpn.KindServer, alice.Account)
		if diff := cmp.Diff(map[string]int64{srv.ID: srv.Version + 1}, got); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
	})
}
