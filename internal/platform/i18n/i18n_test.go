package i18n

import (
	"regexp"
	"slices"
	"testing"
)

var parameter = regexp.MustCompile(`\{[a-z_]+\}`)

func TestBothLanguagesSayTheSame(t *testing.T) {
	t.Parallel()
	zh, en := Codes(Chinese), Codes(English)
	if len(zh) == 0 {
		t.Fatal("there are no sentences")
	}
	for code, sentence := range zh {
		other, ok := en[code]
		if !ok {
			t.Errorf("%s has no English", code)
			continue
		}
		a, b := parameter.FindAllString(sentence, -1), parameter.FindAllString(other, -1)
		slices.Sort(a)
		slices.Sort(b)
		if !slices.Equal(slices.Compact(a), slices.Compact(b)) {
			t.Errorf("%s: parameters %v in Chinese, %v in English", code, a, b)
		}
	}
	for code := range en {
		if _, ok := zh[code]; !ok {
			t.Errorf("%s has no Chinese", code)
		}
	}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	cases := []struct {
		header string
		want   Language
	}{
		{"", Chinese},
		{"en", English},
		{"en-GB,en;q=0.9", English},
		{"zh-CN,zh;q=0.9,en;q=0.8", Chinese},
		{"fr-FR, en;q=0.5", English},
		{"fr", Chinese},
	}
	for _, c := range cases {
		if got := Match(c.header); got != c.want {
			t.Errorf("Match(%q): got %s, want %s", c.header, got, c.want)
		}
	}
}

func TestAnUnknownCodeShowsItself(t *testing.T) {
	t.Parallel()
	if got := Text(English, "no.such_code", nil); got != "no.such_code" {
		t.Errorf("got %q", got)
	}
}
