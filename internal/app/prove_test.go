package app

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"testing"
)

func TestProveWritesAPackOfAll(t *testing.T) {
	t.Parallel()
	in := install(t)
	var out bytes.Buffer
	must(t, Prove(context.Background(), in.cfg, Proving{}, &out, slog.New(slog.DiscardHandler)))
	z, err := zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len()))
	must(t, err)
	if len(z.File) < 10 {
		t.Errorf("got %d files", len(z.File))
	}
	file, err := z.Open("manifest.json")
	must(t, err)
	var m struct{ Build map[string]string }
	must(t, json.NewDecoder(file).Decode(&m))
	if sum, err := programSum(); err != nil || m.Build["sha256"] != sum || len(sum) != 64 {
		t.Errorf("got build %v, want the program's sum %q", m.Build, sum)
	}
}
