package clause

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The registry is read once for all: nobody may change what the others see.
func TestWhatLoadReturnsIsTheCallers(t *testing.T) {
	t.Parallel()
	mine, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for i := range mine {
		c := &mine[i]
		for _, list := range [][]string{c.Mechanism, c.EnforcedBy, c.Tests} {
			for j := range list {
				list[j] = "changed"
			}
		}
		clear(c.Law)
		clear(c.Quotes)
		c.ID = "changed"
	}
	theirs, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := parse(embedded)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range theirs {
		c.Quotes, c.KilledBy = nil, "" // not of that file
		if d := cmp.Diff(fresh[i], c); d != "" {
			t.Errorf("a caller changed what another sees: %s", d)
		}
		if slices.Contains(theirs[i].Quotes, Quote{}) {
			t.Errorf("a caller changed the quotes of %s for others", c.ID)
		}
	}
}
