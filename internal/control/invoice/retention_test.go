package invoice_test

import (
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/invoice"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
)

func TestEveryColumnIsClassified(t *testing.T) {
	t.Parallel()
	live, err := dbtest.SQLite(t, invoice.Migrations()).Schema(bg)
	must(t, err)
	must(t, holding.Verify(invoice.Holdings(), live))
}

// TestAYearEndsOneDocumentAfterAnother: what is left of it is not called a hole, and
// the next year is still held to be whole.
func TestAYearEndsOneDocumentAfterAnother(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		must(t, r.docs.Backfill(bg))
		r.buys(customer())
		r.buys(customer())
		r.Clock.Advance(60 * 24 * time.Hour)
		r.buys(customer())
		stock := r.docs.Stocks()[0]
		none, err := stock.Items(bg, civil.Day{Year: 2026, Month: time.December, Day: 30})
		must(t, err)
		if len(none) != 0 {
			t.Errorf("before the year ends: %v", none)
		}
		items, err := stock.Items(bg, civil.Day{Year: 2026, Month: time.December, Day: 31})
		must(t, err)
		if len(items) != 2 || items[0].Subject == "" {
			t.Fatalf("of the year: %v", items)
		}
		must(t, stock.End(bg, items[0]))
		r.sound()
		must(t, stock.End(bg, items[1]))
		r.sound()
		if left := r.all(); len(left) != 1 || left[0].Number() != "INV-2027-000001" {
			t.Errorf("left: %+v", left)
		}
	})
}
