package realname

import (
	_ "embed"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/skybridge-cloud/skybridge/internal/control/age"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/civilid"
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
	birth  civil.Day
}

// check is everything that can be known without asking anybody: the forms of
// name and number. It returns ErrName or ErrNumber and tells no value.
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
func birthOf(number string, now time.Time) (civil.Day, bool) {
	if !civilid.CheckDigit(number) || !issued(number[:2]) {
		return civil.Day{}, false
	}
	at, err := time.ParseInLocation("20060102", number[6:14], civil.Zone)
	if err != nil {
		return civil.Day{}, false
	}
	birth := civil.DayOf(at)
	years, err := age.At(birth, civil.DayOf(now))
	return birth, err == nil && years <= 150
}

func issued(province string) bool {
	for _, p := range strings.Fields(provinces) {
		if p == province {
			return true
		}
	}
	return false
}
