package account

import (
	"testing"
	"time"
)

func TestKeptUntilCountsCalendarMonths(t *testing.T) {
	t.Parallel()
	cases := []struct{ day, want string }{
		{"2026-01-15", "2026-07-15"},
		{"2026-08-31", "2027-02-28"},
		{"2027-08-30", "2028-02-29"},
		{"2027-08-29", "2028-02-29"},
		{"2026-12-31", "2027-06-30"},
		{"2026-11-22", "2027-05-22"},
	}
	for _, c := range cases {
		at, err := time.Parse(time.DateOnly, c.day)
		if err != nil {
			t.Fatal(err)
		}
		if got := day(keptUntil(at)); got != c.want {
			t.Errorf("%s: got %s, want %s", c.day, got, c.want)
		}
	}
}
