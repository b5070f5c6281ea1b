package consent

import (
	"bytes"
	"testing"
)

// TestASeparateConsentIsToldWhatTheLawWantsSaid holds SUP-8 and TY-3.1b: a notice
// without one of the items, in either language, is no purpose that anybody could
// consent to.
func TestASeparateConsentIsToldWhatTheLawWantsSaid(t *testing.T) {
	t.Parallel()
	all, err := readPurposes(purposesFile)
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]int{}
	for _, p := range all {
		for _, i := range noticed[p.Kind] {
			told[p.Kind]++
			for _, words := range []string{i.chinese, i.english} {
				without := bytes.ReplaceAll(flat(purposesFile), []byte(words), nil)
				if _, err := readPurposes(without); err == nil {
					t.Errorf("%s: a notice that does not tell the %s is accepted without %q", p.ID, i.name, words)
				}
			}
		}
	}
	if told[SeparateSensitive] < 2 || told[SeparateCrossborder] < 6 {
		t.Errorf("items that were looked for: %v", told)
	}
}

// flat joins the lines of folded texts, over which words may break.
func flat(file []byte) []byte {
	return bytes.ReplaceAll(file, []byte("\n    "), []byte(" "))
}
