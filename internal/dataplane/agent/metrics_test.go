package agent

import (
	"log/slog"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/sslvpn"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
)

func TestMetricsAreDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../docs/operations/watch.md")
	if err != nil {
		t.Fatal(err)
	}
	var told, names []string
	for _, m := range regexp.MustCompile("`(skybridge_gateway_[a-z0-9_]+)`").FindAllStringSubmatch(string(page), -1) {
		told = append(told, m[1])
	}
	for _, name := range (&agent{log: slog.New(slog.DiscardHandler)}).metrics().Names() {
		if strings.HasPrefix(name, "skybridge_gateway_") {
			names = append(names, name)
		}
	}
	slices.Sort(told)
	told = slices.Compact(told)
	slices.Sort(names)
	if !slices.Equal(told, names) {
		t.Errorf("the page tells of\n%v, the process of\n%v", told, names)
	}
}

// TestMetricsOfANodeWithoutGateways: what there is nothing to tell of has no
// sample, which is no number that an alarm could take for one.
func TestMetricsOfANodeWithoutGateways(t *testing.T) {
	t.Parallel()
	cfg, st := testConfig(), open(t, t.TempDir())
	a := &agent{log: cfg.Logger, rep: newReporter(cfg, st, &fakeLink{})}
	a.svc = sslvpn.New(sslvpn.Config{Sink: a.rep, Clock: clock.System{}, Log: cfg.Logger})
	t.Cleanup(func() { _ = a.svc.Close() })
	a.rec = newReconciler(cfg, st, &fakeLink{}, a.svc, a.rep)
	w := httptest.NewRecorder()
	a.metrics().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	text := w.Body.String()
	for _, want := range []string{
		"\nskybridge_gateway_ssl_dtls_ratio 0\n", "\nskybridge_gateway_usage_pct{direction=\"in\"} 0\n", "\nskybridge_gateway_ssl_login_fail_5m 0\n",
		"\nskybridge_gateway_ssl_login_fail_total{reason=\"credentials\"} 0\n", "\nskybridge_gateway_ssl_usage_pct 0\n",
		"TYPE skybridge_gateway_ssl_pool_free gauge\n#", "TYPE skybridge_gateway_cert_days_left gauge\n#", "\nskybridge_metrics_unreadable_total 0\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("got no %q in\n%s", want, text)
		}
	}
}
