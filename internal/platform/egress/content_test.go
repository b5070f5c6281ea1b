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

// Payment protocols put JSON into bodies and parameters, and numbers and a few
// parameters into addresses.
func TestJSONAndAddressesSayWhatTheirCallDeclared(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(http.ResponseWriter, *http.Request) {})
	call := func(to, op string, fields ...string) egress.Call {
		return egress.Call{Recipient: to, Op: op, Subject: "sub_a", Fields: fields}
	}
	native := call("pay.wechatpay", "native", "order_no", "amount")
	query := call("pay.wechatpay", "query", "order_no")
	alipay := call("pay.alipay", "query", "order_no")
	const number = "/v3/pay/transactions/out-trade-no/"
	for _, c := range []struct {
		name, method, path, kind, body string
		call                           egress.Call
		want                           error
	}{
		{"an order", "POST", "/v3/pay/transactions/native", "application/json", `{"appid":"a","mchid":"m","out_trade_no":"S1","amount":{"total":1,"currency":"CNY"}}`, native, nil},
		{"with a person", "POST", "/v3/pay/transactions/native", "application/json", `{"out_trade_no":"S1","payer":{"openid":"o"}}`, native, egress.ErrUnknown},
		{"with an address of a person", "POST", "/v3/pay/transactions/native", "application/json", `{"scene_info":{"payer_client_ip":"198.51.100.1"}}`, native, egress.ErrUnknown},
		{"a list", "POST", "/v3/pay/transactions/native", "application/json", `{"out_trade_no":["S1"]}`, native, egress.ErrUnknown},
		{"a form for JSON", "POST", "/v3/pay/transactions/native", formType, `out_trade_no=S1`, native, egress.ErrUnknown},
		{"a question", "GET", number + "S1?mchid=1", "", "", query, nil},
		{"a question with more", "GET", number + "S1?mchid=1&openid=o", "", "", query, egress.ErrEndpoint},
		{"a question twice", "GET", number + "S1?mchid=1&mchid=2", "", "", query, egress.ErrEndpoint},
		{"another path", "GET", number + "S1/close?mchid=1", "", "", query, egress.ErrEndpoint},
		{"a path out", "GET", number + "..?mchid=1", "", "", query, egress.ErrEndpoint},
		{"an escaped path", "GET", number + "S1%2Fclose?mchid=1", "", "", query, egress.ErrEndpoint},
		{"no number", "GET", number + "?mchid=1", "", "", query, egress.ErrEndpoint},
		{"inner parameters", "POST", "/gateway.do?charset=utf-8", formType, "app_id=1&biz_content=" + url.QueryEscape(`{"out_trade_no":"S1"}`), alipay, nil},
		{"more inside", "POST", "/gateway.do?charset=utf-8", formType, "app_id=1&biz_content=" + url.QueryEscape(`{"out_trade_no":"S1","buyer_logon_id":"a"}`), alipay, egress.ErrUnknown},
		{"what was not declared inside", "POST", "/gateway.do", formType, "biz_content=" + url.QueryEscape(`{"out_trade_no":"S1","total_amount":"1.00"}`), alipay, egress.ErrUnknown},
		{"inside is no object", "POST", "/gateway.do", formType, "biz_content=1", alipay, egress.ErrUnknown},
	} {
		*r.hits = 0
		p, err := r.e.Begin(ctx, c.call)
		must(t, err)
		u, err := url.Parse(p.URL())
		must(t, err)
		req, err := http.NewRequestWithContext(ctx, c.method, u.Scheme+"://"+u.Host+c.path, strings.NewReader(c.body))
		must(t, err)
		if c.kind != "" {
			req.Header.Set("Content-Type", c.kind)
		}
		resp, err := p.Client().Do(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		if !errors.Is(err, c.want) || (*r.hits == 1) != (c.want == nil) {
			t.Errorf("%s: got %v and %d requests, want %v", c.name, err, *r.hits, c.want)
		}
	}
}

// What sends nothing of a person needs nobody's consent and no entry in the
// register; what does cannot be had that way.
func TestBillsAreFetchedWithoutAPerson(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(http.ResponseWriter, *http.Request) {})
	p, err := r.e.Collect("pay.wechatpay", "bill")
	must(t, err)
	resp, err := p.Client().Get(p.URL() + "?bill_date=2026-11-21&bill_type=ALL")
	must(t, err)
	must(t, resp.Body.Close())
	if _, err := p.Client().Get(p.URL() + "?out_trade_no=S1"); !errors.Is(err, egress.ErrEndpoint) {
		t.Errorf("a person's number: got %v", err)
	}
	if len(r.log.intents) != 0 || *r.hits != 1 {
		t.Errorf("%d intents, %d requests", len(r.log.intents), *r.hits)
	}
	if _, err := r.e.Collect("pay.wechatpay", "query"); !errors.Is(err, egress.ErrUnknown) {
		t.Errorf("a question without a person: got %v", err)
	}
}
