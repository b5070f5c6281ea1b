package invoice_test

import (
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// TestTheProofFindsWhatIsWrong plants one wrong after another and takes it back.
func TestTheProofFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		must(t, r.docs.Backfill(bg))
		p := customer()
		for range 3 {
			r.buys(p)
		}
		r.backs(p, r.buys(p))
		r.sound()
		do := func(text string) {
			t.Helper()
			must(t, r.DB.InTx(bg, func(tx *db.Tx) error { _, err := tx.Exec(bg, text); return err }))
		}
		const second = " WHERE series = 'INV' AND number = 2"
		for _, c := range []struct{ wrong, back, says string }{
			{"UPDATE invoice_document SET number = 9" + second, "UPDATE invoice_document SET number = 2 WHERE number = 9", "comes where"},
			{"UPDATE invoice_series SET last = 5 WHERE series = 'INV'", "UPDATE invoice_series SET last = 4 WHERE series = 'INV'", "the counter is at 5"},
			{"UPDATE invoice_document SET total_minor = total_minor + 1" + second, "UPDATE invoice_document SET total_minor = total_minor - 1" + second, "lines sum to"},
			{"UPDATE invoice_document SET book_key = 'x' || book_key" + second, "UPDATE invoice_document SET book_key = substr(book_key, 2)" + second, "has no invoice"},
			{"UPDATE invoice_document SET refund_no = 'x' || refund_no WHERE series = 'CN'", "UPDATE invoice_document SET refund_no = substr(refund_no, 2) WHERE series = 'CN'", "has no credit note"},
			{"UPDATE invoice_document SET total_minor = total_minor * 3 WHERE series = 'CN'", "UPDATE invoice_document SET total_minor = total_minor / 3 WHERE series = 'CN'", "is credited of"},
			{"UPDATE invoice_document SET invoice_id = 'x' || invoice_id WHERE series = 'CN'", "UPDATE invoice_document SET invoice_id = substr(invoice_id, 2) WHERE series = 'CN'", "does not exist"},
			{"INSERT INTO invoice_line (document_id, number, line_id, kind, product, region, names, options, months, amount_minor) VALUES ('inv_x', 1, '', '', '', '', '{}', '{}', 1, 1)", "DELETE FROM invoice_line WHERE document_id = 'inv_x'", "does not exist"},
		} {
			do(c.wrong)
			problems, err := r.docs.Prove(bg)
			must(t, err)
			if !strings.Contains(strings.Join(problems, "\n"), c.says) {
				t.Errorf("%s: %v", c.wrong, problems)
			}
			do(c.back)
			r.sound()
		}
	})
}
