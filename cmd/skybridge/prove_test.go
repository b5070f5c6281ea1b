package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// How far a pack is stands on a line of a terminal, and nowhere else.
func TestProgressIsForTerminals(t *testing.T) {
	t.Parallel()
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range []*progress{percents(f), percents(&bytes.Buffer{})} {
		if err := p.show(42); err != nil || p.shown {
			t.Errorf("shown where nobody watches, %v", err)
		}
		p.end()
	}
	if info, err := f.Stat(); err != nil || info.Size() != 0 {
		t.Errorf("a file got %d bytes, %v", info.Size(), err)
	}
	var out bytes.Buffer
	p := &progress{out: &out}
	for _, n := range []int64{2, 42} {
		if err := p.show(n); err != nil {
			t.Fatal(err)
		}
	}
	p.end()
	if got, want := out.String(), "\r  2 %\r 42 %\r     \r"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
