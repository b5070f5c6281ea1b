package privacy

import (
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// Clock is one limit of a request: the promise of a policy, or of the law.
type Clock struct {
	Rule        string    // "reply.3wd": what is due, and by when
	Due         time.Time // first instant that is too late
	Provisional bool
	MetAt       time.Time // zero while it runs
}

// Rules by name; what is before the dot is what has to happen.
const (
	reply3wd  = "reply.3wd"
	reply7d   = "reply.7d"
	reply15wd = "reply.15wd"
	reply15d  = "reply.15d"
	done15wd  = "done.15wd"

	identityDays = 1 // working days in which the desk may ask who somebody is
)

// limits says how long each rule lasts.
var limits = map[string]struct {
	n       int
	working bool
}{
	reply3wd: {3, true}, reply7d: {7, false}, reply15wd: {15, true}, reply15d: {15, false}, done15wd: {15, true},
}

// rules are the limits of a kind (section 3.4): each runs from the receipt, and
// the earliest binds.
func rules(profile string, k Kind) (names []string) {
	switch {
	case profile == consent.HongKong && mutant.Off("LT-8b"):
	case profile == consent.HongKong && k == Complaint:
		names = []string{reply15wd, reply15d}
	case profile == consent.HongKong:
		names = []string{reply15wd}
	case mutant.Off("TY-9.2"):
		names = []string{reply3wd}
	default:
		names = []string{reply3wd, reply7d}
	}
	if k == Cancel || k == Delete {
		names = append(names, done15wd)
	}
	return names
}

// run computes a rule's clock from the receipt. What cannot be computed is due
// after as many calendar days, the strictest reading of any limit, and
// provisional.
func run(c *civil.Calendar, rule string, received, now time.Time) Clock {
	l := limits[rule]
	count := civil.Days
	if l.working {
		count = c.WorkingDays
	}
	d, err := count(received, now, l.n)
	if err != nil {
		d = civil.Deadline{Due: civil.DayOf(received).AddDays(l.n).End(), Provisional: true}
	}
	return Clock{Rule: rule, Due: d.Due, Provisional: d.Provisional}
}

// clocks are all of a request.
func clocks(c *civil.Calendar, profile string, k Kind, received, now time.Time) (all []Clock) {
	for _, rule := range rules(profile, k) {
		all = append(all, run(c, rule, received, now))
	}
	return all
}

// again computes a provisional clock with what the calendar knows now. It only
// ever moves earlier.
func (k Clock) again(c *civil.Calendar, received, now time.Time) Clock {
	if !k.Provisional || limits[k.Rule].n == 0 {
		return k
	}
	next := run(c, k.Rule, received, now)
	if next.Due.Before(k.Due) {
		k.Due = next.Due
	}
	k.Provisional = next.Provisional
	return k
}

// due is the earliest clock that runs; the zero value if none does.
func due(all []Clock) (first Clock) {
	for _, c := range all {
		if c.MetAt.IsZero() && (first.Due.IsZero() || c.Due.Before(first.Due)) {
			first = c
		}
	}
	return first
}

// forReply reports whether an answer meets the clock; the others are met when
// the work is done.
func (k Clock) forReply() bool { return strings.HasPrefix(k.Rule, "reply.") }

// mayAsk reports whether there is still time to ask who somebody is. The due
// dates do not move by it (clause LT-8b), so that it is asked soon or never.
func mayAsk(c *civil.Calendar, received, now time.Time) bool {
	d, err := c.WorkingDays(received, now, identityDays)
	return err == nil && now.Before(d.Due)
}

// Specials are the reasons for which an answer may take seven days in place of
// three working ones. That somebody's identity is not known is none of them.
var Specials = []string{"complex", "volume", "recipient"}
