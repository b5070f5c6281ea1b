package service

import (
	"context"
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

// The machine of days. Each service knows when something is due of it next. What
// is due is claimed in small numbers with a lease, and done one service to a
// transaction, so that one that fails stops no other and requests come between.
//
//	   −7        −3   −1    0    +1   +3        +14       +15         +22
//	order,notice  notice   due  notice  suspended  final notice  terminated  data gone
//	              └── paid from the wallet ──┘  (if the customer wishes it)
const (
	daysEvery   = 20 * time.Second
	daysClaim   = 50
	daysMost    = 2000 // of one run; the next goes on
	daysLease   = 5 * time.Minute
	daysRecheck = 24 * time.Hour // what is due never is further away than this
	blockedFor  = time.Hour      // after this a lock or a law's hold is asked after again
	warnedFor   = 24 * time.Hour // between the final notice and the end; and before it
)

// Days of the reminders and of the tries to pay from the wallet, counted from
// the end of the paid time.
var (
	reminders = []int{-7, -3, -1, 1, 3}
	payments  = []int{-3, -1, 0}
)

// act is what a day asks for beside the change of the service.
type act struct {
	topic string
	days  int // of a notice
	date  time.Time
}

// day is the service after what is due at an instant, and what that asks for. Of
// several reminders that were missed the last is given, and none beside a step
// that tells of itself. held: a law keeps what the person has.
func (v Item) day(t Terms, held bool, now time.Time) (Item, []act, error) {
	switch {
	case v.State == Terminating:
		if v.DataUntil.After(now) {
			v.NextDue = v.DataUntil
			return v, nil, nil
		}
		v.NextDue = time.Time{}
		return v, []act{{topic: TopicTerminating}}, nil
	case v.State != Active && v.State != Suspended:
		v.NextDue = time.Time{}
		return v, nil, nil
	case v.CancelAtEnd && !now.Before(v.PaidThrough) && !v.Locked && !held:
		next, err := v.terminate()
		return next, []act{{topic: TopicTerminating}}, err
	}
	since := v.LookedAt
	v, acts, err := v.overdue(t, held, now)
	if err != nil || v.State == Terminating {
		return v, acts, err
	}
	acts = append(acts, v.before(t, since, now)...)
	if len(acts) == 0 {
		acts = v.reminder(since, now)
	}
	v.LookedAt, v.NextDue = now, v.nextDue(t, now)
	return v, acts, nil
}

// overdue is what happens to a service whose paid time is over.
func (v Item) overdue(t Terms, held bool, now time.Time) (next Item, acts []act, err error) {
	past := func(d Days) bool { return !d.Off && !now.Before(v.PaidThrough.Add(d.span())) }
	if now.Before(v.PaidThrough) || v.CancelAtEnd {
		return v, nil, nil
	}
	if v.OverdueSince.IsZero() {
		if v, err = v.due(); err != nil {
			return v, nil, err
		}
	}
	if past(t.Suspend) && !v.Suspended(Overdue) {
		was := v.State
		if v, err = v.suspend(Overdue); err != nil {
			return v, nil, err
		}
		v.OverdueStop = now
		if was != v.State {
			return v, []act{{topic: TopicSuspended}}, nil
		}
		return v, nil, nil
	}
	if !v.Suspended(Overdue) {
		return v, nil, nil
	}
	if past(t.FinalNotice) && v.FinalNotice.IsZero() && !now.Before(v.OverdueStop.Add(warnedFor)) {
		v.FinalNotice = now
		return v, []act{{topic: TopicFinalNotice, date: v.endsAt(t)}}, nil
	}
	if !t.Terminate.Off && !v.FinalNotice.IsZero() && !now.Before(v.endsAt(t)) && !v.Locked && !held {
		if v, err = v.terminate(); err != nil {
			return v, nil, err
		}
		if !t.KeepData.Off && t.KeepData.N > 0 {
			v.DataUntil = now.Add(t.KeepData.span())
			v.NextDue = v.DataUntil
		}
		return v, []act{{topic: TopicTerminating}}, nil
	}
	return v, nil, nil
}

// endsAt is when a service that had its final notice is terminated.
func (v Item) endsAt(t Terms) time.Time {
	at := v.PaidThrough.Add(t.Terminate.span())
	if warned := v.FinalNotice.Add(warnedFor); at.Before(warned) {
		return warned
	}
	return at
}

// before is what prepares the next period: an order, and its payment.
func (v Item) before(t Terms, since, now time.Time) []act {
	if v.CancelAtEnd {
		return nil
	}
	if _, ok := lastOf(payments, v.PaidThrough, since, now); ok && v.AutoRenew {
		return []act{{topic: TopicPaymentDue}}
	}
	if t.RenewalOrder.Off || !now.Before(v.PaidThrough) {
		return nil
	}
	if _, ok := lastOf([]int{-t.RenewalOrder.N}, v.PaidThrough, since, now); !ok {
		return nil
	}
	return append([]act{{topic: TopicRenewalDue}}, v.reminder(since, now)...)
}

// reminder is the last reminder that came due, if any. It says what is true now,
// however late it is.
func (v Item) reminder(since, now time.Time) []act {
	n, ok := lastOf(reminders, v.PaidThrough, since, now)
	if !ok || v.CancelAtEnd {
		return nil
	}
	topic := TopicExpiring
	if !now.Before(v.PaidThrough) {
		topic = TopicOverdue
	}
	return []act{{topic: topic, days: n, date: v.PaidThrough}}
}

// lastOf is the last of some days from an instant that lies in (since, now].
func lastOf(days []int, from, since, now time.Time) (last int, ok bool) {
	for _, n := range days {
		if at := from.AddDate(0, 0, n); at.After(since) && !at.After(now) {
			last, ok = n, true
		}
	}
	return last, ok
}

// nextDue is the first instant after now at which something may be due.
func (v Item) nextDue(t Terms, now time.Time) time.Time {
	next := now.Add(daysRecheck)
	earlier := func(at time.Time) {
		if at.After(now) && at.Before(next) {
			next = at
		}
	}
	for _, n := range append(append([]int{-t.RenewalOrder.N, 0}, reminders...), payments...) {
		earlier(v.PaidThrough.AddDate(0, 0, n))
	}
	for _, d := range []Days{t.Suspend, t.FinalNotice, t.Terminate} {
		earlier(v.PaidThrough.Add(d.span()))
	}
	earlier(v.OverdueStop.Add(warnedFor))
	if !v.FinalNotice.IsZero() {
		if earlier(v.endsAt(t)); !v.endsAt(t).After(now) {
			earlier(now.Add(blockedFor))
		}
	}
	if v.CancelAtEnd && !v.PaidThrough.After(now) {
		earlier(now.Add(blockedFor))
	}
	return next
}

// days does what is due. It may run in several processes at once.
func (s *Service) days(ctx context.Context) error {
	for done := 0; done < daysMost && ctx.Err() == nil; {
		claimed, err := s.claimDue(ctx)
		if err != nil || len(claimed) == 0 {
			return err
		}
		terms, err := s.terms(ctx, s.d.DB)
		if err != nil {
			return err
		}
		for _, v := range claimed {
			if err := s.dayOf(ctx, v, terms); err != nil {
				s.d.Log.WarnContext(ctx, "the day of a service", "service", v.ID, "error", err)
			}
		}
		done += len(claimed)
	}
	return ctx.Err()
}

// claimDue takes some services of which something is due, for the time of a
// lease: what fails is tried again after it, and stops nobody.
func (s *Service) claimDue(ctx context.Context) (all []Item, err error) {
	now := s.d.Clock.Now()
	due, err := db.Get(ctx, s.d.DB, nil, db.One[int64],
		"SELECT count(*) FROM (SELECT 1 FROM service_item WHERE next_due > 0 AND next_due <= $1 LIMIT 1) AS due", db.Micros(now))
	if err != nil || due == 0 {
		return nil, err
	}
	err = s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		lock := ""
		if tx.Dialect() == db.Postgres {
			lock = " FOR UPDATE SKIP LOCKED"
		}
		all, err = db.Select(ctx, tx, func(r db.Row) (v Item, err error) {
			return v, r.Scan(&v.ID, &v.Subject)
		}, `UPDATE service_item SET next_due = $2 WHERE id IN (SELECT id FROM service_item WHERE next_due > 0 AND next_due <= $1
			ORDER BY next_due LIMIT $3`+lock+`) RETURNING id, subject`, db.Micros(now), db.Micros(now.Add(daysLease)), int64(daysClaim))
		return err
	})
	return all, err
}

// dayOf does what is due of one service, in one transaction.
func (s *Service) dayOf(ctx context.Context, claimed Item, terms allTerms) error {
	held := false
	if s.d.Holds != nil {
		var err error
		if held, err = s.d.Holds.Keeps(ctx, claimed.Subject); err != nil {
			return err
		}
	}
	err := s.change(ctx, claimed.ID, func(tx *db.Tx, v Item) (Item, error) {
		next, acts, err := v.day(terms.of(v.Product), held, s.d.Clock.Now())
		if err != nil {
			return v, err
		}
		for _, a := range acts {
			if err := s.actTx(ctx, tx, next, a); err != nil {
				return v, err
			}
		}
		fault.Point("service-before-day")
		return next, nil
	})
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// actTx writes what a day asks for. The end of the paid time and the day make
// the key of a notice: each is given once.
func (s *Service) actTx(ctx context.Context, tx *db.Tx, v Item, a act) error {
	switch a.topic {
	case TopicSuspended:
		return s.turnedTx(ctx, tx, v, TopicSuspended, Overdue)
	case TopicTerminating:
		if !v.DataUntil.IsZero() && v.NextDue.IsZero() { // told before; the data go now
			return s.d.Queue.EnqueueTx(ctx, tx, job.Job{Kind: "service.apply", Payload: named{v.ID}})
		}
		return s.turnedTx(ctx, tx, v, TopicTerminating, "")
	}
	e := v.changed()
	e.Ends, e.Days = v.PaidThrough.UnixMicro(), a.days
	if !a.date.IsZero() {
		e.Date = day(a.date)
	}
	return s.d.Queue.PublishTx(ctx, tx, a.topic, e)
}

// day is a date in the billing zone.
func day(at time.Time) string { return at.In(civil.Zone).Format(time.DateOnly) }

// String is a number of days, or "off".
func (d Days) String() string {
	if d.Off {
		return "off"
	}
	return strconv.Itoa(d.N)
}

// Milestone is something that will happen of itself.
type Milestone struct {
	What string // renewal_order, auto_renew, due, suspend, final_notice, terminate, data_deleted, ends
	At   time.Time
}

// Timeline is what will happen to the service, and when, if nobody does anything.
func (v Item) Timeline(t Terms, now time.Time) (all []Milestone) {
	add := func(what string, at time.Time) {
		if at.After(now) {
			all = append(all, Milestone{what, at})
		}
	}
	if v.State == Terminating && !v.DataUntil.IsZero() {
		add("data_deleted", v.DataUntil)
		return all
	}
	if v.State != Active && v.State != Suspended {
		return nil
	}
	if v.CancelAtEnd {
		add("ends", v.PaidThrough)
		return all
	}
	if !t.RenewalOrder.Off {
		add("renewal_order", v.PaidThrough.AddDate(0, 0, -t.RenewalOrder.N))
	}
	if v.AutoRenew {
		for _, n := range payments {
			add("auto_renew", v.PaidThrough.AddDate(0, 0, n))
		}
	}
	add("due", v.PaidThrough)
	if t.Suspend.Off {
		return all
	}
	add("suspend", v.PaidThrough.Add(t.Suspend.span()))
	if t.FinalNotice.Off {
		return all
	}
	final := v.FinalNotice
	if final.IsZero() {
		final = v.PaidThrough.Add(t.FinalNotice.span())
		add("final_notice", final)
	}
	if t.Terminate.Off || v.Locked {
		return all
	}
	v.FinalNotice = final
	ends := v.endsAt(t)
	add("terminate", ends)
	if !t.KeepData.Off {
		add("data_deleted", ends.Add(t.KeepData.span()))
	}
	return all
}

// DaysLeft are whole days until the end of the paid time, rounded up; below zero
// since it.
func (v Item) DaysLeft(now time.Time) int {
	return int(math.Ceil(v.PaidThrough.Sub(now).Hours() / 24))
}
