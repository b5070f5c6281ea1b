package civil_test

import (
	"errors"
	"testing"
	"testing/fstest"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
)

func day(t *testing.T, text string) civil.Day {
	t.Helper()
	d, err := civil.ParseDay(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// lastDay is the day at whose end a deadline falls.
func lastDay(d civil.Deadline) string { return civil.DayOf(d.Due.Add(-time.Second)).String() }

// The vectors of the specification of deadlines: 3 and 15 working days, 7 days,
// and the earlier of the first two.
func TestTheVectorsOf2026(t *testing.T) {
	c := civil.Published()
	for _, v := range []struct{ start, three, seven, fifteen, due string }{
		{"2026-02-10", "2026-02-13", "2026-02-17", "2026-03-09", "2026-02-13"},
		{"2026-04-30", "2026-05-08", "2026-05-07", "2026-05-25", "2026-05-07"},
		{"2026-10-10", "2026-10-14", "2026-10-17", "2026-10-30", "2026-10-14"},
		{"2026-11-23", "2026-11-26", "2026-11-30", "2026-12-14", "2026-11-26"},
	} {
		at := day(t, v.start).Start().Add(15 * time.Hour)
		three, err3 := c.WorkingDays(at, at, 3)
		fifteen, err15 := c.WorkingDays(at, at, 15)
		seven, err7 := civil.Days(at, at, 7)
		if err := errors.Join(err3, err15, err7); err != nil {
			t.Fatal(err)
		}
		if lastDay(three) != v.three || lastDay(seven) != v.seven || lastDay(fifteen) != v.fifteen {
			t.Errorf("from %s: 3 wd %s, 7 d %s, 15 wd %s", v.start, lastDay(three), lastDay(seven), lastDay(fifteen))
		}
		if got := lastDay(civil.Earliest(three, civil.Deadline{}, seven)); got != v.due {
			t.Errorf("from %s: the earliest is %s, not %s", v.start, got, v.due)
		}
		if three.Provisional || fifteen.Provisional {
			t.Errorf("from %s: provisional, although the year is known", v.start)
		}
	}
}

// In 2026 three working days end after seven days for 15 starts, and 15 working
// days take 28 days at most.
func TestTheWholeOf2026(t *testing.T) {
	c, later, longest := civil.Published(), 0, time.Duration(0)
	for d := day(t, "2026-01-01"); d.Year == 2026; d = d.AddDays(1) {
		three, err := c.WorkingDays(d.Start(), d.Start(), 3)
		if err != nil {
			t.Fatal(err)
		}
		seven, err := civil.Days(d.Start(), d.Start(), 7)
		if err != nil {
			t.Fatal(err)
		}
		if three.Due.After(seven.Due) {
			later++
		}
		fifteen, err := c.WorkingDays(d.Start(), d.Start(), 15)
		if err != nil {
			t.Fatal(err)
		}
		longest = max(longest, fifteen.Due.Sub(d.End()))
	}
	if later != 15 || longest != 28*24*time.Hour {
		t.Errorf("3 wd end after 7 d for %d starts, the longest 15 wd take %v", later, longest)
	}
}

func TestMonthsEndWithTheirMonth(t *testing.T) {
	for start, want := range map[string]string{
		"2026-08-31": "2027-02-28", "2026-03-01": "2026-09-01", "2027-08-29": "2028-02-29", "2027-08-31": "2028-02-29",
	} {
		at := day(t, start).Start()
		got, err := civil.Months(at, at, 6)
		if err != nil || lastDay(got) != want {
			t.Errorf("six months from %s end on %s (%v), not %s", start, lastDay(got), err, want)
		}
	}
}

// What was recorded on a day is there for six months of the calendar: on every
// day of four years it may not go on the corresponding day and may on the next.
func TestSixMonthsAreNot180Days(t *testing.T) {
	for d := day(t, "2024-01-01"); d.Year < 2028; d = d.AddDays(1) {
		first := civil.Kept(d, 6)
		n := int(first.AddDays(-1).Start().Sub(d.Start()).Hours() / 24)
		if n < 181 || n > 184 {
			t.Fatalf("the floor of %s is %d days", d, n)
		}
		if civil.LastPast(first, 6).Before(d) {
			t.Fatalf("what was recorded on %s may go on %s, and the last day past is %s", d, first, civil.LastPast(first, 6))
		}
		if last := civil.LastPast(first.AddDays(-1), 6); !last.Before(d) {
			t.Fatalf("on %s, the corresponding day, what was recorded on %s may go already", first.AddDays(-1), last)
		}
	}
}

// The day ends at 24:00 in China, wherever the machine is.
func TestADayEndsInChina(t *testing.T) {
	at := time.Date(2026, 3, 1, 16, 30, 0, 0, time.UTC) // 00:30 of 2 March
	got, err := civil.Days(at, at, 1)
	if want := time.Date(2026, 3, 3, 16, 0, 0, 0, time.UTC); err != nil || !got.Due.Equal(want) {
		t.Errorf("due %v (%v), not %v", got.Due.UTC(), err, want)
	}
}

func TestAYearWithoutNoticeIsProvisional(t *testing.T) {
	c := civil.Published()
	at := day(t, "2026-12-30").Start()
	got, err := c.WorkingDays(at, at, 3) // 31 December, 1 and 4 January
	if err != nil || !got.Provisional || lastDay(got) != "2027-01-04" || c.Knows(2027) {
		t.Errorf("%s, provisional %v (%v)", lastDay(got), got.Provisional, err)
	}
}

func TestLimitsThatCannotBeCounted(t *testing.T) {
	now := day(t, "2026-03-01").Start()
	for name, at := range map[string]time.Time{"none": {}, "too early": now.AddDate(-20, 0, 0), "in the future": now.Add(25 * time.Hour)} {
		if _, err := civil.Days(at, now, 3); !errors.Is(err, civil.ErrLimit) {
			t.Errorf("a start that is %s: %v", name, err)
		}
	}
	for _, n := range []int{0, -1, 4001} {
		if _, err := civil.Published().WorkingDays(now, now, n); !errors.Is(err, civil.ErrLimit) {
			t.Errorf("%d working days: %v", n, err)
		}
		if _, err := civil.Hours(now, now, n); !errors.Is(err, civil.ErrLimit) {
			t.Errorf("%d hours: %v", n, err)
		}
	}
}

func TestACalendarThatContradictsItselfIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"both":      `{"year": 2030, "source": "x", "holidays": ["01-01"], "workdays": ["01-01"]}`,
		"backwards": `{"year": 2030, "source": "x", "holidays": ["01-05..01-01"]}`,
		"no source": `{"year": 2030, "holidays": ["01-01"]}`,
		"other":     `{"year": 2031, "source": "x"}`,
		"unknown":   `{"year": 2030, "source": "x", "free": []}`,
		"no day":    `{"year": 2030, "source": "x", "holidays": ["02-30"]}`,
	} {
		if _, err := civil.Read(fstest.MapFS{"2030.json": {Data: []byte(text)}}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
