package app

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/legalorder"
	"github.com/skybridge-cloud/skybridge/internal/platform/envelope"
)

// An authority makes its key and opens what was sealed for it, as that order's
// and as a whole.
func TestAnAuthorityOpensItsFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	key, file, to := filepath.Join(dir, "key"), filepath.Join(dir, "file"), filepath.Join(dir, "out.zip")
	must(t, OrderKey(key, io.Discard))
	public, err := legalorder.Format.ReadPublicKey(key + ".pub")
	must(t, err)
	var sealed bytes.Buffer
	w, err := legalorder.Format.Seal(&sealed, public, "lo_1")
	must(t, err)
	_, err = w.Write([]byte("what was asked for"))
	must(t, errors.Join(err, w.Close()))
	must(t, os.WriteFile(file, sealed.Bytes()[:sealed.Len()-1], 0o600))
	if err := OpenOrder(key, "lo_1", file, to); !errors.Is(err, envelope.ErrAltered) {
		t.Errorf("a cut file: got %v", err)
	}
	must(t, os.WriteFile(file, sealed.Bytes(), 0o600))
	if err := OpenOrder(key, "lo_2", file, to); !errors.Is(err, envelope.ErrKey) {
		t.Errorf("as another order's: got %v", err)
	}
	if _, err := os.Stat(to); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something was left: %v", err)
	}
	must(t, OpenOrder(key, "lo_1", file, to))
	if got, err := os.ReadFile(to); err != nil || string(got) != "what was asked for" {
		t.Errorf("got %q, %v", got, err)
	}
}
