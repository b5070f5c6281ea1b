package cookie

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestCookiesHaveTheirRegisteredFlagsAndLives(t *testing.T) {
	t.Parallel()
	cases := []struct {
		line Line
		want string
	}{
		{Make(Session, "v", time.Hour), "__Host-session=v; Path=/; HttpOnly; Secure; SameSite=Lax"},
		{Make(Remember, "v", time.Hour), "__Host-remember=v; Path=/; Max-Age=3600; HttpOnly; Secure; SameSite=Lax"},
		{Make(Remember, "v", 1000*time.Hour), "__Host-remember=v; Path=/; Max-Age=2592000; HttpOnly; Secure; SameSite=Lax"},
		{Make(Prefs, "v", 24*time.Hour), "prefs=v; Path=/; Max-Age=86400; Secure; SameSite=Lax"},
		{Clear(Session), "__Host-session=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax"},
		{Make("visitor", "v", time.Hour), ""},
		{Clear("visitor"), ""},
	}
	for _, c := range cases {
		if string(c.line) != c.want {
			t.Errorf("got %q, want %q", c.line, c.want)
		}
	}
	w := httptest.NewRecorder()
	Set(w, Remember, "v", time.Hour)
	Set(w, "visitor", "v", time.Hour)
	if got := w.Header().Values("Set-Cookie"); len(got) != 1 {
		t.Errorf("got %q", got)
	}
}

func TestOnlyRegisteredCookiesLeave(t *testing.T) {
	t.Parallel()
	good := string(Make(Session, "v", 0))
	cases := []struct{ line, refused string }{
		{good, ""},
		{string(Make(Remember, "v", time.Hour)), ""},
		{string(Make(Prefs, "lang-en", time.Hour)), ""},
		{string(Clear(Remember)), ""},
		{"visitor=1; Path=/; HttpOnly; Secure; SameSite=Lax", "visitor"},
		{"__Host-session=v; Path=/; HttpOnly; SameSite=Lax", Session},
		{"__Host-session=v; Path=/; Secure; SameSite=Lax", Session},
		{"__Host-session=v; Path=/; HttpOnly; Secure", Session},
		{"__Host-session=v; Path=/; HttpOnly; Secure; SameSite=None", Session},
		{"__Host-session=v; Path=/; Max-Age=60; HttpOnly; Secure; SameSite=Lax", Session},
		{"__Host-session=v; Path=/; Expires=Fri, 01 Jan 2100 00:00:00 GMT; HttpOnly; Secure; SameSite=Lax", Session},
		{"__Host-remember=v; Path=/; Max-Age=2592001; HttpOnly; Secure; SameSite=Lax", Remember},
		{"__Host-remember=v; Path=/; Expires=Fri, 01 Jan 2100 00:00:00 GMT; HttpOnly; Secure; SameSite=Lax", Remember},
		{"prefs=v; Path=/; Domain=example.com; Secure; SameSite=Lax", Prefs},
		{"no cookie", ""},
	}
	// However a handler sends its headers, they are swept before.
	ways := map[string]func(http.ResponseWriter){
		"no body": func(http.ResponseWriter) {},
		"status":  func(w http.ResponseWriter) { w.WriteHeader(http.StatusCreated) },
		"body":    func(w http.ResponseWriter) { _, _ = io.WriteString(w, "x") },
		"flush":   func(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() },
		"flusher": func(w http.ResponseWriter) { w.(http.Flusher).Flush() },
	}
	for _, c := range cases {
		for way, send := range ways {
			var refused []string
			h := Guard(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Add("Set-Cookie", good)
				w.Header().Add("Set-Cookie", c.line)
				send(w)
			}), func(_ *http.Request, name string) { refused = append(refused, name) })
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
			sent := w.Result().Header.Values("Set-Cookie")
			want := []string{good, c.line}
			if c.refused != "" || c.line == "no cookie" {
				want = want[:1]
			}
			if !slices.Equal(sent, want) {
				t.Errorf("%s, %s: sent %q", c.line, way, sent)
			}
			if (len(want) == 1) != (len(refused) == 1) || len(refused) == 1 && refused[0] != c.refused {
				t.Errorf("%s, %s: refused %q", c.line, way, refused)
			}
		}
	}
}

func TestWithoutAnybodyToTellAGuardPanics(t *testing.T) {
	t.Parallel()
	defer func() {
		if said, _ := recover().(string); !strings.Contains(said, "visitor") {
			t.Errorf("got %q", said)
		}
	}()
	h := Guard(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Add("Set-Cookie", "visitor=1") }), nil)
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	t.Error("it did not panic")
}
