package retention

import (
	"strings"
	"testing"
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

// On every day of four years a log may not go on the corresponding day of the
// sixth month and may on the next; it must be gone three days later, in Hong
// Kong a month later.
func TestLogsHaveSixCalendarMonthsAndNotMuchMore(t *testing.T) {
	for _, class := range []string{"netlog", "access_log", "vpn_session"} {
		for d := day(t, "2024-01-01"); d.Year < 2028; d = d.AddDays(1) {
			corresponding := d.AddMonths(6)
			if MayGo(class, d) != corresponding.AddDays(1) {
				t.Fatalf("%s of %s may go on %s", class, d, MayGo(class, d))
			}
			if got := MustGo(class, "mainland", d); got != corresponding.AddDays(3) {
				t.Fatalf("%s of %s must go by %s", class, d, got)
			}
			if MustGo(class, "hongkong", d) != d.AddMonths(7) {
				t.Fatalf("%s of %s must go by %s in Hong Kong", class, d, MustGo(class, "hongkong", d))
			}
		}
	}
}

// A run each day lets nothing pass its ceiling and takes nothing early.
func TestEachDaysRunIsNeitherEarlyNorLate(t *testing.T) {
	for today := day(t, "2026-01-01"); today.Year < 2028; today = today.AddDays(1) {
		last := LastPast("netlog", today)
		if today.Before(MayGo("netlog", last)) {
			t.Fatalf("on %s the log of %s goes early", today, last)
		}
		for d := last.AddDays(1); d.Before(last.AddDays(6)); d = d.AddDays(1) {
			if !today.Before(MayGo("netlog", d)) {
				t.Fatalf("on %s the log of %s could go and does not", today, d)
			}
		}
		if MustGo("netlog", "mainland", last.AddDays(1)).Before(today) {
			t.Fatalf("on %s the log of %s is past its ceiling", today, last.AddDays(1))
		}
	}
}

// What may still be there and what ought to be gone meet without a gap.
func TestWhatMayStillBeThereIsWithinTheCeiling(t *testing.T) {
	t.Parallel()
	for _, class := range []string{"access_log", "disclosure"} {
		for _, profile := range profiles {
			for day := (civil.Day{Year: 2026, Month: time.January, Day: 1}); day.Year == 2026; day = day.AddDays(1) {
				first := Gone(class, profile, day)
				if MustGo(class, profile, first).Before(day) || !MustGo(class, profile, first.AddDays(-1)).Before(day) {
					t.Fatalf("%s in %s on %s: from %s on", class, profile, day, first)
				}
			}
		}
	}
}

func TestAClassWithoutCeilingIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"no ceiling":          "- {id: x, from: event}",
		"for one profile":     "- {id: x, from: event, ceiling: {mainland: {days: 1}}}",
		"empty ceiling":       "- {id: x, from: event, ceiling: {mainland: {}, hongkong: {days: 1}}}",
		"ceiling under floor": "- {id: x, from: event, floor: {months: 6}, ceiling: {mainland: {days: 180}, hongkong: {months: 7}}}",
		"no start":            "- {id: x, ceiling: {mainland: {days: 1}, hongkong: {days: 1}}}",
		"twice":               "- {id: x, from: a, lasting: true}\n- {id: x, from: a, lasting: true}",
		"unknown word":        "- {id: x, from: a, lasting: true, forever: true}",
	} {
		if _, err := read([]byte(text)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestEveryPublishedRowHasBothLanguages(t *testing.T) {
	n := 0
	for _, c := range Classes() {
		if c.Data == nil {
			continue
		}
		n++
		for _, words := range []map[string]string{c.Data, c.Kept} {
			if strings.TrimSpace(words["zh-CN"]) == "" || strings.TrimSpace(words["en"]) == "" {
				t.Errorf("%s: not in both languages", c.ID)
			}
		}
	}
	if n < 8 {
		t.Errorf("%d classes are published", n)
	}
}

func TestAnUnknownClassDestroysNothing(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a day was named for a class that does not exist")
		}
	}()
	MayGo("forever", day(t, "2026-01-01"))
}
