package scan_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/md5"  //nolint:gosec // a form that is looked for
	"crypto/sha1" //nolint:gosec // the same
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/emmansun/gmsm/sm3"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/scan"
)

const value = "canary-7f3k@example.invalid"

func patterns(t testing.TB, values ...string) *scan.Patterns {
	t.Helper()
	p, err := scan.For(values)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// written is the value in every form, as programs write it.
func written() map[string]string {
	raw := []byte(value)
	var wide []byte
	for _, r := range value {
		wide = append(wide, byte(r), 0)
	}
	reversed := []byte{}
	for i := range raw {
		reversed = append(reversed, raw[len(raw)-1-i])
	}
	a, b, c, d := md5.Sum(raw), sha1.Sum(raw), sha256.Sum256(raw), sm3.Sum(raw) //nolint:gosec // see the imports
	all := map[string]string{
		"plain": value, "utf-16": string(wide), "hex": hex.EncodeToString(raw), "HEX": strings.ToUpper(hex.EncodeToString(raw)),
		"escaped": strings.ReplaceAll(value, "@", "%40"), "reversed": string(reversed),
		"md5": hex.EncodeToString(a[:]), "sha1": hex.EncodeToString(b[:]), "sha256": hex.EncodeToString(c[:]), "sm3": hex.EncodeToString(d[:]),
		"raw sha256": string(c[:]), "base64 of sha256": base64.StdEncoding.EncodeToString(c[:]),
	}
	for i := range 3 {
		all[fmt.Sprintf("base64 at %d", i)] = base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", i) + value + "yz"))
	}
	return all
}

func TestAValueIsFoundInEveryForm(t *testing.T) {
	p := patterns(t, value, "11010119900307109X")
	for form, text := range written() {
		for _, whole := range []string{text, "…" + text + "…", strings.Repeat("c", 300<<10) + text} {
			found, n, err := p.Reader(iotest.HalfReader(strings.NewReader(whole)))
			if err != nil || len(found) == 0 || n != int64(len(whole)) {
				t.Errorf("%s in %d bytes: found %v, read %d, %v", form, len(whole), found, n, err)
			}
		}
	}
}

func TestNothingElseIsFound(t *testing.T) {
	p := patterns(t, value)
	noise := make([]byte, 8<<20)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(noise)
	for _, text := range [][]byte{noise, []byte(value[:len(value)-1]), []byte(value[1:]), nil} {
		if found, _, err := p.Reader(bytes.NewReader(text)); err != nil || len(found) > 0 {
			t.Errorf("in %d bytes without it: found %v, %v", len(text), found, err)
		}
	}
}

// One value may begin within another, and end where a third does.
func TestValuesThatOverlapAreAllFound(t *testing.T) {
	p := patterns(t, "abcabcabd", "bcabcabde", "abcabd")
	found, _, err := p.Reader(strings.NewReader("abcabcabcabde"))
	if err != nil || found[scan.Plain] != 3 {
		t.Errorf("found %v, %v; want each of the three once", found, err)
	}
}

// Whatever the texts and however they are cut, as much is found as a search that
// compares at every place finds.
func TestAsMuchIsFoundAsByComparingEverywhere(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	word := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = "ab"[r.IntN(2)]
		}
		return string(b)
	}
	for range 200 {
		values := []string{word(6), word(7), word(6 + r.IntN(9)), word(30)}
		text := word(r.IntN(3000)) + values[r.IntN(4)]
		want := int64(0)
		seen := map[string]bool{}
		for _, v := range values {
			for i := range len(text) {
				if !seen[v] && strings.HasPrefix(text[i:], v) {
					want++
				}
			}
			seen[v] = true
		}
		for name, in := range map[string]io.Reader{
			"whole": strings.NewReader(text), "halves": iotest.HalfReader(strings.NewReader(text)), "bytes": iotest.OneByteReader(strings.NewReader(text)),
			"with its end": iotest.DataErrReader(strings.NewReader(text)),
		} {
			found, _, err := patterns(t, values...).Reader(in)
			if err != nil || found[scan.Plain] != want {
				t.Fatalf("%s of %q, %q: found %d, %v, want %d", name, text, values, found[scan.Plain], err, want)
			}
		}
	}
}

func TestFilesAndWhatIsPackedInThem(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, content []byte) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var gz, z bytes.Buffer
	w := gzip.NewWriter(&gz)
	_, _ = w.Write([]byte(strings.Repeat("line\n", 1000) + value))
	_ = w.Close()
	zw := zip.NewWriter(&z)
	m, err := zw.Create("inner.csv")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = m.Write([]byte(strings.Repeat("a,b\n", 1000) + value))
	_ = zw.Close()
	write("log/old.gz", gz.Bytes())
	write("log/cut.gz", gz.Bytes()[:gz.Len()/2])
	write("copy.zip", z.Bytes())
	write("plain", []byte(value))
	write("nothing", []byte("nothing"))
	got, err := patterns(t, value).Files(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []scan.Hit{{Place: "copy.zip!inner.csv", Form: scan.Plain, Times: 1}, {Place: "log/old.gz!", Form: scan.Plain, Times: 1}, {Place: "plain", Form: scan.Plain, Times: 1}}
	if fmt.Sprint(got.Hits) != fmt.Sprint(want) || got.Files != 5 {
		t.Errorf("got %v in %d files, want %v in 5", got.Hits, got.Files, want)
	}
}

// A place outside is searched through a link to it too; one that is not there, and
// links inside, are named.
func TestPlacesElsewhereAreSearchedOrNamed(t *testing.T) {
	dir := t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.MkdirAll(filepath.Join(dir, "real", "deep"), 0o700))
	must(os.WriteFile(filepath.Join(dir, "real", "deep", "main.skb"), []byte(value), 0o600))
	must(os.Symlink(filepath.Join(dir, "real"), filepath.Join(dir, "mount")))
	must(os.Symlink("/", filepath.Join(dir, "real", "away")))
	for name, c := range map[string]struct{ path, hits, unread string }{
		"a directory":  {"real", "[{backup/deep/main.skb plain 1}]", "[backup/away: a link]"},
		"a link to it": {"mount", "[{backup/deep/main.skb plain 1}]", "[backup/away: a link]"},
		"a file":       {"real/deep/main.skb", "[{backup plain 1}]", "[]"},
		"nothing":      {"none", "[]", "[backup: not on this machine]"},
	} {
		got, err := patterns(t, value).Elsewhere(context.Background(), "backup", filepath.Join(dir, c.path))
		if err != nil || fmt.Sprint(got.Hits) != c.hits || fmt.Sprint(got.Unread) != c.unread {
			t.Errorf("%s: got %v and %v, %v; want %s and %s", name, got.Hits, got.Unread, err, c.hits, c.unread)
		}
	}
}

func TestWhatCannotBeReadIsAnError(t *testing.T) {
	if _, err := patterns(t, value).Files(context.Background(), filepath.Join(t.TempDir(), "none")); err != nil {
		t.Errorf("a directory that went away: %v, want nothing found", err)
	}
	if _, _, err := patterns(t, value).Reader(iotest.ErrReader(os.ErrPermission)); err == nil {
		t.Error("a reader that fails is told as one without hits")
	}
	if _, err := scan.For([]string{"short"}); err == nil {
		t.Error("a value of five bytes is looked for")
	}
}

func TestTheDatabaseIsSearchedColumnByColumn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(d.InTx(ctx, func(tx *db.Tx) error {
			if _, err := tx.Exec(ctx, "CREATE TABLE scan_probe (id TEXT PRIMARY KEY, words TEXT NOT NULL, bytes BYTEA NOT NULL, n BIGINT NOT NULL)"); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, "INSERT INTO scan_probe (id, words, bytes, n) VALUES ($1, $2, $3, $4)",
				"row", "before "+value+" after", []byte(hex.EncodeToString([]byte(value))), int64(13800138000))
			return err
		}))
		got, err := patterns(t, value, "13800138000").Database(ctx, d, "main")
		must(err)
		want := []scan.Hit{
			{Place: "main:scan_probe.words", Form: scan.Plain, Times: 1},
			{Place: "main:scan_probe.bytes", Form: scan.Hex, Times: 1},
			{Place: "main:scan_probe.n", Form: scan.Plain, Times: 1},
		}
		if fmt.Sprint(got.Hits) != fmt.Sprint(want) || got.Cells < 4 {
			t.Errorf("got %v of %d columns, want %v", got.Hits, got.Cells, want)
		}
	})
}

func TestAWipedPatternFindsNothing(t *testing.T) {
	p := patterns(t, value)
	p.Wipe()
	if found, _, err := p.Reader(strings.NewReader(value)); err != nil || len(found) > 0 {
		t.Errorf("found %v, %v", found, err)
	}
}

// BenchmarkReader is the speed of a scan: one person's ten values in all forms.
func BenchmarkReader(b *testing.B) {
	values := make([]string, 10)
	for i := range values {
		values[i] = fmt.Sprintf("canary-%d@example.invalid", i)
	}
	p := patterns(b, values...)
	noise := make([]byte, 16<<20)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(noise)
	text := bytes.Repeat([]byte(`{"id":"ord_2b4k7","state":"paid","canary":"x@example"}`), len(noise)/54)
	for name, in := range map[string][]byte{"noise": noise, "text": text} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(in)))
			for b.Loop() {
				if _, _, err := p.Reader(bytes.NewReader(in)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
