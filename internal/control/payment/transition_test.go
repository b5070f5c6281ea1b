package payment

import (
	"errors"
	"testing"
	"time"
)

var allStates = []State{Created, Pending, Unknown, Succeeded, SucceededLate, Failed, Closed}

var allEvents = []Event{CreateOK, Declined, CreateUnknown, QueryPending, QueryNotFound, FactPaidEvent, ProviderClosed, ExpiredEvent}

func TestEveryStateTakesExactlyTheEventsOfTheTable(t *testing.T) {
	t.Parallel()
	for _, s := range allStates {
		for _, e := range allEvents {
			want, listed := State(""), 0
			for _, tr := range Transitions {
				if tr.From == s && tr.Event == e {
					want, listed = tr.To, listed+1
				}
			}
			got, err := Attempt{State: s}.Apply(e)
			switch {
			case listed > 1:
				t.Errorf("%s on %s is listed %d times", s, e, listed)
			case listed == 0 && (!errors.Is(err, ErrTransition) || got.State != s):
				t.Errorf("%s on %s: got %s, %v, want ErrTransition", s, e, got.State, err)
			case listed == 1 && (err != nil || got.State != want):
				t.Errorf("%s on %s: got %s, %v, want %s", s, e, got.State, err, want)
			}
		}
	}
}

func TestEveryStateIsReachedAndMoneyIsTakenInEach(t *testing.T) {
	t.Parallel()
	reached := map[State]bool{Created: true}
	for range Transitions {
		for _, tr := range Transitions {
			reached[tr.To] = reached[tr.To] || reached[tr.From]
		}
	}
	for _, s := range allStates {
		if !reached[s] {
			t.Errorf("%s cannot be reached", s)
		}
		next, err := Attempt{State: s}.Apply(FactPaidEvent)
		if s.Paid() == (err == nil) || (err == nil && !next.State.Paid()) {
			t.Errorf("%s on money: got %s, %v", s, next.State, err)
		}
	}
}

func TestTheScheduleOfQuestions(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	a := Attempt{State: Pending, CreatedAt: begin, ExpireAt: begin.Add(30 * time.Minute)}
	closed, confirmed, done, failed := a, a, a, a
	closed.State, confirmed.State, confirmed.CloseConfirmed, done.State, failed.State = Closed, Closed, true, Succeeded, Failed
	long := a
	long.ExpireAt = begin.Add(7 * 24 * time.Hour)
	cases := []struct {
		name string
		a    Attempt
		now  time.Duration // after the beginning
		want time.Duration // likewise; -1: not any more
	}{
		{"at once", a, 0, 10 * time.Second},
		{"after the first", a, 10 * time.Second, 30 * time.Second},
		{"between", a, 70 * time.Second, 2 * time.Minute},
		{"after ten minutes", a, 10 * time.Minute, 30 * time.Minute},
		{"at the end", a, 30 * time.Minute, -1},
		{"a long one", long, 40 * time.Minute, 70 * time.Minute},
		{"closed early", closed, 3 * time.Minute, 5 * time.Minute},
		{"closed at the end", closed, 30 * time.Minute, time.Hour},
		{"closed for a day", closed, 24*time.Hour + 10*time.Minute, 24*time.Hour + 30*time.Minute},
		{"closed for longer", closed, 24*time.Hour + 30*time.Minute, -1},
		{"closed at the provider", confirmed, time.Minute, -1},
		{"paid", done, time.Minute, -1},
		{"failed", failed, time.Minute, -1},
	}
	for _, c := range cases {
		got := c.a.nextQuery(begin.Add(c.now))
		if c.want < 0 && !got.IsZero() || c.want >= 0 && !got.Equal(begin.Add(c.want)) {
			t.Errorf("%s: got %v, want %v", c.name, got.Sub(begin), c.want)
		}
	}
}
