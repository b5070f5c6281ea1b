// Package age holds the rules for minors: how old somebody is, what a profile
// wants before a minor's data may be processed, and who of the staff may read
// them.
//
// Adulthood is a statement inside the act of acceptance (consent). Only minors
// get a band; a date of birth is never stored. It is not for who somebody is
// (realname), nor for what a guardian asks later (privacy).
//
// What a profile wants (section 2.13 of the privacy specification):
//
//	completed years   mainland                        hongkong
//	≤14               guardian, from their account    refused, erased
//	15                reading screen with a guardian  refused, erased
//	16-17             reading screen with a guardian  guardian's written consent
//	18 and more       nothing                         nothing
//
// Invariants: the stricter of what was declared and what an identity number says
// wins; who stated nothing is treated as a minor; events are only added; staff
// read a minor's data only after somebody else approved it.
//
// A guardian may leave: the account is closed, the consent taken back.
//
//	guarded ── guardian leaves ──▶ vacant ── 30 days ──▶ restricted ── 60 days ──▶ erased
//	   ◀──────── another guardian consents ────┴───────────────┘
//
// From the commit on, nothing that rests on an act is open until another consents.
//
// Tables: age_event, age_guardian, age_vacancy, age_read, age_count, age_audit.
package age

import (
	"slices"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// Band is an age group.
type Band string

// Bands. Adult is stored only for somebody who had a minor's band before.
const (
	Child   Band = "≤14"
	Fifteen Band = "15"
	Youth   Band = "16-17"
	Adult   Band = "adult"
)

// bands from the strictest on.
var bands = []Band{Child, Fifteen, Youth, Adult}

// Minors lists the bands of minors, the youngest first.
func Minors() []Band { return slices.Clone(bands[:3]) }

// Minor reports whether it is a minor's band.
func (b Band) Minor() bool { return b == Child || b == Fifteen || b == Youth }

// Stricter is the younger of two bands; an empty one does not count.
func Stricter(a, b Band) Band {
	switch {
	case a == "":
		return b
	case b == "" || slices.Index(bands, a) < slices.Index(bands, b):
		return a
	}
	return b
}

// Errors.
var (
	ErrBand     = errs.New(errs.Unprocessable, "age.band")                          // no minor's band
	ErrDate     = errs.New(errs.Unprocessable, "age.date")                          // no day of the calendar, or born after the day
	ErrTooYoung = errs.New(errs.Unprocessable, "age.too_young").ByClause("LT-7b")   // refused; nothing is kept
	ErrChild    = errs.New(errs.Unprocessable, "age.child").ByClause("TY-7.1")      // a guardian opens the account
	ErrUnstated = errs.New(errs.Forbidden, "age.unstated")                          // treated as a minor
	ErrScreen   = errs.New(errs.Forbidden, "age.screen_needed").ByClause("TY-0b")   // to be read with a guardian first
	ErrGuardian = errs.New(errs.Forbidden, "age.guardian_needed").ByClause("LT-7a") // a guardian's consent is missing
	ErrShut     = errs.New(errs.Forbidden, "age.erasing").ByClause("TY-7.2")        // refused at this age; what is held is being erased
	ErrSecond   = errs.New(errs.Forbidden, "age.second_person")                     // somebody else has to approve the reading
	ErrSame     = errs.New(errs.Forbidden, "age.same_person")                       // two persons are needed
	ErrDigest   = errs.New(errs.Unprocessable, "age.digest")                        // no SHA-256, or not that of the first person
	ErrNotFound = errs.New(errs.NotFound, "age.not_found")
	ErrYear     = errs.New(errs.Conflict, "age.year_not_over")
	ErrProfile  = errs.New(errs.Conflict, "age.not_in_profile") // this way is not for the deployment's profile
)

// At is the completed years of life on a civil day: a year is completed on the
// day after the birthday, and a birth on 29 February counts from 1 March (Civil
// Code 201, 202, read strictly). ErrDate: a birth that is no day, or lies ahead.
func At(birth, day civil.Day) (int, error) {
	if civil.DayOf(birth.Start()) != birth || day.Before(birth) {
		return 0, ErrDate
	}
	years := day.Year - birth.Year
	if day.Before(reached(birth, years)) {
		years--
	}
	return max(years, 0), nil
}

// reached is the day on which n years of life are completed.
func reached(birth civil.Day, n int) civil.Day {
	if birth.Month == time.February && birth.Day == 29 {
		return civil.Day{Year: birth.Year + n, Month: time.March, Day: 1}
	}
	return civil.Day{Year: birth.Year + n, Month: birth.Month, Day: birth.Day}.AddDays(1)
}

// BandOf is the band of completed years.
func BandOf(years int) Band {
	switch {
	case years <= 14:
		return Child
	case years == 15:
		return Fifteen
	case years <= 17:
		return Youth
	}
	return Adult
}

// Rule is what has to be there before a person's data may be processed.
type Rule string

// Rules.
const (
	Free     Rule = "free"
	Screen   Rule = "screen"   // the minors' clauses, read with a guardian
	Guardian Rule = "guardian" // the account is opened from a guardian's
	Written  Rule = "written"  // a guardian's signed consent, seen by two of the staff
	Refused  Rule = "refused"
)

// RuleFor is the rule of a profile, mainland or hongkong, for a band. What is
// not known is refused.
func RuleFor(profile string, b Band) Rule {
	rules := map[string]map[Band]Rule{
		"mainland": {Child: Guardian, Fifteen: Screen, Youth: Screen, Adult: Free},
		"hongkong": {Child: Refused, Fifteen: Refused, Youth: Written, Adult: Free},
	}
	if r, ok := rules[profile][b]; ok {
		return r
	}
	return Refused
}

// Source is where a band comes from.
type Source string

// Sources.
const (
	Declared Source = "declared"
	FromID   Source = "id"    // the digits of an identity number
	Grown    Source = "grown" // what was declared, carried on by a number that agrees with it
)

// Event is one thing that was learned of a person's age.
type Event struct {
	ID      string
	Subject id.Handle
	Account string
	Band    Band
	Source  Source
	At      time.Time
}

// now is the band that an event still proves on a day: who was 16 is an adult two
// years later. How young a child was is not known.
func (e Event) now(today civil.Day) Band {
	years, err := At(civil.DayOf(e.At), today)
	switch {
	case err != nil:
		return e.Band
	case e.Band == Youth && years >= 2, e.Band == Fifteen && years >= 3:
		return Adult
	case e.Band == Fifteen && years >= 1:
		return Youth
	}
	return e.Band
}

// known is what a person's events say on a day: what was declared, what an
// identity number said last, and of both the stricter.
func known(all []Event, today civil.Day) (declared, stricter Band) {
	var fromID Band
	for _, e := range all {
		if e.Source == FromID {
			fromID = e.now(today)
		} else {
			declared = e.now(today)
		}
	}
	return declared, Stricter(declared, fromID)
}
