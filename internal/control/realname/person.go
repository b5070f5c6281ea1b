package realname

import (
	_ "embed"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/civilid"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// provinces lists the first two digits of numbers that are issued; it is data
// because it changes with the administrative divisions (GB/T 2260).
//
//go:embed provinces.txt
var provinces string

// person is a submission in normal form after the local checks.
type person struct {
	name   string
	number string
	birth  time.Time // midnight in zone
}

// check is everything that can be known without asking anybody: the forms of
// name and number, then the age. It returns ErrName, ErrNumber or ErrTooYoung
// and tells no value.
func check(name, number string, now time.Time) (person, error) {
	p := person{name: normalName(name), number: normalNumber(number)}
	if !goodName(p.name) {
		return person{}, ErrName
	}
	birth, ok := birthOf(p.number, now)
	if !ok {
		return person{}, ErrNumber
	}
	p.birth = birth
	if Age(birth, now) < 16 && !mutant.Off("LT-7b") {
		return person{}, ErrTooYoung
	}
	return p, nil
}

func normalName(s string) string {
	s = strings.TrimSpace(norm.NFC.String(s))
	return strings.NewReplacer("\u2022", "\u00b7", "\u30fb", "\u00b7").Replace(s)
}

// goodName holds 2 to 30 Han characters with · between them.
func goodName(s string) bool {
	n := utf8.RuneCountInString(s)
	if n < 2 || n > 30 || strings.HasPrefix(s, "\u00b7") || strings.HasSuffix(s, "\u00b7") {
		return false
	}
	for _, r := range s {
		if r != '\u00b7' && !unicode.Is(unicode.Han, r) {
			return false
		}
	}
	return true
}

// normalNumber trims, turns full-width characters into ASCII and x into X.
func normalNumber(s string) string {
	return strings.ToUpper(strings.Map(func(r rune) rune {
		if r >= '\uff01' && r <= '\uff5e' {
			return r - 0xfee0
		}
		return r
	}, strings.TrimSpace(s)))
}

// birthOf checks a number (GB 11643: 18 characters, issued province, real date
// not in the future and not 150 years ago, check character) and returns the
// date of birth.
func birthOf(number string, now time.Time) (time.Time, bool) {
	if !civilid.CheckDigit(number) || !issued(number[:2]) {
		return time.Time{}, false
	}
	birth, err := time.ParseInLocation("20060102", number[6:14], civil.Zone)
	if err != nil || birth.After(now) || Age(birth, now) > 150 {
		return time.Time{}, false
	}
	return birth, true
}

func issued(province string) bool {
	for _, p := range strings.Fields(provinces) {
		if p == province {
			return true
		}
	}
	return false
}

// Age returns the completed years of life by the civil rule: a year is
// completed on the day after the birthday, in UTC+8; a birth on 29 February
// counts from 1 March.
func Age(birth, now time.Time) int {
	y, m, d := now.In(civil.Zone).Date()
	today := time.Date(y, m, d, 0, 0, 0, 0, civil.Zone)
	age := y - birth.Year()
	if today.Before(reached(birth, age)) {
		age--
	}
	return max(age, 0)
}

// reached is the day on which n years of life are completed.
func reached(birth time.Time, n int) time.Time {
	_, m, d := birth.Date()
	if m == time.February && d == 29 {
		return time.Date(birth.Year()+n, time.March, 1, 0, 0, 0, 0, civil.Zone)
	}
	return time.Date(birth.Year()+n, m, d+1, 0, 0, 0, 0, civil.Zone)
}

func (p person) band(now time.Time) string {
	if Age(p.birth, now) < 18 {
		return bandMinor
	}
	return ""
}
