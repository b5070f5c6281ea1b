//go:build fault

package crash

import (
	"context"
	"fmt"
	"log/slog"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/app/walk"
	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// points are the fault points of the path, under the step of the walk in which
// the processes come to them.
var points = map[string][]string{
	"read the policy and register": {"account-after-seal", "account-after-register", "notify-before-send", "notify-after-send"},
	"real-name verification":       {"realname-after-submit", "realname-after-read", "realname-after-mark", "realname-after-call"},
	"quote and order":              {"order-before-commit", "order-after-place"},
	payStep: {
		"payment-after-attempt", "payment-after-create", "payment-after-parse", "payment-after-commit",
		"service-after-begin", "service-before-create", "service-after-create", "service-before-delivered",
		"gateway-after-desired", "gateway-after-keep", "gateway-after-apply",
	},
	"SSL server, certified by its node": {
		"vpn-after-authority", "vpn-after-server", "vpn-after-issue", "vpn-after-certify", "gateway-after-key", "gateway-after-certificate",
	},
	"SSL client":           {"vpn-after-material", "vpn-after-client"},
	"openconnect over TLS": {"vpn-after-grant", "gateway-before-session", "gateway-after-session", "fleet-before-commit", "fleet-after-ingest"},
	"hang up":              {"gateway-after-closed", "gateway-before-report", "gateway-after-report"},
}

// payStep's points are come to until the end of the next step.
const payStep = "pay at the cashier"

func TestKilledAtEachPointThePathGoesOn(t *testing.T) {
	d := startDemo(t)
	o := d.options(t)
	o.Redial = true
	o.Before = func(_ context.Context, step string) error { return d.arm(points[step]...) }
	o.After = func(ctx context.Context, step string) error {
		if step == payStep {
			return nil
		}
		return d.fired(ctx)
	}
	d.walk(t, o)
}

func TestTunnelsComeBackWhenTheGatewayIsKilled(t *testing.T) {
	d := startDemo(t)
	o := d.options(t)
	var before string
	o.After = func(ctx context.Context, step string) error {
		switch {
		case strings.HasPrefix(step, "openconnect over"):
			before = address(t, o.Namespace)
			return d.kill(ctx, "gateway")
		case strings.HasPrefix(step, "100 MB"):
			if after := address(t, o.Namespace); before == "" || after != before {
				t.Errorf("the address in the tunnel was %q and is %q", before, after)
			}
		}
		return nil
	}
	d.walk(t, o)
	if n := d.count(t, "SELECT count(*) FROM fleet_session"); n != 2 {
		t.Errorf("got %d sessions, want those of the two logins", n)
	}
}

// walk goes the path and then looks at what is left.
func (d *demo) walk(t *testing.T, o walk.Options) {
	t.Helper()
	out := &logbook{}
	err := walk.Run(t.Context(), o, out)
	t.Logf("the walk:\n%s", out)
	if err != nil {
		t.Fatal(err)
	}
	// The end of the last session is still to be reported, and mails to be sent.
	const waiting = "SELECT (SELECT count(*) FROM fleet_live) + (SELECT count(*) FROM notify_message WHERE mail = 'pending')"
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_ = until(ctx, func() bool { return d.count(t, waiting) == 0 }) // whole counts again
	d.stop(t)
	d.whole(t)
}

// address reads the client's address in its tunnel.
func address(t *testing.T, namespace string) string {
	t.Helper()
	out, err := exec.Command("ip", "-n", namespace, "-o", "-4", "address", "show", "to", "10.9.0.0/24").Output()
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(out))
	if len(fields) < 4 {
		return ""
	}
	return fields[3]
}

// whole checks, on the stopped demonstration's data, that nothing was lost and
// nothing done twice.
func (d *demo) whole(t *testing.T) {
	t.Helper()
	for query, want := range map[string]int64{
		"SELECT count(*) FROM account_person WHERE email_verified_at > 0":         1,
		"SELECT count(*) FROM realname_verification WHERE state = 'verified'":     1,
		"SELECT count(*) FROM order_order":                                        1,
		"SELECT count(*) FROM order_order WHERE state = 'completed'":              1,
		"SELECT count(*) FROM payment_attempt":                                    1,
		"SELECT count(*) FROM payment_receipt WHERE disposition = 'order'":        1,
		"SELECT count(*) FROM payment_receipt":                                    1,
		"SELECT count(*) FROM service_item":                                       1,
		"SELECT count(*) FROM service_item WHERE state = 'active'":                1,
		"SELECT count(*) FROM vpn_gateway":                                        1,
		"SELECT count(*) FROM vpn_gateway WHERE state = 'active'":                 1,
		"SELECT count(*) FROM vpn_server":                                         1,
		"SELECT count(*) FROM vpn_client":                                         2,
		"SELECT count(*) FROM fleet_assignment":                                   1,
		"SELECT count(*) FROM fleet_session WHERE started_at = 0 OR ended_at = 0": 0,
		"SELECT count(*) FROM fleet_live":                                         0,
		"SELECT count(*) FROM notify_message WHERE mail NOT IN ('sent', 'none')":  0,
		"SELECT count(*) FROM notify_message WHERE event = 'order.paid'":          1,
		"SELECT count(*) FROM notify_message WHERE event = 'service.active'":      1,
		"SELECT count(*) FROM job_item WHERE state = 'dead'":                      0,
		"SELECT count(*) FROM idempotency_answer WHERE state = 'running'":         0,
	} {
		if got := d.count(t, query); got != want {
			t.Errorf("%s: got %d, want %d", query, got, want)
		}
	}
	if t.Failed() {
		t.Logf("the sessions:\n%s", d.sessions(t))
	}
	d.proven(t)
	if out := d.run(t, "admin", "audit", "verify"); !strings.Contains(out, "the log is whole") {
		t.Errorf("audit verify: %s", out)
	}
}

func (d *demo) open(t *testing.T) *db.DB {
	t.Helper()
	main, err := db.Open(t.Context(), filepath.Join(d.data, "skybridge.db"))
	if err != nil {
		t.Fatal(err)
	}
	return main
}

func (d *demo) count(t *testing.T, query string) int64 {
	t.Helper()
	main := d.open(t)
	defer main.Close()
	n, err := db.Get(t.Context(), main, nil, db.One[int64], query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// sessions tells the session log without its addresses.
func (d *demo) sessions(t *testing.T) string {
	t.Helper()
	main := d.open(t)
	defer main.Close()
	all, err := db.Select(t.Context(), main, func(r db.Row) (line string, err error) {
		var session, client, reason string
		var start, end int64
		err = r.Scan(&session, &client, &start, &end, &reason)
		return fmt.Sprintf("%s client=%s start=%s end=%s reason=%s", session, client, db.FromMicros(start), db.FromMicros(end), reason), err
	}, "SELECT id, client, started_at, ended_at, reason FROM fleet_session ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, "\n")
}

// proven has the books recomputed.
func (d *demo) proven(t *testing.T) {
	t.Helper()
	main := d.open(t)
	defer main.Close()
	p, err := ledger.New(ledger.Deps{DB: main, Clock: clock.System{}, Log: slog.New(slog.DiscardHandler)}).Prove(t.Context())
	if err != nil || len(p.Problems) > 0 || p.Journals == 0 {
		t.Errorf("the books: %+v, %v", p, err)
	}
}
