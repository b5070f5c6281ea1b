package realname

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/age"
	"github.com/skybridge-cloud/skybridge/internal/control/realname/realnametest"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/civilid"
)

var today = time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC) // 10:00 in UTC+8

func day(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, civil.Zone) }

func TestNumbers(t *testing.T) {
	t.Parallel()
	good := realnametest.Number(day(1990, 1, 1), 1)
	wide := strings.Map(func(r rune) rune { return r + 0xfee0 }, "11010519491231002x")
	cases := []struct {
		name, number string
		want         bool
	}{
		{"the standard's example", "11010519491231002X", true},
		{"small x", "11010519491231002x", true},
		{"spaces around", "  11010519491231002X\n", true},
		{"full width", wide, true},
		{"made for tests", good, true},
		{"wrong check character", "110105194912310021", false},
		{"15 digits", "110105491231002", false},
		{"letters", "11010519491231A02X", false},
		{"empty", "", false},
		{"30 February", number("110105", "19900230", "001"), false},
		{"month 13", number("110105", "19901301", "001"), false},
		{"province 99", number("990105", "19900101", "001"), false},
		{"province 10", number("100105", "19900101", "001"), false},
		{"the future", number("110105", "20270101", "001"), false},
		{"151 years old", number("110105", "18751101", "001"), false},
	}
	for _, c := range cases {
		_, ok := birthOf(normalNumber(c.number), today)
		if ok != c.want {
			t.Errorf("%s: got %v, want %v", c.name, ok, c.want)
		}
	}
}

// number puts the check character behind 17 digits, whatever they say.
func number(region, birth, seq string) string { return civilid.Complete(region + birth + seq) }

func TestNames(t *testing.T) {
	t.Parallel()
	cases := map[string]bool{
		"张三": true, " 张三 ": true, "欧阳娜娜": true, "阿依古丽·买买提": true, "阿依古丽•买买提": true, "阿依古丽・买买提": true,
		strings.Repeat("张", 30): true, "䶮一": true, "𠮷野": true,
		"张": false, "": false, "·张三": false, "张三·": false, "Zhang San": false, "张3": false, "张 三": false, "张三!": false,
		strings.Repeat("张", 31): false, "さくら": false,
	}
	for name, want := range cases {
		if got := goodName(normalName(name)); got != want {
			t.Errorf("%q: got %v, want %v", name, got, want)
		}
	}
	if got := normalName("阿依古丽•买买提"); got != "阿依古丽·买买提" {
		t.Errorf("got %q", got)
	}
}

func TestLocalChecksStopAtTheFirstRule(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, number string
		want         error
		birth        string
	}{
		{"张三", realnametest.Number(day(1990, 1, 1), 1), nil, "1990-01-01"},
		{"张三", realnametest.Number(day(2008, 2, 29), 1), nil, "2008-02-29"},
		{"Z", realnametest.Number(day(1990, 1, 1), 1), ErrName, ""},
		{"张三", "110105194912310021", ErrNumber, ""},
	}
	for _, c := range cases {
		p, err := check(c.name, c.number, today)
		if !errors.Is(err, c.want) || err == nil && p.birth.String() != c.birth {
			t.Errorf("%s %s: got %v %s, want %v %s", c.name, c.number, err, p.birth, c.want, c.birth)
		}
	}
}

func TestMasks(t *testing.T) {
	t.Parallel()
	if got := MaskName("欧阳娜娜"); got != "欧**" {
		t.Errorf("got %q", got)
	}
	if got := MaskNumber("11010519491231002X"); got != "1****************X" {
		t.Errorf("got %q", got)
	}
	if MaskName("") != "" || MaskNumber("short") != "" {
		t.Error("an empty or malformed value is not masked to nothing")
	}
}

func TestEveryStateMeetsEveryEvent(t *testing.T) {
	t.Parallel()
	states := []State{None, Verifying, Approved, ManualReview, OutcomeUnknown, Rejected, ChangeRequested, Revoked}
	events := []Event{
		EventSubmit, EventMatch, EventMismatch, EventNoRecord, EventSourceError, EventProviderLimit, EventTimeout,
		EventNoQuery, EventInUse, EventDropped, EventRefused, EventAskManual, EventApprove, EventReject, EventChangeRequest, EventWithdrawn, EventRevoke,
	}
	allowed := map[State]string{
		None: "submit>verifying ask_manual>manual_review",
		Verifying: "match>verified mismatch>none no_record>manual_review source_error>manual_review " +
			"provider_limit>none timeout>unknown in_use>none dropped>none refused>none",
		Approved:     "change_request>change_requested revoke>revoked",
		ManualReview: "approve>verified reject>rejected",
		OutcomeUnknown: "match>verified mismatch>none no_record>manual_review source_error>manual_review " +
			"no_query>none in_use>none ask_manual>manual_review",
		Rejected:        "submit>verifying",
		ChangeRequested: "submit>manual_review withdrawn>verified",
		Revoked:         "submit>verifying",
	}
	for _, s := range states {
		var got []string
		for _, e := range events {
			to, err := s.On(e)
			if err == nil {
				got = append(got, string(e)+">"+string(to))
			} else if !errors.Is(err, ErrState) || to != s {
				t.Errorf("%s on %s: got %s, %v", s, e, to, err)
			}
		}
		if want := allowed[s]; strings.Join(got, " ") != want {
			t.Errorf("%s: got %s, want %s", s, strings.Join(got, " "), want)
		}
	}
}

func FuzzCheck(f *testing.F) {
	f.Add("张三", "11010519491231002X")
	f.Add(" 阿依古丽•买买提 ", "１１０１０５１９４９１２３１００２ｘ")
	f.Add("", "11010519491231002")
	f.Fuzz(func(t *testing.T, name, number string) {
		p, err := check(name, number, today)
		if err != nil {
			if !errors.Is(err, ErrName) && !errors.Is(err, ErrNumber) {
				t.Errorf("got %v, want one of the two errors, which tell no value", err)
			}
			return
		}
		again, err := check(p.name, p.number, today)
		if err != nil || again != p {
			t.Errorf("the normal form of %q %q is not stable: %+v, %v", name, number, again, err)
		}
		if years, err := age.At(p.birth, civil.DayOf(today)); err != nil || len(p.number) != 18 || years > 150 {
			t.Errorf("accepted %q, %d years old, %v", p.number, years, err)
		}
	})
}
