package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/client/policy"
)

// TestEveryComponentWasReviewed: the table of third-party components, TY-2.4, has a
// row for each module that this program is made of, on each system it is built for.
func TestEveryComponentWasReviewed(t *testing.T) {
	t.Parallel()
	for system, own := range map[string]string{
		"linux":   "github.com/vishvananda/netlink",
		"windows": "golang.zx2c4.com/wintun",
		"darwin":  "github.com/zalando/go-keyring",
	} {
		t.Run(system, func(t *testing.T) {
			t.Parallel()
			linked := modules(t, system, ".")
			if _, ok := linked[own]; !ok || len(linked) < 10 {
				t.Fatalf("found only %d modules, %s among them: %t", len(linked), own, ok)
			}
			for _, path := range policy.Unreviewed(linked) {
				t.Errorf("%s is linked, and internal/client/policy/components.yaml has no row for it", path)
			}
		})
	}
}

// modules are those whose packages are in a program for a system.
func modules(t *testing.T, system, program string) map[string]string {
	t.Helper()
	c := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}", program)
	c.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	linked := map[string]string{"std": ""}
	for path := range strings.FieldsSeq(string(out)) {
		linked[path] = ""
	}
	return linked
}
