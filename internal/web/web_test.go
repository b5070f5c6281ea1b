package web

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/web/problem"
)

func layers(log *bytes.Buffer) Layers {
	return Layers{Limiter: NewLimiter(60, 5), Log: slog.New(slog.NewTextHandler(log, nil))}
}

func call(h http.Handler, method, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	r.RemoteAddr = "192.0.2.1:1000"
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestAPanicStaysInItsRequestAndTellsNothing(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	h := Handler(layers(&log), http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("secret-of-input") }))
	w := call(h, http.MethodGet, "/api/v1/x", "Accept-Language", "en")
	var p problem.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != 500 || p.Code != "internal" || p.Request == "" {
		t.Errorf("got %d %s, %v", w.Code, w.Body, err)
	}
	if strings.Contains(w.Body.String()+log.String(), "secret-of-input") {
		t.Error("the value of the panic was told")
	}
}

// TestWhoVisitsIsAskedBeforeThePage: a page that ends the session is noted, and
// so is one whose handler panics.
func TestWhoVisitsIsAskedBeforeThePage(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	signedIn, noted := true, []string{}
	l := layers(&log)
	l.Visit = func(r *http.Request) func() {
		if !signedIn {
			return nil
		}
		return func() { noted = append(noted, r.URL.Path) }
	}
	h := Handler(l, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/panic" {
			panic("of a handler")
		}
		signedIn = false
	}))
	for _, path := range []string{"/panic", "/sign-out", "/after"} {
		call(h, http.MethodGet, path)
	}
	if !slices.Equal(noted, []string{"/panic", "/sign-out"}) {
		t.Errorf("got %v", noted)
	}
}

func TestAnotherSitesRequestIsRefused(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	h := Handler(layers(&log), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }))
	cases := []struct {
		method, site string
		want         int
	}{
		{"POST", "cross-site", 403}, {"POST", "same-origin", 204}, {"POST", "", 204}, {"GET", "cross-site", 204},
	}
	for _, c := range cases {
		if got := call(h, c.method, "/x", "Sec-Fetch-Site", c.site).Code; got != c.want {
			t.Errorf("%s from %q: got %d, want %d", c.method, c.site, got, c.want)
		}
	}
}

func TestTooManyRequestsAreRefusedAndOthersAreNot(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	h := Handler(layers(&log), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }))
	codes := map[int]int{}
	for range 20 {
		codes[call(h, http.MethodGet, "/api/v1/x").Code]++
	}
	if codes[204] < 5 || codes[429] < 10 {
		t.Errorf("got %v", codes)
	}
	if got := call(h, http.MethodGet, "/index.html").Code; got != 204 {
		t.Errorf("a page: got %d", got)
	}
}

func TestLimiterRefillsAndTakesASixtyFourAsOneSource(t *testing.T) {
	t.Parallel()
	l, now := NewLimiter(60, 2), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	a, b := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2")
	other := netip.MustParseAddr("2001:db8:0:1::1")
	got := []bool{l.Allow(a, now), l.Allow(b, now), l.Allow(a, now), l.Allow(other, now), l.Allow(a, now.Add(time.Second))}
	want := []bool{true, true, false, true, true}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("step %d: got %v, want %v", i, got[i], want[i])
		}
	}
}

func TestEveryAnswerCarriesTheSecurityHeaders(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	h := Handler(layers(&log), http.NotFoundHandler())
	w := call(h, http.MethodGet, "/")
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'self'", "X-Content-Type-Options": "nosniff",
		"Strict-Transport-Security": "max-age=", "Referrer-Policy": "same-origin", "X-Request-Id": "req_",
	} {
		if got := w.Header().Get(name); !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q in it", name, got, want)
		}
	}
}
