package egress_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
)

const formType = "application/x-www-form-urlencoded"

// Mutant LT-3a lets any parameter through.
func TestARequestSaysWhatItsCallDeclared(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(http.ResponseWriter, *http.Request) {})
	query := egress.Call{Recipient: "pay.epay", Op: "query", Subject: "sub_a", Fields: []string{"order_no"}}
	for _, c := range []struct {
		name string
		call egress.Call
		body string
		kind string
		want error
	}{
		{"all of it", idv(), "UserName=a&IdentifyNum=b&ParamType=sm2", formType, nil},
		{"another key", idv(), "UserName=a&IdentifyNum=b&ParamType=sm2&Mobile=c", formType, egress.ErrUnknown},
		{"a key twice", idv(), "UserName=a&UserName=b", formType, nil},
		{"JSON", idv(), `{"UserName":"a"}`, "application/json", egress.ErrUnknown},
		{"a form that is none", idv(), "UserName=%zz", formType, egress.ErrUnknown},
		{"too long", idv(), "UserName=" + strings.Repeat("a", 64<<10), formType, egress.ErrUnknown},
		{"the protocol's name", query, "act=order&out_trade_no=S1", formType, nil},
		{"a field that the registry allows and the call did not declare", query, "out_trade_no=S1&money=1.00", formType, egress.ErrUnknown},
		{"a card", query, "out_trade_no=S1&card_no=6222", formType, egress.ErrUnknown},
		{"nothing", query, "", "", nil},
	} {
		*r.hits = 0
		p, err := r.e.Begin(ctx, c.call)
		must(t, err)
		var body io.Reader
		if c.body != "" {
			body = strings.NewReader(c.body)
		}
		resp, err := p.Client().Post(p.URL(), c.kind, body)
		if err == nil {
			_ = resp.Body.Close()
		}
		if !errors.Is(err, c.want) || (*r.hits == 1) != (c.want == nil) {
			t.Errorf("%s: got %v and %d requests, want %v", c.name, err, *r.hits, c.want)
		}
	}
}

func TestNothingIsSaidInAddressesAndHeaders(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(http.ResponseWriter, *http.Request) {})
	p, err := r.e.Begin(ctx, idv())
	must(t, err)
	for name, change := range map[string]func(*http.Request){
		"query":            func(r *http.Request) { r.URL.RawQuery = "UserName=a" },
		"user in address":  func(r *http.Request) { r.URL.User = url.User("a") },
		"header":           func(r *http.Request) { r.Header.Set("X-User-Name", "a") },
		"cookie":           func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "a", Value: "b"}) },
		"referrer":         func(r *http.Request) { r.Header.Set("Referer", "https://console.example.org/people/a") },
		"header of others": func(r *http.Request) { r.Header["x-acs-action"] = []string{"a"} },
	} {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL(), nil)
		must(t, err)
		change(req)
		if _, err := p.Client().Do(req); !errors.Is(err, egress.ErrEndpoint) {
			t.Errorf("%s: got %v, want ErrEndpoint", name, err)
		}
	}
	if *r.hits != 0 {
		t.Errorf("%d requests came through", *r.hits)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL(), nil)
	must(t, err)
	req.Header.Set("x-acs-action", "Id2MetaVerify")
	resp, err := p.Client().Do(req)
	must(t, err)
	must(t, resp.Body.Close())
}

// The browser's form is held to the same names.
func FuzzNamesOfAForm(f *testing.F) {
	for _, n := range []string{"order_no", "out_trade_no", "money", "amount", "name", "sign_type", "card_no", "", "Order_No", "userid"} {
		f.Add(n)
	}
	allowed := strings.Fields("order_no out_trade_no money amount name subject pid type notify_url return_url timestamp sign sign_type")
	r := newRig(f, func(http.ResponseWriter, *http.Request) {})
	p, err := r.e.Begin(ctx, egress.Call{Recipient: "pay.epay", Op: "submit", Subject: "sub_a", Fields: []string{"order_no", "amount"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name string) {
		want := false
		for _, a := range allowed {
			want = want || a == name
		}
		if got := p.Names(name) == nil; got != want {
			t.Errorf("%q: got %v, want %v", name, got, want)
		}
	})
}
