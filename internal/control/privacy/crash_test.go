//go:build fault

package privacy

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault/faulttest"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

const crashDay = "2026-04-30"

// lasting is a rig whose databases are in a directory.
func lasting(t *testing.T, dir string) *rig {
	t.Helper()
	r := rigAt(t, dbtest.Again(t, filepath.Join(dir, "main.db"), sets...), "mainland", crashDay, dir)
	r.s.d.Held, r.s.d.Tables, r.s.d.Identities = Held(), Holdings(), verified{"acc_1": true}
	return r
}

// TestVictimOfACopy asks for a copy and fetches it in a process that is to be
// killed on the way.
func TestVictimOfACopy(t *testing.T) {
	dir := os.Getenv(faulttest.Dir)
	if dir == "" {
		return
	}
	r := lasting(t, dir)
	q := r.asked(t, Copy)
	_, err := r.s.FetchCopy(ctx, r.fresh(alice), q.ID)
	t.Fatalf("the process outlived its fault point: %v", err)
}

// Killed between any two steps a copy is made once, is whole or is not there, and
// is handed out once at most (job 6 of the privacy specification).
func TestThePowerFailsWhileACopyIsMadeAndFetched(t *testing.T) {
	t.Parallel()
	for point, want := range map[string]struct {
		after CopyState
		fetch error // by the process that comes next, when the jobs have run
	}{
		"copy-after-seal":  {CopyMaking, nil},
		"copy-after-ready": {CopyReady, nil},
		"copy-after-open":  {CopyReady, nil},
		"copy-after-fetch": {CopyFetched, ErrNotReady},
	} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			faulttest.Kill(t, "TestVictimOfACopy", point, faulttest.Dir+"="+dir)
			r := lasting(t, dir)
			q, err := r.s.Mine(ctx, alice)
			must(t, err)
			if len(q) != 1 {
				t.Fatalf("%d requests, want one", len(q))
			}
			f, err := r.s.CopyOf(ctx, alice, q[0].ID)
			if err != nil || f.State != want.after || (r.bytes(t) == 1) != (want.after == CopyReady) {
				t.Errorf("after the crash: %s with %d copies kept, %v; want %s", f.State, r.bytes(t), err, want.after)
			}
			r.clock.Advance(2 * time.Minute) // the lease of the job ends
			must(t, r.s.d.Queue.Drain(ctx))
			file, err := r.s.FetchCopy(ctx, r.fresh(alice), q[0].ID)
			if !errors.Is(err, want.fetch) || want.fetch == nil && !strings.Contains(unzip(t, file), "canary-words") {
				t.Errorf("fetched: %d bytes, %v; want %v", len(file), err, want.fetch)
			}
			if _, err := r.s.FetchCopy(ctx, r.fresh(alice), q[0].ID); !errors.Is(err, ErrNotReady) || r.bytes(t) != 0 {
				t.Errorf("a second time: %v", err)
			}
			carried, err := db.Get(ctx, r.db, nil, db.One[int64], "SELECT count(*) FROM audit_leaf WHERE type = 'privacy.request_carried'")
			if err != nil || carried != 1 {
				t.Errorf("%d entries say that it was carried out, %v", carried, err)
			}
			r.whole(t)
		})
	}
}

func (r *rig) whole(t *testing.T) {
	t.Helper()
	if report, err := r.audit.Verify(ctx); err != nil || len(report.Problems) > 0 {
		t.Errorf("the log: %v, %v", report.Problems, err)
	}
}

// TestVictimOfAKeeper lets a request's term end in a process that is to be killed.
func TestVictimOfAKeeper(t *testing.T) {
	dir := os.Getenv(faulttest.Dir)
	if dir == "" {
		return
	}
	r := lasting(t, dir)
	q := r.open(t, Restrict)
	_, err := r.s.Withdraw(ctx, alice, q.ID)
	must(t, err)
	_, err = r.s.cases(ctx, r.night(t))
	t.Fatalf("the process outlived its fault point: %v", err)
}

// night is a run four years later.
func (r *rig) night(t *testing.T) retention.Run {
	t.Helper()
	held, err := r.s.heldNow(ctx, r.clock.Now())
	must(t, err)
	return retention.Run{Now: r.clock.Now().AddDate(4, 0, 0), Profile: "mainland", Held: held}
}

// Killed between the key of a case and its rows, the next night finds the rows.
func TestThePowerFailsBetweenTheKeyOfACaseAndItsRows(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	faulttest.Kill(t, "TestVictimOfAKeeper", "retention-after-case-key", faulttest.Dir+"="+dir)
	r := lasting(t, dir)
	q, err := r.s.Mine(ctx, alice)
	must(t, err)
	if len(q) != 1 {
		t.Fatalf("%d requests, want the one whose key is gone", len(q))
	}
	if _, err := r.s.Show(ctx, alice, q[0].ID); !errors.Is(err, vault.ErrErased) {
		t.Errorf("its words: got %v, want %v", err, vault.ErrErased)
	}
	if _, err := r.s.cases(ctx, r.night(t)); err != nil {
		t.Fatal(err)
	}
	if q, err = r.s.Mine(ctx, alice); err != nil || len(q) != 0 {
		t.Errorf("the night after: %d requests, %v", len(q), err)
	}
}
