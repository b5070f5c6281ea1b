package realname

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/realname/realnametest"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// desk knows one case, and notes what it was told of.
type desk struct {
	of   id.Handle // who asked in case_1; empty: nobody
	told []string
}

func (d *desk) CorrectingTx(_ context.Context, _ *db.Tx, caseID string) (id.Handle, error) {
	if caseID != "case_1" || d.of == "" {
		return "", errs.New(errs.NotFound, "privacy.not_found")
	}
	return d.of, nil
}

func (d *desk) CorrectedTx(_ context.Context, _ *db.Tx, subject id.Handle, columns ...string) error {
	d.told = append(d.told, string(subject)+" "+strings.Join(columns, " "))
	return nil
}

func (r *rig) officer(n int) account.Principal {
	p := person1(n)
	p.Staff, p.Permissions, p.StepUpUntil = true, account.RoleIdentity.Permissions(), r.clock.Now().Add(time.Hour)
	return p
}

// verified makes person 1's account verified, and a desk that has a case of it.
func (r *rig) verified(t *testing.T) (*desk, Verification) {
	t.Helper()
	_, err := r.s.Submit(ctx, person1(1), adult(1))
	must(t, err)
	must(t, r.queue.Drain(ctx))
	v, err := r.s.Current(ctx, "acc_1")
	must(t, err)
	if v.State != Approved {
		t.Fatalf("got %s", v.State)
	}
	d := &desk{of: "sub_1"}
	r.s.cases, r.s.corrections = d, d
	r.clock.Advance(24 * time.Hour)
	return d, v
}

func corrected(n int) Correction {
	return Correction{Case: "case_1", Name: "李改名", Number: realnametest.Number(time.Date(1990, 1, 2, 0, 0, 0, 0, time.UTC), n)}
}

func TestAnOfficerCorrectsWithACaseAndTheSourceIsAskedAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		d, old := r.verified(t)
		next, err := r.s.Correct(ctx, r.officer(9), corrected(500))
		must(t, err)
		if got, err := r.s.Require(ctx, "acc_1"); err != nil || got.ID() != old.ID {
			t.Errorf("before the source answers: got %s, %v, want what stood", got.ID(), err)
		}
		must(t, r.queue.Drain(ctx))
		if got, err := r.s.Require(ctx, "acc_1"); err != nil || got.ID() != next.ID {
			t.Errorf("got %s, %v, want the correction", got.ID(), err)
		}
		was, err := byID(ctx, r.db, old.ID)
		must(t, err)
		if was.State != Revoked || was.Reason != "realname.corrected" {
			t.Errorf("what it replaces: got %s, %s", was.State, was.Reason)
		}
		if len(d.told) != 1 || d.told[0] != "sub_1 realname_verification.name realname_verification.number" {
			t.Errorf("told %v", d.told)
		}
		r.clock.Advance(time.Hour)
		must(t, r.s.eraseDue(ctx))
		if was, err = byID(ctx, r.db, old.ID); err != nil || was.name != nil || was.number != nil {
			t.Errorf("the old values are still there: %v", err)
		}
		if name, _, err := r.s.read(ctx, mustGet(t, r, next.ID)); err != nil || name != "李改名" {
			t.Errorf("got %q, %v", name, err)
		}
	})
}

func TestACorrectionThatDoesNotMatchChangesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		d, old := r.verified(t)
		r.source.result = Mismatch
		_, err := r.s.Correct(ctx, r.officer(9), corrected(500))
		must(t, err)
		must(t, r.queue.Drain(ctx))
		if got, err := r.s.Require(ctx, "acc_1"); err != nil || got.ID() != old.ID || len(d.told) != 0 {
			t.Errorf("got %s, %v, told %v", got.ID(), err, d.told)
		}
		if _, err := r.s.Submit(ctx, person1(1), adult(2)); !errors.Is(err, ErrGrant) {
			t.Errorf("the person, of whom a name stands: got %v, want ErrGrant", err)
		}
	})
}

func TestWhoEntersACorrectionDoesNotVerifyIt(t *testing.T) {
	t.Parallel()
	r := alone(t, "mainland")
	r.verified(t)
	r.source.result = NoRecord
	v, err := r.s.Correct(ctx, r.officer(9), corrected(500))
	must(t, err)
	must(t, r.queue.Drain(ctx))
	if err := r.s.Review(ctx, r.officer(9), v.ID, true, "case_1"); !errors.Is(err, ErrOwnReview) {
		t.Errorf("the same officer: got %v", err)
	}
	must(t, r.s.Review(ctx, r.officer(8), v.ID, true, "case_1"))
	if got, err := r.s.Require(ctx, "acc_1"); err != nil || got.ID() != v.ID {
		t.Errorf("got %s, %v", got.ID(), err)
	}
}

// Mutant LT-4.2 lets the store write what no grant allows. Every way that leads to
// the store is tried while a name stands.
func TestAVerifiedNameIsWrittenByNothingButACorrection(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		d, old := r.verified(t)
		before := mustGet(t, r, old.ID)
		boss := account.Principal{Account: "acc_b", Subject: "sub_b", Staff: true, StepUpUntil: r.clock.Now().Add(time.Hour)}
		for _, p := range account.AllPermissions() {
			if p != account.PermRealnameCorrect {
				boss.Permissions = append(boss.Permissions, p)
			}
		}
		// By the module's faces.
		_, err := r.s.Submit(ctx, person1(1), adult(2))
		want(t, "the person again", err, ErrState)
		_, err = r.s.Correct(ctx, boss, corrected(500))
		want(t, "staff who may do everything else", err, ErrOfficer)
		self := r.officer(1)
		_, err = r.s.Correct(ctx, self, corrected(500))
		want(t, "an officer's own name", err, ErrOwnReview)
		late := r.officer(9)
		late.StepUpUntil = time.Time{}
		_, err = r.s.Correct(ctx, late, corrected(500))
		want(t, "without a fresh proof", err, account.ErrStepUp)
		without := corrected(500)
		without.Case = ""
		_, err = r.s.Correct(ctx, r.officer(9), without)
		want(t, "without a case", err, ErrCase)
		_, err = r.s.AskManual(ctx, person1(1), old.ID)
		want(t, "by review of what stands", err, ErrState)
		want(t, "by a decision", r.s.Review(ctx, boss, old.ID, true, "case_1"), ErrState)

		// At the store, with every grant that anything could hold up to it.
		v := Verification{ID: id.New("rnv"), Account: "acc_1", Subject: "sub_1", State: Verifying, SubmittedAt: r.clock.Now(), name: []byte("n"), number: []byte("m"), index: "i"}
		good, err := correction(r.officer(9), v, old, "case_1")
		must(t, err)
		with := func(change func(*grant)) grant {
			g := good
			change(&g)
			return g
		}
		for name, g := range map[string]grant{
			"none":                          {},
			"a first submission":            first(person1(1), v),
			"for another verification":      with(func(g *grant) { g.verification = "rnv_other" }),
			"for another person":            with(func(g *grant) { g.subject = "sub_2" }),
			"for another account":           with(func(g *grant) { g.account = "acc_2" }),
			"of another kind":               with(func(g *grant) { g.kind = "admin" }),
			"without an officer":            with(func(g *grant) { g.officer = "" }),
			"with the person as officer":    with(func(g *grant) { g.officer = "sub_1" }),
			"that replaces something else":  with(func(g *grant) { g.replaces = "rnv_other" }),
			"without its case":              with(func(g *grant) { g.caseID = "" }),
			"with a case that there is not": with(func(g *grant) { g.caseID = "case_2" }),
		} {
			if err := r.write(g, v); !errors.Is(err, ErrGrant) && !errors.Is(err, ErrCase) {
				t.Errorf("a grant %s: got %v, want a refusal", name, err)
			}
		}
		done := v
		done.State = Approved
		want(t, "as verified already", r.write(good, done), ErrGrant)
		d.of = "sub_2"
		want(t, "the case of somebody else", r.write(good, v), ErrCase)
		d.of = "sub_1"
		must(t, r.write(good, v))
		want(t, "a grant twice", r.write(good, v), ErrGrant)

		after := mustGet(t, r, old.ID)
		if !bytes.Equal(after.name, before.name) || !bytes.Equal(after.number, before.number) || after.index != before.index || after.State != Approved {
			t.Error("what stood was altered")
		}
		if n, err := db.Get(ctx, r.db, nil, db.One[int64], "SELECT count(*) FROM realname_verification"); err != nil || n != 2 {
			t.Errorf("got %d verifications, %v: want the one that stood and the one correction", n, err)
		}
		if examined, found, err := r.s.Ungranted(ctx); examined != 2 || found != 0 || err != nil {
			t.Errorf("got %d of %d, %v", found, examined, err)
		}
		must(t, r.db.InTx(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, "UPDATE realname_verification SET id = 'rnv_by_hand' WHERE id = $1", v.ID)
			return err
		}))
		if _, found, _ := r.s.Ungranted(ctx); found != 1 {
			t.Errorf("by hand: found %d", found)
		}
	})
}

func (r *rig) write(g grant, v Verification) error {
	return r.db.InTx(ctx, func(tx *db.Tx) error { return r.s.writeTx(ctx, tx, g, v) })
}

func want(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func mustGet(t *testing.T, r *rig, verification string) Verification {
	t.Helper()
	v, err := byID(ctx, r.db, verification)
	must(t, err)
	return v
}

// One statement of the program writes names and numbers, and those that erase them
// write nothing into them.
func TestOneStatementWritesTheValues(t *testing.T) {
	t.Parallel()
	text := regexp.MustCompile("(?s)\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`")
	inserts := map[string]int{}
	err := filepath.WalkDir("../..", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, sql := range text.FindAllString(string(source), -1) {
			flat := strings.Join(strings.Fields(sql), " ")
			if strings.Contains(flat, "INTO realname_verification") {
				inserts[filepath.Base(path)]++
			}
			_, rest, updates := strings.Cut(flat, "UPDATE realname_verification SET ")
			if !updates {
				continue
			}
			set, _, _ := strings.Cut(rest, " WHERE ")
			for _, column := range strings.Split(set, ", ") {
				name, value, _ := strings.Cut(column, " = ")
				if (name == "name" || name == "number") && value != "NULL" || (name == "number_index" && value != "''") {
					t.Errorf("%s writes a value: %s", path, flat)
				}
			}
		}
		return nil
	})
	must(t, err)
	if len(inserts) != 1 || inserts["grant.go"] != 1 {
		t.Errorf("got %v, want the one statement of grant.go", inserts)
	}
}
