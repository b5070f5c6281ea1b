package pdf_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/platform/pdf"
)

// poppler runs one of the programs of a reader that we did not write.
func poppler(t *testing.T, raw []byte, program string, args ...string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.pdf")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(program, append(args, path)...)
	if program == "pdftotext" {
		c.Args = append(c.Args, "-")
	}
	var errors bytes.Buffer
	c.Stderr = &errors
	out, err := c.Output()
	if err != nil || errors.Len() > 0 {
		t.Fatalf("%s (scripts/setup.sh test installs it): %v, %s", program, err, errors.String())
	}
	return out
}

func TestWhatIsWrittenCanBeReadAndSeen(t *testing.T) {
	t.Parallel()
	d := pdf.New("账单 1")
	texts := []string{"示例云 Ltd. (1)", "a\\b (c) <d>", "𠀀 beyond the BMP", "line\nbreak\x00\x1b"}
	for i, text := range texts {
		d.Text(50, 700-float64(i)*40, 20, text)
	}
	d.Rule(50, 500, 400, 1)
	d.Page()
	d.Right(545, 700, 20, "right 右")
	raw := d.Bytes()
	got := string(poppler(t, raw, "pdftotext", "-layout"))
	for _, want := range []string{"示例云 Ltd. (1)", "a\\b (c) <d>", "beyond the BMP", "line break", "right 右"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in %q", want, got)
		}
	}
	if n := strings.Count(got, "\f"); n != 2 {
		t.Errorf("%d pages", n)
	}
	picture := poppler(t, raw, "pdftoppm", "-gray", "-r", "72", "-f", "1", "-l", "1", "-singlefile")
	if dark := bytes.Count(picture, []byte{0}); dark < 500 {
		t.Errorf("%d black points: what was written is not to be seen", dark)
	}
	if again := d.Bytes(); !bytes.Equal(again, raw) {
		t.Error("the same document is another file")
	}
}

// TestTheTableOfObjectsIsRight: readers repair a wrong one, so they do not show it.
func TestTheTableOfObjectsIsRight(t *testing.T) {
	t.Parallel()
	d := pdf.New("x")
	d.Text(1, 1, 1, "中")
	d.Page()
	raw := string(d.Bytes())
	start, err := strconv.Atoi(regexp.MustCompile(`startxref\n(\d+)`).FindStringSubmatch(raw)[1])
	if err != nil || !strings.HasPrefix(raw[start:], "xref\n0 ") {
		t.Fatalf("the table is not at %d: %v", start, err)
	}
	for i, m := range regexp.MustCompile(`(?m)^(\d{10}) 00000 n $`).FindAllStringSubmatch(raw, -1) {
		at, err := strconv.Atoi(m[1])
		if want := fmt.Sprintf("%d 0 obj\n", i+1); err != nil || !strings.HasPrefix(raw[at:], want) {
			t.Errorf("object %d is not at %d", i+1, at)
		}
	}
	for _, m := range regexp.MustCompile(`(?s)/Length (\d+) >>\nstream\n(.*?)endstream`).FindAllStringSubmatch(raw, -1) {
		if n, err := strconv.Atoi(m[1]); err != nil || n != len(m[2]) {
			t.Errorf("a stream of %d says %s", len(m[2]), m[1])
		}
	}
}

func TestLinesAreNotWiderThanAsked(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "one", "several words that do not fit", "没有空格的一行很长的文字没有空格", "mixed 中文 and Latin 混排", strings.Repeat("x", 90)} {
		lines := pdf.Wrap(text, 10, 60)
		for _, l := range lines {
			if pdf.Measure(l, 10) > 60 {
				t.Errorf("%q is %.1f wide", l, pdf.Measure(l, 10))
			}
		}
		if got, want := strings.ReplaceAll(strings.Join(lines, ""), " ", ""), strings.ReplaceAll(text, " ", ""); got != want {
			t.Errorf("got %q of %q", got, text)
		}
	}
}
