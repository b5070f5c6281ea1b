package local_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/skybridge-cloud/skybridge/internal/client/local"
)

// TestAFileThatAPersonNames is read whole or refused, and never waited for.
func TestAFileThatAPersonNames(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, err := range []error{
		os.WriteFile(at("good"), []byte("text"), 0o600), os.WriteFile(at("large"), []byte(strings.Repeat("x", 1025)), 0o600),
		os.Symlink("good", at("link")), os.Symlink("loop", at("loop")), unix.Mkfifo(at("pipe"), 0o600), os.Mkdir(at("dir"), 0o700),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]error{
		at("good"): nil, at("link"): nil, at("large"): local.ErrGivenLarge, "/dev/zero": local.ErrGivenLarge, at("loop"): local.ErrNoFile, at("dir"): local.ErrNoFile,
		at("none"): local.ErrAbsent, at("good/x"): local.ErrUnreadable, at("nu\x00l"): local.ErrUnreadable, "": local.ErrAbsent,
	} {
		b, err := local.Given(t.Context(), path, 1024)
		if !errors.Is(err, want) || (want == nil) != (string(b) == "text") {
			t.Errorf("%q: got %q, %v, want %v", path, b, err, want)
		}
	}
	if b, err := local.Given(t.Context(), at("pipe"), 1024); err != nil || len(b) != 0 {
		t.Errorf("a pipe of nobody: got %q, %v", b, err)
	}
	w, err := os.OpenFile(at("pipe"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := local.Given(ctx, at("pipe"), 1024); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a pipe that stays open: got %v", err)
	}
	r, piped, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := piped.WriteString("text"); err != nil {
		t.Fatal(err)
	}
	_ = piped.Close()
	if b, err := local.Given(t.Context(), "/proc/self/fd/"+strconv.Itoa(int(r.Fd())), 1024); err != nil || string(b) != "text" {
		t.Errorf("a pipe as shells make them: got %q, %v", b, err)
	}
}
