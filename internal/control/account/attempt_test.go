package account

import (
	"net/netip"
	"testing"
	"time"
)

func TestWait(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	l := DefaultLimits()
	cases := []struct {
		what string
		t    tally
		want time.Duration
	}{
		{"nothing before", tally{}, 0},
		{"two failures", tally{pair: 2, lastPair: now, source: 2, names: 1}, 0},
		{"three, just now", tally{pair: 3, lastPair: now, source: 3, names: 1}, 2 * time.Second},
		{"three, a second ago", tally{pair: 3, lastPair: now.Add(-time.Second), source: 3, names: 1}, time.Second},
		{"three, long ago", tally{pair: 3, lastPair: now.Add(-time.Minute), source: 3, names: 1}, 0},
		{"four", tally{pair: 4, lastPair: now, source: 4, names: 1}, 4 * time.Second},
		{"five", tally{pair: 5, lastPair: now.Add(-time.Minute), source: 5, names: 1}, 15 * time.Minute},
		{"ten from the source", tally{source: 10, names: 2}, time.Hour},
		{"six names", tally{source: 6, names: 6}, 0},
		{"seven names", tally{source: 6, names: 7}, time.Hour},
	}
	for _, c := range cases {
		if got := l.wait(c.t, now); got != c.want {
			t.Errorf("%s: got %v, want %v", c.what, got, c.want)
		}
	}
}

func TestSourceKey(t *testing.T) {
	t.Parallel()
	cases := []struct{ a, b string }{
		{"2001:db8::1", "2001:db8::ffff:ffff"},
		{"::ffff:192.0.2.1", "192.0.2.1"},
		{"fe80::1%eth0", "fe80::2%eth1"},
	}
	for _, c := range cases {
		if a, b := sourceKey(netip.MustParseAddr(c.a)), sourceKey(netip.MustParseAddr(c.b)); a != b {
			t.Errorf("%s and %s are counted apart: %s, %s", c.a, c.b, a, b)
		}
	}
	if sourceKey(netip.MustParseAddr("192.0.2.1")) == sourceKey(netip.MustParseAddr("192.0.2.2")) {
		t.Error("two IPv4 addresses are counted as one")
	}
}

func TestEditDistanceAndCommonSubstring(t *testing.T) {
	t.Parallel()
	cases := []struct {
		a, b         string
		edits, joint int
	}{
		{"", "", 0, 0}, {"kitten", "sitting", 3, 3}, {"abc", "", 3, 0}, {"密码很长", "密码", 2, 2},
	}
	for _, c := range cases {
		if got := editDistance([]rune(c.a), []rune(c.b)); got != c.edits {
			t.Errorf("editDistance(%q, %q): got %d, want %d", c.a, c.b, got, c.edits)
		}
		if got := longestCommon([]rune(c.a), []rune(c.b)); got != c.joint {
			t.Errorf("longestCommon(%q, %q): got %d, want %d", c.a, c.b, got, c.joint)
		}
	}
}

func FuzzNormalEmail(f *testing.F) {
	f.Add("alice@example.org")
	f.Add("a b@c")
	f.Fuzz(func(t *testing.T, s string) {
		got, err := normalEmail(s)
		if err != nil {
			return
		}
		again, err := normalEmail(got)
		if err != nil || again != got {
			t.Errorf("%q: %q becomes %q, %v", s, got, again, err)
		}
	})
}
