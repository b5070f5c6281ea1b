package vpn_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
)

// TestATokenIsShownOnce: to one of those who read at once, and again after a reset.
func TestATokenIsShownOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, nil)
		c, err := r.s.CreateClient(ctx, alice, vpn.NewClient{Server: srv.ID, Name: "zhang.san"})
		must(t, err)
		shown := func() int64 {
			var n atomic.Int64
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					v, err := r.s.Secret(ctx, alice, c.ID)
					if err != nil || v.Password == "" || (v.TOTP == "") != (v.TokenURI == "") {
						t.Errorf("got a password of %d, %v", len(v.Password), err)
					}
					if v.TOTP != "" {
						n.Add(1)
					}
				})
			}
			wg.Wait()
			return n.Load()
		}
		if first, then := shown(), shown(); first != 1 || then != 0 {
			t.Errorf("shown %d times, then %d, want once", first, then)
		}
		_, err = r.s.ResetToken(ctx, alice, c.ID, "", forgotten)
		must(t, err)
		if n := shown(); n != 1 {
			t.Errorf("after a reset: shown %d times, want once", n)
		}
	})
}
