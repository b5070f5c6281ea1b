package civil

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"time"
)

//go:embed calendar/*.json
var embedded embed.FS

// Calendar knows which days are worked on. Weekends are free, holidays too, and
// make-up workdays are worked on whatever day they are.
type Calendar struct {
	years map[int]bool
	days  map[Day]bool // working or not; a day that is missing follows its weekday
}

// year is a file: days or ranges of one year as MM-DD, "..": both ends belong
// to it. Workdays may be of the December before.
type year struct {
	Year     int      `json:"year"`
	Source   string   `json:"source"`
	Holidays []string `json:"holidays"`
	Workdays []string `json:"workdays"`
}

// Published is the calendar of the years whose notices this build knows.
var Published = sync.OnceValue(func() *Calendar {
	files, err := fs.Sub(embedded, "calendar")
	if err == nil {
		var c *Calendar
		if c, err = Read(files); err == nil {
			return c
		}
	}
	panic(err) // the files are part of the program; a test reads them
})

// Read makes a calendar of the files NNNN.json of a directory.
func Read(files fs.FS) (*Calendar, error) {
	c := &Calendar{years: map[int]bool{}, days: map[Day]bool{}}
	names, err := fs.Glob(files, "*.json")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if err := c.read(files, name); err != nil {
			return nil, fmt.Errorf("calendar %s: %w", name, err)
		}
	}
	return c, nil
}

func (c *Calendar) read(files fs.FS, name string) error {
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return err
	}
	var y year
	dec := json.NewDecoder(strings.NewReader(string(text)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&y); err != nil {
		return err
	}
	if name != fmt.Sprintf("%d.json", y.Year) || y.Source == "" {
		return fmt.Errorf("a file is named after its year and names its source")
	}
	c.years[y.Year] = true
	if err := c.mark(y.Year, y.Holidays, false); err != nil {
		return err
	}
	return c.mark(y.Year, y.Workdays, true)
}

func (c *Calendar) mark(year int, ranges []string, working bool) error {
	for _, text := range ranges {
		from, to, many := strings.Cut(text, "..")
		if !many {
			to = from
		}
		first, err := ParseDay(fmt.Sprintf("%d-%s", year, from))
		if err != nil {
			return err
		}
		last, err := ParseDay(fmt.Sprintf("%d-%s", year, to))
		if err != nil {
			return err
		}
		if last.Before(first) {
			return fmt.Errorf("%s ends before it begins", text)
		}
		for d := first; !last.Before(d); d = d.AddDays(1) {
			if was, twice := c.days[d]; twice && was != working {
				return fmt.Errorf("%s is both a holiday and a workday", d)
			}
			c.days[d] = working
		}
	}
	return nil
}

// Working reports whether a day is worked on; known is false for a year whose
// notice is missing, which then counts Monday to Friday.
func (c *Calendar) Working(d Day) (working, known bool) {
	if w, set := c.days[d]; set {
		return w, c.years[d.Year]
	}
	weekday := d.Start().Weekday()
	return weekday != time.Saturday && weekday != time.Sunday, c.years[d.Year]
}

// Knows reports whether the notice of a year is there.
func (c *Calendar) Knows(year int) bool { return c.years[year] }

// WorkingDays is a limit of n working days after start.
func (c *Calendar) WorkingDays(start, now time.Time, n int) (Deadline, error) {
	if err := checkLimit(start, now, n); err != nil {
		return Deadline{}, err
	}
	d, provisional := DayOf(start), false
	for n > 0 {
		d = d.AddDays(1)
		working, known := c.Working(d)
		provisional = provisional || !known
		if working {
			n--
		}
	}
	return Deadline{Due: d.End(), Provisional: provisional}, nil
}
