package vpn_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
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

// TestALockIsListedHoweverFailuresOvertakeEachOther: the fourth failure ends
// after the fifth, which locked.
func TestALockIsListedHoweverFailuresOvertakeEachOther(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		h := newHolder(t, r)
		wrong := func(typed string) {
			a, err := r.say(h.srv, source(1), "", nil, "username", h.client.Name, "password", typed)
			if err != nil || !a.Failed {
				t.Errorf("got %+v, %v, want a failure", a, err)
			}
		}
		locked := func() int {
			all, err := r.s.Locks(ctx, alice, h.client.ID)
			must(t, err)
			return len(all)
		}
		for range 3 {
			wrong("wrong")
		}
		r.vault.before = func() { wrong("wrong") } // counted after the fourth, blamed before it
		wrong("00000000")
		if n := locked(); n != 1 {
			t.Errorf("got %d locks, want 1", n)
		}
		r.clock.Advance(16 * time.Minute)
		wrong("wrong")
		if n, err := db.Get(ctx, r.db, nil, db.One[int64], "SELECT count(*) FROM vpn_attempt WHERE source_sealed IS NOT NULL"); err != nil || n != 0 {
			t.Errorf("after the lock: %d addresses are kept, %v, want none", n, err)
		}
	})
}

// TestALockIsToldOnce: of one client in its 15 minutes, from however many
// sources; of each client, after unlocking and in the next window again, and of
// nobody's name never.
func TestALockIsToldOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		var told []vpn.LimitReached
		job.Subscribe(r.queue, vpn.TopicClientLocked, "test", func(_ context.Context, e vpn.LimitReached) error {
			told = append(told, e)
			return nil
		})
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, passwordOnly)
		c, _ := r.client(t, alice, srv.ID, "zhang.san")
		other, _ := r.client(t, alice, srv.ID, "li.si")
		lock := func(name string, from, tries int) {
			for range tries {
				must(t, second(r.say(srv, source(from), "", nil, "username", name, "password", "wrong")))
			}
			must(t, r.queue.Drain(ctx))
		}
		for what, step := range []struct {
			do   func()
			want int
		}{
			{func() { lock(c.Name, 1, 4) }, 0},
			{func() { lock(c.Name, 1, 3) }, 1},
			{func() { lock(c.Name, 2, 5) }, 1},
			{func() { lock("nobody", 3, 5) }, 1},
			{func() { lock(other.Name, 1, 5) }, 2},
			{func() { must(t, r.s.Unlock(ctx, alice, c.ID)); lock(c.Name, 1, 5) }, 3},
			{func() { r.clock.Advance(15 * time.Minute); must(t, r.s.Sweep(ctx)); lock(c.Name, 2, 5) }, 4},
		} {
			step.do()
			if n := r.events(t, "vpn.client_locked"); len(told) != step.want || int(n) != step.want {
				t.Errorf("step %d: told %d times, %d recorded, want %d", what, len(told), n, step.want)
			}
		}
		if first := told[0]; first.Account != alice.Account || first.Gateway != srv.Gateway || first.Client != c.ID || first.Ends != start.Add(15*time.Minute).UnixMicro() {
			t.Errorf("got %+v", first)
		}
	})
}

// TestUnlockingLiftsTheBanThatTheClientEarned: a client whose device goes on
// with an old password gets its source banned together with others; unlocking
// takes its part away, and the source is free again, or is told to be banned.
func TestUnlockingLiftsTheBanThatTheClientEarned(t *testing.T) {
	t.Parallel()
	banning(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, passwordOnly)
		c, secret := r.client(t, alice, srv.ID, "zhang.san")
		enters := func() bool {
			a, err := r.say(srv, source(1), "", nil, "username", c.Name, "password", secret.Password)
			must(t, err)
			return a.Outcome == gwlink.OutcomeGranted
		}
		wrong := func(name string, times int) (last gwlink.LoginAnswer) {
			for range times {
				a, err := r.say(srv, source(1), "", nil, "username", name, "password", "of before")
				must(t, err)
				last = a
			}
			return last
		}
		// Five of its own and three of nobody's make the ban.
		if a := wrong(c.Name, 5); !a.Failed || a.Client != c.ID {
			t.Fatalf("the fifth failure: got %+v, want it to say whose it was", a)
		}
		if a := wrong("nobody", 3); !a.Failed || a.Client != "" {
			t.Fatalf("a failure of nobody: got %+v", a)
		}
		locks, err := r.s.Locks(ctx, alice, c.ID)
		if err != nil || len(locks) != 1 || !locks[0].BannedUntil.Equal(r.clock.Now().Add(20*time.Minute)) {
			t.Fatalf("locks: got %+v, %v, want one, banned by its own part", locks, err)
		}
		if enters() {
			t.Fatal("entered from a banned source")
		}
		must(t, r.s.Unlock(ctx, alice, c.ID))
		if d := r.desired(t); len(d.Clients) != 1 || d.Clients[0].Pardoned != r.clock.Now().UnixMicro() {
			t.Errorf("the node gets %+v, want the time of the pardon", d.Clients)
		}
		if !enters() {
			t.Error("did not enter after unlocking")
		}
		// Five more of others make eight: that ban is not the client's to lift.
		wrong("somebody", 5)
		must(t, r.s.Unlock(ctx, alice, c.ID))
		if enters() {
			t.Error("unlocking one client lifted what others had earned")
		}
		// What the client did after the ban was over counts anew.
		r.clock.Advance(time.Hour)
		wrong(c.Name, 1)
		if n, err := db.Get(ctx, r.db, nil, db.One[int64], "SELECT SUM(score) FROM vpn_ban_share"); err != nil || n != 10 {
			t.Errorf("an hour later: got %d points, %v, want 10", n, err)
		}
	})
}

// TestUnlockingAlsoUnslowsTheSource: the tries of a locked pair count against
// its source too, which stops all accounts of the server there.
func TestUnlockingAlsoUnslowsTheSource(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		srv := r.server(t, alice, r.gateway(t, "a", alice.Account).ID, passwordOnly)
		c, secret := r.client(t, alice, srv.ID, "zhang.san")
		for range 60 {
			a, err := r.say(srv, source(1), "", nil, "username", c.Name, "password", "of before")
			must(t, err)
			if a.Outcome == gwlink.OutcomeRefused && a.Client != c.ID {
				t.Fatalf("locked: got %+v, want whose it is", a)
			}
		}
		if err := r.s.Unlock(ctx, alice, c.ID); err != nil {
			t.Fatal(err)
		}
		a, err := r.say(srv, source(1), "", nil, "username", c.Name, "password", secret.Password)
		if err != nil || a.Outcome != gwlink.OutcomeGranted {
			t.Errorf("after unlocking: got %+v, %v, want granted", a, err)
		}
	})
}
