package window

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// bytesOf writes an amount in decimal units, as providers count traffic.
func bytesOf(n float64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	i := 0
	for n >= 999.5 && i < len(units)-1 {
		n /= 1000
		i++
	}
	switch {
	case i == 0 || n >= 99.5:
		return fmt.Sprintf("%.0f %s", n, units[i])
	case n >= 9.95:
		return fmt.Sprintf("%.1f %s", n, units[i])
	default:
		return fmt.Sprintf("%.2f %s", n, units[i])
	}
}

func rate(n float64) string { return bytesOf(n) + "/s" }

// lasting writes a time of a connection: 1:02:03, with days before it.
func (u *UI) lasting(d time.Duration) string {
	d = max(d, 0).Truncate(time.Second)
	days := d / (24 * time.Hour)
	d -= days * 24 * time.Hour
	clock := fmt.Sprintf("%d:%02d:%02d", d/time.Hour, d/time.Minute%60, d/time.Second%60)
	if days > 0 {
		return u.say("days", "n", fmt.Sprint(int(days))) + " " + clock
	}
	return clock
}

func milliseconds(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format("2006-01-02")
}

// moment is minute on the person's clock, or nothing.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return minute(t.Local())
}

func minute(t time.Time) string { return t.Format("2006-01-02 15:04") }

func lines(all []string) string { return strings.Join(all, "\n") }

// explain makes of any error what a person can read. What a Problem does not say
// stands in the log.
func (u *UI) explain(err error) Problem {
	var p *Problem
	if !errors.As(err, &p) {
		return Problem{Cause: u.say("error.unknown"), Remedy: u.say("error.unknown.remedy")}
	}
	out := *p
	if out.Cause == "" {
		out.Cause = u.say("error." + out.Code)
		if key := "error." + out.Code + ".remedy"; out.Remedy == "" && u.say(key) != key {
			out.Remedy = u.say(key)
		}
	}
	return out
}
