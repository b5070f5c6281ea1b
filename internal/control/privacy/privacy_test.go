package privacy

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

var (
	ctx   = context.Background()
	alice = account.Principal{Account: "acc_1", Subject: "sub_1", Session: "ses_1"}
	mallo = account.Principal{Account: "acc_2", Subject: "sub_2", Session: "ses_2"}
	desk  = account.Principal{Account: "acc_9", Subject: "sub_9", Session: "ses_9", Staff: true}
)

type open struct{}

func (open) Gate(context.Context, id.Handle, string) error { return nil }

// ends notes what a report of misuse asked of the modules that it ends.
type ends struct{ did []string }

func (e *ends) EndSessionsTx(_ context.Context, _ *db.Tx, who id.Handle, _ string) error {
	e.did = append(e.did, "logins of "+string(who))
	return nil
}

func (e *ends) ShutClientsTx(_ context.Context, _ *db.Tx, p account.Principal) error {
	e.did = append(e.did, "tunnels of "+string(p.Account))
	return nil
}

// owners knows that acc_kid is a child's.
type owners struct{}

func (owners) Owner(_ context.Context, a account.ID) (id.Handle, error) {
	if a == "acc_kid" {
		return "sub_kid", nil
	}
	return "", account.ErrNotFound
}

type rig struct {
	s     *Service
	db    *db.DB
	clock *clock.Fake
	audit *audit.Service
	ends  *ends
	log   *bytes.Buffer
}

func newRig(t *testing.T, d *db.DB, profile, day string) *rig {
	t.Helper()
	return rigAt(t, d, profile, day, t.TempDir())
}

// rigAt keeps the key store in a directory, and finds the one that is there.
func rigAt(t *testing.T, d *db.DB, profile, day, dir string) *rig {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	kek, err := vault.FileKEK(filepath.Join(dir, "kek"))
	must(t, err)
	r := &rig{db: d, clock: clock.NewFake(at(t, day)), ends: &ends{}, log: &bytes.Buffer{}}
	keys, err := vault.New(ctx, vault.Deps{DB: dbtest.Again(t, filepath.Join(dir, "keys.db"), vault.Migrations()), Custodian: kek, Clock: r.clock, Log: quiet})
	must(t, err)
	r.audit = audit.New(audit.Deps{DB: d, Vault: keys, Clock: r.clock, Log: quiet})
	keys.Bind(r.audit, open{})
	r.s = New(Deps{
		DB: d, Clock: r.clock, Queue: job.New(d, r.clock, quiet), Log: slog.New(slog.NewTextHandler(r.log, nil)), Audit: r.audit, Vault: keys,
		Profile: profile, Logins: r.ends, Tunnels: r.ends, Owners: owners{},
		Letterhead: Letterhead{Brand: "B", LegalName: "L", Complaint: "complain@b.example", Authority: "the CAC", DPO: "D", DPOContact: "dpo@b.example"},
	})
	return r
}

var sets = []db.Migrations{audit.Migrations(), job.Migrations(), Migrations()}

func each(t *testing.T, fn func(t *testing.T, r *rig)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { fn(t, newRig(t, d, "mainland", "2026-04-30")) }, sets...)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// at is three in the afternoon of a day in China.
func at(t *testing.T, day string) time.Time {
	t.Helper()
	d, err := civil.ParseDay(day)
	must(t, err)
	return d.Start().Add(15 * time.Hour)
}

func (r *rig) open(t *testing.T, k Kind) Request {
	t.Helper()
	got, err := r.s.Open(ctx, alice, NewRequest{Kind: k, Words: "my secret words", Channel: "console"})
	must(t, err)
	return got
}

func refusal() Answer {
	return Answer{Decision: Denied, Reason: "must_keep", Law: "CSL-23", Remedies: []string{"court", "complaint"}}
}

// The vectors of section 3.4: the earliest of three working days and seven days.
func TestMainlandAnswersByTheEarliestClock(t *testing.T) {
	t.Parallel()
	for day, want := range map[string]string{
		"2026-02-10": "2026-02-13", "2026-04-30": "2026-05-07", "2026-10-10": "2026-10-14", "2026-11-23": "2026-11-26",
	} {
		for _, k := range Kinds() {
			now := at(t, day)
			if got := lastDay(due(clocks(civil.Published(), consent.Mainland, k, now, now)).Due); got != want {
				t.Errorf("%s on %s: due %s, want %s", k, day, got, want)
			}
		}
	}
}

func TestHongKongAnswersFifteenWorkingDaysAfterReceipt(t *testing.T) {
	t.Parallel()
	for day, want := range map[string]string{"2026-02-10": "2026-03-09", "2026-04-30": "2026-05-25", "2026-10-10": "2026-10-30"} {
		r := newRig(t, dbtest.SQLite(t, sets...), consent.HongKong, day)
		q := r.open(t, Access)
		must(t, r.s.AskIdentity(ctx, desk, q.ID))
		r.clock.Advance(5 * 24 * time.Hour)
		must(t, r.s.Identified(ctx, desk, q.ID))
		all, err := r.s.Desk(ctx, desk, false)
		if err != nil || len(all) != 1 || lastDay(all[0].Due) != want {
			t.Errorf("%s: got %v, %v; want due %s, however long the proof took", day, all, err, want)
		}
		late := r.open(t, Access)
		r.clock.Advance(14 * 24 * time.Hour)
		if err := r.s.AskIdentity(ctx, desk, late.ID); !errors.Is(err, ErrAskedLate) {
			t.Errorf("%s: asked after two weeks: got %v", day, err)
		}
		now := at(t, day)
		if got := due(clocks(civil.Published(), consent.HongKong, Complaint, now, now)); got.Due.After(at(t, day).AddDate(0, 0, 16)) {
			t.Errorf("a complaint of %s is due %s", day, got.Due)
		}
	}
}

func TestWhatCannotBeComputedIsStrictAndOnlyMovesEarlier(t *testing.T) {
	t.Parallel()
	old := time.Date(1999, 1, 1, 12, 0, 0, 0, civil.Zone)
	got := due(clocks(civil.Published(), consent.Mainland, Access, old, old))
	if !got.Provisional || lastDay(got.Due) != "1999-01-04" {
		t.Errorf("got %+v, want three calendar days, provisional", got)
	}
	now := at(t, "2026-10-10")
	for want, c := range map[string]Clock{
		"2026-10-14": {Rule: reply3wd, Due: at(t, "2026-12-31"), Provisional: true},
		"2026-10-11": {Rule: reply3wd, Due: civil.DayOf(at(t, "2026-10-11")).End(), Provisional: true},
	} {
		if got := c.again(civil.Published(), now, now); lastDay(got.Due) != want || got.Provisional {
			t.Errorf("got %+v, want %s", got, want)
		}
	}
}

func TestASpecialCaseTakesSevenDaysOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t, sets...), consent.Mainland, "2026-11-23")
	q := r.open(t, Access)
	if err := r.s.Special(ctx, desk, q.ID, "identity"); !errors.Is(err, ErrSpecial) {
		t.Errorf("identity is no special case: got %v", err)
	}
	must(t, r.s.Special(ctx, desk, q.ID, "complex"))
	o, err := r.s.Show(ctx, alice, q.ID)
	if err != nil || lastDay(o.Due) != "2026-11-30" || o.Special != "complex" {
		t.Errorf("got %s %s, %v", lastDay(o.Due), o.Special, err)
	}
	if err := r.s.Special(ctx, desk, q.ID, "complex"); !errors.Is(err, ErrNoExtension) {
		t.Errorf("twice: got %v", err)
	}
}

func TestARequestIsSealedAnsweredAndTold(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		q := r.open(t, Explain)
		if row, err := byID(ctx, r.db, q.ID); err != nil || bytes.Contains(row.words, []byte("secret")) {
			t.Errorf("the words are in the row, %v", err)
		}
		if _, err := r.s.Show(ctx, mallo, q.ID); !errs.IsNotFound(err) {
			t.Errorf("somebody else's: got %v", err)
		}
		o, err := r.s.Handle(ctx, desk, q.ID)
		if err != nil || o.Words != "my secret words" {
			t.Errorf("got %q, %v", o.Words, err)
		}
		if _, err := r.s.Handle(ctx, alice, q.ID); !errors.Is(err, ErrOwn) {
			t.Errorf("an own request: got %v", err)
		}
		if err := r.s.Answer(ctx, desk, q.ID, Answer{Decision: Granted}); !errors.Is(err, ErrAnswerWords) {
			t.Errorf("an explanation without words: got %v", err)
		}
		must(t, r.s.Answer(ctx, desk, q.ID, Answer{Decision: Granted, Words: "because"}))
		o, err = r.s.Show(ctx, alice, q.ID)
		if err != nil || o.State != Done || !o.Due.IsZero() || !strings.Contains(o.Letter["en"], "because") || !strings.Contains(o.Letter["zh-CN"], "because") {
			t.Errorf("got %+v, %v", o, err)
		}
		if err := r.s.Answer(ctx, desk, q.ID, refusal()); !errors.Is(err, ErrState) {
			t.Errorf("answered twice: got %v", err)
		}
		report, err := r.audit.Verify(ctx)
		if err != nil || len(report.Problems) > 0 {
			t.Errorf("the log: %v, %v", report.Problems, err)
		}
	})
}

func TestARefusalHasReasonLawAndRemedy(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t, sets...), consent.Mainland, "2026-11-23")
	q := r.open(t, Delete)
	for want, spoil := range map[error]func(*Answer){
		ErrReason: func(a *Answer) { a.Reason = "because" },
		ErrLaw:    func(a *Answer) { a.Law = "" },
		ErrRemedy: func(a *Answer) { a.Remedies = []string{"complaint"} },
	} {
		for _, d := range []Decision{Denied, Partial} {
			a := refusal()
			a.Decision = d
			spoil(&a)
			if err := r.s.Answer(ctx, desk, q.ID, a); !errors.Is(err, want) || errs.KindOf(err) != errs.Unprocessable {
				t.Errorf("%s: got %v, want %v", d, err, want)
			}
		}
	}
	must(t, r.s.Answer(ctx, desk, q.ID, refusal()))
	o, err := r.s.Show(ctx, alice, q.ID)
	must(t, err)
	for language, p := range languages() {
		for _, part := range []string{p.Reasons["must_keep"], p.Laws["CSL-23"], p.Remedies["court"]} {
			if !strings.Contains(o.Letter[language], part) {
				t.Errorf("the letter in %s does not say %q:\n%s", language, part, o.Letter[language])
			}
		}
	}
}

func TestEveryLetterNamesWhereToComplain(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t, sets...), consent.Mainland, "2026-11-23")
	q := r.open(t, Complaint)
	must(t, r.s.Answer(ctx, desk, q.ID, Answer{Decision: Granted, Words: "we are sorry"}))
	o, err := r.s.Show(ctx, alice, q.ID)
	must(t, err)
	for _, text := range []string{o.Letter["en"], o.Letter["zh-CN"]} {
		if !strings.Contains(text, "complain@b.example") || !strings.Contains(text, "the CAC") {
			t.Errorf("no channel, or no authority:\n%s", text)
		}
	}
}

func TestAMessageArrivesAtTheDesk(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t, sets...), consent.Mainland, "2026-11-23")
	q := r.open(t, Question)
	all, err := r.s.Desk(ctx, desk, false)
	if err != nil || len(all) != 1 || all[0].ID != q.ID || lastDay(all[0].Due) != "2026-11-26" {
		t.Errorf("got %v, %v", all, err)
	}
}

func TestMisuseEndsEverythingInOneStep(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t, sets...), consent.Mainland, "2026-11-23")
	_, err := r.s.Open(ctx, alice, NewRequest{Kind: Misuse, Channel: "console"})
	if want := []string{"tunnels of acc_1", "logins of sub_1"}; err != nil || !slices.Equal(r.ends.did, want) {
		t.Errorf("got %v, %v; want %v", r.ends.did, err, want)
	}
}

func TestWhatIsGrantedIsDueUntilItIsDone(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t, sets...), consent.Mainland, "2026-11-23")
	q := r.open(t, Cancel)
	must(t, r.s.Answer(ctx, desk, q.ID, Answer{Decision: Granted}))
	o, err := r.s.Show(ctx, alice, q.ID)
	if err != nil || o.State != Carrying || lastDay(o.Due) != "2026-12-14" {
		t.Errorf("got %s due %s, %v", o.State, lastDay(o.Due), err)
	}
	if _, err := r.s.Withdraw(ctx, alice, q.ID); !errors.Is(err, ErrState) {
		t.Errorf("taken back while it is done: got %v", err)
	}
	r.clock.Advance(30 * 24 * time.Hour)
	must(t, r.s.watch(ctx))
	if n, err := r.s.Standing(ctx); err != nil || n.Overdue != 1 || !strings.Contains(r.log.String(), "past due") {
		t.Errorf("got %+v, %v, log %q", n, err, r.log)
	}
	must(t, r.s.Carried(ctx, account.Principal{}, q.ID))
	if n, err := r.s.Standing(ctx); err != nil || n.Open != 0 {
		t.Errorf("done: got %+v, %v", n, err)
	}
}
