//go:build fault

package legalorder_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/account/accounttest"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/control/legalorder"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault/faulttest"
)

// lasting is a rig whose databases and keys are in a directory, with people who
// are registered there if there are none.
func lasting(t *testing.T, dir string) rig {
	t.Helper()
	d := dbtest.Again(t, filepath.Join(dir, "main.db"), append(accounttest.Migrations(), legalorder.Migrations())...)
	r := rig{Rig: accounttest.At(t, d, consent.Mainland, false, dir), people: people{}}
	named := func(name string) (got account.Registered) {
		got, err := db.Get(ctx, d, account.ErrNotFound, func(row db.Row) (v account.Registered, err error) { return v, row.Scan(&v.Subject, &v.Account) },
			"SELECT subject, account FROM account_person WHERE name = $1", name)
		if errors.Is(err, account.ErrNotFound) {
			return r.Register(t, name)
		}
		must(t, err)
		return got
	}
	r.anna, r.bert = named("anna"), named("bert")
	if _, err := os.Stat(filepath.Join(dir, "authority")); err != nil {
		_, err := legalorder.Format.NewKey(filepath.Join(dir, "authority"))
		must(t, err)
	}
	return r.with(t, dir)
}

// TestVictim carries an order out in a process that is to be killed on the way.
func TestVictim(t *testing.T) {
	dir := os.Getenv(faulttest.Dir)
	if dir == "" {
		return
	}
	r := lasting(t, dir)
	_, err := r.s.Execute(ctx, clerk, r.approved(t).ID, legalorder.Scope{})
	t.Fatalf("the process outlived its fault point: %v", err)
}

// Killed at any step, an order is carried out or it is not, what may have been sent
// stays in the register, and it can be carried out again where no file was kept
// (job 6 of the privacy specification: intent and sending).
func TestThePowerFailsWhileAnOrderIsCarriedOut(t *testing.T) {
	t.Parallel()
	for point, want := range map[string]struct {
		after string
		again error
		sent  int // rows of the register, of both processes
	}{
		"legalorder-after-intent":   {legalorder.Approved, nil, 2},
		"legalorder-after-make":     {legalorder.Approved, nil, 2},
		"legalorder-after-executed": {legalorder.Executed, legalorder.ErrState, 1},
	} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			faulttest.Kill(t, "TestVictim", point, faulttest.Dir+"="+dir)
			r := lasting(t, dir)
			all, err := r.s.Orders(ctx)
			must(t, err)
			if len(all) != 1 || all[0].State != want.after {
				t.Fatalf("after the crash: %+v, want one that is %s", all, want.after)
			}
			o := all[0]
			before, err := r.s.Package(ctx, clerk, o.ID)
			if (err == nil && len(before) > 0) != (want.after == legalorder.Executed) {
				t.Errorf("after the crash: a file of %d bytes, %v", len(before), err)
			}
			sent, err := r.Audit.Disclosures(ctx, r.anna.Subject, "", 100)
			must(t, err)
			if len(sent) != 1 || sent[0].Phase != "intent" {
				t.Errorf("after the crash the register says %+v, want one that may have been sent", sent)
			}
			if _, err := r.s.Execute(ctx, clerk, o.ID, legalorder.Scope{}); !errors.Is(err, want.again) {
				t.Errorf("again: got %v, want %v", err, want.again)
			}
			file, err := r.s.Package(ctx, clerk, o.ID)
			must(t, err)
			var text strings.Builder
			for _, part := range r.opened(t, o.ID, file) {
				text.WriteString(part)
			}
			if !strings.Contains(text.String(), "anna@example.org") || strings.Contains(text.String(), "bert@example.org") {
				t.Error("the file is not the one of the order")
			}
			if _, got := r.seen(t, r.anna.Subject); got != want.sent {
				t.Errorf("%d rows of the register, want %d", got, want.sent)
			}
			if report, err := r.Audit.Verify(ctx); err != nil || len(report.Problems) > 0 {
				t.Errorf("the log: %v, %v", report.Problems, err)
			}
		})
	}
}
