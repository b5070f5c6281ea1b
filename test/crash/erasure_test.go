//go:build fault

package crash

import (
	"context"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/app/walk"
	"github.com/skybridge-cloud/skybridge/internal/control/erasure"
)

// TestKilledAtEachStepAnErasureGoesOn ends the process after each step of an
// erasure, between two batches of rows and between two keys: it ends as if nothing had happened (job 6 of the
// privacy specification).
func TestKilledAtEachStepAnErasureGoesOn(t *testing.T) {
	d := startDemo(t)
	o := d.options(t)
	o.NoTunnel, o.Leave = true, true
	all := []string{"erasure-between-rows", "erasure-between-keys", "erasure-after-secret", "erasure-after-desk"}
	for _, s := range erasure.Steps() {
		if s != erasure.Done && s != erasure.Freeze { // which is over before the answer
			all = append(all, "erasure-after-"+string(s))
		}
	}
	const step = "erased, searched and certified"
	o.Before = func(_ context.Context, s string) error {
		if s != step {
			return nil
		}
		return d.arm(all...)
	}
	o.After = func(ctx context.Context, s string) error {
		if s != step {
			return nil
		}
		return d.fired(ctx)
	}
	out := &logbook{}
	if err := walk.Run(t.Context(), o, out); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	d.stop(t)
	for query, want := range map[string]int64{
		"SELECT count(*) FROM account_person WHERE staff = 0":                                                       0,
		"SELECT count(*) FROM account_account WHERE id NOT IN (SELECT account FROM account_person WHERE staff = 1)": 0,
		"SELECT count(*) FROM realname_verification":                                                                0,
		"SELECT count(*) FROM vpn_client":                                                                           0,
		"SELECT count(*) FROM vpn_gateway":                                                                          0,
		"SELECT count(*) FROM order_order WHERE state = 'completed'":                                                1,
		"SELECT count(*) FROM order_line WHERE configuration <> '{}'":                                               0,
		"SELECT count(*) FROM erasure_case WHERE step = 'done' AND certificate <> ''":                               2,
		"SELECT count(*) FROM erasure_case":                                                                         2,
		"SELECT count(*) FROM job_item WHERE state = 'dead'":                                                        0,
	} {
		if got := d.count(t, query); got != want {
			t.Errorf("%s: got %d, want %d", query, got, want)
		}
	}
	d.proven(t)
}
