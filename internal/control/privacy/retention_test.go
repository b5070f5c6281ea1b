package privacy_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/privacy"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

var (
	ctx   = context.Background()
	start = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	staff = account.Principal{Subject: "sub_staff", Staff: true}
)

// keeper keeps one thing of sub_a in a class, until it is told to destroy it.
type keeper struct {
	class string
	fail  error
	runs  int
	gone  int
}

func (k *keeper) Retain(_ context.Context, r retention.Run) ([]retention.Result, error) {
	k.runs++
	if k.fail != nil {
		return nil, k.fail
	}
	if r.Held(k.class, "sub_a") {
		return []retention.Result{{Class: k.class, Examined: 1, Held: 1}}, nil
	}
	k.gone++
	return []retention.Result{{Class: k.class, Examined: 1, Destroyed: 1}}, nil
}

func oneKeeper() []retention.Keeper { return []retention.Keeper{&keeper{class: "netlog"}} }

type nightRig struct {
	s      *privacy.Service
	audit  *audit.Service
	clock  *clock.Fake
	steady *time.Duration
	keeper *keeper // the first one
	db     *db.DB
	vault  *vault.Vault
}

func (r nightRig) wait(d time.Duration) {
	r.clock.Advance(d)
	*r.steady += d
}

// eachNight gives each engine keepers of its own, since both run at once.
func eachNight(t *testing.T, keepers func() []retention.Keeper, fn func(t *testing.T, r nightRig)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		kek, err := vault.FileKEK(filepath.Join(t.TempDir(), "kek"))
		must(t, err)
		c := clock.NewFake(start)
		v, err := vault.New(ctx, vault.Deps{DB: dbtest.SQLite(t, vault.Migrations()), Custodian: kek, Clock: c, Log: slog.New(slog.DiscardHandler)})
		must(t, err)
		a := audit.New(audit.Deps{DB: d, Vault: v, Clock: c, Origin: "test.example/log"})
		var steady time.Duration
		all := keepers()
		s := privacy.New(privacy.Deps{
			DB: d, Clock: c, Log: slog.New(slog.DiscardHandler), Audit: a, Vault: v, Profile: "mainland",
			Keepers: all, Steady: func() time.Duration { return steady },
		})
		r := nightRig{s: s, audit: a, clock: c, steady: &steady, db: d, vault: v}
		if len(all) > 0 {
			r.keeper = all[0].(*keeper)
		}
		fn(t, r)
	}, audit.Migrations(), privacy.Migrations())
}

func TestARunRecordsWhatItDid(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	keepers := func() []retention.Keeper {
		return []retention.Keeper{&keeper{class: "netlog"}, &keeper{fail: broken}, &keeper{class: "netlog"}, &keeper{class: "order"}}
	}
	eachNight(t, keepers, func(t *testing.T, r nightRig) {
		if err := r.s.Retain(ctx); !errors.Is(err, broken) {
			t.Fatalf("one keeper failed, and the run says %v", err)
		}
		runs, err := r.s.RetentionRuns(ctx, 10)
		must(t, err)
		if len(runs) != 2 || runs[0].Class != "netlog" || runs[0].Destroyed != 2 || runs[0].Problem != "failed" || runs[1].Destroyed != 1 {
			t.Errorf("recorded %+v", runs)
		}
		leaves, err := r.audit.Leaves(ctx, audit.Filter{Type: "retention.run"})
		must(t, err)
		if len(leaves) != 1 {
			t.Errorf("%d leaves", len(leaves))
		}
	})
}

func TestAHoldKeepsUntilItsEnd(t *testing.T) {
	t.Parallel()
	eachNight(t, oneKeeper, func(t *testing.T, r nightRig) {
		k := r.keeper
		place := privacy.Hold{Subject: "sub_a", Class: "netlog", Law: "CSL 28", Authority: "a court", Until: start.AddDate(0, 3, 0)}
		h, err := r.s.PlaceHold(ctx, staff, place)
		must(t, err)
		must(t, r.s.Retain(ctx))
		if k.gone != 0 {
			t.Error("destroyed what is held")
		}
		for subject, want := range map[id.Handle]int{"sub_a": 1, "sub_b": 0} {
			if held, err := r.s.HeldOf(ctx, subject); err != nil || len(held) != want {
				t.Errorf("%s is told of %d holds (%v)", subject, len(held), err)
			}
		}
		r.wait(80 * 24 * time.Hour)
		must(t, r.s.Retain(ctx))
		if k.gone != 0 {
			t.Error("destroyed what is held, 80 days later")
		}
		must(t, r.s.EndHold(ctx, staff, h.ID))
		must(t, r.s.EndHold(ctx, staff, h.ID))
		must(t, r.s.Retain(ctx))
		if k.gone != 1 {
			t.Error("the hold was ended, and it is kept")
		}
		place.Subject, place.Class, place.Until = "", "netlog", r.clock.Now().Add(time.Hour)
		_, err = r.s.PlaceHold(ctx, staff, place)
		must(t, err)
		must(t, r.s.Retain(ctx))
		r.wait(time.Hour)
		must(t, r.s.Retain(ctx))
		if k.gone != 2 {
			t.Errorf("a hold of one hour kept it from %d of two runs", k.gone-1)
		}
	})
}

func TestAHoldHasAnEndAndAReason(t *testing.T) {
	t.Parallel()
	eachNight(t, oneKeeper, func(t *testing.T, r nightRig) {
		good := privacy.Hold{Subject: "sub_a", Law: "CSL 28", Authority: "a court", Until: start.AddDate(1, 0, 0)}
		for name, spoil := range map[string]func(h *privacy.Hold){
			"no law":          func(h *privacy.Hold) { h.Law = " " },
			"no authority":    func(h *privacy.Hold) { h.Authority = "" },
			"no end":          func(h *privacy.Hold) { h.Until = time.Time{} },
			"over a year":     func(h *privacy.Hold) { h.Until = start.AddDate(1, 0, 2) },
			"in the past":     func(h *privacy.Hold) { h.Until = start },
			"unknown class":   func(h *privacy.Hold) { h.Class = "everything" },
			"everything ever": func(h *privacy.Hold) { h.Subject = "" },
		} {
			h := good
			spoil(&h)
			if _, err := r.s.PlaceHold(ctx, staff, h); errs.CodeOf(err) != privacy.ErrHold.Code {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := r.s.PlaceHold(ctx, staff, good); err != nil {
			t.Error(err)
		}
		if err := r.s.EndHold(ctx, staff, "hold_none"); !errs.IsNotFound(err) {
			t.Errorf("an unknown hold: %v", err)
		}
	})
}

// A clock that jumps, or is behind what was recorded, destroys nothing; the run
// after it does.
func TestAClockThatJumpsDestroysNothing(t *testing.T) {
	t.Parallel()
	eachNight(t, oneKeeper, func(t *testing.T, r nightRig) {
		k := r.keeper
		r.wait(time.Hour)
		must(t, r.s.Retain(ctx))
		r.clock.Advance(200 * 24 * time.Hour)
		if err := r.s.Retain(ctx); !errors.Is(err, privacy.ErrClock) || k.runs != 1 {
			t.Errorf("half a year forward: %v, %d runs", err, k.runs)
		}
		r.wait(24 * time.Hour)
		must(t, r.s.Retain(ctx))
		r.clock.Advance(-24 * time.Hour)
		if err := r.s.Retain(ctx); !errors.Is(err, privacy.ErrClock) || k.runs != 2 {
			t.Errorf("a day back: %v, %d runs", err, k.runs)
		}
		r.wait(time.Hour)
		if err := r.s.Retain(ctx); !errors.Is(err, privacy.ErrClock) || k.runs != 2 {
			t.Errorf("still behind the log: %v, %d runs", err, k.runs)
		}
		r.wait(24 * time.Hour)
		must(t, r.s.Retain(ctx))
		runs, err := r.s.RetentionRuns(ctx, 10)
		must(t, err)
		clocks := 0
		for _, one := range runs {
			if one.Problem == "clock" {
				clocks++
			}
		}
		if clocks != 3 || k.runs != 3 {
			t.Errorf("%d runs put off, %d made", clocks, k.runs)
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A request goes three years after its close with all that belongs to it; a day
// before, or under a hold, it stays.
func TestARequestGoesThreeYearsAfterItsClose(t *testing.T) {
	t.Parallel()
	none := func() []retention.Keeper { return nil }
	eachNight(t, none, func(t *testing.T, r nightRig) {
		left := func() (n int64) {
			n, err := db.Get(ctx, r.db, nil, db.One[int64], "SELECT (SELECT count(*) FROM privacy_request) + (SELECT count(*) FROM privacy_clock)")
			must(t, err)
			return n
		}
		r.file(t, "dsr_1", "dsr_1", start)
		r.file(t, "dsr_2", "dsr_2", start.AddDate(0, 6, 0))
		r.wait(start.AddDate(3, 0, 0).Sub(start) - 24*time.Hour)
		must(t, r.s.Retain(ctx))
		if left() != 4 {
			t.Fatal("a request went before its time")
		}
		h, err := r.s.PlaceHold(ctx, staff, privacy.Hold{Subject: "sub_a", Law: "CSL 28", Authority: "a court", Until: r.clock.Now().AddDate(0, 1, 0)})
		must(t, err)
		r.wait(72 * time.Hour)
		must(t, r.s.Retain(ctx))
		if gone, err := r.vault.Destroyed(ctx, "sub_a", "case/dsr_1"); left() != 4 || gone || err != nil {
			t.Fatalf("what is held went: %d rows, key destroyed %v, %v", left(), gone, err)
		}
		must(t, r.s.EndHold(ctx, staff, h.ID))
		must(t, r.s.Retain(ctx))
		if left() != 2 {
			t.Errorf("after the first: %d rows, want those of the second", left())
		}
		r.wait(190 * 24 * time.Hour)
		must(t, r.s.Retain(ctx))
		if left() != 0 {
			t.Errorf("after the last: %d rows", left())
		}
	})
}

// file writes a request of sub_a that is closed, with the words "why?" under the
// key of a case, or with an empty one under the person's, as older releases did.
func (r nightRig) file(t *testing.T, row, keyCase string, closed time.Time) (vault.Ref, []byte) {
	t.Helper()
	ref := vault.Ref{Table: "privacy_request", Column: "words", Row: row, Subject: "sub_a", Class: "case"}
	if keyCase != "" {
		ref.Class += "/" + keyCase
	}
	sealed, err := r.vault.Seal(ctx, ref, []byte("why?"))
	must(t, err)
	must(t, r.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO privacy_request (id, subject, kind, channel, state, words, reason, received_at, closed_at, version, key_case)
			VALUES ($1, 'sub_a', 'question', 'console', 'done', $2, '', $3, $3, 1, $4)`, row, sealed, db.Micros(closed), keyCase)
		if err == nil {
			_, err = tx.Exec(ctx, "INSERT INTO privacy_clock (request, rule, due_at, provisional, met_at) VALUES ($1, 'x', 1, 0, 1)", row)
		}
		return err
	}))
	return ref, sealed
}

// openGate lets everything pass.
type openGate struct{}

func (openGate) Gate(context.Context, id.Handle, string) error { return nil }

// The key of a case goes with its rows, so that no copy of them opens, nor what the
// log told of it. Other cases stay, with what the log tells of them, and what an
// older release sealed under the person's key can be read as before.
func TestTheKeyOfACaseGoesWithItsRows(t *testing.T) {
	t.Parallel()
	none := func() []retention.Keeper { return nil }
	eachNight(t, none, func(t *testing.T, r nightRig) {
		r.vault.Bind(r.audit, openGate{})
		leaf, err := r.audit.Record(ctx, audit.Event{
			Type: "privacy.request_received", Subject: "sub_a", Actor: audit.Actor{Class: vault.Self, Handle: "sub_a"}, Object: "dsr_2", Detail: map[string]string{"request": "dsr_2"},
		})
		must(t, err)
		type copied struct {
			ref    vault.Ref
			sealed []byte
		}
		words := map[string]copied{}
		for row, at := range map[string]struct {
			key string
			of  time.Time
		}{"dsr_1": {"dsr_1", start}, "dsr_2": {"dsr_2", start.AddDate(1, 0, 0)}, "dsr_old": {"", start.AddDate(1, 0, 0)}} {
			ref, sealed := r.file(t, row, at.key, at.of)
			words[row] = copied{ref, sealed}
		}
		ticket := func(field string) vault.Ticket {
			got, err := r.vault.Begin(ctx, vault.Read{Reader: vault.Reader{Class: vault.Self, Handle: "sub_a"}, Subject: "sub_a", Fields: []string{field}, Purpose: "rights"})
			must(t, err)
			return got
		}
		opens := func(row string) error {
			c := words[row]
			plain, err := r.vault.Open(ctx, ticket(c.ref.Field()), c.ref, c.sealed)
			if err == nil && string(plain) != "why?" {
				t.Errorf("%s opens as %q", row, plain)
			}
			return err
		}
		for row := range words {
			must(t, opens(row))
		}
		r.wait(start.AddDate(3, 0, 1).Sub(start))
		must(t, r.s.Retain(ctx))
		if err := opens("dsr_1"); !errors.Is(err, vault.ErrErased) {
			t.Errorf("a copy of the words that went: got %v, want %v", err, vault.ErrErased)
		}
		if gone, err := r.vault.Destroyed(ctx, "sub_a", "case/dsr_1"); err != nil || !gone {
			t.Errorf("the key of the case: destroyed %v, %v", gone, err)
		}
		for _, row := range []string{"dsr_2", "dsr_old"} {
			if err := opens(row); err != nil {
				t.Errorf("%s, whose time is not over: %v", row, err)
			}
		}
		if o, err := r.s.Show(ctx, account.Principal{Subject: "sub_a"}, "dsr_old"); err != nil || o.Words != "why?" {
			t.Errorf("a request of an older release: got %q, %v", o.Words, err)
		}
		if got, err := r.audit.Reveal(ctx, ticket(audit.DetailField), leaf); err != nil || len(got.Payload) == 0 {
			t.Errorf("the detail of the log: %v", err)
		}
		r.wait(366 * 24 * time.Hour)
		must(t, r.s.Retain(ctx))
		if _, err := r.audit.Reveal(ctx, ticket(audit.DetailField), leaf); !errors.Is(err, vault.ErrErased) {
			t.Errorf("the detail of the log of a case that went: %v", err)
		}
	})
}

// A hold goes three years after its end with what the log tells of it, and not
// before.
func TestAHoldGoesThreeYearsAfterItsEnd(t *testing.T) {
	t.Parallel()
	none := func() []retention.Keeper { return nil }
	eachNight(t, none, func(t *testing.T, r nightRig) {
		h, err := r.s.PlaceHold(ctx, staff, privacy.Hold{Subject: "sub_a", Law: "CSL 28", Authority: "a court", Until: start.AddDate(1, 0, 0)})
		must(t, err)
		early, err := r.s.PlaceHold(ctx, staff, privacy.Hold{Subject: "sub_a", Class: "netlog", Law: "CSL 28", Authority: "a court", Until: start.AddDate(1, 0, 0)})
		must(t, err)
		must(t, r.s.EndHold(ctx, staff, early.ID))
		for _, night := range []struct {
			at    time.Time
			holds int
			gone  bool
		}{
			{start.AddDate(3, 0, 0), 2, false}, {start.AddDate(3, 0, 1), 1, false}, {start.AddDate(4, 0, 0), 1, false}, {start.AddDate(4, 0, 1), 0, true},
		} {
			r.wait(night.at.Sub(r.clock.Now()))
			must(t, r.s.Retain(ctx))
			all, err := r.s.Holds(ctx)
			must(t, err)
			gone, err := r.vault.Destroyed(ctx, "sub_a", "case/"+h.ID)
			if err != nil || len(all) != night.holds || gone != night.gone {
				t.Errorf("%s: %d holds, the key of the longer destroyed %v, %v", night.at, len(all), gone, err)
			}
		}
	})
}
