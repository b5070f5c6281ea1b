package service_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/control/service"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

const aDay = 24 * time.Hour

var operator = account.Principal{Account: "acc_staff", Subject: "sub_staff", Session: "ses_staff", Staff: true, Permissions: []string{account.PermServiceWrite, account.PermOrderRead}}

// travel lets time go by in steps of six hours, with the machine and the jobs
// running at each.
func (r rig) travel(t *testing.T, to time.Time) {
	t.Helper()
	for r.clock.Now().Before(to) {
		r.clock.Advance(min(6*time.Hour, to.Sub(r.clock.Now())))
		r.today(t)
	}
}

func (r rig) today(t *testing.T) {
	t.Helper()
	must(t, service.Day(ctx, r.s))
	must(t, r.queue.Drain(ctx))
}

// renewal publishes a paid renewal of v, under a line of its own.
func (r rig) renewal(t *testing.T, v service.Item, line string, months int) {
	t.Helper()
	*r.more = []service.Line{{
		ID: line, Order: "ord_2", Account: owner, Subject: "sub_alice", Kind: "renew", Product: v.Product, Region: v.Region,
		Months: months, Service: v.ID, Amount: money.New(int64(3100*months), money.CNY), PaidAt: r.clock.Now(),
	}}
	for range 2 { // the event may come again
		must(t, r.db.InTx(ctx, func(tx *db.Tx) error {
			return r.queue.PublishTx(ctx, tx, "order.paid", map[string]string{"Order": "ord_2"})
		}))
		must(t, r.queue.Drain(ctx))
	}
}

// heardOf is what was told of the topics, without the lines.
func (r rig) heardOf(topics ...string) (all []string) {
	for _, told := range *r.told {
		if topic, _, _ := strings.Cut(told, " "); slices.Contains(topics, topic) {
			all = append(all, topic)
		}
	}
	return all
}

var notices = []string{service.TopicExpiring, service.TopicOverdue, service.TopicSuspended, service.TopicFinalNotice, service.TopicTerminating}

func TestThirteenRenewalsStayOnTheAnchorsDay(t *testing.T) {
	t.Parallel()
	each(t, "hk", func(t *testing.T, r rig) {
		r.clock.Advance(time.Date(2027, 1, 31, 10, 0, 0, 0, civil.Zone).Sub(start))
		v := r.active(t)
		anchor := v.PaidThrough
		for n := range 13 {
			r.clock.Advance(v.PaidThrough.Sub(r.clock.Now()) - time.Hour)
			r.renewal(t, v, fmt.Sprintf("orl_r%d", n), 1)
			v = r.item(t)
		}
		periods, err := r.s.Periods(ctx, r.db, v.ID)
		must(t, err)
		var days []string
		for i, p := range periods {
			days = append(days, p.End.In(civil.Zone).Format("01-02"))
			if i > 0 && !p.Start.Equal(periods[i-1].End) {
				t.Errorf("period %d starts at %v, want %v", i, p.Start, periods[i-1].End)
			}
		}
		want := []string{"02-28", "03-31", "04-30", "05-31", "06-30", "07-31", "08-31", "09-30", "10-31", "11-30", "12-31", "01-31", "02-29", "03-31"}
		if !slices.Equal(days, want) {
			t.Errorf("periods end on %v, want %v", days, want)
		}
		if v.State != service.Active || v.AnchorMonths != 14 || anchor.IsZero() {
			t.Errorf("got %+v", v)
		}
	})
}

func TestOverdueIsSuspendedAndPayingStartsItAgain(t *testing.T) {
	t.Parallel()
	each(t, "hk", func(t *testing.T, r rig) {
		v := r.active(t)
		*r.told = nil
		r.travel(t, v.PaidThrough.Add(3*aDay+time.Hour))
		if got, want := r.heardOf(notices...), []string{"service.expiring", "service.expiring", "service.expiring", "service.overdue", "service.suspended"}; !slices.Equal(got, want) {
			t.Errorf("told %v, want %v", got, want)
		}
		if got := r.heardOf(service.TopicRenewalDue); len(got) != 1 {
			t.Errorf("orders asked for: %v, want one", got)
		}
		if got := r.item(t); got.State != service.Suspended || !got.OverdueSince.Equal(v.PaidThrough) || r.up.calls["suspend true"] != 1 {
			t.Errorf("after grace: got %+v, the provider heard %v", got, r.up.calls)
		}
		r.travel(t, v.PaidThrough.Add(10*aDay))
		r.renewal(t, v, "orl_r", 1)
		got := r.item(t)
		if got.State != service.Active || len(got.Reasons) != 0 || !got.OverdueSince.IsZero() || r.up.calls["suspend false"] != 1 {
			t.Errorf("paid: got %+v, the provider heard %v", got, r.up.calls)
		}
		if !got.Anchor.Equal(r.clock.Now()) || got.AnchorMonths != 1 {
			t.Errorf("after grace the anchor is %v, want the payment", got.Anchor)
		}
	})
}

func TestPayingWithinGraceLeavesNoGap(t *testing.T) {
	t.Parallel()
	each(t, "hk", func(t *testing.T, r rig) {
		v := r.active(t)
		r.travel(t, v.PaidThrough.Add(3*aDay-time.Hour))
		r.renewal(t, v, "orl_r", 3)
		got := r.item(t)
		if !got.PaidThrough.Equal(service.AddMonths(v.Anchor, 4)) || !got.Anchor.Equal(v.Anchor) || got.State != service.Active {
			t.Errorf("got %+v", got)
		}
	})
}

func TestPayingDoesNotLiftWhatStaffSuspended(t *testing.T) {
	t.Parallel()
	each(t, "hk", func(t *testing.T, r rig) {
		v := r.active(t)
		r.travel(t, v.PaidThrough.Add(aDay))
		_, err := r.s.SuspendBy(ctx, operator, v.ID, service.Abuse)
		must(t, err)
		r.travel(t, v.PaidThrough.Add(5*aDay))
		if got := r.item(t); len(got.Reasons) != 2 {
			t.Fatalf("reasons are %v", got.Reasons)
		}
		r.renewal(t, v, "orl_r", 1)
		if got := r.item(t); got.State != service.Suspended || !slices.Equal(got.Reasons, []service.Reason{service.Abuse}) {
			t.Errorf("paid: got %s for %v", got.State, got.Reasons)
		}
		got, err := r.s.ResumeBy(ctx, operator, v.ID, service.Abuse)
		if err != nil || got.State != service.Active {
			t.Errorf("lifted: got %s, %v", got.State, err)
		}
		if _, err := r.s.SuspendBy(ctx, account.Principal{}, v.ID, service.Abuse); err == nil {
			t.Error("who is no staff may suspend")
		}
	})
}

func TestWhatStaysUnpaidIsTerminatedAndItsDataKeptForAWhile(t *testing.T) {
	t.Parallel()
	each(t, "hk", func(t *testing.T, r rig) {
		v := r.active(t)
		*r.told = nil
		r.law.keeps = true
		r.travel(t, v.PaidThrough.Add(20*aDay))
		if got := r.item(t); got.State != service.Suspended {
			t.Fatalf("while a law keeps it: got %s", got.State)
		}
		r.law.keeps = false
		_, err := r.s.SetLocked(ctx, operator, v.ID, true)
		must(t, err)
		r.travel(t, v.PaidThrough.Add(22*aDay))
		if got := r.item(t); got.State != service.Suspended {
			t.Fatalf("while it is locked: got %s", got.State)
		}
		_, err = r.s.SetLocked(ctx, operator, v.ID, false)
		must(t, err)
		r.today(t)
		if got := r.item(t); got.State != service.Terminating || r.up.calls["terminate"] != 0 || !got.DataUntil.Equal(r.clock.Now().Add(7*aDay)) {
			t.Errorf("got %s, data until %v, the provider heard %v", got.State, got.DataUntil, r.up.calls)
		}
		r.travel(t, v.PaidThrough.Add(30*aDay))
		r.run(t)
		if got := r.item(t); got.State != service.Terminated || r.up.calls["terminate"] != 1 {
			t.Errorf("got %s, the provider heard %v", got.State, r.up.calls)
		}
		want := []string{"service.expiring", "service.expiring", "service.expiring", "service.overdue", "service.suspended", "service.final_notice", "service.terminating"}
		if got := r.heardOf(notices...); !slices.Equal(got, want) {
			t.Errorf("told %v, want %v", got, want)
		}
		r.renewal(t, v, "orl_late", 1)
		if got := r.heardOf(service.TopicRenewFailed); len(got) == 0 {
			t.Error("a renewal that came too late: nobody heard that it failed")
		}
	})
}

func TestFortyDaysOfDowntimeAreNoFlood(t *testing.T) {
	t.Parallel()
	each(t, "hk", func(t *testing.T, r rig) {
		v := r.active(t)
		_, err := r.s.SetAutoRenew(ctx, principal, v.ID, true)
		must(t, err)
		r.today(t)
		*r.told = nil
		r.clock.Advance(v.PaidThrough.Sub(r.clock.Now()) + 16*aDay)
		for range 3 {
			r.today(t)
		}
		if got, want := r.heardOf(topics...), []string{"service.suspended", "service.payment_due"}; !slices.Equal(got, want) {
			t.Errorf("at once: told %v, want %v", got, want)
		}
		if got := r.item(t); got.State != service.Suspended {
			t.Errorf("got %s", got.State)
		}
		r.travel(t, r.clock.Now().Add(23*time.Hour))
		if got := r.heardOf(service.TopicFinalNotice, service.TopicTerminating); len(got) != 0 {
			t.Errorf("within a day: told %v", got)
		}
		r.travel(t, r.clock.Now().Add(24*time.Hour))
		if got := r.heardOf(notices...); !slices.Equal(got, []string{"service.suspended", "service.final_notice"}) || r.item(t).State != service.Suspended {
			t.Errorf("two days later: told %v", got)
		}
		r.travel(t, r.clock.Now().Add(24*time.Hour))
		if got := r.item(t).State; got != service.Terminating {
			t.Errorf("a day after the final notice: got %s", got)
		}
	})
}

var principal = account.Principal{Account: owner, Subject: "sub_alice", Session: "ses_alice"}

func TestACustomerEndsAServiceWithItsPeriod(t *testing.T) {
	t.Parallel()
	each(t, "hk", func(t *testing.T, r rig) {
		v := r.active(t)
		*r.told = nil
		for _, on := range []bool{true, false, true} {
			got, err := r.s.SetCancelAtEnd(ctx, principal, v.ID, on)
			if err != nil || got.CancelAtEnd != on {
				t.Fatalf("set to %v: got %v, %v", on, got.CancelAtEnd, err)
			}
		}
		if _, err := r.s.SetCancelAtEnd(ctx, account.Principal{Account: "acc_other"}, v.ID, false); err == nil {
			t.Error("another's may be kept on")
		}
		r.travel(t, v.PaidThrough.Add(-time.Minute))
		if got := r.item(t); got.State != service.Active || len(*r.told) != 0 {
			t.Errorf("before the end: got %s, told %v", got.State, *r.told)
		}
		r.travel(t, v.PaidThrough.Add(aDay))
		if got := r.item(t); got.State != service.Terminated {
			t.Errorf("after the end: got %s", got.State)
		}
	})
}

func TestSettingsMoveTheDays(t *testing.T) {
	t.Parallel()
	each(t, "hk", func(t *testing.T, r rig) {
		v := r.active(t)
		for _, bad := range []service.Setting{
			{Name: service.TermSuspend, Days: service.Days{N: -1}},
			{Name: "price", Days: service.Days{N: 1}},
			{Name: service.TermTerminate, Days: service.Days{N: 2}},
			{Scope: "moon", Name: service.TermSuspend},
		} {
			if err := r.s.SetTerm(ctx, operator, bad); err == nil {
				t.Errorf("%+v was taken", bad)
			}
		}
		must(t, r.s.SetTerm(ctx, operator, service.Setting{Name: service.TermSuspend, Days: service.Days{Off: true}}))
		r.travel(t, v.PaidThrough.Add(5*aDay))
		if got := r.item(t); got.State != service.Active || got.OverdueSince.IsZero() {
			t.Errorf("off: got %s", got.State)
		}
		must(t, r.s.SetTerm(ctx, operator, service.Setting{Scope: v.Product, Name: service.TermSuspend, Days: service.Days{N: 0}}))
		r.today(t)
		if got := r.item(t); got.State != service.Suspended {
			t.Errorf("at once, for the product: got %s", got.State)
		}
	})
}

func TestAPeriodIsEarnedOnceWhenItIsOver(t *testing.T) {
	t.Parallel()
	each(t, "hk", func(t *testing.T, r rig) {
		books := ledger.New(ledger.Deps{DB: r.db, Clock: clock.NewFake(start)})
		pay := func(line string, minor int64) {
			t.Helper()
			must(t, r.db.InTx(ctx, func(tx *db.Tx) error {
				_, err := books.PostTx(ctx, tx, ledger.Entry{Key: "pay:" + line, Kind: "payment", OccurredAt: start, RefType: "attempt", RefID: line, Actor: "system", Postings: []ledger.Posting{
					ledger.Debit(ledger.Gateway("g"), money.New(minor, money.CNY)), ledger.Credit(ledger.Deferred(line), money.New(minor, money.CNY)),
				}})
				return err
			}))
		}
		proven := func(when string, want int) {
			t.Helper()
			if all, err := r.s.Prove(ctx); err != nil || len(all) != want {
				t.Errorf("%s: %d services differ, want %d: %v, %v", when, len(all), want, all, err)
			}
		}
		sales := func(want int64) {
			t.Helper()
			must(t, service.Earn(ctx, r.s))
			must(t, service.Earn(ctx, r.s))
			if got, err := books.Balance(ctx, ledger.Sales, money.CNY); err != nil || got.Minor != want {
				t.Errorf("sales are %v, %v, want %d", got, err, want)
			}
		}
		v := r.active(t)
		proven("nothing was paid", 1)
		pay("orl_1", 3100)
		proven("paid", 0)
		sales(0)
		pay("orl_r", 6200)
		r.renewal(t, v, "orl_r", 2)
		proven("renewed", 0)
		r.clock.Advance(v.PaidThrough.Sub(r.clock.Now()))
		sales(3100)
		proven("after the first period", 0)
		must(t, r.db.InTx(ctx, func(tx *db.Tx) error {
			back := money.New(1000, money.CNY)
			if _, err := books.PostTx(ctx, tx, ledger.Entry{Key: "rfa:1", Kind: "refund", OccurredAt: start, Actor: "system", Postings: []ledger.Posting{
				ledger.Debit(ledger.Deferred("orl_r"), back), ledger.Credit(ledger.RefundPayable, back),
			}}); err != nil {
				return err
			}
			return r.s.GiveBackTx(ctx, tx, "orl_r", back)
		}))
		proven("after a part was given back", 0)
		must(t, r.s.Terminate(ctx, v.ID))
		r.run(t)
		sales(3100 + 5200)
		proven("terminated", 0)
	})
}
