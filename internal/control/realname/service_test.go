package realname

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/age"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/control/realname/realnametest"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

var ctx = context.Background()

// source is a source of identities that answers what it is told to.
type source struct {
	mu     sync.Mutex
	asked  []CheckRequest
	result Result
	err    error
}

func (s *source) Check(_ context.Context, r CheckRequest) (Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r)
	return s.result, s.err
}

// acts takes the token "ok" and can be shut.
type acts struct {
	mu   sync.Mutex
	shut bool
	got  []consent.Act
}

var errShut = errs.New(errs.Forbidden, "consent.gate_closed")

func (a *acts) GrantTx(_ context.Context, _ *db.Tx, act consent.Act) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if act.Token != "ok" {
		return consent.ErrToken
	}
	a.got = append(a.got, act)
	return nil
}

func (a *acts) Gate(_ context.Context, _ id.Handle, purpose string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.shut && purpose == consent.RealName {
		return errShut
	}
	return nil
}

type rig struct {
	s      *Service
	db     *db.DB
	keys   *vault.Vault
	clock  *clock.Fake
	queue  *job.Queue
	audit  *audit.Service
	source *source
	acts   *acts
	ages   *realnametest.Ages
	events []VerifiedEvent
}

func newRig(t *testing.T, d *db.DB, profile string) *rig {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	kek, err := vault.FileKEK(filepath.Join(t.TempDir(), "kek"))
	must(t, err)
	r := &rig{db: d, clock: clock.NewFake(today), source: &source{result: Match}, acts: &acts{}}
	r.ages = &realnametest.Ages{Clock: r.clock, Profile: profile}
	r.keys, err = vault.New(ctx, vault.Deps{DB: dbtest.SQLite(t, vault.Migrations()), Custodian: kek, Clock: r.clock, Log: quiet})
	must(t, err)
	r.audit = audit.New(audit.Deps{DB: d, Vault: r.keys, Clock: r.clock, Log: quiet})
	r.keys.Bind(r.audit, r.acts)
	r.queue = job.New(d, r.clock, quiet)
	r.s = New(Deps{DB: d, Clock: r.clock, Queue: r.queue, Log: quiet, Audit: r.audit, Vault: r.keys, Checker: r.source, Consent: r.acts, Ages: r.ages, Profile: profile})
	job.Subscribe(r.queue, TopicVerified, "test", func(_ context.Context, e VerifiedEvent) error {
		r.events = append(r.events, e)
		return nil
	})
	return r
}

func each(t *testing.T, fn func(t *testing.T, r *rig)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { fn(t, newRig(t, d, "mainland")) }, audit.Migrations(), job.Migrations(), Migrations())
}

func alone(t *testing.T, profile string) *rig {
	t.Helper()
	return newRig(t, dbtest.SQLite(t, audit.Migrations(), job.Migrations(), Migrations()), profile)
}

func person1(n int) account.Principal {
	return account.Principal{Account: account.ID(fmt.Sprintf("acc_%d", n)), Subject: id.Handle(fmt.Sprintf("sub_%d", n)), Session: "ses_1"}
}

func adult(seq int) Submission {
	return Submission{Name: "张三", Number: realnametest.Number(day(1990, 1, 1), seq), ConsentToken: "ok", Locale: "zh-CN", SourceIP: "192.0.2.1"}
}

// submit hands in and runs the check.
func (r *rig) submit(t *testing.T, p account.Principal, in Submission) Verification {
	t.Helper()
	_, err := r.s.Submit(ctx, p, in)
	must(t, err)
	must(t, r.queue.Drain(ctx))
	v, err := r.s.Current(ctx, p.Account)
	must(t, err)
	return v
}

func (r *rig) count(t *testing.T, table string) int64 {
	t.Helper()
	n, err := db.Get(ctx, r.db, nil, db.One[int64], "SELECT count(*) FROM "+table)
	must(t, err)
	return n
}

func TestAMatchVerifiesTheAccount(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p := person1(1)
		if _, err := r.s.Require(ctx, p.Account); !errors.Is(err, ErrRequired) {
			t.Errorf("before: got %v, want ErrRequired", err)
		}
		v := r.submit(t, p, adult(1))
		if v.State != Approved || v.Reason != "" || v.Band != "" {
			t.Errorf("got %+v", v)
		}
		proof, err := r.s.Require(ctx, p.Account)
		if err != nil || proof.Account() != p.Account || proof.ID() != v.ID || proof.At().IsZero() {
			t.Errorf("got %+v, %v", proof, err)
		}
		if len(r.source.asked) != 1 || r.source.asked[0].Name != "张三" || len(r.acts.got) != 1 || r.acts.got[0].Kind != consent.SeparateSensitive {
			t.Errorf("asked %d times, %d acts", len(r.source.asked), len(r.acts.got))
		}
		if !slices.Equal(r.events, []VerifiedEvent{{"acc_1", "sub_1"}}) {
			t.Errorf("events: %v", r.events)
		}
		number := []byte(adult(1).Number)
		if bytes.Contains(v.name, []byte("张三")) || bytes.Contains(v.number, number) || bytes.Contains([]byte(v.index), number) {
			t.Error("a value is in the row")
		}
		report, err := r.audit.Verify(ctx)
		if err != nil || len(report.Problems) > 0 {
			t.Errorf("the log: %v, %v", report.Problems, err)
		}
		if _, err := r.s.Submit(ctx, p, adult(1)); !errors.Is(err, ErrState) {
			t.Errorf("a verified account submits again: got %v", err)
		}
	})
}

func TestWhatIsRefusedFirstLeavesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		cases := map[string]struct {
			change func(*Submission)
			want   error
		}{
			"14 years old": {func(s *Submission) { s.Number = realnametest.Number(day(2011, 11, 22), 1) }, age.ErrTooYoung},
			"bad number":   {func(s *Submission) { s.Number = s.Number[:17] + "A" }, ErrNumber},
			"bad name":     {func(s *Submission) { s.Name = "x" }, ErrName},
			"bad token":    {func(s *Submission) { s.ConsentToken = "" }, consent.ErrToken},
		}
		for name, c := range cases {
			in := adult(1)
			c.change(&in)
			if _, err := r.s.Submit(ctx, person1(1), in); !errors.Is(err, c.want) {
				t.Errorf("%s: got %v, want %v", name, err, c.want)
			}
		}
		for _, table := range []string{"realname_verification", "realname_attempt", "audit_leaf", "audit_read", "job_item"} {
			if n := r.count(t, table); n != 0 {
				t.Errorf("%s has %d rows, want none", table, n)
			}
		}
		if len(r.source.asked) != 0 || len(r.acts.got) != 0 {
			t.Errorf("asked %d, acts %d", len(r.source.asked), len(r.acts.got))
		}
	})
}

func TestWhatTheSourceSaysDecides(t *testing.T) {
	t.Parallel()
	cases := []struct {
		result Result
		err    error
		state  State
		reason string
	}{
		{Match, nil, Approved, ""},
		{Mismatch, nil, None, "realname.mismatch"},
		{NoRecord, nil, ManualReview, "realname.no_record"},
		{"nonsense", nil, ManualReview, "realname.source_error"},
		{"", ErrSource, ManualReview, "realname.source_error"},
		{"", ErrRefused, None, "realname.refused"},
		{"", ErrProviderLimit, None, "realname.provider_limit"},
		{"", ErrOutcomeUnknown, None, "realname.outcome_unknown"},
		{"", errors.New("anything else"), None, "realname.outcome_unknown"},
		{Match, errors.New("an answer beside an error"), None, "realname.outcome_unknown"},
		{"", errShut, None, "realname.dropped"},
	}
	for i, c := range cases {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			r := alone(t, "mainland")
			r.source.result, r.source.err = c.result, c.err
			v := r.submit(t, person1(1), adult(1))
			if v.State != c.state || v.Reason != c.reason {
				t.Errorf("%s, %v: got %s %q, want %s %q", c.result, c.err, v.State, v.Reason, c.state, c.reason)
			}
			if n := r.count(t, "realname_attempt"); n != 1 {
				t.Errorf("%d attempts counted, want 1", n)
			}
			_, err := r.s.Require(ctx, "acc_1")
			if (err == nil) != (c.state == Approved) {
				t.Errorf("Require: %v", err)
			}
		})
	}
}

func TestACallWithoutKnownOutcomeIsNotRepeated(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		v, err := r.s.Submit(ctx, person1(1), adult(1))
		must(t, err)
		must(t, r.s.markCalled(ctx, v)) // the process dies while the source is being asked
		must(t, r.queue.Drain(ctx))
		got, err := r.s.Current(ctx, "acc_1")
		must(t, err)
		if got.State != None || got.Reason != "realname.outcome_unknown" || len(r.source.asked) != 0 {
			t.Errorf("got %s %q, asked %d times", got.State, got.Reason, len(r.source.asked))
		}
		must(t, r.s.runCheck(ctx, checkJob{v.ID})) // the job runs once more
		if r.count(t, "realname_attempt") != 1 {
			t.Error("the attempt is not counted once")
		}
	})
}

func TestAStuckSubmissionEndsAfterADay(t *testing.T) {
	t.Parallel()
	for _, called := range []bool{false, true} {
		r := alone(t, "mainland")
		v, err := r.s.Submit(ctx, person1(1), adult(1))
		must(t, err)
		want := "realname.dropped"
		if called {
			want = "realname.outcome_unknown"
			must(t, r.s.markCalled(ctx, v))
		}
		r.clock.Advance(stuck)
		must(t, r.s.hourly(ctx))
		if v, err = r.s.Current(ctx, "acc_1"); err != nil || v.State != Verifying {
			t.Errorf("after a day: %+v, %v", v, err)
		}
		r.clock.Advance(time.Second)
		must(t, r.s.hourly(ctx))
		if v, err = r.s.Current(ctx, "acc_1"); err != nil || v.State != None || v.Reason != want {
			t.Errorf("later: %+v, %v, want %s", v, err, want)
		}
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		r.source.result = Mismatch
		for range 3 {
			r.submit(t, person1(1), adult(1))
		}
		if _, err := r.s.Submit(ctx, person1(1), adult(1)); !errors.Is(err, ErrDailyLimit) {
			t.Errorf("the fourth of a day: got %v", err)
		}
		r.submit(t, person1(2), adult(1))
		r.submit(t, person1(2), adult(1))
		if _, err := r.s.Submit(ctx, person1(2), adult(1)); !errors.Is(err, ErrNumberLimit) {
			t.Errorf("the sixth of a number: got %v", err)
		}
		r.clock.Advance(14 * time.Hour) // midnight in UTC+8
		for range 2 {
			for range 3 {
				r.submit(t, person1(1), adult(2))
			}
			r.clock.Advance(24 * time.Hour)
		}
		r.submit(t, person1(1), adult(2))
		if _, err := r.s.Submit(ctx, person1(1), adult(2)); !errors.Is(err, ErrTotalLimit) {
			t.Errorf("the eleventh: got %v", err)
		}
	})
}

func TestTwentyPerAddressADay(t *testing.T) {
	t.Parallel()
	r := alone(t, "mainland")
	r.source.result = Mismatch
	for n := range 20 {
		r.submit(t, person1(n), adult(n))
	}
	if _, err := r.s.Submit(ctx, person1(20), adult(20)); !errors.Is(err, ErrSourceLimit) {
		t.Errorf("got %v, want ErrSourceLimit", err)
	}
	other := adult(20)
	other.SourceIP = "192.0.2.2"
	if v := r.submit(t, person1(20), other); v.Reason != "realname.mismatch" {
		t.Errorf("from another address: got %+v", v)
	}
}

func TestOneNumberVerifiesThreeAccounts(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		for n := range 2 {
			if v := r.submit(t, person1(n), adult(1)); v.State != Approved {
				t.Fatalf("account %d: %+v", n, v)
			}
		}
		// Two more at once: both pass the check at the door, one may stay.
		for n := 2; n < 4; n++ {
			_, err := r.s.Submit(ctx, person1(n), adult(1))
			must(t, err)
		}
		must(t, r.queue.Drain(ctx))
		var states []State
		for n := 2; n < 4; n++ {
			v, err := r.s.Current(ctx, person1(n).Account)
			must(t, err)
			states = append(states, v.State)
		}
		slices.Sort(states)
		if !slices.Equal(states, []State{None, Approved}) {
			t.Errorf("got %v, want one verified", states)
		}
		if _, err := r.s.Submit(ctx, person1(9), adult(1)); !errors.Is(err, ErrNumberInUse) {
			t.Errorf("at the door: got %v", err)
		}
	})
}

func TestOneSubmissionAtATime(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		var wg sync.WaitGroup
		var mu sync.Mutex
		in := 0
		for n := range 6 {
			wg.Go(func() {
				_, err := r.s.Submit(ctx, person1(1), adult(n))
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					in++
				} else if !errors.Is(err, ErrState) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if in != 1 || r.count(t, "realname_attempt") != 1 {
			t.Errorf("%d submissions went in, %d attempts", in, r.count(t, "realname_attempt"))
		}
	})
}

// What the age asks for comes before the consent act and before any store.
func TestAMinorIsCheckedOnceNothingIsMissing(t *testing.T) {
	t.Parallel()
	for profile, missing := range map[string]error{"mainland": age.ErrScreen, "hongkong": age.ErrGuardian} {
		r := alone(t, profile)
		in := adult(1)
		in.Number = realnametest.Number(day(2009, 5, 5), 1)
		r.ages.Missing = missing
		if _, err := r.s.Submit(ctx, person1(1), in); !errors.Is(err, missing) {
			t.Errorf("%s: got %v, want %v", profile, err, missing)
		}
		if len(r.acts.got) != 0 || r.count(t, "realname_verification")+r.count(t, "realname_attempt") != 0 {
			t.Errorf("%s: something is stored", profile)
		}
		r.ages.Missing = nil
		if v := r.submit(t, person1(1), in); v.State != Approved || v.Band != age.Youth {
			t.Errorf("%s: got %+v", profile, v)
		}
	}
}

// The profile's own limit, on the day before and the day on which it is reached.
func TestWhoIsTooYoungForTheProfileIsRefusedAndErased(t *testing.T) {
	t.Parallel()
	for profile, years := range map[string]int{"mainland": 15, "hongkong": 16} {
		r := alone(t, profile)
		in := adult(1)
		in.Number = realnametest.Number(day(2026-years, 11, 22), 1) // reached tomorrow
		if _, err := r.s.Submit(ctx, person1(1), in); !errors.Is(err, age.ErrTooYoung) {
			t.Errorf("%s: got %v", profile, err)
		}
		if !slices.Equal(r.ages.Erased, []id.Handle{"sub_1"}) || len(r.acts.got) != 0 || r.count(t, "realname_verification")+r.count(t, "realname_attempt") != 0 {
			t.Errorf("%s: erased %v, %d acts", profile, r.ages.Erased, len(r.acts.got))
		}
		in.Number = realnametest.Number(day(2026-years, 11, 21), 1) // reached today
		if _, err := r.s.Submit(ctx, person1(2), in); err != nil {
			t.Errorf("%s: got %v", profile, err)
		}
	}
}

func TestWhatTheSourceDoesNotKnowWaitsForAPerson(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		in := adult(1)
		r.source.result = NoRecord
		v := r.submit(t, person1(1), in)
		if v.State != ManualReview || v.Reason != "realname.no_record" {
			t.Fatalf("got %+v", v)
		}
		waiting, err := r.s.Waiting(ctx)
		if err != nil || len(waiting) != 1 || waiting[0].ID != v.ID {
			t.Errorf("waiting: %v, %v", waiting, err)
		}
		if err := r.s.Review(ctx, person1(1), v.ID, true, "tic_1"); !errors.Is(err, ErrOwnReview) {
			t.Errorf("the submitter decides: got %v", err)
		}
		staff := person1(7)
		staff.Staff = true
		if err := r.s.Review(ctx, staff, v.ID, true, ""); !errors.Is(err, ErrReasonNeeded) {
			t.Errorf("without a reason: got %v", err)
		}
		if _, _, err := r.s.Reveal(ctx, staff, v.ID, "tic_1"); !errors.Is(err, account.ErrStepUp) {
			t.Errorf("a session that did not prove itself: got %v, want ErrStepUp", err)
		}
		staff.StepUpUntil = r.clock.Now().Add(time.Minute)
		name, number, err := r.s.Reveal(ctx, staff, v.ID, "tic_1")
		if err != nil || name != "张三" || number != in.Number {
			t.Errorf("got %s %s, %v", name, number, err)
		}
		must(t, r.s.Review(ctx, staff, v.ID, true, "tic_1"))
		if _, err := r.s.Require(ctx, "acc_1"); err != nil {
			t.Error(err)
		}
		must(t, r.s.Revoke(ctx, staff, v.ID, "tic_2"))
		if _, err := r.s.Require(ctx, "acc_1"); !errors.Is(err, ErrRequired) {
			t.Errorf("after the revocation: got %v", err)
		}
		reads, err := r.audit.Reads(ctx, "sub_1", audit.ReadFilter{})
		if err != nil || !slices.ContainsFunc(reads, func(e audit.ReadEvent) bool {
			return e.Reader.Class == vault.Staff && e.Reader.Handle == "sub_7" && e.Reason == "tic_1"
		}) {
			t.Errorf("the person does not see who read: %v, %v", reads, err)
		}
	})
}

func TestAFailedSubmissionCanBeHandedToAPerson(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		r.source.result = Mismatch
		v := r.submit(t, person1(1), adult(1))
		if _, err := r.s.AskManual(ctx, person1(2), v.ID); !errors.Is(err, ErrNotFound) {
			t.Errorf("somebody else: got %v", err)
		}
		got, err := r.s.AskManual(ctx, person1(1), v.ID)
		if err != nil || got.State != ManualReview || len(r.source.asked) != 1 {
			t.Errorf("got %+v, %v, asked %d", got, err, len(r.source.asked))
		}
		if _, err := r.s.AskManual(ctx, person1(1), v.ID); !errors.Is(err, ErrState) {
			t.Errorf("twice: got %v", err)
		}
		r.clock.Advance(60 * 24 * time.Hour)
		must(t, r.s.hourly(ctx)) // the values are needed until the decision
		must(t, r.s.Review(ctx, person1(7), v.ID, false, "tic_1"))
		r.clock.Advance(31 * 24 * time.Hour)
		must(t, r.s.hourly(ctx))
		if got, err = r.s.Current(ctx, "acc_1"); err != nil || got.State != Rejected || got.name != nil {
			t.Errorf("after the rejection: %+v, %v", got, err)
		}
		v = r.submit(t, person1(1), adult(2))
		r.clock.Advance(31 * 24 * time.Hour)
		must(t, r.s.hourly(ctx))
		if _, err := r.s.AskManual(ctx, person1(1), v.ID); !errors.Is(err, ErrState) {
			t.Errorf("once erased: got %v", err)
		}
	})
}

func TestWithdrawalEndsIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		r.submit(t, person1(1), adult(1))
		_, err := r.s.Submit(ctx, person1(2), adult(2))
		must(t, err)
		r.acts.shut = true
		if _, err := r.s.Require(ctx, "acc_1"); !errors.Is(err, errShut) {
			t.Errorf("got %v", err)
		}
		must(t, r.queue.Drain(ctx))
		v, err := r.s.Current(ctx, "acc_2")
		if err != nil || v.State != None || v.Reason != "realname.dropped" || len(r.source.asked) != 1 {
			t.Errorf("got %+v, %v, asked %d", v, err, len(r.source.asked))
		}
	})
}

func TestAPersonSeesMasksAndOneReadEvent(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		r.source.result = Mismatch
		r.submit(t, person1(1), adult(1))
		r.submit(t, person1(1), adult(2))
		views, err := r.s.List(ctx, person1(1))
		must(t, err)
		number := adult(2).Number
		if len(views) != 2 || views[0].MaskedName != "张**" || views[0].MaskedNumber != "1****************"+number[17:] {
			t.Errorf("got %+v", views)
		}
		all, err := r.audit.Reads(ctx, "sub_1", audit.ReadFilter{Own: true})
		must(t, err)
		own := slices.DeleteFunc(all, func(e audit.ReadEvent) bool { return e.Reader.Class != vault.Self })
		if len(own) != 1 || !slices.Equal(own[0].Fields, []string{"realname_verification.name", "realname_verification.number"}) {
			t.Errorf("got %+v", own)
		}
		if views, err := r.s.List(ctx, person1(2)); err != nil || len(views) != 0 {
			t.Errorf("somebody else sees %v, %v", views, err)
		}
	})
}

func TestValuesAreErasedInTime(t *testing.T) {
	t.Parallel()
	cases := []struct {
		profile string
		result  Result
		kept    time.Duration // still there
		gone    time.Duration // erased by then; 0 = never
	}{
		{"mainland", Match, 10 * 365 * 24 * time.Hour, 0},
		{"mainland", Mismatch, 13 * 24 * time.Hour, 15 * 24 * time.Hour},
		{"mainland", NoRecord, 365 * 24 * time.Hour, 0},
		{"hongkong", Match, 22 * time.Hour, 24 * time.Hour},
		{"hongkong", Mismatch, 22 * time.Hour, 24 * time.Hour},
	}
	for _, c := range cases {
		t.Run(c.profile+" "+string(c.result), func(t *testing.T) {
			t.Parallel()
			r := alone(t, c.profile)
			r.source.result = c.result
			v := r.submit(t, person1(1), adult(1))
			r.clock.Advance(c.kept)
			must(t, r.s.eraseDue(ctx))
			if views, err := r.s.List(ctx, person1(1)); err != nil || views[0].MaskedName == "" {
				t.Errorf("erased too early: %v, %v", views, err)
			}
			if c.gone == 0 {
				return
			}
			r.clock.Advance(c.gone - c.kept)
			must(t, r.s.eraseDue(ctx))
			views, err := r.s.List(ctx, person1(1))
			if err != nil || views[0].MaskedName != "" || views[0].State != v.State {
				t.Errorf("after its time: %+v, %v", views, err)
			}
			ticket, err := r.s.ticket(ctx, v, vault.Reader{Class: vault.Job}, purpose, "")
			must(t, err)
			if _, err := r.keys.Open(ctx, ticket, v.ref("number"), v.number); !errors.Is(err, vault.ErrErased) {
				t.Errorf("a copy of the ciphertext: got %v, want ErrErased", err)
			}
			if _, err := r.s.Require(ctx, "acc_1"); (err == nil) != (c.result == Match) {
				t.Errorf("Require: %v", err)
			}
			n, err := db.Get(ctx, r.db, nil, db.One[int64], "SELECT count(*) FROM realname_attempt WHERE number_index <> ''")
			if err != nil || n != 0 && c.gone > 48*time.Hour {
				t.Errorf("%d indexes of old attempts are left, %v", n, err)
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
