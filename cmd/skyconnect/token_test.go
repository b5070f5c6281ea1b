package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// run runs a command line with something on its standard input, and nobody at it.
func run(t *testing.T, dir, in string, args ...string) (out string, code int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	term := &terminal{in: strings.NewReader(in), out: &stdout, err: &stderr, lang: "en"}
	c := root(term)
	c.SetArgs(append([]string{"--dir", dir, "--socket", filepath.Join(dir, "none"), "--keys", "plain-file"}, args...))
	code = term.fate(c.ExecuteContext(t.Context()))
	return stdout.String() + stderr.String(), code
}

// TestASeedComesByInputAndNeverByAnArgument goes the whole way of the commands.
func TestASeedComesByInputAndNeverByAnArgument(t *testing.T) {
	dir := t.TempDir()
	const seed = "otpauth://totp/S:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	file := filepath.Join(t.TempDir(), "seed")
	if err := os.WriteFile(file, []byte(seed+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		args, in, want string
		code           int
	}{
		{args: "profiles add office --server vpn.example.org", want: "office"},
		{args: "token import office --from -", in: seed, want: "does not allow", code: exitFailed},
		{args: "token list", want: "does not allow"},
		{args: "profiles set office --keep-seed"},
		{args: "token import office --from -", in: seed, want: "permissions", code: exitPolicy},
		{args: "permissions grant key-store"},
		{args: "token import office " + seed, want: "arg", code: exitUsage},
		{args: "token import office", want: "Nobody", code: exitFailed},
		{args: "token import office --from -", in: "my password", want: "no seed", code: exitFailed},
		{args: "token code", want: "no such secret", code: exitFailed},
		{args: "token import office --from -", in: seed, want: "is kept"},
		{args: "token import office --from " + file, want: "is kept"},
		{args: "token list --json", want: `"kept": true`},
		{args: "data", want: "token-seed"},
		{args: "token code --json", want: `"code": "`},
		{args: "token remove office", want: "deleted"},
		{args: "token remove office", want: "no such secret", code: exitFailed},
		{args: "data erase --yes", want: ""},
	} {
		out, code := run(t, dir, step.in, strings.Fields(step.args)...)
		if code != step.code || !strings.Contains(out, step.want) {
			t.Errorf("%s: got %d %s, want %d %q", step.args, code, out, step.code, step.want)
		}
		if strings.Contains(out, "GEZDGNBV") {
			t.Errorf("%s: the seed is printed", step.args)
		}
	}
	if left, err := os.ReadDir(dir); err == nil && len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

// TestTheLocalNetworkIsAskedForWhenItIsTurnedOn: TY-2.7a, at the command line.
func TestTheLocalNetworkIsAskedForWhenItIsTurnedOn(t *testing.T) {
	dir := t.TempDir()
	for _, step := range []struct {
		args, want string
		code       int
	}{
		{"profiles add office --server vpn.example.org --local-lan", "permissions", exitPolicy},
		{"profiles add office --server vpn.example.org", "office", exitOK},
		{"permissions refuse local-network", "", exitOK},
		{"profiles set office --local-lan", "refused", exitPolicy},
		{"profiles set office --kill-switch", "", exitOK},
		{"permissions grant local-network", "", exitOK},
		{"profiles set office --local-lan --json", `"local_lan": true`, exitOK},
	} {
		if out, code := run(t, dir, "", strings.Fields(step.args)...); code != step.code || !strings.Contains(out, step.want) {
			t.Errorf("%s: got %d %s, want %d %q", step.args, code, out, step.code, step.want)
		}
	}
}
