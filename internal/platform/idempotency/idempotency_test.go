package idempotency_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/idempotency"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

// mirror is a sealer whose only property is that the plain text is not at
// rest.
type mirror struct{}

func (mirror) SealSystem(_ context.Context, _ string, p []byte) ([]byte, error) { return flip(p), nil }

func (mirror) OpenSystem(_ context.Context, _ string, p []byte) ([]byte, error) { return flip(p), nil }

func (mirror) Blind(_ context.Context, field, v string) (string, error) {
	return field + string(flip([]byte(v))), nil
}

func flip(p []byte) []byte {
	q := bytes.Clone(p)
	for i := range q {
		q[i] ^= 0x55
	}
	return q
}

func open(d *db.DB) (*idempotency.Store, *clock.Fake) {
	c := clock.NewFake(time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC))
	return idempotency.New(d, c, mirror{}, job.New(d, c, slog.New(slog.DiscardHandler))), c
}

func TestARepeatGetsTheFirstAnswer(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, c := open(d)
		ctx := context.Background()
		if a, err := s.Begin(ctx, "acc", "k", "d1"); a != nil || err != nil {
			t.Fatalf("first: got %v, %v", a, err)
		}
		if _, err := s.Begin(ctx, "acc", "k", "d1"); !errors.Is(err, idempotency.ErrRunning) {
			t.Errorf("while it runs: got %v", err)
		}
		if err := s.Complete(ctx, "acc", "k", idempotency.Answer{Status: 201, Body: []byte("made")}); err != nil {
			t.Fatal(err)
		}
		a, err := s.Begin(ctx, "acc", "k", "d1")
		if err != nil || a == nil || a.Status != 201 || string(a.Body) != "made" {
			t.Errorf("repeat: got %v, %v", a, err)
		}
		if _, err := s.Begin(ctx, "acc", "k", "d2"); !errors.Is(err, idempotency.ErrConflict) {
			t.Errorf("another request: got %v", err)
		}
		if a, err := s.Begin(ctx, "other", "k", "d2"); a != nil || err != nil {
			t.Errorf("another scope: got %v, %v", a, err)
		}
		c.Advance(idempotency.Keep)
		if a, err := s.Begin(ctx, "acc", "k", "d2"); a != nil || err != nil {
			t.Errorf("a day later: got %v, %v", a, err)
		}
	}, idempotency.Migrations(), job.Migrations())
}

func TestADeadProcessLosesItsClaimAndAFailureGivesItBack(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, c := open(d)
		ctx := context.Background()
		for range 2 { // the second time as after a kill -9
			if a, err := s.Begin(ctx, "acc", "k", "d"); a != nil || err != nil {
				t.Fatalf("got %v, %v", a, err)
			}
			c.Advance(2 * time.Minute)
		}
		if err := s.Release(ctx, "acc", "k"); err != nil {
			t.Fatal(err)
		}
		if a, err := s.Begin(ctx, "acc", "k", "other body"); a != nil || err != nil {
			t.Errorf("after a release: got %v, %v", a, err)
		}
	}, idempotency.Migrations(), job.Migrations())
}

func TestOfFiftyAtOnceOneBegins(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := open(d)
		var began, refused atomic.Int64
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				a, err := s.Begin(context.Background(), "acc", "k", "d")
				switch {
				case a == nil && err == nil:
					began.Add(1)
				case errors.Is(err, idempotency.ErrRunning):
					refused.Add(1)
				default:
					t.Errorf("got %v, %v", a, err)
				}
			})
		}
		wg.Wait()
		if began.Load() != 1 || refused.Load() != 49 {
			t.Errorf("got %d begun and %d refused, want 1 and 49", began.Load(), refused.Load())
		}
	}, idempotency.Migrations(), job.Migrations())
}

func TestWhatADeadProcessClaimedIsRecoveredAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := open(d)
		ctx := context.Background()
		for range 2 { // the second time as after a kill -9 and a start
			if a, err := s.Begin(ctx, "acc", "k", "d"); a != nil || err != nil {
				t.Fatalf("got %v, %v", a, err)
			}
			if err := s.Recover(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.Begin(ctx, "acc", "k", "another request"); !errors.Is(err, idempotency.ErrConflict) {
			t.Errorf("another request: got %v", err)
		}
	}, idempotency.Migrations(), job.Migrations())
}

func TestARequestsDigestIsNotAtRest(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := open(d)
		ctx := context.Background()
		if _, err := s.Begin(ctx, "acc", "k", "digest-of-a-password"); err != nil {
			t.Fatal(err)
		}
		kept, err := db.Get(ctx, d, nil, db.One[string], "SELECT request_sha256 FROM idempotency_answer")
		if err != nil || kept == "" || bytes.Contains([]byte(kept), []byte("digest-of-a-password")) {
			t.Errorf("got %q, %v, want a blinded digest", kept, err)
		}
	}, idempotency.Migrations(), job.Migrations())
}
