package archtest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/slogx"
)

// TestWhatLeavesIsClassified holds clause group SCHEMA: the tree has no log key,
// job argument or field for others that a register does not have, and the check
// sees all that was planted.
func TestWhatLeavesIsClassified(t *testing.T) {
	t.Parallel()
	const planted = "internal/archtest/testdata/unclassified"
	all, err := typed(root(t), "./internal/...", "./cmd/...", "./"+planted)
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	for _, v := range Unclassified(all, registers{logs: slogx.Keys, jobs: job.Arguments, sent: egress.Fields}) {
		if strings.HasPrefix(v.Path, planted) {
			seen = append(seen, v.String())
			continue
		}
		t.Error(v)
	}
	for line, want := range map[int]string{
		29: `key "email"`, 30: `key "phone"`, 31: `key "age"`, 32: `key "address"`, 33: "no constant", 34: "no constant", 35: `key "person"`, 36: "handed on",
		39: "argument Phones", 40: "argument Phone ", 41: "no named fields", 44: `"card_no"`,
	} {
		if !anyHas(seen, fmt.Sprintf(".go:%d:", line), want) {
			t.Errorf("line %d: want %s", line, want)
		}
	}
	if len(seen) != 14 {
		t.Errorf("got %d findings in the planted package, want 14:\n%s", len(seen), strings.Join(seen, "\n"))
	}
}

func anyHas(all []string, parts ...string) bool {
	for _, s := range all {
		found := true
		for _, p := range parts {
			found = found && strings.Contains(s, p)
		}
		if found {
			return true
		}
	}
	return false
}

// What is personal may be neither a log key nor an argument of a job.
func TestNothingPersonalIsLoggedOrEnqueued(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]interface{ Verify(...string) error }{"log keys": slogx.Keys, "job arguments": job.Arguments} {
		if err := r.Verify(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
