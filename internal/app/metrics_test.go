package app

import (
	"log/slog"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var sampleLine = regexp.MustCompile(`(?m)^(skybridge_[a-z_]+)(\{[^}]*\})? (\S+)$`)

func TestMetricsAreDocumentedAndNameNobody(t *testing.T) {
	in := install(t)
	p := in.customer("counted", 1)
	r := in.modules.metrics(in.stores, slog.New(slog.DiscardHandler))
	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	text := w.Body.String()
	values := map[string]string{}
	for _, m := range sampleLine.FindAllStringSubmatch(text, -1) {
		values[m[1]+m[2]] = m[3]
	}
	for name, want := range map[string]string{
		"skybridge_control_vpn_sessions": "1", `skybridge_control_nodes{health="online"}`: "1", `skybridge_control_jobs{state="dead"}`: "0",
		`skybridge_control_egress_total{recipient="aliyun",operation="verify",outcome="done"}`: "", "skybridge_metrics_unreadable_total": "0",
		`skybridge_control_db_open{database="keys",pool="write"}`: "1",
	} {
		if got, ok := values[name]; want != "" && (!ok || got != want) {
			t.Errorf("%s: got %q, want %q in\n%s", name, got, want, text)
		}
	}
	if !strings.Contains(text, `outcome="done"`) {
		t.Errorf("no call to a third party was counted:\n%s", text)
	}
	for kind, id := range p.ids {
		if strings.Contains(text, id) {
			t.Errorf("told %s of a customer", kind)
		}
	}
	if strings.Contains(text, p.name) || strings.Contains(text, "203.0.113.7") {
		t.Error("told a customer's name or address")
	}
	page, err := os.ReadFile("../../docs/operations/watch.md")
	must(t, err)
	var told []string
	for _, m := range regexp.MustCompile("`(skybridge_[a-z_]+)`").FindAllStringSubmatch(string(page), -1) {
		if !strings.HasPrefix(m[1], "skybridge_gateway_") { // held by the agent's test
			told = append(told, m[1])
		}
	}
	slices.Sort(told)
	told = slices.Compact(told)
	names := r.Names()
	slices.Sort(names)
	if !slices.Equal(told, names) {
		t.Errorf("the page tells of\n%v, the process of\n%v", told, names)
	}
}
