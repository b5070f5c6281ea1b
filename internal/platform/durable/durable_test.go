package durable_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/platform/durable"
)

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got mode %v, %v, want 0600", info.Mode(), err)
	}
	return string(b)
}

func TestReplace(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file")
	for _, write := range []func(string, []byte) error{durable.Replace, durable.ReplaceLoosely} {
		for _, text := range []string{"first, the longer one", "second"} {
			if err := write(path, []byte(text)); err != nil {
				t.Fatal(err)
			}
			if got := content(t, path); got != text {
				t.Errorf("got %q, want %q", got, text)
			}
		}
	}
	if err := durable.Replace(filepath.Join(t.TempDir(), "absent", "file"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without the directory: got %v", err)
	}
}

func TestOfManyWhoCreateOneWinsAndNobodySeesAPart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	var won atomic.Int64
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			err := durable.Create(path, []byte("whole"))
			if err == nil {
				won.Add(1)
			} else if !errors.Is(err, fs.ErrExist) {
				t.Errorf("got %v, want fs.ErrExist", err)
			}
			if got := content(t, path); got != "whole" {
				t.Errorf("got %q", got)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d won, want 1", won.Load())
	}
	if all, err := os.ReadDir(dir); err != nil || len(all) != 1 {
		t.Errorf("got %v, %v, want nothing left beside the file", all, err)
	}
}

// What is written bit by bit is there when all of it is, or not at all.
func TestAFileThatIsFilledBitByBitIsWholeOrNotThere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, broken := filepath.Join(dir, "f"), errors.New("broken")
	half := func(w io.Writer) error {
		if _, err := w.Write([]byte("half")); err != nil {
			return err
		}
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Error("the file is there before all of it is")
		}
		return broken
	}
	if err := durable.CreateBy(path, half); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	all := func(w io.Writer) error {
		_, err := io.WriteString(w, "all")
		return err
	}
	if err := durable.CreateBy(path, all); err != nil || content(t, path) != "all" {
		t.Errorf("%v", err)
	}
	if err := durable.CreateBy(path, all); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a file: got %v, want %v", err, fs.ErrExist)
	}
}
