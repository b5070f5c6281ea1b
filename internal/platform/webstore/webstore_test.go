package webstore

import (
	"strings"
	"testing"
	"time"
)

func TestTheRegistryOfThisBuildIsWhole(t *testing.T) {
	t.Parallel()
	r, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]time.Duration{"__Host-session": 12 * time.Hour, "__Host-remember": 30 * 24 * time.Hour, "prefs": 365 * 24 * time.Hour}
	if len(r.Cookies) != len(want) || len(r.Storage) != 0 {
		t.Errorf("got %d cookies and %d storage keys, want %d and none", len(r.Cookies), len(r.Storage), len(want))
	}
	for name, most := range want {
		if c, ok := r.Cookie(name); !ok || c.Most != most {
			t.Errorf("%s: got %+v, %v", name, c, ok)
		}
	}
}

func TestNoEntryGoesBeyondItsKind(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, from, to, says string }{
		{"a kind of its own", "kind: prefs", "kind: analytics", "none that the policy names"},
		{"a kind twice", "kind: prefs", "kind: session", "two of kind"},
		{"a day of session", "most: 12h", "most: 24h", "at most 12h"},
		{"a session that outlives the browser", "act: sign-in", "act: sign-in\n    lasting: true", "outlives the browser"},
		{"31 days of remember", "most: 720h", "most: 744h", "at most 720h"},
		{"remember without act", "act: tick", "act: \"\"", "no act"},
		{"two years of prefs", "most: 8760h", "most: 17520h", "at most 8760h"},
		{"prefs with a name", "holds: [language, theme]", "holds: [language, account]", "holds account"},
		{"a secret for scripts", "holds: [secret]", "holds: [secret]\n    script: true", "readable by scripts"},
		{"a purpose in one language", "en: who is signed in", `en: ""`, "both languages"},
		{"a storage key without purpose", "storage: []", "storage: [{key: x}]", "storage key"},
		{"an unknown key", "storage: []", "storage: []\nbeacons: [x]", "beacons"},
	}
	for _, c := range cases {
		text := strings.Replace(string(embedded), c.from, c.to, 1)
		if text == string(embedded) {
			t.Fatalf("%s: nothing was changed", c.name)
		}
		r, err := parse([]byte(text))
		if err == nil || !strings.Contains(err.Error(), c.says) || len(r.Cookies) > 0 {
			t.Errorf("%s: got %d cookies, %v", c.name, len(r.Cookies), err)
		}
	}
}
