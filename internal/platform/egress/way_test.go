package egress_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
)

// answers resolves a name to one list after the other, as a name server that
// rebinds does.
func answers(asked *atomic.Int64, lists ...[]string) egress.Lookup {
	return func(context.Context, string, string) ([]netip.Addr, error) {
		n := int(asked.Add(1)) - 1
		var all []netip.Addr
		for _, a := range lists[min(n, len(lists)-1)] {
			all = append(all, netip.MustParseAddr(a))
		}
		return all, nil
	}
}

// A name that leads inside, or to one address outside and one inside, is not
// dialled at all.
func TestANameThatLeadsInsideIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range [][]string{
		{"127.0.0.1"},
		{"10.0.0.1"},
		{"169.254.169.254"},
		{"::1"},
		{"fd00::1"},
		{"::ffff:192.168.0.1"},
		{"64:ff9b::a00:1"},
		{"223.5.5.5", "10.0.0.1"},
		{"127.0.0.1", "223.5.5.5"},
		{"2400:3200::1", "fe80::1"},
	} {
		registry, err := egress.Load("mainland", false, map[string]egress.Override{"idv.aliyun": {Endpoint: "https://idv.example.org"}})
		must(t, err)
		var asked atomic.Int64
		e := egress.New(egress.Deps{
			Registry: registry, Ledger: &register{}, Gate: &gate{}, Papers: papers{}, Clock: clock.NewFake(now), Lookup: answers(&asked, c),
		})
		p, err := e.Begin(ctx, idv())
		must(t, err)
		if _, err := form(p); !errors.Is(err, egress.ErrAddress) || p.OutcomeOf(err) != egress.Failed {
			t.Errorf("%v: got %v, want ErrAddress", c, err)
		}
	}
}

// What was held to the rules is what is dialled: a second answer of the name
// server, which leads elsewhere, is never asked for.
func TestANameIsResolvedOnceForAConnection(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	registry, err := egress.Load("mainland", true, map[string]egress.Override{
		"idv.aliyun": {Endpoint: strings.Replace(server.URL, "127.0.0.1", "idv.example.org", 1)},
	})
	must(t, err)
	var asked atomic.Int64
	e := egress.New(egress.Deps{
		Registry: registry, Ledger: &register{}, Gate: &gate{}, Papers: papers{}, Clock: clock.NewFake(now),
		Lookup: answers(&asked, []string{"127.0.0.1"}, []string{"192.0.2.1"}),
	})
	p, err := e.Begin(ctx, idv())
	must(t, err)
	resp, err := form(p)
	must(t, err)
	must(t, resp.Body.Close())
	if n := asked.Load(); n != 1 {
		t.Errorf("the name was resolved %d times for one connection", n)
	}
	if _, err := form(p); !errors.Is(err, egress.ErrAddress) {
		t.Errorf("after rebinding: got %v, want ErrAddress", err)
	}
}

// FuzzPayloads sends any body as any registered operation: what comes through
// has none but the operation's parameters, and no more than it may be long.
func FuzzPayloads(f *testing.F) {
	var sent atomic.Pointer[http.Request]
	r := newRig(f, func(_ http.ResponseWriter, req *http.Request) {
		if err := req.ParseForm(); err != nil {
			f.Errorf("what came through is no form: %v", err)
		}
		if text := req.Form.Get("biz_content"); text != "" {
			req.Form.Del("biz_content")
			leaves(req.Form, "", []byte(text))
		}
		if req.Header.Get("Content-Type") == jsonType {
			raw, err := io.ReadAll(req.Body)
			if err != nil {
				f.Error(err)
			}
			if len(raw) > 0 {
				leaves(req.Form, "", raw)
			}
		}
		sent.Store(req)
	})
	registry, err := egress.Load("mainland", true, nil)
	must(f, err)
	type op struct {
		call    egress.Call
		method  string
		kind    string
		allowed []string
	}
	var ops []op
	for _, x := range registry.Recipients() {
		for _, o := range x.Ops {
			if o.Browser || o.Mail || o.Collect {
				continue
			}
			kind := formType
			if o.JSON {
				kind = jsonType
			}
			allowed := slices.Concat(o.Fields, o.Technical)
			for wire := range o.Wire {
				allowed = append(allowed, wire) // the registered name may stand for it too
			}
			ops = append(ops, op{egress.Call{Recipient: x.ID, Op: o.Op, Subject: "sub_a", Purpose: o.Purposes[0], Fields: o.Fields}, o.Methods[0], kind, allowed})
		}
	}
	if len(ops) != 15 {
		f.Fatalf("%d operations that are dialled; seed the new ones", len(ops))
	}
	for i, body := range []string{
		"UserName=a&IdentifyNum=b&ParamType=sm2", "act=order&out_trade_no=S1&money=1.00", "act=refund&refund_no=1&out_trade_no=S1", "card_no=6222",
		"UserName=a;IdentifyNum=b", "%55serName=a", "UserName", "=a", "", "&&", "UserName=" + strings.Repeat("a", 70000), "order_no=1&out_trade_no=2", "{}",
		`biz_content={"out_trade_no":"S1","buyer_id":"2088"}`, `biz_content=1`, `biz_content={"out_trade_no":"S1"}&biz_content={"a":{"b":1}}`,
		`{"out_trade_no":"S1","amount":{"total":1,"currency":"CNY"}}`, `{"payer":{"openid":"o"}}`, `{"amount":{"total":[1]}}`, `{"mchid":null}`,
		`{"amount.total":1}`, `{"scene_info":{"payer_client_ip":"198.51.100.1"}}`, `PhoneNumbers=13800000000&TemplateParam={"code":"1"}&OutId=msg_1`, "PhoneNumber=1&email=a",
	} {
		f.Add(uint8(i), body)
	}
	f.Fuzz(func(t *testing.T, which uint8, body string) {
		o := ops[int(which)%len(ops)]
		p, err := r.e.Begin(ctx, o.call)
		must(t, err)
		sent.Store(nil)
		req, err := http.NewRequest(o.method, p.URL("S1"), strings.NewReader(body))
		must(t, err)
		req.Header.Set("Content-Type", o.kind)
		resp, err := p.Client().Do(req)
		got := sent.Load()
		if err != nil {
			if got != nil {
				t.Errorf("%s: %q was refused with %v after it left", o.call.Op, body, err)
			}
			return
		}
		_ = resp.Body.Close()
		if len(body) > 64<<10 {
			t.Errorf("%d bytes came through", len(body))
		}
		for name := range got.Form {
			if !slices.Contains(o.allowed, name) {
				t.Errorf("%s: parameter %q came through", o.call.Op, name)
			}
		}
		if got.URL.RawQuery != "" {
			t.Errorf("the address has %q", got.URL.RawQuery)
		}
	})
}

const jsonType = "application/json"

// leaves adds the names of what a JSON object holds.
func leaves(to url.Values, prefix string, text []byte) {
	var object map[string]any
	if json.Unmarshal(text, &object) != nil {
		to.Set("not an object", "")
	}
	var walk func(prefix string, v any)
	walk = func(prefix string, v any) {
		inner, ok := v.(map[string]any)
		if !ok {
			to.Set(prefix, "")
		}
		for n, v := range inner {
			walk(prefix+"."+n, v)
		}
	}
	for n, v := range object {
		walk(prefix+n, v)
	}
}

// FuzzCalls names any recipient, operation and field: nothing is recorded, hence
// nothing sent, but what is registered.
func FuzzCalls(f *testing.F) {
	r := newRig(f, func(http.ResponseWriter, *http.Request) {})
	f.Add("idv.aliyun", "Id2MetaVerify", "UserName")
	f.Add("idv.aliyun", "Id2MetaVerify", "Mobile")
	f.Add("idv.aliyun", "query", "UserName")
	f.Add("pay.epay", "query", "order_no")
	f.Add("tracker", "collect", "email")
	f.Add("", "", "")
	registered := map[string]bool{}
	registry, err := egress.Load("mainland", true, nil)
	must(f, err)
	for _, x := range registry.Recipients() {
		for _, o := range x.Ops {
			for _, n := range slices.Concat(o.Fields, o.Technical) {
				registered[url.QueryEscape(x.ID)+" "+url.QueryEscape(o.Op)+" "+url.QueryEscape(n)] = true
			}
		}
	}
	f.Fuzz(func(t *testing.T, recipient, op, field string) {
		_, err := r.e.Begin(ctx, egress.Call{Recipient: recipient, Op: op, Subject: "sub_a", Fields: []string{field}})
		known := registered[url.QueryEscape(recipient)+" "+url.QueryEscape(op)+" "+url.QueryEscape(field)]
		if err == nil && !known {
			t.Errorf("%q %q %q was let through", recipient, op, field)
		}
		if err != nil && known && !errors.Is(err, egress.ErrSetting) && !errors.Is(err, egress.ErrUnknown) {
			t.Errorf("%q %q %q: %v", recipient, op, field, err)
		}
	})
}
