package request

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/platform/i18n"
)

func TestTheSourceIsTheLastHopOutsideOurProxies(t *testing.T) {
	t.Parallel()
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	cases := []struct{ remote, forwarded, want string }{
		{"192.0.2.1:5", "", "192.0.2.1"},
		{"192.0.2.1:5", "198.51.100.9", "192.0.2.1"}, // not our proxy: its header is a claim
		{"10.1.1.1:5", "198.51.100.9", "198.51.100.9"},
		{"10.1.1.1:5", "203.0.113.5, 198.51.100.9, 10.2.2.2", "198.51.100.9"},
		{"10.1.1.1:5", "nonsense", "10.1.1.1"},
		{"[::ffff:192.0.2.7]:5", "", "192.0.2.7"},
	}
	for _, c := range cases {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = c.remote
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := (Reader{proxies}).source(r).String(); got != c.want {
			t.Errorf("%s, forwarded %q: got %s, want %s", c.remote, c.forwarded, got, c.want)
		}
	}
}

func TestThePreferenceWinsOverTheBrowser(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Accept-Language", "zh-CN")
	r.AddCookie(&http.Cookie{Name: "prefs", Value: "theme-dark.lang-en"})
	var got Info
	Reader{}.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = From(r.Context()) })).
		ServeHTTP(httptest.NewRecorder(), r)
	if got.Language != i18n.English || got.Number == "" {
		t.Errorf("got %+v", got)
	}
}
