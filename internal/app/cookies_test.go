package app

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
)

// beacons are what a page would report with, or load from somebody else.
var beacons = regexp.MustCompile(`(?i)(src|href|action)="(https?:)?//|<img|<iframe|ping=`)

// TestPublicPagesKeepNothingAndReportToNobody is a crawl without cookies:
// clauses LT-2.1 and LT-2.3. Each answer sets none, confines its page to our
// origin and loads nothing from another.
func TestPublicPagesKeepNothingAndReportToNobody(t *testing.T) {
	t.Parallel()
	in := install(t)
	for path, want := range map[string]int{
		"/": 200, "/login": 200, "/register": 200, "/policies": 200, "/policies/platform": 200, "/policies/client": 200, "/cookies": 200,
		"/api/v1/policies": 200, "/api/v1/policies/platform": 200, "/api/v1/cookies": 200, "/api/v1/products": 200,
		"/api/v1/me": 401, "/api/v1/nothing": 404, "/assets/nothing.js": 404,
	} {
		a := in.send("", http.MethodGet, path, "")
		if a.status == http.StatusServiceUnavailable && want == 200 {
			continue // a program without its console says so in text
		}
		if a.status != want {
			t.Errorf("%s: got %s, want %d", path, a, want)
		}
		if set := a.header.Values("Set-Cookie"); len(set) > 0 {
			t.Errorf("%s sets %q", path, set)
		}
		for _, directive := range strings.Split(a.header.Get("Content-Security-Policy"), ";") {
			name, sources, _ := strings.Cut(strings.TrimSpace(directive), " ")
			if name == "default-src" && sources != "'self'" || strings.HasSuffix(name, "-src") && strings.ContainsAny(sources, "*:") {
				t.Errorf("%s may load from and report to %s %s", path, name, sources)
			}
		}
		if !strings.Contains(a.header.Get("Content-Security-Policy"), "default-src") {
			t.Errorf("%s has no content security policy", path)
		}
		if strings.Contains(a.header.Get("Content-Type"), "html") {
			if found := beacons.FindString(a.text); found != "" {
				t.Errorf("%s holds %q", path, found)
			}
		}
	}
	entries := in.send("", http.MethodGet, "/api/v1/cookies", "").json["cookies"].([]any)
	if len(entries) != 3 {
		t.Errorf("got %v", entries)
	}
}

// TestACookieThatIsNotRegisteredIsTakenOffAndNoted in production.
func TestACookieThatIsNotRegisteredIsTakenOffAndNoted(t *testing.T) {
	t.Parallel()
	in := install(t)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	in.modules.cookieRefused(slog.New(slog.DiscardHandler))(r, "visitor")
	leaves, err := in.modules.audit.Leaves(r.Context(), audit.Filter{Type: "cookie.refused"})
	must(t, err)
	if len(leaves) != 1 {
		t.Errorf("got %d leaves, want 1", len(leaves))
	}
}
