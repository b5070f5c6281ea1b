package main

import (
	"io"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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

// TestNothingKeepsCookiesOrShowsPages: TY-2.5. The code by which a program would do so is
// in none of its packages.
func TestNothingKeepsCookiesOrShowsPages(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".", "../skyconnect-window").Output()
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Fields(string(out))
	if len(all) < 100 {
		t.Fatalf("found only %d packages", len(all))
	}
	for _, path := range all {
		for _, part := range []string{"net/http/cookiejar", "webview", "webkit", "chromium", "otto", "goja", "v8go"} {
			if strings.Contains(path, part) {
				t.Errorf("%s is linked", path)
			}
		}
	}
}

// TestNoCommandRegistersOrResets: TY-2.1, TY-2.3. The client has no such capability: no
// command and no flag.
func TestNoCommandRegistersOrResets(t *testing.T) {
	var names []string
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		names = append(names, c.Name())
		c.LocalFlags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(root(&terminal{in: strings.NewReader(""), out: io.Discard, err: io.Discard}))
	if len(names) < 40 {
		t.Fatalf("found only %q", names)
	}
	for _, n := range names {
		if regexp.MustCompile(`sign.?up|register|reset|forgot|recover`).MatchString(n) {
			t.Errorf("there is %s", n)
		}
	}
}
