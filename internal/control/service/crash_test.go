//go:build fault

package service_test

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/service"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault/faulttest"
)

// Names of what a victim is told of in its environment.
const (
	victimAt     = "SKYBRIDGE_TEST_CRASH_AT" // microseconds
	victimRenews = "SKYBRIDGE_TEST_CRASH_RENEWS"
)

// TestVictim does what is due, or takes a paid renewal, in a process that is to
// be killed.
func TestVictim(t *testing.T) {
	dir := os.Getenv(faulttest.Dir)
	if dir == "" {
		return
	}
	at, err := strconv.ParseInt(os.Getenv(victimAt), 10, 64)
	must(t, err)
	r := newRig(dbtest.Again(t, filepath.Join(dir, "crash.db"), sets...), clock.NewFake(time.UnixMicro(at)), "hk")
	if os.Getenv(victimRenews) != "" {
		r.renewal(t, r.item(t), "orl_r", 1)
	} else {
		r.today(t)
	}
	t.Fatal("the process outlived its fault point")
}

// cut brings a service to an instant from the end of its paid time, kills the
// next step there, and returns what another process finds, with the jobs that the
// dead one held free again.
func cut(t *testing.T, point string, from time.Duration, env ...string) (r rig, v service.Item) {
	t.Helper()
	dir := t.TempDir()
	d := dbtest.Again(t, filepath.Join(dir, "crash.db"), sets...)
	r = newRig(d, clock.NewFake(start), "hk")
	v = r.active(t)
	r.travel(t, v.PaidThrough.Add(from-6*time.Hour))
	must(t, d.Close())
	at := v.PaidThrough.Add(from)
	faulttest.Kill(t, "TestVictim", point, append(env, faulttest.Dir+"="+dir, victimAt+"="+strconv.FormatInt(at.UnixMicro(), 10))...)
	r = newRig(dbtest.Again(t, filepath.Join(dir, "crash.db"), sets...), clock.NewFake(at), "hk")
	r.clock.Advance(time.Hour)
	return r, v
}

func TestThePowerFailsWhileADayIsDone(t *testing.T) {
	t.Parallel()
	days := []struct {
		name  string
		from  time.Duration
		state service.State
		told  []string
	}{
		{"order", -7 * aDay, service.Active, []string{service.TopicRenewalDue, service.TopicExpiring}},
		{"notice", -3 * aDay, service.Active, []string{service.TopicExpiring}},
		{"suspension", 3 * aDay, service.Suspended, []string{service.TopicSuspended}},
		{"final notice", 14 * aDay, service.Suspended, []string{service.TopicFinalNotice}},
		{"end", 15 * aDay, service.Terminating, []string{service.TopicTerminating}},
		{"data", 22 * aDay, service.Terminated, []string{service.TopicTerminated}},
	}
	for _, day := range days {
		for _, point := range []string{"service-after-claim", "service-before-day", "service-after-day"} {
			t.Run(day.name+" "+point, func(t *testing.T) {
				t.Parallel()
				r, _ := cut(t, point, day.from)
				for range 3 {
					r.today(t)
				}
				got := r.heardOf(topics...)
				slices.Sort(got)
				want := slices.Sorted(slices.Values(day.told))
				if v := r.item(t); v.State != day.state || !slices.Equal(got, want) {
					t.Errorf("after the crash: %s, told %v, want %s, %v", v.State, got, day.state, want)
				}
			})
		}
	}
}

func TestThePowerFailsWhileARenewalIsTaken(t *testing.T) {
	t.Parallel()
	for _, point := range []string{"service-before-renewed", "service-after-begin"} {
		for name, from := range map[string]time.Duration{"before the end": -aDay, "while suspended": 5 * aDay} {
			t.Run(name+" "+point, func(t *testing.T) {
				t.Parallel()
				r, v := cut(t, point, from, victimRenews+"=1")
				r.renewal(t, v, "orl_r", 1)
				got := r.item(t)
				periods, err := r.s.Periods(ctx, r.db, v.ID)
				if err != nil || len(periods) != 2 || got.State != service.Active || !periods[1].End.Equal(got.PaidThrough) {
					t.Errorf("after the crash: %s through %v, periods %v, %v", got.State, got.PaidThrough, periods, err)
				}
				if told := r.heardOf(service.TopicRenewed); len(told) != 1 {
					t.Errorf("told %v, want one renewal", told)
				}
			})
		}
	}
}
