// Package civil counts the time limits of Chinese law: days, months and working
// days with the make-up workdays that the State Council sets for each year.
//
// The day on which something happens is not counted (Civil Code 201). A limit
// of days or months ends at 24:00 of its last day, a limit of months on the
// corresponding day or, where the month has none, on its last (202). Limits of
// calendar days are not extended over holidays, although the law (203) would
// allow it: what was promised comes earlier.
//
// All functions are pure. A civil day is a day at UTC+08:00, whatever the place
// of the machine.
package civil

import (
	"fmt"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// Zone is the zone in which days begin and end. China has no summer time.
var Zone = time.FixedZone("UTC+8", 8*3600)

// ErrLimit says that a limit cannot be counted: none or too many units, or a
// start that is missing, too early, or in the future.
var ErrLimit = errs.New(errs.Unprocessable, "civil.limit")

// Day is a day of the civil calendar.
type Day struct {
	Year  int
	Month time.Month
	Day   int
}

// DayOf is the day in which an instant falls.
func DayOf(t time.Time) Day {
	y, m, d := t.In(Zone).Date()
	return Day{y, m, d}
}

// ParseDay reads YYYY-MM-DD.
func ParseDay(text string) (Day, error) {
	t, err := time.ParseInLocation(time.DateOnly, text, Zone)
	if err != nil {
		return Day{}, fmt.Errorf("reading a day: %w", err)
	}
	return DayOf(t), nil
}

// String is YYYY-MM-DD.
func (d Day) String() string { return d.Start().Format(time.DateOnly) }

// Start is the first instant of the day.
func (d Day) Start() time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, Zone) }

// End is the instant at which the day is over: the start of the next one.
func (d Day) End() time.Time { return d.AddDays(1).Start() }

// Before reports whether d comes before other.
func (d Day) Before(other Day) bool { return d.Start().Before(other.Start()) }

// AddDays is n days later.
func (d Day) AddDays(n int) Day {
	return DayOf(time.Date(d.Year, d.Month, d.Day+n, 0, 0, 0, 0, Zone))
}

// AddMonths is the corresponding day n months later, or the last day of a month
// that has none (Civil Code 202). n may be negative.
func (d Day) AddMonths(n int) Day {
	first := time.Date(d.Year, d.Month+time.Month(n), 1, 0, 0, 0, 0, Zone)
	last := first.AddDate(0, 1, -1).Day()
	return DayOf(first.AddDate(0, 0, min(d.Day, last)-1))
}

// Deadline is an end that a rule sets.
type Deadline struct {
	// Due is the first instant that is too late: what is done before it is in time.
	Due         time.Time
	Provisional bool // a year without data was counted Monday to Friday
}

// earliest start that is believed: the first year of make-up workdays.
const firstYear = 2007

func checkLimit(start, now time.Time, n int) error {
	if n <= 0 || n > 4000 || start.IsZero() || DayOf(start).Year < firstYear || start.After(now.Add(24*time.Hour)) {
		return ErrLimit
	}
	return nil
}

// Days is a limit of n calendar days after start.
func Days(start, now time.Time, n int) (Deadline, error) {
	if err := checkLimit(start, now, n); err != nil {
		return Deadline{}, err
	}
	return Deadline{Due: DayOf(start).AddDays(n).End()}, nil
}

// Months is a limit of n months after start.
func Months(start, now time.Time, n int) (Deadline, error) {
	if err := checkLimit(start, now, n); err != nil {
		return Deadline{}, err
	}
	return Deadline{Due: DayOf(start).AddMonths(n).End()}, nil
}

// Hours is a limit of n hours from the instant start. It is never extended.
func Hours(start, now time.Time, n int) (Deadline, error) {
	if err := checkLimit(start, now, n); err != nil {
		return Deadline{}, err
	}
	return Deadline{Due: start.Add(time.Duration(n) * time.Hour)}, nil
}

// Earliest is the first of several deadlines; what is not known does not take
// part. It is provisional if it is itself, or if a provisional one could move
// before it.
func Earliest(all ...Deadline) Deadline {
	var first Deadline
	for _, d := range all {
		if !d.Due.IsZero() && (first.Due.IsZero() || d.Due.Before(first.Due)) {
			first = d
		}
	}
	return first
}

// Kept is a floor of n months that began with a day: the first day on which
// what was recorded on it may be deleted, the one after the corresponding day.
// Six months are 181 to 184 days, never 180.
func Kept(from Day, months int) Day { return from.AddMonths(months).AddDays(1) }

// LastPast is the last day whose floor of n months is over on a day: the
// greatest from with Kept(from, months) not after today. An earlier day's floor
// is over too.
func LastPast(today Day, months int) Day {
	d := today.AddMonths(-months).AddDays(1)
	for today.Before(Kept(d, months)) {
		d = d.AddDays(-1)
	}
	return d
}
