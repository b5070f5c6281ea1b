package shape

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

var start = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

func TestReserveKeepsTheRate(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.Int64Range(64_000, 1e9).Draw(t, "rate")
		sizes := rapid.SliceOfN(rapid.IntRange(1, 64_000), 1, 50).Draw(t, "sizes")
		b, now, sent := New(rate), start, 0
		for _, n := range sizes {
			now = now.Add(b.Reserve(now, n))
			allowed := float64(rate) / 8 * (now.Sub(start) + burst).Seconds()
			if float64(sent) > allowed+1 {
				t.Fatalf("got %d bytes passed after %s, want at most %.0f before this batch", sent, now.Sub(start), allowed)
			}
			sent += n
		}
	})
}

func TestReserve(t *testing.T) {
	t.Parallel()
	var none *Bucket
	for name, b := range map[string]*Bucket{"nil": none, "unlimited": New(0)} {
		if w := b.Reserve(start, 1<<30); w != 0 {
			t.Errorf("%s: got %s, want no wait", name, w)
		}
	}
	b := New(8_000_000) // one byte per microsecond
	b.Reserve(start, 1_000_000)
	if w := b.Reserve(start, 1); w != 980*time.Millisecond {
		t.Errorf("after a second's worth: got %s, want 980ms", w)
	}
	b.SetRate(0)
	if w := b.Reserve(start, 1); w != 0 {
		t.Errorf("after lifting the limit: got %s, want 0", w)
	}
}
