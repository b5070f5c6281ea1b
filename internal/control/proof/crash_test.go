//go:build fault

package proof

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/control/consent/consenttest"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault/faulttest"
)

// lasting is a rig whose databases are in a directory.
func lasting(t *testing.T, dir string) *rig {
	t.Helper()
	d := dbtest.Again(t, filepath.Join(dir, "main.db"), append(consenttest.Migrations(), Migrations())...)
	return newRig(t, consenttest.At(t, d, consent.Mainland, dir))
}

// TestVictim has a pack made in a process that is to be killed on the way.
func TestVictim(t *testing.T) {
	dir := os.Getenv(faulttest.Dir)
	if dir == "" {
		return
	}
	r := lasting(t, dir)
	r.Grant(t, r.mine.Subject, "ses_1", consent.PlatformPolicy)
	_, err := r.s.Begin(ctx, r.mine, 0)
	must(t, err)
	t.Fatalf("the process outlived its fault point: %v", r.Queue.Drain(ctx))
}

// Killed anywhere a pack is made by the next process, or is there whole; no part of
// one is ever kept.
func TestThePowerFailsWhileAPackIsMade(t *testing.T) {
	t.Parallel()
	for point, after := range map[string]State{"proof-between-parts": Making, "proof-after-seal": Making, "proof-after-keep": Ready} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			faulttest.Kill(t, "TestVictim", point, faulttest.Dir+"="+dir)
			r := lasting(t, dir)
			got, err := r.s.Of(ctx, r.mine)
			_, files := r.kept(t)
			if err != nil || got.State != after || (files == 1) != (after == Ready) {
				t.Errorf("after the crash: %s, %d files, %v; want %s", got.State, files, err, after)
			}
			r.Clock.Advance(2 * time.Minute) // the lease of the job ends
			must(t, r.Queue.Drain(ctx))
			if got, err := r.s.Of(ctx, r.mine); err != nil || got.State != Ready || got.Percent != 100 {
				t.Errorf("after the next process: %+v, %v", got, err)
			}
			file, err := r.s.Fetch(ctx, r.mine)
			must(t, err)
			whole(t, file)
		})
	}
}
