package fleet_test

import (
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/fleet"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

func (r rig) used(t *testing.T, when string, day, month uint64) {
	t.Helper()
	got, err := r.s.Usage(ctx, "sslcli-a")
	if err != nil || got != (fleet.Usage{Client: "sslcli-a", Day: day, Month: month}) {
		t.Errorf("%s: got %+v, %v, want %d today and %d this month", when, got, err, day, month)
	}
}

// TestUsageIsCountedOnce: both directions, several sessions, whatever is
// repeated and in whatever order it comes.
func TestUsageIsCountedOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		r.assign(t, "vpngw-a")
		one, two, three := id.New("ses"), id.New("ses"), id.New("ses")
		live := func(session string, in, out uint64) gwlink.Report {
			return gwlink.Report{Live: []gwlink.Counters{{Session: session, BytesIn: in, BytesOut: out, Transport: "dtls"}}}
		}
		r.used(t, "before the first session", 0, 0)
		r.report(t, gwlink.Report{Opened: []gwlink.SessionOpened{opened(one, "vpngw-a"), opened(two, "vpngw-a")}})
		for _, rep := range []gwlink.Report{live(one, 100, 200), live(one, 100, 200), live(one, 300, 900), live(one, 50, 60), live(two, 7, 0)} {
			r.report(t, rep)
		}
		r.used(t, "two sessions", 1207, 1207)
		for range 2 {
			r.report(t, gwlink.Report{Closed: []gwlink.SessionClosed{closed(one)}}) // 1000 and 5000 in all
		}
		r.used(t, "one is closed", 6007, 6007)
		for range 2 { // the closing overtakes its opening
			r.report(t, gwlink.Report{Closed: []gwlink.SessionClosed{closed(three)}})
		}
		r.used(t, "a closing without an opening", 6007, 6007)
		for range 2 {
			r.report(t, gwlink.Report{Opened: []gwlink.SessionOpened{opened(three, "vpngw-a")}})
		}
		r.used(t, "its opening", 12007, 12007)
		r.report(t, gwlink.Report{Opened: []gwlink.SessionOpened{opened(one, "vpngw-a")}, Closed: []gwlink.SessionClosed{closed(one), closed(three)}})
		r.used(t, "all again", 12007, 12007)
	})
}

// TestUsageFollowsTheCalendarOfShanghai: days end at 16:00 UTC, months with
// them.
func TestUsageFollowsTheCalendarOfShanghai(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		r.assign(t, "vpngw-a")
		session, total := id.New("ses"), uint64(0)
		move := func(at string) {
			t.Helper()
			when, err := time.Parse("2006-01-02 15:04", at)
			must(t, err)
			r.clock.Advance(when.Sub(r.clock.Now()))
			if total == 0 {
				o := opened(session, "vpngw-a")
				o.At = r.clock.Now()
				r.report(t, gwlink.Report{Opened: []gwlink.SessionOpened{o}})
			}
			total += 100
			r.report(t, gwlink.Report{Live: []gwlink.Counters{{Session: session, BytesIn: total, Transport: "tls"}}})
		}
		move("2027-01-29 10:00")
		r.used(t, "the first day", 100, 100)
		move("2027-01-29 15:59")
		r.used(t, "before midnight in Shanghai", 200, 200)
		move("2027-01-29 16:00")
		r.used(t, "after it", 100, 300)
		r.clock.Advance(24 * time.Hour)
		r.used(t, "a day of nothing", 0, 300)
		move("2027-01-31 15:59") // the last minute of January
		r.used(t, "the end of the month", 100, 400)
		r.clock.Advance(time.Minute)
		r.used(t, "the next month", 0, 0)
		since, err := r.s.UsedSince(ctx, r.clock.Now().Add(-2*time.Minute))
		if err != nil || len(since) != 1 || since[0].Month != 0 {
			t.Errorf("what moved lately: got %+v, %v", since, err)
		}
		must(t, fleet.Sweep(ctx, r.s))
		rows, err := db.Get(ctx, r.db, nil, db.One[int64], "SELECT count(*) FROM fleet_usage")
		if err != nil || rows != 0 {
			t.Errorf("got %d rows kept of a month that is over, %v", rows, err)
		}
		move("2027-02-01 01:00")
		r.used(t, "in February", 100, 100)
	})
}

func TestClosingAgainChangesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		r.assign(t, "vpngw-a")
		closes := func() {
			r.tx(t, func(tx *db.Tx) error {
				return r.s.CloseTx(ctx, tx, "vpngw-a", []string{"ses_x"}, gwlink.ReasonQuota)
			})
		}
		closes()
		before, err := r.s.Desired(ctx, r.node.ID)
		must(t, err)
		closes()
		if after, err := r.s.Desired(ctx, r.node.ID); err != nil || after.Generation != before.Generation {
			t.Errorf("got generation %d after %d, %v, want no change", after.Generation, before.Generation, err)
		}
	})
}
