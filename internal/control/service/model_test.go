package service_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/skybridge-cloud/skybridge/internal/control/service"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// naive is what a service should be, as a person with a calendar would tell who
// looks at it once a day.
type naive struct {
	state             service.State
	anchor, paid      time.Time
	months            int
	stop, final, keep time.Time
	overdue, abuse    bool
	cancel, locked    bool
	speed             string
}

// later is n months after an instant, on its day or on the last that there is.
func later(at time.Time, n int) time.Time {
	t := at.In(civil.Zone)
	for day := t.Day(); ; day-- {
		got := time.Date(t.Year(), t.Month()+time.Month(n), day, t.Hour(), t.Minute(), t.Second(), 0, civil.Zone)
		if got.Day() == day {
			return got
		}
	}
}

func (m *naive) lives() bool { return m.state == service.Active || m.state == service.Suspended }

func (m *naive) settle() {
	if m.lives() {
		m.state = service.Active
		if m.overdue || m.abuse {
			m.state = service.Suspended
		}
	}
}

// look is what one look at the calendar does.
func (m *naive) look(now time.Time) {
	past := func(days int) bool { return !now.Before(m.paid.Add(time.Duration(days) * aDay)) }
	switch {
	case m.state == service.Terminating && now.Before(m.keep):
	case m.state == service.Terminating && m.locked:
		m.keep = now.Add(time.Hour)
	case m.state == service.Terminating:
		m.state = service.Terminated
	case !m.lives():
	case m.cancel:
		if past(0) && !m.locked {
			m.state = service.Terminated // nothing is kept of what was cancelled
		}
	case past(3) && !m.overdue:
		m.overdue, m.stop = true, now
	case m.overdue && past(14) && m.final.IsZero() && !now.Before(m.stop.Add(aDay)):
		m.final = now
	case m.overdue && !m.final.IsZero() && past(15) && !now.Before(m.final.Add(aDay)) && !m.locked:
		m.state, m.keep = service.Terminating, now.Add(7*aDay)
	}
	m.settle()
}

// renewed is what a payment does.
func (m *naive) renewed(months int, now time.Time) {
	if !m.lives() {
		return
	}
	if now.After(m.paid.Add(3 * aDay)) {
		m.anchor, m.months = now.Truncate(time.Second), 0
	}
	m.months += months
	m.paid = later(m.anchor, m.months)
	m.overdue, m.cancel, m.stop, m.final = false, false, time.Time{}, time.Time{}
	m.settle()
}

// anew empties the tables of the module and gives it another service.
func (r rig) anew(t rapid.TB) (service.Item, *naive) {
	t.Helper()
	must(t, r.db.InTx(ctx, func(tx *db.Tx) error {
		for _, table := range []string{"service_item", "service_period", "service_earning", "service_change"} {
			if _, err := tx.Exec(ctx, "DELETE FROM "+table); err != nil {
				return err
			}
		}
		return nil
	}))
	r.up.made, r.up.resized = map[string]service.ProviderState{}, map[string]map[string]string{}
	v := r.active(t)
	*r.notes, *r.told = nil, nil
	return v, &naive{state: service.Active, anchor: v.Anchor, paid: v.PaidThrough, months: 1, speed: "100"}
}

// same compares the service with the model.
func (r rig) same(t rapid.TB, m *naive) {
	t.Helper()
	v := r.item(t)
	state := v.State
	got := fmt.Sprint(state, v.PaidThrough.Unix(), v.Suspended(service.Overdue), v.Suspended(service.Abuse), v.CancelAtEnd, v.Locked, v.Options["ssl_bandwidth"], v.FinalNotice.IsZero())
	want := fmt.Sprint(m.state, m.paid.Unix(), m.overdue, m.abuse, m.cancel, m.locked, m.speed, m.final.IsZero())
	if got != want {
		t.Fatalf("at %v: the service is %s, should be %s", r.clock.Now(), got, want)
	}
}

// orderly checks what was told and what was paid.
func (r rig) orderly(t rapid.TB, v service.Item) {
	t.Helper()
	once := map[string]bool{}
	for _, n := range *r.notes {
		if !slices.Contains([]string{service.TopicExpiring, service.TopicOverdue, service.TopicFinalNotice, service.TopicRenewalDue, service.TopicTerminating, service.TopicTerminated}, n.topic) {
			continue
		}
		key := fmt.Sprint(n.topic, n.Ends, n.Days)
		if once[key] {
			t.Fatalf("%s was told twice", key)
		}
		once[key] = true
	}
	periods, err := r.s.Periods(ctx, r.db, v.ID)
	must(t, err)
	for i := range periods[1:] {
		if periods[i+1].Start.Before(periods[i].End) {
			t.Fatalf("periods %v and %v overlap", periods[i], periods[i+1])
		}
	}
	if last := periods[len(periods)-1]; !last.End.Equal(r.item(t).PaidThrough) {
		t.Fatalf("the last period ends at %v, paid through %v", last.End, r.item(t).PaidThrough)
	}
}

// TestAServiceLivesAsTheCalendarSays lets anything happen to a service in any
// order, beside a model that knows nothing of leases and due times.
func TestAServiceLivesAsTheCalendarSays(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r, n := newRig(d, clock.NewFake(start), "hk"), 0
		rapid.Check(t, func(t *rapid.T) {
			v, m := r.anew(t)
			line := func() string { n++; return fmt.Sprintf("orl_m%d", n) }
			refused := func(t *rapid.T, err error, want bool) {
				if (err != nil) != want {
					t.Fatalf("refused: %v, want %v; the model is %+v", err, want, *m)
				}
			}
			t.Repeat(map[string]func(*rapid.T){
				"": func(t *rapid.T) { r.same(t, m) },
				"days": func(t *rapid.T) {
					for range rapid.IntRange(1, 20).Draw(t, "days") {
						r.clock.Advance(aDay)
						r.today(t)
						m.look(r.clock.Now())
						r.same(t, m)
					}
					r.orderly(t, v)
				},
				"renew": func(t *rapid.T) {
					months := rapid.IntRange(1, 3).Draw(t, "months")
					r.renewal(t, v, line(), months)
					m.renewed(months, r.clock.Now())
				},
				"upgrade": func(t *rapid.T) {
					speed := rapid.SampledFrom([]string{"100", "200", "500"}).Draw(t, "speed")
					*r.more = []service.Line{{
						ID: line(), Order: "ord_2", Account: owner, Subject: "sub_alice", Kind: "upgrade", Product: v.Product, Region: v.Region,
						Options: map[string]string{"ssl_bandwidth": speed}, Service: v.ID, Amount: money.New(0, money.CNY),
					}}
					must(t, r.db.InTx(ctx, func(tx *db.Tx) error {
						return r.queue.PublishTx(ctx, tx, "order.paid", map[string]string{"Order": "ord_2"})
					}))
					must(t, r.queue.Drain(ctx))
					if m.lives() {
						m.speed = speed
					}
				},
				"cancel": func(t *rapid.T) {
					on := rapid.Bool().Draw(t, "on")
					_, err := r.s.SetCancelAtEnd(ctx, principal, v.ID, on)
					refused(t, err, !m.lives())
					if m.lives() {
						m.cancel = on
					}
				},
				"lock": func(t *rapid.T) {
					on := rapid.Bool().Draw(t, "on")
					_, err := r.s.SetLocked(ctx, operator, v.ID, on)
					refused(t, err, false)
					m.locked = on
				},
				"staff": func(t *rapid.T) {
					on := rapid.Bool().Draw(t, "on")
					turn := r.s.ResumeBy
					if on {
						turn = r.s.SuspendBy
					}
					_, err := turn(ctx, operator, v.ID, service.Abuse)
					refused(t, err, !m.lives() && on != m.abuse)
					must(t, r.queue.Drain(ctx))
					if m.lives() {
						m.abuse = on
						m.settle()
					}
				},
			})
			r.orderly(t, v)
		})
	}, sets...)
}
