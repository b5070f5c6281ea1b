package gwlink

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
)

// TestEveryReasonIsWorded: for the person whose client is told to go, and in
// the console in both languages. The API's words are tested there.
func TestEveryReasonIsWorded(t *testing.T) {
	t.Parallel()
	if len(reasonTexts) != len(Reasons) || !slices.Contains(Reasons, ReasonQuota) {
		t.Errorf("got %d sentences for %d reasons", len(reasonTexts), len(Reasons))
	}
	for _, lang := range []string{"en", "zh-CN"} {
		raw, err := os.ReadFile("../../console/src/locales/" + lang + "/vpn.json")
		if err != nil {
			t.Fatal(err)
		}
		var words map[string]string
		if err := json.Unmarshal(raw, &words); err != nil {
			t.Fatal(err)
		}
		for _, reason := range Reasons {
			if words["session.reason_"+reason] == "" || ReasonText(reason) == reason {
				t.Errorf("%s has no word in %s, or no sentence", reason, lang)
			}
		}
	}
	if got := ReasonText("of-a-newer-control"); got != "of-a-newer-control" {
		t.Errorf("got %q", got)
	}
}
