package order

import (
	"errors"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

var states = []State{
	Draft, PendingPayment, Paid, AwaitingReview, Fulfilling, Completed, PartiallyFulfilled, NeedsAttention,
	Refunding, Refunded, Cancelled, Expired,
}

var events = []Event{
	Submit, Discard, FactPaid, WalletPaid, NothingDue, UserCancel, AdminCancel, Timeout, RiskRule, Approve, Reject, Start,
	AllOK, SomeFailed, NoneOK, Settled, Retry, Resolve, Refund, RefundFull, RefundOK, RefundFailed,
}

func TestEveryStateTakesExactlyTheEventsOfTheTable(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for _, s := range states {
		for _, e := range events {
			want, listed := State(""), 0
			for _, tr := range Transitions {
				if tr.From == s && tr.Event == e {
					want, listed = tr.To, listed+1
				}
			}
			if listed > 1 {
				t.Errorf("%s on %s is listed %d times", s, e, listed)
			}
			got, err := Order{State: s}.Apply(e, at)
			switch {
			case listed == 0 && (!errors.Is(err, ErrTransition) || got.State != s):
				t.Errorf("%s on %s: got %s, %v, want ErrTransition", s, e, got.State, err)
			case listed == 1 && (err != nil || got.State != want):
				t.Errorf("%s on %s: got %s, %v, want %s", s, e, got.State, err, want)
			}
		}
	}
}

func TestEveryStateIsReachedAndOnlyTerminalOnesEnd(t *testing.T) {
	t.Parallel()
	reached := map[State]bool{Draft: true}
	for range Transitions {
		for _, tr := range Transitions {
			reached[tr.To] = reached[tr.To] || reached[tr.From]
		}
	}
	for _, s := range states {
		if !reached[s] {
			t.Errorf("%s cannot be reached", s)
		}
		exits := 0
		for _, tr := range Transitions {
			if tr.From == s {
				exits++
			}
		}
		if (exits == 0) != s.Terminal() {
			t.Errorf("%s: %d exits, terminal %v", s, exits, s.Terminal())
		}
	}
}

func TestAnOrderIsPaidOnceAndExactly(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	o := Order{State: PendingPayment, Total: money.New(100, money.CNY)}
	for _, wrong := range []money.Money{money.New(99, money.CNY), money.New(101, money.CNY), money.New(100, money.USD), {}} {
		if _, err := o.Pay(Receipt{ID: "rcp_1", Amount: wrong, At: at}); !errors.Is(err, ErrAmount) {
			t.Errorf("%v: got %v, want ErrAmount", wrong, err)
		}
	}
	paid, err := o.Pay(Receipt{ID: "rcp_1", Amount: o.Total, At: at})
	if err != nil || paid.State != Paid || paid.Receipt != "rcp_1" || !paid.PaidAt.Equal(at) {
		t.Fatalf("got %+v, %v", paid, err)
	}
	if _, err := paid.Pay(Receipt{ID: "rcp_2", Amount: o.Total, At: at}); !errors.Is(err, ErrTransition) {
		t.Errorf("a second payment: got %v, want ErrTransition", err)
	}
}

func TestOutcomesOfLinesDecideTheOrder(t *testing.T) {
	t.Parallel()
	const ok, failed = "svc_1", "x.broken"
	cases := []struct {
		name     string
		outcomes []string // for each line in turn: a service or a problem
		want     State
	}{
		{"first of two", []string{ok}, Fulfilling},
		{"all", []string{ok, ok}, Completed},
		{"one failed", []string{ok, failed}, PartiallyFulfilled},
		{"all failed", []string{failed, failed}, NeedsAttention},
		{"failed, then delivered", []string{failed, ok, "0" + ok}, Completed},
		{"all failed, one retried", []string{failed, failed, "0" + ok}, PartiallyFulfilled},
		{"delivered, then said to fail", []string{ok, ok, "0" + failed}, Completed},
	}
	for _, c := range cases {
		o := Order{State: Paid, Lines: []Line{{ID: "0", State: LineWaiting}, {ID: "1", State: LineWaiting}}}
		for i, outcome := range c.outcomes {
			line, service, problem := o.Lines[i%2].ID, "", ""
			if outcome[0] == '0' {
				line, outcome = "0", outcome[1:]
			}
			if outcome == ok {
				service = ok
			} else {
				problem = outcome
			}
			var err error
			if o, err = o.Deliver(line, service, problem, time.Time{}); err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
		}
		if o.State != c.want {
			t.Errorf("%s: got %s, want %s", c.name, o.State, c.want)
		}
	}
	if _, err := (Order{State: Paid}).Deliver("absent", "svc_1", "", time.Time{}); !errors.Is(err, ErrNotFound) {
		t.Errorf("an unknown line: got %v, want ErrNotFound", err)
	}
}
