// Package pdf writes small documents of text and rules in Chinese and English:
// pages of A4, text in one weight, no picture.
//
// What is in ASCII is set in Helvetica, one of the fonts that every reader has (ISO
// 32000-1, 9.6.2.2). All else is set in Adobe's predefined STSong-Light with the
// predefined character map UniGB-UTF16-H (9.7.5.2): readers have it, or one that
// stands in for it, and the file holds text, not glyphs. So no font is embedded and
// none is shipped; the text can be searched and copied (docs/decisions/0043-invoices.md).
// What is not in Adobe-GB1 is shown as the reader shows what it lacks.
//
// It is not for layout: callers say where each text stands. Coordinates are points
// (1/72 inch) from the lower left corner of the page.
package pdf

import (
	"bytes"
	"fmt"
	"unicode/utf16"
)

// Width and Height are those of A4, in points.
const (
	Width  = 595.0
	Height = 842.0
)

// Document is built page by page. The zero value is empty.
type Document struct {
	title string
	pages []*bytes.Buffer
}

// New returns a document with a title, which readers show.
func New(title string) *Document { return &Document{title: title} }

// Page begins the next page.
func (d *Document) Page() { d.pages = append(d.pages, &bytes.Buffer{}) }

func (d *Document) page() *bytes.Buffer {
	if len(d.pages) == 0 {
		d.Page()
	}
	return d.pages[len(d.pages)-1]
}

// Text writes text from a point on to the right. Control characters are left out.
func (d *Document) Text(x, y, size float64, text string) {
	if text = plain(text); text == "" {
		return
	}
	w := d.page()
	fmt.Fprintf(w, "BT %.2f %.2f Td", x, y)
	for _, r := range runs(text) {
		if ascii(rune(r[0])) {
			fmt.Fprintf(w, " /F2 %.2f Tf <%X> Tj", size, r)
		} else {
			fmt.Fprintf(w, " /F1 %.2f Tf <%s> Tj", size, hex(r))
		}
	}
	w.WriteString(" ET\n")
}

// runs cuts a text where its font changes.
func runs(text string) (all []string) {
	begin := 0
	var was rune
	for i, r := range text {
		if i > 0 && ascii(r) != ascii(was) {
			all, begin = append(all, text[begin:i]), i
		}
		was = r
	}
	return append(all, text[begin:])
}

func ascii(r rune) bool { return r >= ' ' && r <= '~' }

// Right writes text that ends at a point.
func (d *Document) Right(x, y, size float64, text string) {
	d.Text(x-Measure(text, size), y, size, text)
}

// Rule draws a line of a thickness from left to right.
func (d *Document) Rule(x1, x2, y, thickness float64) {
	fmt.Fprintf(d.page(), "%.2f w %.2f %.2f m %.2f %.2f l S\n", thickness, x1, y, x2, y)
}

// Measure is how wide a text is, in points.
func Measure(text string, size float64) float64 {
	sum := 0
	for _, r := range plain(text) {
		sum += width(r)
	}
	return float64(sum) * size / 1000
}

// Wrap breaks text into lines that are not wider than a limit: at blanks, and
// anywhere between characters that are not Latin or where one word is too long.
func Wrap(text string, size, limit float64) (lines []string) {
	var line []rune
	blank := -1 // the last place to break at
	for _, r := range plain(text) {
		line = append(line, r)
		if r == ' ' {
			blank = len(line)
		}
		if Measure(string(line), size) <= limit || len(line) == 1 {
			continue
		}
		cut := len(line) - 1
		if blank > 0 && r < 0x2E80 && r != ' ' {
			cut = blank
		}
		lines = append(lines, trimmed(line[:cut]))
		line, blank = append([]rune(nil), line[cut:]...), -1
	}
	if len(line) > 0 {
		lines = append(lines, trimmed(line))
	}
	return lines
}

func trimmed(line []rune) string { return string(bytes.TrimRight([]byte(string(line)), " ")) }

// plain is text without control characters, and with blanks for what breaks lines.
func plain(text string) string {
	var out []rune
	for _, r := range text {
		switch {
		case r == '\n' || r == '\t':
			out = append(out, ' ')
		case r >= ' ' && r != 0x7F && (r < 0x80 || r > 0x9F):
			out = append(out, r)
		}
	}
	return string(out)
}

// latin are the widths of U+0020 to U+007E in Helvetica, in thousandths of the
// size, as its metrics have them for WinAnsiEncoding.
var latin = [95]int{
	278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556, 556, 556, 556,
	278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667,
	611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833,
	556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
}

func width(r rune) int {
	if ascii(r) {
		return latin[r-' ']
	}
	return 1000
}

func hex(text string) string {
	var b bytes.Buffer
	for _, u := range utf16.Encode([]rune(text)) {
		fmt.Fprintf(&b, "%04X", u)
	}
	return b.String()
}

// Bytes returns the file. The same calls give the same bytes: nothing in it tells
// when or where it was made.
func (d *Document) Bytes() []byte {
	d.page()
	w := &writer{}
	w.WriteString("%PDF-1.4\n%\xE2\xE3\xCF\xD3\n")
	const catalog, tree, font, descendant, descriptor, helvetica, info, first = 1, 2, 3, 4, 5, 6, 7, 8
	w.object(catalog, "<< /Type /Catalog /Pages %d 0 R >>", tree)
	var kids bytes.Buffer
	for i := range d.pages {
		fmt.Fprintf(&kids, "%d 0 R ", first+2*i)
	}
	w.object(tree, "<< /Type /Pages /Kids [%s] /Count %d >>", kids.String(), len(d.pages))
	w.object(font, "<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light-UniGB-UTF16-H /Encoding /UniGB-UTF16-H /DescendantFonts [%d 0 R] >>", descendant)
	w.object(descendant, "<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 4 >> "+
		"/FontDescriptor %d 0 R /DW 1000 >>", descriptor)
	w.object(descriptor, "<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [-25 -254 1000 880] /ItalicAngle 0 /Ascent 880 /Descent -120 "+
		"/CapHeight 880 /StemV 93 >>")
	w.object(helvetica, "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
	w.object(info, "<< /Title <FEFF%s> /Producer (Skybridge) >>", hex(plain(d.title)))
	for i, p := range d.pages {
		w.object(first+2*i, "<< /Type /Page /Parent %d 0 R /MediaBox [0 0 %.0f %.0f] /Resources << /Font << /F1 %d 0 R /F2 %d 0 R >> >> /Contents %d 0 R >>",
			tree, Width, Height, font, helvetica, first+2*i+1)
		w.object(first+2*i+1, "<< /Length %d >>\nstream\n%sendstream", p.Len(), p.String())
	}
	return w.end(catalog, info)
}

// writer notes where each object begins, for the table at the end (ISO 32000-1,
// 7.5.4).
type writer struct {
	bytes.Buffer
	at []int
}

// object writes the next object, which has to have this number.
func (w *writer) object(number int, format string, args ...any) {
	w.at = append(w.at, w.Len())
	fmt.Fprintf(w, "%d 0 obj\n", number)
	fmt.Fprintf(w, format, args...)
	w.WriteString("\nendobj\n")
}

func (w *writer) end(root, info int) []byte {
	start := w.Len()
	fmt.Fprintf(w, "xref\n0 %d\n0000000000 65535 f \n", len(w.at)+1)
	for _, at := range w.at {
		fmt.Fprintf(w, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(w, "trailer\n<< /Size %d /Root %d 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(w.at)+1, root, info, start)
	return w.Bytes()
}
