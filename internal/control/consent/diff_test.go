package consent_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/skybridge-cloud/skybridge/internal/control/consent"
)

func TestADiffSaysWhatCameAndWent(t *testing.T) {
	t.Parallel()
	got := consent.Diff("title\none\ntwo\nthree\nend", "title\none\n2\nthree\nfour\nend")
	want := []consent.Line{
		{Kind: "same", Text: "title"},
		{Kind: "same", Text: "one"},
		{Kind: "removed", Text: "two"},
		{Kind: "added", Text: "2"},
		{Kind: "same", Text: "three"},
		{Kind: "added", Text: "four"},
		{Kind: "same", Text: "end"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// Both texts can be read from a diff, whatever they are.
func TestADiffHasBothTexts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.Custom(func(t *rapid.T) string {
			return strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", ""}), 0, 12).Draw(t, "lines"), "\n")
		})
		before, after := text.Draw(t, "before"), text.Draw(t, "after")
		var one, other []string
		for _, l := range consent.Diff(before, after) {
			if l.Kind != consent.Added {
				one = append(one, l.Text)
			}
			if l.Kind != consent.Removed {
				other = append(other, l.Text)
			}
		}
		if strings.Join(one, "\n") != before || strings.Join(other, "\n") != after {
			t.Errorf("%q, %q: got %q, %q", before, after, one, other)
		}
	})
}

func TestSectionsThatDiffer(t *testing.T) {
	t.Parallel()
	before := "# Policy\n\n[A] of June\n\n## Cookies\n\n[B] two\n\n## Gone\n\n[C] one\n[D] two\n"
	after := "# Policy\n\n[A] of July\n\n## Cookies\n\n[B] two\n\n## New\n\n[E] all\n"
	want := []consent.SectionChange{{consent.Altered, "Policy", 1, 1}, {consent.Added, "New", 1, 0}, {consent.Removed, "Gone", 0, 2}}
	if d := cmp.Diff(want, consent.DiffSections(before, after)); d != "" {
		t.Error(d)
	}
	if got := consent.DiffSections(before, before); len(got) > 0 {
		t.Errorf("nothing differs: got %v", got)
	}
}
