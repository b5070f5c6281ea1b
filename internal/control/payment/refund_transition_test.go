package payment

import (
	"errors"
	"slices"
	"testing"
	"testing/quick"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

var phases = []Phase{
	PhaseRequested, PhaseReview, PhaseApproved, PhaseProcessing, PhaseUnknown, PhaseSucceeded, PhaseFailed, PhaseRejected, PhaseCancelled,
}

var refundEvents = []RefundEvent{
	PolicyAuto, PolicyManual, RefundApprove, RefundReject, RefundCancel, ExecuteWallet, ExecuteOriginal, RefundOK, RefundFail, RefundTimeout,
	RefundUnderWay, RetrySame, ToTheWallet, Abandon,
}

func TestARefundTakesExactlyTheEventsOfTheTable(t *testing.T) {
	t.Parallel()
	for _, p := range phases {
		for _, e := range refundEvents {
			i := slices.IndexFunc(RefundTransitions, func(r RefundTransition) bool { return r.From == p && r.Event == e })
			got, err := Refund{Phase: p}.Apply(e, time.Now())
			if i < 0 && (!errors.Is(err, ErrTransition) || got.Phase != p) || i >= 0 && (err != nil || got.Phase != RefundTransitions[i].To) {
				t.Errorf("%s on %s: got %s, %v", p, e, got.Phase, err)
			}
		}
	}
}

func TestEveryPhaseIsReachedAndNoneIsADeadEnd(t *testing.T) {
	t.Parallel()
	reached, ends := map[Phase]bool{PhaseRequested: true}, map[Phase]bool{}
	for _, p := range phases {
		ends[p] = p.Over()
	}
	for range RefundTransitions {
		for _, r := range RefundTransitions {
			reached[r.To] = reached[r.To] || reached[r.From]
			ends[r.From] = ends[r.From] || ends[r.To]
		}
	}
	for _, p := range phases {
		if !reached[p] || !ends[p] {
			t.Errorf("%s: reached %v, leads to an end %v", p, reached[p], ends[p])
		}
		leaves := slices.ContainsFunc(RefundTransitions, func(r RefundTransition) bool { return r.From == p })
		if leaves == p.Over() {
			t.Errorf("%s is over: %v, and left: %v", p, p.Over(), leaves)
		}
	}
}

func TestWhatGoesBackByPolicy(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	until := from.AddDate(0, 0, 100)
	curve := Policy{Kind: Curve, Curve: []Point{{0, 9000}, {500, 5000}, {1000, 0}}}
	cases := []struct {
		name string
		p    Policy
		days int
		want int64
	}{
		{"half", Policy{Kind: Prorata}, 50, 5000},
		{"not begun", Policy{Kind: Prorata}, -1, 10000},
		{"over", Policy{Kind: Prorata}, 100, 0},
		{"curve, a quarter", curve, 25, 7000},
		{"curve, at a corner", curve, 50, 5000},
		{"curve, three quarters", curve, 75, 2500},
		{"within days", Policy{Kind: FullWithinDays, Days: 7}, 6, 10000},
		{"after the days", Policy{Kind: FullWithinDays, Days: 7}, 7, 0},
		{"none", Policy{Kind: NoRefund}, 1, 0},
	}
	for _, c := range cases {
		got, err := c.p.Back(money.New(10000, money.CNY), from, until, from.AddDate(0, 0, c.days))
		if err != nil || got.Minor != c.want {
			t.Errorf("%s: got %d, %v, want %d", c.name, got.Minor, err, c.want)
		}
	}
	for _, bad := range [][]Point{{{0, 1}}, {{0, 5}, {1000, 6}}, {{0, 9}, {500, 5}, {500, 4}, {1000, 0}}, {{1, 9}, {1000, 0}}, {{0, 10001}, {1000, 0}}} {
		if (Policy{Kind: Curve, Curve: bad}).Check() == nil {
			t.Errorf("curve %v was taken", bad)
		}
	}
	never := func(value uint32, at uint16) bool {
		got, err := curve.Back(money.New(int64(value), money.CNY), from, until, from.Add(time.Duration(at)*time.Hour))
		return err == nil && got.Minor >= 0 && got.Minor <= int64(value)
	}
	if err := quick.Check(never, nil); err != nil {
		t.Error(err)
	}
}
