package privacy

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/scan"
)

const gigabyte = 1 << 30

// searched are as many values as a person with ten certificates has.
func searched(b *testing.B) *scan.Patterns {
	b.Helper()
	values := []string{"canary@example.invalid", "13900000000", "11010519491231002X"}
	for i := range 10 {
		values = append(values, fmt.Sprintf("4f:9a:11:%02x:c0:55:7e:21:0b:d3", i))
	}
	p, err := scan.For(values)
	must(b, err)
	return p
}

// BenchmarkScanFiles looks through files: half of them noise, as sealed values and
// archives are, half text. The figure is for a gigabyte.
func BenchmarkScanFiles(b *testing.B) {
	const size = 128 << 20
	dir, p := b.TempDir(), searched(b)
	noise := make([]byte, size/2)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(noise)
	text := make([]byte, 0, size/2)
	for i := 0; len(text) < size/2-200; i++ {
		text = fmt.Appendf(text, `{"id":"ord_2b4k%d","state":"paid","email":"other%d@example.org","serial":"4f:9a:12:%02x","at":%d}`+"\n", i, i, i%256, 1764400000+i)
	}
	must(b, os.WriteFile(filepath.Join(dir, "noise"), noise, 0o600))
	must(b, os.WriteFile(filepath.Join(dir, "text"), text, 0o600))
	b.SetBytes(int64(len(noise) + len(text)))
	for b.Loop() {
		began := time.Now()
		got, err := p.Files(context.Background(), dir)
		must(b, err)
		if got.Bytes != int64(len(noise)+len(text)) || len(got.Hits) > 0 {
			b.Fatalf("got %+v", got)
		}
		record(figure{Row: "13", Name: "privacy-scan-files", Unit: "s/GB", Goal: "60"}, time.Since(began).Seconds()*gigabyte/float64(got.Bytes))
	}
}

// BenchmarkScanDatabase looks through every column of a database, and through its
// files. The figure is for a gigabyte of the file, both together.
func BenchmarkScanDatabase(b *testing.B) {
	r, p := assemble(b), searched(b)
	r.fill(b, "sub_other", "acc_other", rowsOfOne)
	must(b, r.DB.Truncate(context.Background()))
	info, err := os.Stat(filepath.Join(r.dir, "main.db"))
	must(b, err)
	for b.Loop() {
		began := time.Now()
		_, err := p.Database(context.Background(), r.DB, "main")
		must(b, err)
		_, err = p.Files(context.Background(), r.dir)
		must(b, err)
		record(figure{Row: "13", Name: "privacy-scan-database", Unit: "s/GB", Goal: "60", More: map[string]float64{"file_bytes": float64(info.Size())}},
			time.Since(began).Seconds()*gigabyte/float64(info.Size()))
	}
}
