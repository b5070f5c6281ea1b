package vpn_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

func TestLocksAreListedAndLifted(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, func(n *vpn.NewServer) { n.TwoFactor, n.LoginMode = false, vpn.LoginPassword })
		c, secret := r.client(t, alice, srv.ID, "zhang.san")
		other, _ := r.client(t, alice, srv.ID, "li.si")
		try := func(client vpn.SSLClient, from, pw string, times int) gwlink.Outcome {
			var a gwlink.LoginAnswer
			for range times {
				var err error
				a, err = r.say(srv, from, "", nil, "username", client.Name, "password", pw)
				must(t, err)
			}
			return a.Outcome
		}
		locks := func(client vpn.SSLClient) (sources []string) {
			all, err := r.s.Locks(ctx, alice, client.ID)
			must(t, err)
			for _, l := range all {
				if !l.Until.After(r.clock.Now()) {
					t.Errorf("lock of %s is over", l.Source)
				}
				sources = append(sources, l.Source.String())
			}
			slices.Sort(sources)
			return sources
		}
		try(c, source(1), "wrong", 4)
		if got := locks(c); len(got) != 0 {
			t.Errorf("before the fifth failure: got %v", got)
		}
		try(c, source(1), "wrong", 1)
		try(c, "2001:db8:1:2:3::4", "wrong", 5)
		try(other, source(1), "wrong", 5)
		if got := strings.Join(locks(c), " "); got != source(1)+" 2001:db8:1:2::" {
			t.Errorf("got %s", got)
		}
		sealed, err := db.Select(ctx, r.db, db.One[[]byte], "SELECT source_sealed FROM vpn_attempt WHERE client <> ''")
		if err != nil || len(sealed) != 3 || bytes.Contains(bytes.Join(sealed, nil), []byte("198.51")) {
			t.Errorf("got %d sources, or in the clear (%v)", len(sealed), err)
		}
		if got := try(c, source(1), secret.Password, 1); got != gwlink.OutcomeRefused {
			t.Errorf("while locked: got %s", got)
		}
		must(t, r.s.Unlock(ctx, alice, c.ID))
		if got := locks(c); len(got) != 0 {
			t.Errorf("after unlocking: got %v", got)
		}
		if got := try(c, source(1), secret.Password, 1); got != gwlink.OutcomeGranted {
			t.Errorf("after unlocking: got %s", got)
		}
		if got := locks(other); len(got) != 1 {
			t.Errorf("the other client: got %v, want its lock", got)
		}
		r.clock.Advance(16 * time.Minute)
		if got := locks(other); len(got) != 0 {
			t.Errorf("after 16 minutes: got %v", got)
		}
		if _, err := r.s.Locks(ctx, mallo, c.ID); !errs.IsNotFound(err) {
			t.Errorf("a stranger's list: got %v", err)
		}
		if err := r.s.Unlock(ctx, mallo, c.ID); !errs.IsNotFound(err) {
			t.Errorf("a stranger's unlocking: got %v", err)
		}
	})
}
