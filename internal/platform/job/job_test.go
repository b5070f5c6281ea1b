package job_test

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

var start = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

func newQueue(d *db.DB) (*job.Queue, *clock.Fake) {
	c := clock.NewFake(start)
	return job.New(d, c, slog.New(slog.DiscardHandler)), c
}

// task is the payload of these tests.
type task struct{ ID string }

func enqueue(t *testing.T, d *db.DB, q *job.Queue, jobs ...job.Job) {
	t.Helper()
	ctx := context.Background()
	err := d.InTx(ctx, func(tx *db.Tx) error {
		for _, j := range jobs {
			if err := q.EnqueueTx(ctx, tx, j); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAJobOfARolledBackTransactionNeverRuns(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q, _ := newQueue(d)
		ctx, boom := context.Background(), errors.New("boom")
		ran := 0
		job.On(q, "k", func(context.Context, task) error { ran++; return nil })
		err := d.InTx(ctx, func(tx *db.Tx) error {
			return errors.Join(q.EnqueueTx(ctx, tx, job.Job{Kind: "k", Payload: task{ID: "x"}}), boom)
		})
		if !errors.Is(err, boom) {
			t.Fatal(err)
		}
		if err := q.Drain(ctx); err != nil || ran != 0 {
			t.Errorf("got %v, ran %d times, want never", err, ran)
		}
	}, job.Migrations())
}

func TestAFailedJobComesBackLaterAndAFinalOneDoesNot(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q, c := newQueue(d)
		ctx := context.Background()
		tries := map[string]int{}
		job.On(q, "flaky", func(context.Context, task) error {
			if tries["flaky"]++; tries["flaky"] < 3 {
				return errors.New("not yet")
			}
			return nil
		})
		job.On(q, "broken", func(context.Context, task) error { tries["broken"]++; return job.Final(errors.New("never")) })
		enqueue(t, d, q, job.Job{Kind: "flaky", Payload: task{}}, job.Job{Kind: "broken", Payload: task{}})
		for range 10 {
			for ran := true; ran; {
				var err error
				if ran, err = q.RunOne(ctx); err != nil {
					t.Fatal(err)
				}
			}
			c.Advance(10 * time.Second)
		}
		if tries["flaky"] != 3 || tries["broken"] != 1 {
			t.Errorf("got %v, want flaky 3 and broken 1", tries)
		}
	}, job.Migrations())
}

func TestADeadJobIsToldAndRevivedByItsKey(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q, _ := newQueue(d)
		ctx, ran := context.Background(), 0
		job.On(q, "k", func(context.Context, task) error {
			if ran++; ran == 1 {
				return job.Final(errors.New("never"))
			}
			return nil
		})
		enqueue(t, d, q, job.Job{Kind: "k", Key: "same"})
		if _, err := q.RunOne(ctx); err != nil {
			t.Fatal(err)
		}
		if all, err := q.Dead(ctx); err != nil || len(all) != 1 || all[0].Kind != "k" || all[0].Error != "never" {
			t.Errorf("got %+v, %v, want the dead job", all, err)
		}
		enqueue(t, d, q, job.Job{Kind: "k", Key: "same"})
		if err := q.Drain(ctx); err != nil || ran != 2 {
			t.Errorf("got %v, ran %d, want once more", err, ran)
		}
	}, job.Migrations())
}

func TestPeriodicWorkOutlivesALongOutage(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q, c := newQueue(d)
		ctx, tries, down := context.Background(), 0, true
		q.Every("tick", time.Minute, func(context.Context) error {
			if tries++; down {
				return job.Final(errors.New("down"))
			}
			return nil
		})
		for range 100 {
			if err := job.Plan(ctx, q); err != nil {
				t.Fatal(err)
			}
			c.Advance(time.Minute)
			if _, err := q.RunOne(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if tries != 100 {
			t.Errorf("got %d tries in 100 minutes, want one a minute", tries)
		}
		down = false
		c.Advance(time.Minute)
		if err := q.Drain(ctx); err != nil || tries != 101 {
			t.Errorf("got %v and %d tries, want it to go on", err, tries)
		}
	}, job.Migrations())
}

// TestAJobThatAStopCutOffIsNotJudged lets the process be told to stop while a
// handler runs: what it returns then says nothing about the work.
func TestAJobThatAStopCutOffIsNotJudged(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q, _ := newQueue(d)
		ctx, stop := context.WithCancel(context.Background())
		ran := 0
		job.On(q, "k", func(ctx context.Context, _ task) error {
			if ran++; ran == 1 {
				stop()
				return job.Final(ctx.Err())
			}
			return nil
		})
		enqueue(t, d, q, job.Job{Kind: "k"})
		if _, err := q.RunOne(ctx); err != nil {
			t.Fatal(err)
		}
		if err := q.Drain(context.Background()); err != nil || ran != 2 {
			t.Errorf("got %v, ran %d, want it to run again at once", err, ran)
		}
	}, job.Migrations())
}

func TestOneKeyIsOneWaitingJob(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q, _ := newQueue(d)
		ran := 0
		job.On(q, "k", func(context.Context, task) error { ran++; return nil })
		enqueue(t, d, q, job.Job{Kind: "k", Key: "same"}, job.Job{Kind: "k", Key: "same"}, job.Job{Kind: "k"})
		if err := q.Drain(context.Background()); err != nil || ran != 2 {
			t.Errorf("got %v, ran %d, want 2", err, ran)
		}
	}, job.Migrations())
}

func TestALostLeaseIsTakenOver(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q, c := newQueue(d)
		ctx, cancel := context.WithCancel(context.Background())
		calls := 0
		job.On(q, "k", func(ctx context.Context, _ task) error {
			calls++
			if calls == 1 {
				// As after a power cut: the lease runs out, another process claims.
				c.Advance(2 * job.Lease)
				if ran, err := q.RunOne(context.Background()); err != nil || !ran {
					t.Errorf("second process: got %v, %v", ran, err)
				}
			}
			return nil
		})
		enqueue(t, d, q, job.Job{Kind: "k"})
		if _, err := q.RunOne(ctx); err != nil {
			t.Fatal(err)
		}
		cancel()
		if calls != 2 {
			t.Errorf("got %d calls, want 2", calls)
		}
		n, err := db.Get(context.Background(), d, nil, db.One[int64], "SELECT count(*) FROM job_item")
		if err != nil || n != 0 {
			t.Errorf("got %d rows left, %v", n, err)
		}
	}, job.Migrations())
}

func TestManyWorkersRunEachJobOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q := job.New(d, clock.System{}, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(context.Background())
		var ran atomic.Int64
		done := make(chan struct{})
		job.Subscribe(q, "topic", "counter", func(context.Context, task) error {
			if ran.Add(1) == 40 {
				close(done)
			}
			return nil
		})
		err := d.InTx(ctx, func(tx *db.Tx) error {
			for i := range 40 {
				if err := q.PublishTx(ctx, tx, "topic", task{ID: strconv.Itoa(i)}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { q.Run(ctx, 2) })
		}
		<-done
		cancel()
		wg.Wait()
		if ran.Load() != 40 {
			t.Errorf("got %d runs, want 40", ran.Load())
		}
	}, job.Migrations())
}

func TestPeriodicWorkIsOnceForAllProcesses(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		var ran atomic.Int64
		done := make(chan struct{})
		var wg sync.WaitGroup
		for range 2 {
			q := job.New(d, clock.System{}, slog.New(slog.DiscardHandler))
			q.Every("tick", 10*time.Millisecond, func(context.Context) error {
				if ran.Add(1) == 1 {
					close(done)
				}
				return nil
			})
			wg.Go(func() { q.Run(ctx, 1) })
		}
		<-done
		cancel()
		wg.Wait()
	}, job.Migrations())
}

func TestWhatADeadProcessLeasedIsRecoveredAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, calls := context.Background(), 0
		first, _ := newQueue(d)
		job.On(first, "k", func(context.Context, task) error {
			// As a process that begins after this one was killed here.
			second, _ := newQueue(d)
			job.On(second, "k", func(context.Context, task) error { calls++; return nil })
			if ran, err := second.RunOne(ctx); err != nil || ran {
				t.Errorf("before: ran %v, %v, want a lease that holds", ran, err)
			}
			if err := second.Recover(ctx); err != nil {
				t.Error(err)
			}
			if ran, err := second.RunOne(ctx); err != nil || !ran {
				t.Errorf("after: ran %v, %v", ran, err)
			}
			return nil
		})
		enqueue(t, d, first, job.Job{Kind: "k"})
		if _, err := first.RunOne(ctx); err != nil || calls != 1 {
			t.Errorf("got %v and %d calls, want 1", err, calls)
		}
	}, job.Migrations())
}

// What is wanted at the start runs then, whatever an earlier process left waiting,
// and at the ends of periods from there on.
func TestSomePeriodicWorkRunsAtTheStart(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, ran, other := context.Background(), 0, 0
		begin := func() (*job.Queue, *clock.Fake) {
			q, c := newQueue(d)
			q.EveryFromStart("poll", 2*time.Minute, func(context.Context) error { ran++; return nil })
			q.Every("tick", 2*time.Minute, func(context.Context) error { other++; return nil })
			return q, c
		}
		step := func(q *job.Queue, want int, when string) {
			t.Helper()
			for range 3 { // plans, runs, and plans the next
				if err := job.Plan(ctx, q); err != nil {
					t.Fatal(err)
				}
				if err := q.Drain(ctx); err != nil {
					t.Fatal(err)
				}
			}
			if ran != want {
				t.Errorf("%s: ran %d times, want %d", when, ran, want)
			}
		}
		first, _ := begin()
		step(first, 1, "at the first start")
		second, c := begin()
		step(second, 2, "at the second start, with the next run waiting")
		if other != 0 {
			t.Errorf("other work ran %d times at a start", other)
		}
		c.Advance(2 * time.Minute)
		step(second, 3, "a period later")
		if other != 1 {
			t.Errorf("other work ran %d times in a period, want 1", other)
		}
	}, job.Migrations())
}
