package invoice_test

import (
	"encoding/csv"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/invoice"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
)

// read is what poppler, a reader that we did not write, finds in a PDF.
func read(t *testing.T, raw []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.pdf")
	must(t, os.WriteFile(path, raw, 0o600))
	out, err := exec.Command("pdftotext", "-layout", path, "-").CombinedOutput()
	if err != nil {
		t.Fatalf("pdftotext (scripts/setup.sh test installs it): %v, %s", err, out)
	}
	return string(out)
}

func TestADocumentIsPrintedInBothLanguages(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t, sets()...))
	p := customer()
	o := r.buys(p)
	f := r.backs(p, o)
	docs := r.all()
	for language, words := range map[string][]string{
		"zh-CN": {"账单", "红字账单", "销售方", "购买方", "税额", "本账单不是发票"},
		"en":    {"Invoice", "Credit note", "Seller", "Buyer", "Tax (6%)", "not a fapiao"},
	} {
		all := ""
		for _, d := range docs {
			raw, err := r.docs.PDF(bg, d, language)
			must(t, err)
			if again, _ := r.docs.PDF(bg, d, language); string(again) != string(raw) {
				t.Errorf("%s is not the same twice", d.Number())
			}
			text := read(t, raw)
			product, region, _ := d.Lines[0].What(language)
			for _, want := range []string{d.Number(), d.Order, string(p.Account), settings.Seller.Name, settings.Seller.TaxNo, d.Total.String(), d.Tax.String(), product, region} {
				if !strings.Contains(text, want) {
					t.Errorf("%s in %s lacks %q:\n%s", d.Number(), language, want, text)
				}
			}
			all += text
		}
		for _, want := range append(words, f.No, docs[0].Number()) {
			if !strings.Contains(all, want) {
				t.Errorf("%s lacks %q", language, want)
			}
		}
	}
}

func TestABillIsWhatTheDocumentsOfAMonthSay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		p := customer()
		r.buys(customer()) // of somebody else
		first, second := r.buys(p), r.buys(p)
		r.backs(p, second)
		b, err := r.docs.Bill(bg, p.Account, "2026-11")
		must(t, err)
		charged := first.Total.Minor + second.Total.Minor
		if len(b.Rows) != 3 || b.Sum.Charged.Minor != charged || b.Sum.Credited.Minor != -second.Total.Minor || b.Sum.Total != first.Total {
			t.Errorf("got %d rows, %+v", len(b.Rows), b.Sum)
		}
		orders := b.By(invoice.ByOrder)
		if len(orders) != 2 || orders[0].Key != first.ID || orders[0].Total != first.Total || orders[1].Total.Minor != 0 || orders[1].Rows != 2 {
			t.Errorf("by order: %+v", orders)
		}
		months, err := r.docs.Months(bg, p.Account)
		must(t, err)
		if len(months) != 1 || months[0] != b.Sum {
			t.Errorf("months: %+v, want %+v", months, b.Sum)
		}
		if b, err := r.docs.Bill(bg, p.Account, "2026-10"); err != nil || len(b.Rows) != 0 {
			t.Errorf("the month before: %+v, %v", b, err)
		}
		for _, wrong := range []string{"", "2026", "2026-13", "2026-1", "2026-11-01", "../2026"} {
			if _, err := r.docs.Bill(bg, p.Account, wrong); !is(err, invoice.ErrMonth) {
				t.Errorf("month %q: %v", wrong, err)
			}
		}
	})
}

func TestACellOfABillIsNoFormula(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t, sets()...))
	p := customer()
	r.backs(p, r.buys(p))
	b, err := r.docs.Bill(bg, p.Account, "2026-11")
	must(t, err)
	for i, evil := range []string{"=HYPERLINK(1)", "＝1+1"} {
		b.Rows[i].Resource, b.Rows[i].Line.Names.Product = evil, map[string]string{"zh-CN": "@" + evil, "en": "\t" + evil}
	}
	for _, language := range []string{"zh-CN", "en"} {
		raw, err := b.CSV(language)
		must(t, err)
		text, ok := strings.CutPrefix(string(raw), "\uFEFF")
		if !ok || !strings.Contains(text, "\r\n") {
			t.Errorf("%s: no mark, or other ends of lines", language)
		}
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		must(t, err)
		if len(rows) != 3 || rows[1][10] != b.Rows[0].Amount.String() || rows[2][10] != "-"+rows[1][10] {
			t.Errorf("%s: %v", language, rows)
		}
		for _, row := range rows {
			for i, c := range row {
				if i != 10 && strings.ContainsAny(c[:min(len(c), 1)], "=+-@\t") || strings.HasPrefix(c, "＝") {
					t.Errorf("%s: a spreadsheet runs %q", language, c)
				}
			}
		}
	}
}
