package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/skybridge-cloud/skybridge/internal/client/policy"
	"github.com/skybridge-cloud/skybridge/internal/platform/i18n"
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

// TestNoRowIsOfWhatIsNotThere: TY-2.4, the other way round. Each row of the table is of a
// module that some program of ours has on some system.
func TestNoRowIsOfWhatIsNotThere(t *testing.T) {
	linked := map[string]bool{"std": true}
	for _, system := range []string{"linux", "windows", "darwin"} {
		cmd := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", ".", "../skyconnect-window")
		cmd.Env = append(os.Environ(), "GOOS="+system, "GOARCH=amd64")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v", system, err)
		}
		for path := range strings.FieldsSeq(string(out)) {
			linked[path] = true
		}
	}
	for _, c := range policy.Registry() {
		if !linked[c.Module] {
			t.Errorf("the table has %s, which is in none of the programs", c.Module)
		}
	}
}

// TestAProfileIsShownWhole: TY-6.1. What the file of a profile has, "profiles show" has.
func TestAProfileIsShownWhole(t *testing.T) {
	dir := t.TempDir()
	run := func(args ...string) string {
		t.Helper()
		var out bytes.Buffer
		c := root(&terminal{in: strings.NewReader(""), out: &out, err: io.Discard, lang: i18n.English})
		c.SetArgs(append([]string{"--dir", filepath.Join(dir, "home")}, args...))
		if err := c.ExecuteContext(t.Context()); err != nil {
			t.Fatalf("%q: %v", args, err)
		}
		return out.String()
	}
	pin := "pin-sha256:" + base64.StdEncoding.EncodeToString(make([]byte, 32))
	run("permissions", "grant", "local-network")
	run("profiles", "add", "office", "--server", "vpn.example.com", "--account", "alice", "--group", "sales", "--pin", pin,
		"--proxy", "http://proxy.example.com:3128", "--token", "totp", "--dtls=false", "--kill-switch", "--local-lan")
	files, err := filepath.Glob(filepath.Join(dir, "home", "profiles", "*.json"))
	if err != nil || len(files) != 1 {
		t.Fatalf("got %q, %v", files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	stored, shown := leaves(t, text), leaves(t, []byte(run("profiles", "show", "office")))
	for path, value := range stored {
		if path != "version" && shown[path] != value {
			t.Errorf("%s is stored as %v and shown as %v", path, value, shown[path])
		}
	}
	if len(stored) < 15 {
		t.Errorf("only %v is stored", stored)
	}
}

// leaves are the values of a JSON text by their names, which are of one spelling.
func leaves(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	all := map[string]any{}
	var walk func(string, any)
	walk = func(name string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, v := range v {
				walk(strings.TrimSuffix(strings.ToLower(k), "_options"), v)
			}
		case []any:
			for i, v := range v {
				walk(name+strconv.Itoa(i), v)
			}
		default:
			all[name] = v
		}
	}
	walk("", tree)
	return all
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
