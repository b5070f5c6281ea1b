package service_test

import (
	"io/fs"
	"testing"
	"testing/fstest"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/control/service"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

// before62 is the module as it was when services had no periods.
func before62(t *testing.T) db.Migrations {
	t.Helper()
	m, old := service.Migrations(), fstest.MapFS{}
	for _, name := range []string{"00001_service.sql", "00050_change.sql"} {
		text, err := fs.ReadFile(m.Files, name)
		must(t, err)
		old[name] = &fstest.MapFile{Data: text}
	}
	return db.Migrations{Module: m.Module, Files: old}
}

// TestAServiceFromBeforePeriodsGoesOn: one that was delivered by an earlier
// release has its period, is reminded, renewed from the same anchor, and earned.
func TestAServiceFromBeforePeriodsGoesOn(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		delivered := time.Date(2027, 1, 31, 2, 0, 0, 0, time.UTC)
		ends := service.AddMonths(delivered, 1)
		must(t, d.InTx(ctx, func(tx *db.Tx) error {
			for i, state := range []string{"active", "provisioning"} {
				at, through := db.Micros(delivered), db.Micros(ends)
				who, order, line, key := string(owner), "ord_1", "orl_1", "svc:svc_old:create:1"
				id := "svc_old"
				if i > 0 {
					id, who, order, line, key, at, through = "svc_new", "acc_bob", "ord_9", "orl_9", "svc:svc_new:create:1", 0, 0
				}
				if _, err := tx.Exec(ctx, `INSERT INTO service_item (id, account, subject, order_id, line, product, region, options, configuration, months, resource,
					state, attempt, provider_key, problem, reasons, paid_through, overdue_since, cancel_at_end, locked, version, created_at, delivered_at)
					VALUES ($1, $2, 'sub_alice', $3, $4, 'vpn-gateway', 'hk', '{"ssl_bandwidth":"100"}', '{}', 1, $5,
					$6, 1, $7, '', '', $8, 0, 0, 0, 1, $9, $10)`, id, who, order, line, "res_"+id, state, key, through, db.Micros(delivered), at); err != nil {
					return err
				}
			}
			return nil
		}))
		must(t, d.Migrate(ctx, service.Migrations()))
		r := newRig(d, clock.NewFake(ends.Add(-4*aDay)), "hk")
		if old, err := r.s.Periods(ctx, d, "svc_old"); err != nil || len(old) != 1 || !old[0].Start.Equal(delivered) || !old[0].End.Equal(ends) || old[0].Line != "orl_1" {
			t.Fatalf("its period: got %+v, %v", old, err)
		}
		if none, err := r.s.Periods(ctx, d, "svc_new"); err != nil || len(none) != 0 {
			t.Errorf("one that was not delivered has periods: %+v, %v", none, err)
		}
		r.today(t)
		if got := r.heardOf(notices...); len(got) != 1 || got[0] != service.TopicExpiring {
			t.Errorf("four days before the end: told %v", got)
		}
		v := r.item(t)
		r.renewal(t, v, "orl_r", 1)
		if v = r.item(t); !v.PaidThrough.Equal(service.AddMonths(delivered, 2)) || v.AnchorMonths != 2 {
			t.Errorf("renewed: got %v, %d months from %v", v.PaidThrough, v.AnchorMonths, v.Anchor)
		}
		paid, err := db.Select(ctx, d, db.One[int64], "SELECT value_minor FROM service_earning WHERE service = 'svc_old' AND line = 'orl_1'")
		must(t, err)
		if len(paid) != 1 {
			t.Fatalf("to be earned: %v", paid)
		}
		_, err = r.s.Prove(ctx) // asks the order what its line has paid
		must(t, err)
		if paid, err = db.Select(ctx, d, db.One[int64], "SELECT value_minor FROM service_earning WHERE line = 'orl_1'"); err != nil || paid[0] != 3100 {
			t.Errorf("to be earned of the first period: %v, %v", paid, err)
		}
	}, job.Migrations(), ledger.Migrations(), before62(t))
}
