package archtest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/metric"
	"github.com/skybridge-cloud/skybridge/internal/platform/slogx"
)

// TestWhatLeavesIsClassified holds clause group SCHEMA: the tree has no log key,
// job argument or field for others that a register does not have, and the check
// sees all that was planted.
func TestWhatLeavesIsClassified(t *testing.T) {
	t.Parallel()
	const planted, message = "internal/archtest/testdata/unclassified", "internal/archtest/testdata/message"
	all, err := typed(root(t), "./internal/...", "./cmd/...", "./"+planted, "./"+message)
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	for _, v := range Unclassified(all, registers{
		logs: slogx.Keys, jobs: job.Arguments, sent: egress.Fields, labels: metric.Labels,
		messages: map[string]bool{Module + "/internal/gwlink": true, Module + "/" + message: true}, message: gwlink.Classified,
	}) {
		if strings.HasPrefix(v.Path, planted) || strings.HasPrefix(v.Path, message) {
			seen = append(seen, v.String())
			continue
		}
		t.Error(v)
	}
	for line, want := range map[int]string{
		30: `key "email"`, 31: `key "phone"`, 32: `key "age"`, 33: `key "address"`, 34: "no constant", 35: "no constant", 36: `key "person"`, 37: "handed on",
		40: "argument Phones", 41: "argument Phone ", 42: "no named fields", 45: `"card_no"`, 47: `label "customer"`, 48: "not written here",
		6: `"shoe_size"`, 8: "Bare",
	} {
		if !anyHas(seen, fmt.Sprintf(".go:%d:", line), want) {
			t.Errorf("line %d: want %s", line, want)
		}
	}
	if len(seen) != 18 {
		t.Errorf("got %d findings in the planted packages, want 18:\n%s", len(seen), strings.Join(seen, "\n"))
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

// What is personal may be neither a log key, nor an argument of a job, nor a label
// of a metric.
func TestNothingPersonalIsLoggedOrEnqueued(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]interface{ Verify(...string) error }{"log keys": slogx.Keys, "job arguments": job.Arguments, "labels": metric.Labels} {
		if err := r.Verify(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
