package app

import (
	"archive/zip"
	"bytes"
	"context"
	"log/slog"
	"testing"
)

func TestProveWritesAPackOfAll(t *testing.T) {
	t.Parallel()
	in := install(t)
	var out bytes.Buffer
	must(t, Prove(context.Background(), in.cfg, "", 0, &out, slog.New(slog.DiscardHandler)))
	z, err := zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len()))
	must(t, err)
	if len(z.File) < 10 {
		t.Errorf("got %d files", len(z.File))
	}
}
