package console

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/skybridge-cloud/skybridge/internal/platform/i18n"
	"github.com/skybridge-cloud/skybridge/internal/web/request"
)

const testPage = `<!doctype html><html lang="zh-CN" data-theme="auto"><head><meta name="csp-nonce" content="" /></head>` +
	`<body><div id="root"></div><!--noscript--></body></html>`

func testFiles() fstest.MapFS {
	return fstest.MapFS{
		"index.html":       {Data: []byte(testPage)},
		"mark.svg":         {Data: []byte("<svg/>")},
		".keep":            {Data: []byte("x")},
		"assets/a-1234.js": {Data: []byte(strings.Repeat("let x = 1;\n", 100))},
	}
}

func testOptions() Options {
	return Options{
		FormTargets: []string{"http://127.0.0.1:9001"},
		Policies: func(context.Context, i18n.Language) ([]Link, error) {
			return []Link{{Document: "platform", Title: "Privacy & you"}}, nil
		},
		Policy: func(_ context.Context, document, version string, _ i18n.Language) (Document, error) {
			if document != "platform" {
				return Document{}, errors.New("absent")
			}
			return Document{Title: "T<" + version, HTML: "<p>clause</p>"}, nil
		},
	}
}

func get(t *testing.T, h http.Handler, target string, headers ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	request.Reader{}.Handler(h).ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestPathsAndTheirAnswers(t *testing.T) {
	t.Parallel()
	h := over(testFiles(), testOptions())
	for _, c := range []struct {
		path   string
		status int
		kind   string
		cache  string
	}{
		{"/", 200, "text/html; charset=utf-8", "no-store"},
		{"/index.html", 200, "text/html; charset=utf-8", "no-store"},
		{"/orders/ord_1", 200, "text/html; charset=utf-8", "no-store"},
		{"/policies/platform/versions/1.0.0", 200, "text/html; charset=utf-8", "no-store"},
		{"/mark.svg", 200, "image/svg+xml", "public, max-age=3600"},
		{"/assets/a-1234.js", 200, "text/javascript; charset=utf-8", forever},
		{"/assets/gone.js", 404, "text/plain; charset=utf-8", ""},
		{"/assets/gone", 404, "text/plain; charset=utf-8", ""},
		{"/favicon.ico", 404, "text/plain; charset=utf-8", ""},
		{"/.keep", 404, "text/plain; charset=utf-8", ""},
		{"/assets/../.keep", 404, "text/plain; charset=utf-8", ""},
	} {
		res := get(t, h, c.path)
		if res.StatusCode != c.status || res.Header.Get("Content-Type") != c.kind || res.Header.Get("Cache-Control") != c.cache {
			t.Errorf("%s: got %d %q %q, want %d %q %q", c.path, res.StatusCode, res.Header.Get("Content-Type"),
				res.Header.Get("Cache-Control"), c.status, c.kind, c.cache)
		}
		if len(res.Cookies()) != 0 {
			t.Errorf("%s: sets cookies %v", c.path, res.Cookies())
		}
	}
}

func TestContentSecurityPolicyHasAFreshNonce(t *testing.T) {
	t.Parallel()
	h := over(testFiles(), testOptions())
	seen := map[string]bool{}
	for range 3 {
		res := get(t, h, "/")
		policy := res.Header.Get("Content-Security-Policy")
		_, rest, _ := strings.Cut(policy, "'nonce-")
		nonce, _, _ := strings.Cut(rest, "'")
		if len(nonce) < 22 || seen[nonce] {
			t.Fatalf("nonce %q is short or used before", nonce)
		}
		seen[nonce] = true
		want := "default-src 'self'; style-src 'self' 'nonce-" + nonce + "'; object-src 'none'; base-uri 'none'; " +
			"frame-ancestors 'none'; form-action 'self' https: http://127.0.0.1:9001"
		if policy != want {
			t.Errorf("policy: got %q, want %q", policy, want)
		}
		if page := body(t, res); !strings.Contains(page, `name="csp-nonce" content="`+nonce+`"`) {
			t.Errorf("page does not carry nonce %q: %s", nonce, page)
		}
	}
}

func TestLanguageAndThemeComeFromThePreferences(t *testing.T) {
	t.Parallel()
	h := over(testFiles(), testOptions())
	for _, c := range []struct{ cookie, want string }{
		{"prefs=lang-en.theme-dark", `<html lang="en" data-theme="dark">`},
		{"prefs=lang-zh-CN.theme-light", `<html lang="zh-CN" data-theme="light">`},
		{`prefs=theme-"><script>`, `data-theme="auto">`},
	} {
		if page := body(t, get(t, h, "/", "Cookie", c.cookie)); !strings.Contains(page, c.want) {
			t.Errorf("cookie %q: want %s in %s", c.cookie, c.want, page)
		}
	}
}

func TestReadersWithoutScripts(t *testing.T) {
	t.Parallel()
	h := over(testFiles(), testOptions())
	for _, c := range []struct{ path, want string }{
		{"/policies", `<a href="/policies/platform">Privacy &amp; you</a>`},
		{"/policies/platform", "<h1>T&lt;</h1><p>clause</p>"},
		{"/policies/platform/versions/1.2.0", "<h1>T&lt;1.2.0</h1><p>clause</p>"},
		{"/policies/absent", `<a href="/policies">`},
		{"/login", `<a href="/policies">`},
	} {
		page := body(t, get(t, h, c.path))
		_, plain, _ := strings.Cut(page, "<noscript>")
		if !strings.Contains(plain, c.want) {
			t.Errorf("%s: want %s in %s", c.path, c.want, plain)
		}
	}
}

func TestFilesAreCompressedForWhoAsks(t *testing.T) {
	t.Parallel()
	files := testFiles()
	h := over(files, Options{})
	want := string(files["assets/a-1234.js"].Data)
	for range 2 {
		res := get(t, h, "/assets/a-1234.js", "Accept-Encoding", "br, gzip;q=0.5")
		if got := res.Header.Get("Content-Encoding"); got != "gzip" {
			t.Fatalf("encoding: got %q, want gzip", got)
		}
		z, err := gzip.NewReader(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(z)
		if err != nil || string(got) != want {
			t.Errorf("content differs or %v", err)
		}
	}
	for _, offer := range []string{"", "br", "gzip;q=0"} {
		res := get(t, h, "/assets/a-1234.js", "Accept-Encoding", offer)
		if res.Header.Get("Content-Encoding") != "" || body(t, res) != want {
			t.Errorf("offer %q: got encoding %q", offer, res.Header.Get("Content-Encoding"))
		}
	}
}

func TestOnlyReadingIsAnswered(t *testing.T) {
	t.Parallel()
	h := over(testFiles(), Options{})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/login", nil))
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: got %d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
	w = httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodHead, "/assets/a-1234.js", nil))
	if w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("Content-Length") != "1100" {
		t.Errorf("HEAD: got %d, %d bytes, length %q", w.Code, w.Body.Len(), w.Header().Get("Content-Length"))
	}
}

func TestAProgramWithoutTheBuildSaysSo(t *testing.T) {
	t.Parallel()
	h := over(fstest.MapFS{".keep": {Data: []byte("x")}}, Options{})
	res := get(t, h, "/", "Accept-Language", "en")
	if h.Built() || res.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body(t, res), "npm run build") {
		t.Errorf("got built %v, status %d", h.Built(), res.StatusCode)
	}
}

// The page that Vite writes must still have the places that fill replaces.
func TestTheBuiltPageCanBeFilled(t *testing.T) {
	t.Parallel()
	h := New(Options{})
	if !h.Built() {
		t.Log("not built: the sources' page is checked by the console's own tests")
		return
	}
	for _, want := range []string{`name="csp-nonce" content=""`, `lang="zh-CN"`, `data-theme="auto"`, "<!--noscript-->"} {
		if !strings.Contains(string(h.page), want) {
			t.Errorf("built page lacks %s", want)
		}
	}
	if strings.Contains(string(h.page), "<style") || strings.Contains(string(h.page), "<script>") {
		t.Error("built page has inline style or script")
	}
}
