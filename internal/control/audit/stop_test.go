package audit_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

func (r rig) read(reader vault.Reader, n int) error {
	subject := id.Handle(fmt.Sprintf("sub_%d", n))
	_, err := r.vault.Begin(ctx, vault.Read{Reader: reader, Subject: subject, Fields: []string{"a.b"}, Purpose: "rights", Reason: "case_1"})
	return err
}

var (
	ann    = vault.Reader{Class: vault.Staff, Handle: "sub_ann", Session: "ses_1"}
	second = audit.Actor{Class: vault.Staff, Handle: "sub_bob", Session: "ses_2"}
)

func TestTheFiftyFirstPersonWithinAnHourTakesASecondPerson(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		for n := range 50 {
			must(t, r.read(ann, n))
			r.clock.Advance(time.Minute)
		}
		must(t, r.read(ann, 49)) // again is nobody new
		other := ann
		other.Session = "ses_3"
		for range 2 {
			if err := r.read(other, 50); !errors.Is(err, audit.ErrStopped) {
				t.Fatalf("the fifty-first, in another session: got %v", err)
			}
		}
		r.clock.Advance(3 * time.Hour)
		if err := r.read(ann, 49); !errors.Is(err, audit.ErrStopped) {
			t.Errorf("hours later, of somebody known: got %v, want a stop that stands", err)
		}
		must(t, r.read(vault.Reader{Class: vault.Staff, Handle: "sub_bob"}, 51))
		must(t, r.read(vault.Reader{Class: vault.Self, Handle: "sub_52"}, 52))
		all, err := r.s.Stops(ctx)
		must(t, err)
		if len(all) != 1 || all[0].Reader != "sub_ann" || all[0].Tries != 3 || r.leaves(t, "read.stopped") != 1 {
			t.Fatalf("got %+v and %d leaves", all, r.leaves(t, "read.stopped"))
		}
		for name, c := range map[string]struct {
			by   audit.Actor
			stop string
			why  string
			want error
		}{
			"oneself":        {audit.Actor{Class: vault.Staff, Handle: "sub_ann"}, all[0].ID, "case 1", audit.ErrSameHand},
			"nobody":         {audit.Actor{Class: vault.System}, all[0].ID, "case 1", audit.ErrSameHand},
			"without reason": {second, all[0].ID, " ", audit.ErrWhy},
			"an unknown one": {second, "stop_x", "case 1", audit.ErrNoStop},
		} {
			if err := r.s.Release(ctx, c.by, c.stop, c.why); !errors.Is(err, c.want) {
				t.Errorf("%s: got %v, want %v", name, err, c.want)
			}
		}
		must(t, r.s.Release(ctx, second, all[0].ID, "case 1"))
		if err := r.s.Release(ctx, second, all[0].ID, "case 1"); !errors.Is(err, audit.ErrNoStop) {
			t.Errorf("twice: got %v", err)
		}
		for n := range 50 {
			must(t, r.read(ann, 100+n))
		}
		if err := r.read(ann, 150); !errors.Is(err, audit.ErrStopped) {
			t.Errorf("fifty after that: got %v, want another stop", err)
		}
		report, err := r.s.Verify(ctx)
		must(t, err)
		if len(report.Problems) > 0 || r.leaves(t, "read.stopped") != 2 || r.leaves(t, "read.released") != 1 {
			t.Errorf("got %v, %d and %d leaves", report.Problems, r.leaves(t, "read.stopped"), r.leaves(t, "read.released"))
		}
	})
}

func TestTheHourSlides(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		must(t, r.read(ann, 0))
		r.clock.Advance(time.Minute)
		for n := range 49 {
			must(t, r.read(ann, 1+n))
		}
		r.clock.Advance(59*time.Minute - time.Microsecond)
		// The first is an hour ago but for a microsecond: it counts. Nothing is asked
		// yet, for a stop would stand.
		r.clock.Advance(time.Microsecond)
		must(t, r.read(ann, 50))
		if err := r.read(ann, 51); !errors.Is(err, audit.ErrStopped) {
			t.Errorf("the fifty-first of this hour: got %v", err)
		}
	})
	each(t, func(t *testing.T, r rig) {
		must(t, r.read(ann, 0))
		r.clock.Advance(time.Minute)
		for n := range 49 {
			must(t, r.read(ann, 1+n))
		}
		r.clock.Advance(59*time.Minute - time.Microsecond)
		if err := r.read(ann, 50); !errors.Is(err, audit.ErrStopped) {
			t.Errorf("a microsecond before the first is out: got %v", err)
		}
	})
}

func TestOfManyReadingsAtOnceFiftyPass(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		var passed atomic.Int64
		var wg sync.WaitGroup
		for n := range 70 {
			wg.Go(func() {
				switch err := r.read(ann, n); {
				case err == nil:
					passed.Add(1)
				case !errors.Is(err, audit.ErrStopped):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if passed.Load() != 50 || r.leaves(t, "read.stopped") != 1 {
			t.Errorf("got %d readings and %d stops", passed.Load(), r.leaves(t, "read.stopped"))
		}
	})
}

func TestAJobIsStoppedUnlessItServesEverybody(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		for n := range 60 {
			must(t, r.read(vault.Reader{Class: vault.Job, Session: "serves.everybody"}, n))
			err := r.read(vault.Reader{Class: vault.Job, Session: "some.other"}, n)
			if errors.Is(err, audit.ErrStopped) != (n >= 50) {
				t.Fatalf("person %d: got %v", n+1, err)
			}
		}
		all, err := r.s.Stops(ctx)
		must(t, err)
		if len(all) != 1 || all[0].Class != vault.Job || all[0].Reader != "some.other" {
			t.Fatalf("got %+v", all)
		}
		r.clock.Advance(time.Microsecond)
		must(t, r.s.Release(ctx, second, all[0].ID, "the yearly audit"))
		must(t, r.read(vault.Reader{Class: vault.Job, Session: "some.other"}, 60))
	})
}
