package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
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
