package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/app"
)

const demoFile = "demo: {enabled: true, epay: '127.0.0.1:1', aliyun: '127.0.0.1:2', smtp: '127.0.0.1:3', mailbox: '127.0.0.1:4', imap: '127.0.0.1:5'}\n"

func TestFlagsStandOverTheFile(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, file, listen string
		address, url       string
	}{
		{"nothing said", "", "", "127.0.0.1:8443", "https://127.0.0.1:8443"},
		{"an address", "", "192.0.2.1:443", "192.0.2.1:443", "https://192.0.2.1:443"},
		{"the file knows what browsers use", "console: {url: 'https://cloud.example.com'}\n", "0.0.0.0:443", "0.0.0.0:443", "https://cloud.example.com"},
	}
	for _, c := range cases {
		file := filepath.Join(t.TempDir(), "c.yaml")
		if err := os.WriteFile(file, []byte(demoFile+c.file), 0o600); err != nil {
			t.Fatal(err)
		}
		o := &options{file: file, listen: c.listen, err: io.Discard}
		got, _, err := o.load()
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if got.Console.Listen != c.address || got.Console.URL != c.url {
			t.Errorf("%s: got %s at %s, want %s at %s", c.name, got.Console.URL, got.Console.Listen, c.url, c.address)
		}
	}
}

func TestExitStatusTellsWhatStartingAgainCannotMend(t *testing.T) {
	t.Parallel()
	if got := exitStatus(fmt.Errorf("starting: %w", app.ErrResidency)); got != 78 {
		t.Errorf("a store elsewhere: got %d, want 78", got)
	}
	if got := exitStatus(fmt.Errorf("opening: %w", app.ErrUnclassified)); got != 78 {
		t.Errorf("unclassified column: got %d, want 78", got)
	}
	if got := exitStatus(io.ErrUnexpectedEOF); got != 1 {
		t.Errorf("another error: got %d, want 1", got)
	}
}

// A word that is no command ends in an error that names what there is: help with
// exit status 0 looks like success to a script.
func TestAnUnknownCommandIsAnError(t *testing.T) {
	t.Parallel()
	cases := []struct{ line, want string }{
		{"bord", `skybridge has no command "bord"`},
		{"policy bord", `did you mean board? skybridge policy --help`},
		{"policy board extra", `unknown command "extra"`},
		{"admin nodez", `did you mean nodes?`},
		{"admin audit check", `skybridge admin audit has no command "check": skybridge admin audit --help`},
		{"backup lst", `did you mean list?`},
		{"legal-order nothing", `skybridge legal-order has no command`},
	}
	for _, c := range cases {
		cmd := root(io.Discard, io.Discard)
		cmd.SetArgs(strings.Fields(c.line))
		cmd.SetOut(io.Discard)
		if err := cmd.Execute(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("skybridge %s: got %v, want %s", c.line, err, c.want)
		}
	}
	for _, line := range []string{"", "policy", "admin audit", "policy --help"} {
		var out strings.Builder
		cmd := root(io.Discard, io.Discard)
		cmd.SetArgs(strings.Fields(line))
		cmd.SetOut(&out)
		if err := cmd.Execute(); err != nil || !strings.Contains(out.String(), "Usage:") {
			t.Errorf("skybridge %s: got %v and %q, want its help", line, err, out.String())
		}
	}
}
