package app

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
)

// notHeld are the tables with personal columns that lead to nobody.
var notHeld = map[string]string{
	"account_attempt":    "keyed digests of names and addresses, which end within their day's class",
	"contact_asked":      "keyed digests of numbers, which end within a day",
	"idempotency_answer": "sealed answers under a digest of account and path, which end within a day",
	"ledger_journal":     "of persons it names staff who act in office",
}

// The data map says what is personal; each such column is in the copy that its
// person gets, or says why not.
func TestEveryPersonalColumnIsInTheCopyOrSaysWhyNot(t *testing.T) {
	t.Parallel()
	held := map[string]holding.Held{}
	for _, h := range Held() {
		held[h.Table] = h
	}
	for _, table := range Holdings() {
		for _, c := range table.Columns {
			if c.Category == "" || notHeld[table.Name] != "" {
				continue
			}
			h, ok := held[table.Name]
			if !ok {
				t.Errorf("%s.%s is personal and no module says whose rows they are", table.Name, c.Name)
				continue
			}
			if c.Sealed && !opens(h, c.Name) && len(h.Withheld[c.Name]) < 10 {
				t.Errorf("%s.%s is sealed, and neither opened nor withheld for a reason", table.Name, c.Name)
			}
		}
	}
}

// undated are the tables that tell how things are, not what happened: an order
// for a span of time gets them as they are.
var undated = []string{
	"fleet_usage", "vpn_attempt", "vpn_recovery", "vpn_enrolment", "vpn_device", "vpn_client", "ledger_account",
	"account_email", "account_totp", "account_recovery", "account_device", "account_person", "account_account", "legalorder_subject",
	"incident_person", "residency_export",
}

// An order of an authority is cut to its span, so what happened has a date.
func TestWhatHappenedHasADate(t *testing.T) {
	t.Parallel()
	for _, h := range Held() {
		if (h.Dated == "") != slices.Contains(undated, h.Table) {
			t.Errorf("%s: dated by %q, listed as undated: %v", h.Table, h.Dated, slices.Contains(undated, h.Table))
		}
	}
}

func opens(h holding.Held, column string) bool {
	for _, o := range h.Opens {
		if o.Column == column {
			return true
		}
	}
	return false
}

// Every condition is SQL that both engines take, over the live tables.
func TestWhatIsHeldCanBeReadAndErasedOnBothEngines(t *testing.T) {
	t.Parallel()
	tables := map[string]holding.Table{}
	for _, table := range Holdings() {
		tables[table.Name] = table
	}
	nobody := holding.Person{Handle: "sub_nobody", Account: "acc_nobody", Client: "cli_nobody"}
	ctx := context.Background()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for _, h := range Held() {
			if len(tables[h.Table].Columns) == 0 {
				t.Errorf("%s is held and not in the data map: a copy would be without it", h.Table)
			}
			if rows, err := h.Rows(ctx, d, tables[h.Table], nobody, holding.View{Now: time.Unix(1, 0), Until: time.Unix(2, 0)}); err != nil || len(rows) != 0 {
				t.Errorf("%s: %d rows, %v", h.Table, len(rows), err)
			}
			if at, err := h.Due(ctx, d, nobody, 1); err != nil || len(at) != 0 {
				t.Errorf("%s: %v, %v", h.Table, at, err)
			}
			err := d.InTx(ctx, func(tx *db.Tx) error {
				_, err := h.EraseTx(ctx, tx, nobody, nil)
				return err
			})
			if err != nil {
				t.Errorf("%s: %v", h.Table, err)
			}
		}
	}, Migrations()...)
}
