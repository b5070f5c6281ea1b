package shape

import (
	"testing"
	"time"
)

// jain is the fairness index: 1 where all got the same.
func jain(shares []float64) float64 {
	var sum, squares float64
	for _, s := range shares {
		sum += s
		squares += s * s
	}
	return sum * sum / (float64(len(shares)) * squares)
}

// sender is a flow that always has something, in turns of its own size.
type sender struct {
	*Flow[int]
	turn, sent int
}

// play lets senders have turns for d and returns the bytes that each got
// through. Timers are late by late.
func play(s *Fair[int], d, late time.Duration, all []*sender) {
	now := start
	for i, f := range all {
		f.Value = i
		s.Ask(now, f.Flow)
	}
	for end := start.Add(d); now.Before(end); {
		f, wait := s.Next(now)
		if f == nil {
			now = now.Add(wait + late)
			continue
		}
		x := all[f.Value]
		s.Pay(now, f, x.turn)
		x.sent += x.turn
		s.Ask(now, f)
	}
}

func TestFairSharesARateByBytes(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name  string
		flows int
		rate  int64
		late  time.Duration
		turn  func(i int) int
	}{
		{"equal turns", 10, 10_000_000, 0, func(int) int { return 1400 }},
		{"turns of 60 to 16000 bytes", 20, 20_000_000, 0, func(i int) int { return 60 + 840*i }},
		{"two hundred flows", 200, 100_000_000, 0, func(i int) int { return 500 + 9*i }},
		{"late timers", 10, 50_000_000, 3 * time.Millisecond, func(i int) int { return 1400 * (1 + i%5) }},
		{"slow", 4, 64_000, 0, func(i int) int { return 500 + 300*i }},
	}
	for _, c := range cases {
		var all []*sender
		for i := range c.flows {
			all = append(all, &sender{Flow: NewFlow(0, New(0)), turn: c.turn(i)})
		}
		const span = 30 * time.Second
		play(NewFair[int](New(c.rate)), span, c.late, all)
		total, shares := 0, []float64{}
		for _, f := range all {
			total, shares = total+f.sent, append(shares, float64(f.sent))
		}
		if got := jain(shares); got < 0.99 {
			t.Errorf("%s: got fairness %.4f, want 0.99", c.name, got)
		}
		if got, want := float64(total)*8/span.Seconds(), float64(c.rate); got < 0.97*want || got > 1.03*want {
			t.Errorf("%s: got %.0f bit/s together, want %.0f", c.name, got, want)
		}
	}
}

// TestFairIsMaxMin: a flow's own rate binds it only below its share; what it
// leaves goes to the others in equal parts.
func TestFairIsMaxMin(t *testing.T) {
	t.Parallel()
	const mega = 1_000_000
	own := []int64{1 * mega, 1 * mega, 5 * mega, 5 * mega, 0, 0}
	want := []float64{1, 1, 2, 2, 2, 2} // of 10 Mbit/s
	var all []*sender
	for _, r := range own {
		turn := 16_000
		if r > 0 {
			turn = int(r / 8 / 50) // slow ones take small turns, to be smooth
		}
		all = append(all, &sender{Flow: NewFlow(0, New(r)), turn: turn})
	}
	play(NewFair[int](New(10*mega)), 30*time.Second, 0, all)
	for i, f := range all {
		if got := float64(f.sent) * 8 / 30 / mega; got < 0.95*want[i] || got > 1.05*want[i] {
			t.Errorf("flow %d of own rate %d: got %.2f Mbit/s, want %.2f", i, own[i], got, want[i])
		}
	}
}

// TestFairForgetsOldSilence: a flow that was away for long does not keep the
// others waiting for it to catch up.
func TestFairForgetsOldSilence(t *testing.T) {
	t.Parallel()
	s := NewFair[int](New(8_000_000))
	old, late := &sender{Flow: NewFlow(0, New(0)), turn: 1000}, NewFlow(1, New(0))
	play(s, 10*time.Second, 0, []*sender{old})
	now := start.Add(10 * time.Second)
	s.Ask(now, late)
	ahead := 0
	for turns := 0; turns < 200; {
		f, wait := s.Next(now)
		if f == nil {
			now = now.Add(wait)
			continue
		}
		if f == late {
			ahead++
		} else {
			ahead--
		}
		turns++
		s.Pay(now, f, 1000)
		s.Ask(now, f)
	}
	if most := slack/1000 + 2; ahead > most || ahead < 0 {
		t.Errorf("got %d turns more for the late one, want at most %d", ahead, most)
	}
}

func TestFairFollowsARateThatChanges(t *testing.T) {
	t.Parallel()
	own := New(8_000)
	s, f := NewFair[int](New(0)), NewFlow(0, own)
	s.Pay(start, f, 10_000) // ten seconds at its rate
	s.Ask(start, f)
	if got, wait := s.Next(start); got != nil || wait < 9*time.Second {
		t.Fatalf("got %v after %s, want nobody for about ten seconds", got, wait)
	}
	own.SetRate(0)
	if got, _ := s.Next(start); got != f {
		t.Error("the flow does not pass after its rate was lifted")
	}
	s.Ask(start, f)
	s.Ask(start, f)
	if s.Asking() != 1 {
		t.Errorf("got %d asking, want 1", s.Asking())
	}
	s.Leave(f)
	s.Leave(f)
	if got, wait := s.Next(start); got != nil || wait != 0 || s.Asking() != 0 {
		t.Errorf("after leaving: got %v, %s, %d asking", got, wait, s.Asking())
	}
}

func TestFairDoesNotAllocate(t *testing.T) {
	s := NewFair[int](New(0))
	var flows []*Flow[int]
	for i := range 100 {
		flows = append(flows, NewFlow(i, New(0)))
		s.Ask(start, flows[i])
	}
	if n := testing.AllocsPerRun(1000, func() {
		f, _ := s.Next(start)
		s.Pay(start, f, 1400)
		s.Ask(start, f)
	}); n != 0 {
		t.Errorf("got %v allocations a turn, want 0", n)
	}
}

func BenchmarkFairTurn(b *testing.B) {
	s := NewFair[int](New(0))
	for i := range 10_000 {
		s.Ask(start, NewFlow(i, New(0)))
	}
	for b.Loop() {
		f, _ := s.Next(start)
		s.Pay(start, f, 1400)
		s.Ask(start, f)
	}
}
