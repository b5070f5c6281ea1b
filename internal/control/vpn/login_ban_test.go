package vpn_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
)

// banning runs a test where sources are banned, on each database.
func banning(t *testing.T, fn func(t *testing.T, r rig)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { fn(t, newRig(t, d, func(c *vpn.Config) { c.MaxBanScore = 80 })) }, sets...)
}

func passwordOnly(n *vpn.NewServer) { n.TwoFactor, n.LoginMode = false, vpn.LoginPassword }

func TestASourceIsBannedAtEveryServer(t *testing.T) {
	t.Parallel()
	banning(t, func(t *testing.T, r rig) {
		mine := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, passwordOnly)
		other := r.server(t, mallo, r.gateway(t, "b", mallo.Account).ID, passwordOnly)
		c, secret := r.client(t, alice, mine.ID, "zhang.san")
		for i := range 8 { // each at another name, so that no pair is locked
			a, err := r.say(other, source(1), "", nil, "username", fmt.Sprintf("name-%d", i), "password", "guess")
			if err != nil || a.Outcome != gwlink.OutcomeForm || !a.Failed {
				t.Fatalf("guess %d: got %+v, %v, want the form again, failed", i+1, a, err)
			}
		}
		right := func(from string) gwlink.LoginAnswer {
			a, err := r.say(mine, from, "", nil, "username", c.Name, "password", secret.Password)
			must(t, err)
			return a
		}
		if a := right(source(1)); a.Outcome != gwlink.OutcomeUnavailable || a.Reason == "" || a.Failed {
			t.Errorf("the right password from the banned source: got %+v, want unavailable with a reason", a)
		}
		if a, err := r.say(mine, source(1), "", nil); err != nil || a.Outcome != gwlink.OutcomeUnavailable {
			t.Errorf("the first form for the banned source: got %+v, %v", a, err)
		}
		if a := right(source(2)); a.Outcome != gwlink.OutcomeGranted || a.Failed {
			t.Errorf("another source: got %+v, want granted", a)
		}
		r.clock.Advance(20*time.Minute - time.Second)
		if a := right(source(1)); a.Outcome != gwlink.OutcomeUnavailable {
			t.Errorf("a second before the end: got %+v", a)
		}
		r.clock.Advance(2 * time.Second)
		if a := right(source(1)); a.Outcome != gwlink.OutcomeGranted {
			t.Errorf("after the ban: got %+v, want granted", a)
		}
		must(t, r.queue.Drain(ctx))
	})
}

func TestIPv6SourcesAreBannedByNetwork(t *testing.T) {
	t.Parallel()
	banning(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, passwordOnly)
		for i := range 8 {
			_, err := r.say(srv, fmt.Sprintf("2001:db8:0:1::%x", i+1), "", nil, "username", fmt.Sprintf("name-%d", i), "password", "guess")
			must(t, err)
		}
		for from, want := range map[string]gwlink.Outcome{
			"2001:db8:0:1:ffff::1": gwlink.OutcomeUnavailable, "2001:db8:0:2::1": gwlink.OutcomeForm,
		} {
			if a, err := r.say(srv, from, "", nil); err != nil || a.Outcome != want {
				t.Errorf("%s: got %+v, %v, want %s", from, a, err, want)
			}
		}
	})
}

// TestLoginsThatSucceedTogetherBanNobody is an office in the morning: all sign
// in from one address at once.
func TestLoginsThatSucceedTogetherBanNobody(t *testing.T) {
	t.Parallel()
	banning(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, passwordOnly)
		c, secret := r.client(t, alice, srv.ID, "zhang.san")
		var wg sync.WaitGroup
		for range 30 {
			wg.Go(func() {
				a, err := r.say(srv, source(1), "", nil, "username", c.Name, "password", secret.Password)
				if err == nil && a.Failed {
					t.Errorf("a right password: got %+v", a)
				}
			})
		}
		wg.Wait()
		if a, err := r.say(srv, source(1), "", nil); err != nil || a.Outcome != gwlink.OutcomeForm {
			t.Errorf("after them: got %+v, %v, want the form", a, err)
		}
		if n, err := db.Get(ctx, r.db, nil, db.One[int64], "SELECT count(*) FROM vpn_ban"); err != nil || n != 0 {
			t.Errorf("got %d scores, %v, want none", n, err)
		}
	})
}

// TestALockedPairBansNobodyElse is a device that goes on with a password of
// before: it is locked, and its office is not banned for it.
func TestALockedPairBansNobodyElse(t *testing.T) {
	t.Parallel()
	banning(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, passwordOnly)
		c, _ := r.client(t, alice, srv.ID, "zhang.san")
		colleague, secret := r.client(t, alice, srv.ID, "li.si")
		for i := range 30 {
			a, err := r.say(srv, source(1), "", nil, "username", c.Name, "password", "of before")
			if err != nil || a.Failed != (i < 5) || (a.Outcome == gwlink.OutcomeForm) != (i < 4) {
				t.Fatalf("try %d: got %+v, %v", i+1, a, err)
			}
		}
		a, err := r.say(srv, source(1), "", nil, "username", colleague.Name, "password", secret.Password)
		if err != nil || a.Outcome != gwlink.OutcomeGranted {
			t.Errorf("a colleague: got %+v, %v, want granted", a, err)
		}
	})
}

func TestFailuresAnHourApartBanNobody(t *testing.T) {
	t.Parallel()
	banning(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, passwordOnly)
		for i := range 12 {
			a, err := r.say(srv, source(1), "", nil, "username", "zhang.san", "password", "guess")
			if err != nil || a.Outcome != gwlink.OutcomeForm {
				t.Fatalf("failure %d: got %+v, %v", i+1, a, err)
			}
			r.clock.Advance(time.Hour)
		}
		must(t, r.queue.Drain(ctx))
		r.clock.Advance(time.Hour)
		if n, err := db.Get(ctx, r.db, nil, db.One[int64], "SELECT count(*) FROM vpn_ban WHERE score > 10"); err != nil || n != 0 {
			t.Errorf("got %d scores that grew over hours, %v", n, err)
		}
	})
}

func TestACodeThatIsWrongCountsAgainstTheSource(t *testing.T) {
	t.Parallel()
	banning(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, nil)
		c, secret := r.client(t, alice, srv.ID, "zhang.san")
		a, err := r.say(srv, source(1), "", c.Certificate, "username", c.Name, "password", secret.Password)
		if err != nil || a.Failed {
			t.Fatalf("the right password: got %+v, %v", a, err)
		}
		for i := range 5 {
			a, err = r.say(srv, source(1), a.Conversation, c.Certificate, "secondary_password", "000000")
			if err != nil || !a.Failed {
				t.Errorf("wrong code %d: got %+v, %v, want failed", i+1, a, err)
			}
		}
		if a.Outcome != gwlink.OutcomeRefused {
			t.Errorf("the fifth: got %s, want refused", a.Outcome)
		}
		score, err := db.Get(ctx, r.db, nil, db.One[int64], "SELECT score FROM vpn_ban")
		if err != nil || score != 50 {
			t.Errorf("got a score of %d, %v, want 50", score, err)
		}
	})
}
