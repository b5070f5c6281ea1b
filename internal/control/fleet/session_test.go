package fleet_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skybridge-cloud/skybridge/internal/control/fleet"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

func TestTheTrafficOfRepeatedCountersIsCountedOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		r.assign(t, "vpngw-a")
		session := id.New("ses")
		live := func(in, out uint64) gwlink.Report {
			return gwlink.Report{Live: []gwlink.Counters{{Session: session, BytesIn: in, BytesOut: out, Transport: "dtls"}}}
		}
		r.report(t, gwlink.Report{Opened: []gwlink.SessionOpened{opened(session, "vpngw-a")}})
		for _, rep := range []gwlink.Report{live(100, 200), live(100, 200), live(300, 900), live(100, 200)} {
			r.report(t, rep)
		}
		r.clock.Advance(fleet.SampleEvery)
		r.report(t, gwlink.Report{Closed: []gwlink.SessionClosed{closed(session)}})
		r.report(t, gwlink.Report{Closed: []gwlink.SessionClosed{closed(session)}})
		got, err := r.s.Traffic(ctx, "vpngw-a", start)
		want := []fleet.Sample{{At: start, BytesIn: 300, BytesOut: 900, Sessions: 1}, {At: start.Add(fleet.SampleEvery), BytesIn: 700, BytesOut: 4100}}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
	})
}

// TestALiveSessionShowsItsRateAndClient: the rate is that between two reports, of
// a repeat or of silence there is none, and all of it goes with the session.
func TestALiveSessionShowsItsRateAndClient(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		r.assign(t, "vpngw-a")
		session := id.New("ses")
		r.report(t, gwlink.Report{Opened: []gwlink.SessionOpened{opened(session, "vpngw-a")}})
		live := func(after time.Duration, in, out uint64) {
			t.Helper()
			r.clock.Advance(after)
			r.report(t, gwlink.Report{Live: []gwlink.Counters{{
				Session: session, BytesIn: in, BytesOut: out, PacketsIn: 7, PacketsOut: 9, Transport: "dtls",
				Client: "Open AnyConnect\x1b v9.01" + strings.Repeat("!", 500),
			}}})
		}
		want := func(rateIn, rateOut uint64) fleet.Live {
			t.Helper()
			all, err := r.s.Sessions(ctx, fleet.Filter{Gateways: []string{"vpngw-a"}, Limit: 10})
			if err != nil || len(all) != 1 || all[0].Live.RateIn != rateIn || all[0].Live.RateOut != rateOut {
				t.Fatalf("got %+v, %v, want rates of %d and %d", all, err, rateIn, rateOut)
			}
			return all[0].Live
		}
		live(2*time.Second, 4000, 1000)
		got := want(2000, 500)
		if got.PacketsIn != 7 || got.PacketsOut != 9 || got.Transport != "dtls" || !strings.HasPrefix(got.Version, "Open AnyConnect v9.01!") || len(got.Version) != 100 {
			t.Errorf("got %+v", got)
		}
		live(0, 4000, 1000)
		want(2000, 500)
		live(4*time.Second, 8000, 1000)
		want(1000, 0)
		r.clock.Advance(11 * time.Second)
		want(0, 0)
		live(0, 8000, 1000)
		r.report(t, gwlink.Report{Closed: []gwlink.SessionClosed{closed(session)}})
		if got := want(0, 0); got != (fleet.Live{}) {
			t.Errorf("after its end: got %+v, want nothing", got)
		}
	})
}

func TestAddressesAreSealedAndOpenOnlyWithARecordedRead(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		r.assign(t, "vpngw-a")
		session := id.New("ses")
		r.report(t, gwlink.Report{Opened: []gwlink.SessionOpened{opened(session, "vpngw-a")}})
		raw, err := db.Get(ctx, r.db, nil, db.One[[]byte], "SELECT source_ip FROM fleet_session WHERE id = $1", session)
		if err != nil || len(raw) < 20 {
			t.Fatalf("the stored source is %d bytes: not sealed (%v)", len(raw), err)
		}
		all, err := r.s.Sessions(ctx, fleet.Filter{Gateways: []string{"vpngw-a"}, Limit: 10})
		must(t, err)
		if len(all) != 1 || all[0].SourceIP.IsValid() {
			t.Fatalf("got %+v, want one session without addresses", all)
		}
		must(t, r.s.OpenAddresses(ctx, vault.Reader{Class: vault.Self, Handle: "sub_x"}, "test", all))
		if all[0].SourceIP.String() != "198.51.100.9" || all[0].Inner.String() != "10.9.0.2" || all[0].Inner6.String() != "fd00:9::2" || len(r.reads.all) != 1 {
			t.Errorf("got %v, %v with %d read events, want one", all[0].SourceIP, all[0].Inner, len(r.reads.all))
		}
	})
}

func TestAClosureIsToldUntilItIsAppliedAndTenMinutesOld(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		r.assign(t, "vpngw-a")
		r.tx(t, func(tx *db.Tx) error {
			return r.s.CloseTx(ctx, tx, "vpngw-a", []string{"ses_x"}, gwlink.ReasonAdministrator)
		})
		d, err := r.s.Desired(ctx, r.node.ID)
		want := []gwlink.Closure{{Session: "ses_x", Reason: gwlink.ReasonAdministrator}}
		if diff := cmp.Diff(want, d.Closures); err != nil || diff != "" {
			t.Fatalf("%v %s", err, diff)
		}
		told := func() int {
			must(t, fleet.Reap(ctx, r.s))
			d, err := r.s.Desired(ctx, r.node.ID)
			must(t, err)
			return len(d.Closures)
		}
		r.clock.Advance(11 * time.Minute)
		if n := told(); n != 1 {
			t.Errorf("after 11 minutes, not applied: got %d, want it told still", n)
		}
		r.report(t, gwlink.Report{Generation: d.Generation})
		if n := told(); n != 0 {
			t.Errorf("old and applied: got %d, want none", n)
		}
	})
}

func TestAClosureOfWhatItsNodeDoesNotHave(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		r.assign(t, "vpngw-a")
		two, err := r.s.EnsureNode(ctx, spec("two"))
		must(t, err)
		lost, never, alive := id.New("ses"), id.New("ses"), id.New("ses")
		r.report(t, gwlink.Report{Opened: []gwlink.SessionOpened{opened(lost, "vpngw-a"), opened(alive, "vpngw-a")}})
		r.report(t, gwlink.Report{Live: []gwlink.Counters{{Session: lost, BytesIn: 5, BytesOut: 6, Transport: "tls"}}})
		r.tx(t, func(tx *db.Tx) error {
			return r.s.CloseTx(ctx, tx, "vpngw-a", []string{lost, never}, gwlink.ReasonRevoked)
		})
		must(t, r.s.Ingest(ctx, two.ID, gwlink.Report{Node: two.ID, Unknown: []string{lost}}))
		if got, err := r.s.Session(ctx, []string{"vpngw-a"}, lost); err != nil || !got.End.IsZero() {
			t.Errorf("a foreign node was believed: %+v, %v", got, err)
		}
		for range 2 {
			r.report(t, gwlink.Report{Unknown: []string{lost, never, alive, "nonsense"}})
		}
		got, err := r.s.Session(ctx, []string{"vpngw-a"}, lost)
		if err != nil || !got.End.Equal(start) || got.Reason != gwlink.ReasonRevoked || got.BytesOut != 6 {
			t.Errorf("one that it lost: got %+v, %v, want it ended as asked, with its last counters", got, err)
		}
		if got, err := r.s.Session(ctx, []string{"vpngw-a"}, alive); err != nil || !got.End.IsZero() {
			t.Errorf("one that nobody wants closed: got %+v, %v, want it alive", got, err)
		}
		if n, err := db.Get(ctx, r.db, nil, db.One[int64], "SELECT count(*) FROM fleet_session"); err != nil || n != 2 {
			t.Errorf("got %d, %v rows in the session log, want none for a login that was never used", n, err)
		}
		must(t, r.queue.Drain(ctx))
		if len(r.seen.closed) != 1 {
			t.Errorf("published %d closings, want one", len(r.seen.closed))
		}
	})
}

func TestASessionThatItsNodeForgotEnds(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		r.assign(t, "vpngw-a")
		session := id.New("ses")
		r.report(t, gwlink.Report{Opened: []gwlink.SessionOpened{opened(session, "vpngw-a")}})
		r.report(t, gwlink.Report{Live: []gwlink.Counters{{Session: session, BytesIn: 5, BytesOut: 6, Transport: "tls"}}})
		r.clock.Advance(10 * time.Minute)
		must(t, fleet.Reap(ctx, r.s))
		if got, err := r.s.Session(ctx, []string{"vpngw-a"}, session); err != nil || !got.End.IsZero() {
			t.Errorf("while the node is silent nothing is known: got end %v, %v", got.End, err)
		}
		r.report(t, gwlink.Report{})
		must(t, fleet.Reap(ctx, r.s))
		got, err := r.s.Session(ctx, []string{"vpngw-a"}, session)
		if err != nil || !got.End.Equal(start) || got.Reason != gwlink.ReasonLost || got.BytesOut != 6 {
			t.Errorf("got %+v, %v", got, err)
		}
	})
}

func TestSessionsEndAfterSixCalendarMonthsWithTheirKeys(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		r.assign(t, "vpngw-a")
		session := id.New("ses")
		r.report(t, gwlink.Report{Opened: []gwlink.SessionOpened{opened(session, "vpngw-a")}, Closed: []gwlink.SessionClosed{closed(session)}})
		kept, err := r.s.Sessions(ctx, fleet.Filter{Gateways: []string{"vpngw-a"}, Limit: 10})
		must(t, err)
		onHold := false
		retain := func() retention.Result {
			t.Helper()
			got, err := r.s.Retain(ctx, retention.Run{Now: r.clock.Now(), Profile: "mainland", Held: func(string, id.Handle) bool { return onHold }})
			must(t, err)
			return got[0]
		}
		retain()
		left := func() int64 {
			n, err := db.Get(ctx, r.db, nil, db.One[int64], "SELECT count(*) FROM fleet_session")
			must(t, err)
			return n
		}
		r.clock.Advance(start.AddDate(0, 6, 0).Sub(start) - 24*time.Hour)
		retain()
		if left() != 1 {
			t.Fatal("deleted before six months were over")
		}
		r.clock.Advance(4 * 24 * time.Hour)
		onHold = true
		if got := retain(); got.Held != 1 || left() != 1 {
			t.Fatalf("on hold: %+v", got)
		}
		onHold = false
		if got := retain(); got.Destroyed != 1 {
			t.Fatalf("destroyed: %+v", got)
		}
		if left() != 0 {
			t.Fatal("kept after six months and three days")
		}
		must(t, r.s.OpenAddresses(ctx, vault.Reader{Class: vault.Self, Handle: "sub_x"}, "test", kept))
		if kept[0].SourceIP.IsValid() {
			t.Errorf("the day's key is destroyed, yet a copy opens as %v", kept[0].SourceIP)
		}
	})
}

func TestHealth(t *testing.T) {
	t.Parallel()
	for want, n := range map[fleet.Health]fleet.Node{
		fleet.HealthNew:     {},
		fleet.HealthOnline:  {LastSeen: start, Generation: 3, Applied: 3},
		fleet.HealthBehind:  {LastSeen: start, Generation: 4, Applied: 3},
		fleet.HealthOffline: {LastSeen: start.Add(-time.Minute), Generation: 3, Applied: 3},
	} {
		if got := n.Health(start); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
