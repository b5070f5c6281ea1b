package aliyun

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
)

func newRequest(t *testing.T, url string, change func(*http.Request)) *http.Response {
	t.Helper()
	r, err := http.NewRequest("POST", url, strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	change(r)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

func TestUnsignedCallsAreRefusedAndNotRecorded(t *testing.T) {
	t.Parallel()
	s, server := start(t)
	cases := map[string]func(*http.Request){
		"MissingAuthorization": func(*http.Request) {},
		"InvalidAccessKeyId.NotFound": func(r *http.Request) {
			r.Header.Set("Authorization", "ACS3-HMAC-SHA256 Credential=other,SignedHeaders=host,Signature=00")
		},
		"SignatureDoesNotMatch": func(r *http.Request) {
			r.Header.Set("Authorization", "ACS3-HMAC-SHA256 Credential=k,SignedHeaders=host,Signature=00")
		},
	}
	for want, change := range cases {
		resp := newRequest(t, server.URL, change)
		var a struct{ Code string }
		if err := json.NewDecoder(resp.Body).Decode(&a); err != nil || a.Code != want || resp.StatusCode != http.StatusBadRequest {
			t.Errorf("got %d %q, %v, want %s", resp.StatusCode, a.Code, err, want)
		}
	}
	if n := len(s.Calls()); n != 0 {
		t.Errorf("%d calls recorded", n)
	}
}

func TestANonceServesOnceAndADateWithinTheSkew(t *testing.T) {
	t.Parallel()
	s, _ := start(t)
	call := func(date, nonce string) string {
		r := httptest.NewRequest("POST", "/", nil)
		r.Header.Set("x-acs-date", date)
		r.Header.Set("x-acs-signature-nonce", nonce)
		return s.fresh(r)
	}
	for _, c := range []struct{ date, nonce, want string }{
		{"2026-11-22T02:00:00Z", "aaaaaaaaaaaaaaaa", ""},
		{"2026-11-22T02:00:00Z", "aaaaaaaaaaaaaaaa", "SignatureNonceUsed"},
		{"2026-11-22T02:00:00Z", "short", "SignatureNonceUsed"},
		{"2026-11-22T02:15:01Z", "bbbbbbbbbbbbbbbb", "InvalidTimeStamp.Expired"},
		{"2026-11-22T01:44:59Z", "bbbbbbbbbbbbbbbb", "InvalidTimeStamp.Expired"},
		{"yesterday", "bbbbbbbbbbbbbbbb", "InvalidTimeStamp.Expired"},
		{"2026-11-22T02:15:00Z", "bbbbbbbbbbbbbbbb", ""},
	} {
		if got := call(c.date, c.nonce); got != c.want {
			t.Errorf("%s %s: got %q, want %q", c.date, c.nonce, got, c.want)
		}
	}
}

func TestFaultsAreSwitchedOverHTTPAndRunOut(t *testing.T) {
	t.Parallel()
	s, server := start(t)
	put := func(body string) int {
		r, err := http.NewRequest("PUT", server.URL+"/_control/faults", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	if got := put(`{"explode": true}`); got != http.StatusBadRequest {
		t.Errorf("an unknown fault: got %d", got)
	}
	if got := put(`{"throttle": true, "calls": 2}`); got != http.StatusOK {
		t.Fatalf("got %d", got)
	}
	for i, want := range []bool{true, true, false} {
		if got := s.take("").Throttle; got != want {
			t.Errorf("call %d: throttled %v, want %v", i, got, want)
		}
	}
}

func start(t *testing.T) (*Server, *httptest.Server) {
	t.Helper()
	s, err := New(Config{AccessKeyID: "k", AccessKeySecret: "s", Clock: clock.NewFake(time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC))})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, server
}
