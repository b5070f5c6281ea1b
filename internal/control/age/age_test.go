package age

import (
	"errors"
	"testing"

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

// Every age from 13 to 19, on the day before the birthday, on it and after it.
func TestEachAgeIsReachedOnTheDayAfterTheBirthday(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		birth, before, birthday, after string // the day on which the band may change is after
		years                          int    // completed on after
		was, is                        Band
	}{
		{"2013-06-15", "2026-06-14", "2026-06-15", "2026-06-16", 13, Child, Child},
		{"2012-06-15", "2026-06-14", "2026-06-15", "2026-06-16", 14, Child, Child},
		{"2011-06-15", "2026-06-14", "2026-06-15", "2026-06-16", 15, Child, Fifteen},
		{"2010-06-15", "2026-06-14", "2026-06-15", "2026-06-16", 16, Fifteen, Youth},
		{"2009-06-15", "2026-06-14", "2026-06-15", "2026-06-16", 17, Youth, Youth},
		{"2008-06-15", "2026-06-14", "2026-06-15", "2026-06-16", 18, Youth, Adult},
		{"2007-06-15", "2026-06-14", "2026-06-15", "2026-06-16", 19, Adult, Adult},
		// The day after is of another year, month, or a 29 February.
		{"2008-12-31", "2026-12-30", "2026-12-31", "2027-01-01", 18, Youth, Adult},
		{"2010-01-31", "2026-01-30", "2026-01-31", "2026-02-01", 16, Fifteen, Youth},
		{"2010-02-28", "2028-02-27", "2028-02-28", "2028-02-29", 18, Youth, Adult},
		{"2011-02-28", "2026-02-27", "2026-02-28", "2026-03-01", 15, Child, Fifteen},
		// Born on a 29 February: 1 March, in each year.
		{"2012-02-29", "2027-02-27", "2027-02-28", "2027-03-01", 15, Child, Fifteen},
		{"2012-02-29", "2028-02-28", "2028-02-29", "2028-03-01", 16, Fifteen, Youth},
		{"2008-02-29", "2026-02-27", "2026-02-28", "2026-03-01", 18, Youth, Adult},
		{"2008-02-29", "2025-02-27", "2025-02-28", "2025-03-01", 17, Youth, Youth},
	} {
		for _, on := range []string{c.before, c.birthday} {
			if got, err := At(day(t, c.birth), day(t, on)); err != nil || got != c.years-1 || BandOf(got) != c.was {
				t.Errorf("born %s, on %s: got %d %s (%v), want %d %s", c.birth, on, got, BandOf(got), err, c.years-1, c.was)
			}
		}
		if got, err := At(day(t, c.birth), day(t, c.after)); err != nil || got != c.years || BandOf(got) != c.is {
			t.Errorf("born %s, on %s: got %d %s (%v), want %d %s", c.birth, c.after, got, BandOf(got), err, c.years, c.is)
		}
	}
}

func TestADateThatIsNone(t *testing.T) {
	t.Parallel()
	today := day(t, "2026-11-22")
	for _, birth := range []civil.Day{{}, {Year: 2010, Month: 2, Day: 30}, {Year: 2009, Month: 2, Day: 29}, {Year: 2010, Month: 13, Day: 1}, today.AddDays(1)} {
		if got, err := At(birth, today); !errors.Is(err, ErrDate) {
			t.Errorf("%+v: got %d, %v", birth, got, err)
		}
	}
	if got, err := At(today, today); err != nil || got != 0 {
		t.Errorf("born today: %d, %v", got, err)
	}
}

func TestWhatEachProfileWants(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		profile string
		years   int
		want    Rule
	}{
		{"mainland", 0, Guardian},
		{"mainland", 13, Guardian},
		{"mainland", 14, Guardian},
		{"mainland", 15, Screen},
		{"mainland", 16, Screen},
		{"mainland", 17, Screen},
		{"mainland", 18, Free},
		{"mainland", 19, Free},
		{"hongkong", 0, Refused},
		{"hongkong", 13, Refused},
		{"hongkong", 14, Refused},
		{"hongkong", 15, Refused},
		{"hongkong", 16, Written},
		{"hongkong", 17, Written},
		{"hongkong", 18, Free},
		{"hongkong", 19, Free},
		{"", 19, Refused},
	} {
		if got := RuleFor(c.profile, BandOf(c.years)); got != c.want {
			t.Errorf("%s, %d: got %s, want %s", c.profile, c.years, got, c.want)
		}
	}
	if got := RuleFor("mainland", "older"); got != Refused {
		t.Errorf("a band that is none: %s", got)
	}
}

func TestTheStricterSourceWins(t *testing.T) {
	t.Parallel()
	at := day(t, "2026-11-22").Start()
	for _, c := range []struct {
		events []Event
		on     string
		want   Band
	}{
		{nil, "2026-11-22", ""},
		{[]Event{{Band: Youth, Source: Declared, At: at}}, "2026-11-22", Youth},
		{[]Event{{Band: Youth, Source: Declared, At: at}, {Band: Adult, Source: FromID, At: at}}, "2026-11-22", Youth},
		{[]Event{{Band: Adult, Source: Declared, At: at}, {Band: Fifteen, Source: FromID, At: at}}, "2026-11-22", Fifteen},
		{[]Event{{Band: Youth, Source: Declared, At: at}, {Band: Adult, Source: Grown, At: at}, {Band: Adult, Source: FromID, At: at}}, "2026-11-22", Adult},
		{[]Event{{Band: Youth, Source: FromID, At: at}, {Band: Adult, Source: FromID, At: at}, {Band: Child, Source: Declared, At: at}}, "2026-11-22", Child},
		// Time makes minors older, on the day after the anniversary.
		{[]Event{{Band: Youth, Source: Declared, At: at}}, "2028-11-22", Youth},
		{[]Event{{Band: Youth, Source: Declared, At: at}}, "2028-11-23", Adult},
		{[]Event{{Band: Fifteen, Source: Declared, At: at}}, "2027-11-22", Fifteen},
		{[]Event{{Band: Fifteen, Source: Declared, At: at}}, "2027-11-23", Youth},
		{[]Event{{Band: Fifteen, Source: Declared, At: at}}, "2029-11-23", Adult},
		{[]Event{{Band: Child, Source: Declared, At: at}}, "2045-01-01", Child},
	} {
		if _, got := known(c.events, day(t, c.on)); got != c.want {
			t.Errorf("%v on %s: got %q, want %q", c.events, c.on, got, c.want)
		}
	}
}
