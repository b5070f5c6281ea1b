package main

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/client/policy"
)

// TestEveryComponentWasReviewed: the table of third-party components, TY-2.4, has a
// row for each module that this program is made of.
func TestEveryComponentWasReviewed(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	linked := map[string]string{"std": ""}
	for path := range strings.FieldsSeq(string(out)) {
		linked[path] = ""
	}
	if len(linked) < 10 {
		t.Fatalf("found only %d modules", len(linked))
	}
	for _, path := range policy.Unreviewed(linked) {
		t.Errorf("%s is linked, and internal/client/policy/components.yaml has no row for it", path)
	}
}
