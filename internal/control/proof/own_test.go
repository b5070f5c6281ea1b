package proof

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/control/consent/consenttest"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

var ctx = context.Background()

type rig struct {
	consenttest.Rig
	s     *Service
	mine  account.Principal
	board func() error // what becomes of the making in the middle
}

func newRig(t *testing.T, r consenttest.Rig) *rig {
	t.Helper()
	all := &rig{Rig: r, mine: account.Principal{Subject: "sub_mine", Session: "ses_1", StepUpUntil: r.Clock.Now().Add(48 * time.Hour)}}
	all.s = New(Deps{
		DB: r.DB, Queue: r.Queue, Vault: r.Vault, Log: slog.New(slog.DiscardHandler), Audit: r.Audit, Consent: r.Consent, Clock: r.Clock,
		Clauses: func(context.Context) (any, error) {
			if all.board != nil {
				return nil, all.board()
			}
			return []string{}, nil
		},
		DataMap: func() ([]byte, error) { return []byte("[]"), nil },
		Build:   func() (map[string]string, error) { return map[string]string{"version": "test"}, nil },
	})
	return all
}

func each(t *testing.T, fn func(t *testing.T, r *rig)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, consenttest.New(t, d, consent.Mainland))
		r.Grant(t, r.mine.Subject, "ses_1", consent.PlatformPolicy)
		fn(t, r)
	}, append(consenttest.Migrations(), Migrations())...)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// whole tells that a file is a pack from its first file to its last.
func whole(t *testing.T, file []byte) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil || len(z.File) < 10 || z.File[len(z.File)-1].Name != "log/consistency.json" {
		t.Errorf("%d bytes are no whole pack: %v", len(file), err)
	}
}

func (r *rig) kept(t *testing.T) (rows, files int64) {
	t.Helper()
	rows, err := db.Get(ctx, r.DB, nil, db.One[int64], "SELECT count(*) FROM proof_pack")
	must(t, err)
	files, err = db.Get(ctx, r.DB, nil, db.One[int64], "SELECT count(*) FROM proof_pack WHERE content IS NOT NULL")
	must(t, err)
	return rows, files
}

func TestAPackIsMadeByAJobAndWaitsADay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		other := account.Principal{Subject: "sub_other", StepUpUntil: r.mine.StepUpUntil}
		if _, err := r.s.Of(ctx, r.mine); !errors.Is(err, ErrNone) {
			t.Errorf("before it was asked for: %v", err)
		}
		began, err := r.s.Begin(ctx, r.mine, 0)
		if err != nil || began.State != Making || began.Percent != 0 {
			t.Fatalf("got %+v, %v", began, err)
		}
		again, err := r.s.Begin(ctx, r.mine, 0)
		if rows, _ := r.kept(t); err != nil || again.id != began.id || rows != 1 {
			t.Errorf("asked for twice: %d packs, %v", rows, err)
		}
		if _, err := r.s.Fetch(ctx, r.mine); !errors.Is(err, ErrNotReady) {
			t.Errorf("before it is made: %v", err)
		}
		must(t, r.Queue.Drain(ctx))
		got, err := r.s.Of(ctx, r.mine)
		if err != nil || got.State != Ready || got.Percent != 100 || got.Size == 0 || !got.Until.Equal(r.Clock.Now().Add(24*time.Hour)) {
			t.Fatalf("got %+v, %v", got, err)
		}
		for range 2 {
			file, err := r.s.Fetch(ctx, r.mine)
			if err != nil || int64(len(file)) != got.Size || bytes.Contains(got.content, []byte("manifest")) {
				t.Errorf("%d bytes, %v", len(file), err)
			}
			whole(t, file)
		}
		if _, err := r.s.Fetch(ctx, other); !errors.Is(err, ErrNone) {
			t.Errorf("somebody else: %v", err)
		}
		unproven := r.mine
		unproven.StepUpUntil = time.Time{}
		if _, err := r.s.Fetch(ctx, unproven); !errors.Is(err, account.ErrStepUp) {
			t.Errorf("without a fresh proof: %v", err)
		}
		r.Clock.Advance(24 * time.Hour)
		if _, err := r.s.Fetch(ctx, r.mine); !errors.Is(err, ErrNone) {
			t.Errorf("a day later: %v", err)
		}
		must(t, r.s.sweep(ctx))
		if rows, _ := r.kept(t); rows != 0 {
			t.Errorf("%d packs are kept when their time is over", rows)
		}
	})
}

// How much is done grows, to the end.
func TestProgressGrows(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		var seen []int64
		var out bytes.Buffer
		must(t, r.s.Write(ctx, Request{Reader: vault.Reader{Class: vault.Job}, Progress: func(percent int64) error {
			seen = append(seen, percent)
			return nil
		}}, &out))
		for i, p := range seen {
			if p < 0 || p > 99 || i > 0 && p <= seen[i-1] {
				t.Fatalf("got %v", seen)
			}
		}
		if len(seen) < 4 || seen[len(seen)-1] < opened {
			t.Errorf("got %v, want steps up to the proofs", seen)
		}
		stop := errors.New("stop")
		if err := r.s.Write(ctx, Request{Reader: vault.Reader{Class: vault.Job}, Progress: func(int64) error { return stop }}, &out); !errors.Is(err, stop) {
			t.Errorf("got %v, want %v", err, stop)
		}
	})
}

// What fails is tried again and in the end given up, with no bytes of it kept; what
// cannot be made at all is told at once; what nobody waits for is left.
func TestAPackThatFailsIsTriedAgainAndGivenUp(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		broken := errors.New("broken")
		r.board = func() error { return broken }
		began, err := r.s.Begin(ctx, r.mine, 0)
		must(t, err)
		for try := 1; try < maxTries; try++ {
			if err := r.s.make(ctx, packPayload{began.id}); !errors.Is(err, broken) {
				t.Fatalf("try %d: got %v, want %v", try, err, broken)
			}
		}
		if got, err := r.s.Of(ctx, r.mine); err != nil || got.State != Making {
			t.Errorf("before the last try: %+v, %v", got, err)
		}
		must(t, r.s.make(ctx, packPayload{began.id}))
		got, err := r.s.Of(ctx, r.mine)
		if _, files := r.kept(t); err != nil || got.State != Failed || got.Problem != ProblemError || files != 0 {
			t.Errorf("given up: %+v, %v", got, err)
		}
		r.board = nil
		_, err = r.s.Begin(ctx, r.mine, 1<<40)
		must(t, err)
		must(t, r.Queue.Drain(ctx))
		if got, err := r.s.Of(ctx, r.mine); err != nil || got.State != Failed || got.Problem != ProblemSize {
			t.Errorf("a size that was never signed: %+v, %v", got, err)
		}
		_, err = r.s.Begin(ctx, r.mine, 0)
		must(t, err)
		r.board = func() error {
			return r.DB.InTx(ctx, func(tx *db.Tx) error {
				_, err := tx.Exec(ctx, "DELETE FROM proof_pack WHERE subject = $1", string(r.mine.Subject))
				return err
			})
		}
		must(t, r.Queue.Drain(ctx))
		if rows, _ := r.kept(t); rows != 0 {
			t.Error("the pack of somebody who was erased meanwhile is kept")
		}
	})
}

// A process that ends before it could say that it failed has used up a try too.
func TestAPackThatEndsItsProcessIsGivenUp(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		began, err := r.s.Begin(ctx, r.mine, 0)
		must(t, err)
		for range maxTries {
			_, err := r.s.takeUp(ctx, began.id)
			must(t, err)
		}
		must(t, r.Queue.Drain(ctx))
		if got, err := r.s.Of(ctx, r.mine); err != nil || got.State != Failed {
			t.Errorf("after %d processes: %+v, %v", maxTries, got, err)
		}
	})
}

func TestEveryColumnIsClassified(t *testing.T) {
	t.Parallel()
	live, err := dbtest.SQLite(t, Migrations()).Schema(ctx)
	must(t, err)
	must(t, holding.Verify(Holdings(), live))
}
