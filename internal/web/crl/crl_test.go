package crl_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/web/crl"
	"github.com/skybridge-cloud/skybridge/internal/web/request"
)

// lists has one list, of sslsrv-1.
type lists struct{ one vpn.RevocationList }

func (l lists) CRL(_ context.Context, server string) (vpn.RevocationList, error) {
	if server != "sslsrv-1" {
		return vpn.RevocationList{}, vpn.ErrServerNotFound
	}
	return l.one, nil
}

func TestListsAreServedToAnybody(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	one := vpn.RevocationList{DER: []byte("a list"), Number: 7, ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(6 * 24 * time.Hour)}
	mux := http.NewServeMux()
	crl.Serve(mux, lists{one}, func() time.Time { return now }, slog.New(slog.DiscardHandler))
	h := request.Reader{}.Handler(mux)
	get := func(path string, header ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.RemoteAddr = netip.MustParseAddrPort("192.0.2.1:1000").String()
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	w := get(vpn.CRLPath("sslsrv-1"))
	if w.Code != 200 || w.Body.String() != "a list" {
		t.Fatalf("got %d %q", w.Code, w.Body)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/pkix-crl", "Cache-Control": "public, max-age=600", "Etag": `"7"`,
		"Last-Modified": "Sun, 22 Nov 2026 01:00:00 GMT", "Expires": "Sun, 22 Nov 2026 02:10:00 GMT",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	for what, c := range map[string]struct {
		path   string
		header []string
		want   int
	}{
		"who has it by number":  {"/crl/sslsrv-1.crl", []string{"If-None-Match", `"7"`}, 304},
		"who has it by time":    {"/crl/sslsrv-1.crl", []string{"If-Modified-Since", "Sun, 22 Nov 2026 01:00:00 GMT"}, 304},
		"who has an older one":  {"/crl/sslsrv-1.crl", []string{"If-None-Match", `"6"`}, 200},
		"of a server not there": {"/crl/sslsrv-2.crl", nil, 404},
		"of another form":       {"/crl/sslsrv-1.pem", nil, 404},
		"of nothing":            {"/crl/.crl", nil, 404},
	} {
		if got := get(c.path, c.header...).Code; got != c.want {
			t.Errorf("%s: got %d, want %d", what, got, c.want)
		}
	}
	refused := 0
	for range 100 {
		if get("/crl/sslsrv-1.crl").Code == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused == 0 {
		t.Error("one source may ask without end")
	}
}
