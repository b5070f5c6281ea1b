package epay

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

const specKey = "89unJUB8HZ54Hj7x4nUj56HN4nUzUJ8i"

var specParams = map[string]string{
	"money": "1.00", "name": "VIP会员", "notify_url": "http://www.pay.com/notify_url.php",
	"out_trade_no": "20160806151343349", "pid": "1001", "return_url": "http://www.pay.com/return_url.php", "type": "alipay",
}

func TestTheVectorOfTheSpecification(t *testing.T) {
	t.Parallel()
	if got, want := sign(specParams, specKey, Plain), "427724b6656aa612cfdbe7a2262036a3"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	more := maps.Clone(specParams)
	more["sign"], more["sign_type"], more["param"] = "x", "MD5", "" // take no part
	if sign(more, specKey, Plain) != sign(specParams, specKey, Plain) {
		t.Error("sign, sign_type or an empty value takes part")
	}
	if sign(specParams, specKey, AmpKey) == sign(specParams, specKey, Plain) {
		t.Error("both key modes sign alike")
	}
	if sign(specParams, "x", AmpKey) != sign(specParams, "&key=x", Plain) {
		t.Error("amp_key is not text + &key= + key")
	}
}

func gateway(t *testing.T, change ...func(*Dialect)) *Gateway {
	t.Helper()
	d := Dialect{PID: "1001", Key: specKey}
	for _, c := range change {
		c(&d)
	}
	g, err := New(d, Recipient, nil)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// notified is a good notice; signed again after change.
func notified(change func(map[string]string)) map[string]string {
	p := map[string]string{
		"pid": "1001", "trade_no": "T1", "out_trade_no": "S261122100000abc", "type": "alipay", "name": "A+B 50%",
		"money": "199.00", "trade_status": "TRADE_SUCCESS",
	}
	if change != nil {
		change(p)
	}
	p["sign"] = sign(p, specKey, Plain)
	if _, ok := p["sign_type"]; !ok {
		p["sign_type"] = "MD5"
	}
	return p
}

func query(p map[string]string) payment.RawRequest {
	v := url.Values{}
	for k, s := range p {
		v.Set(k, s)
	}
	return payment.RawRequest{Method: http.MethodGet, Query: v.Encode()}
}

func TestAGoodNotice(t *testing.T) {
	t.Parallel()
	want := payment.Notice{AttemptNo: "S261122100000abc", Fact: payment.Fact{
		AttemptNo: "S261122100000abc", TradeNo: "T1", MerchantID: "1001",
		Amount: money.New(19900, money.CNY), State: payment.FactPaid, DedupeKey: "T1|TRADE_SUCCESS",
	}}
	for name, p := range map[string]map[string]string{
		"plain":                notified(nil),
		"no sign type":         notified(func(p map[string]string) { p["sign_type"] = "" }),
		"amount without fen":   notified(func(p map[string]string) { p["money"] = "199" }),
		"an unknown parameter": notified(func(p map[string]string) { p["card_no"] = "6222000000000000" }),
	} {
		got, err := gateway(t).ParseNotify(query(p))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	upper := notified(nil)
	upper["sign"] = strings.ToUpper(upper["sign"])
	if _, err := gateway(t).ParseNotify(query(upper)); err != nil {
		t.Errorf("an upper-case signature: %v", err)
	}
}

func TestANoticeThatIsNotTheProvidersIsRefused(t *testing.T) {
	t.Parallel()
	g := gateway(t)
	good := notified(nil)
	for name := range good {
		if name == "sign_type" {
			continue
		}
		for _, change := range []func(string) string{func(s string) string { return s + "0" }, func(string) string { return "" }} {
			p := maps.Clone(good)
			p[name] = change(p[name])
			if _, err := g.ParseNotify(query(p)); !errors.Is(err, payment.ErrBadSignature) {
				t.Errorf("%s changed to %q: got %v, want ErrBadSignature", name, p[name], err)
			}
		}
	}
	other := notified(func(p map[string]string) { p["sign_type"] = "RSA" })
	if _, err := g.ParseNotify(query(other)); !errors.Is(err, payment.ErrBadSignature) {
		t.Errorf("another sign type: got %v, want ErrBadSignature", err)
	}
	amp := gateway(t, func(d *Dialect) { d.KeyMode = AmpKey })
	if _, err := amp.ParseNotify(query(good)); !errors.Is(err, payment.ErrBadSignature) {
		t.Errorf("the other key mode: got %v, want ErrBadSignature", err)
	}
}

func TestAWellSignedNoticeThatCannotBeReadNamesItsAttempt(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(map[string]string){
		"three decimals": func(p map[string]string) { p["money"] = "1.000" },
		"a sign":         func(p map[string]string) { p["money"] = "-1.00" },
		"nothing":        func(p map[string]string) { p["money"] = "0.00" },
		"no money":       func(p map[string]string) { delete(p, "money") },
		"no trade":       func(p map[string]string) { delete(p, "trade_no") },
		"no pid":         func(p map[string]string) { delete(p, "pid") },
		"a long trade":   func(p map[string]string) { p["trade_no"] = strings.Repeat("9", 65) },
		"a line break":   func(p map[string]string) { p["trade_no"] = "T1\nX" },
		"no status":      func(p map[string]string) { delete(p, "trade_status") },
	} {
		n, err := gateway(t).ParseNotify(query(notified(change)))
		if !errors.Is(err, payment.ErrMalformed) || n.AttemptNo != "S261122100000abc" {
			t.Errorf("%s: got %q, %v, want the attempt and ErrMalformed", name, n.AttemptNo, err)
		}
	}
}

func TestOnlyTradeSuccessMeansPaid(t *testing.T) {
	t.Parallel()
	for _, status := range []string{"TRADE_CLOSED", "WAIT_BUYER_PAY", "trade_success", "TRADE_SUCCESS2"} {
		n, err := gateway(t).ParseNotify(query(notified(func(p map[string]string) { p["trade_status"] = status })))
		if err != nil || n.Fact.State != payment.FactUnknown || n.Fact.DedupeKey != "T1|"+status {
			t.Errorf("%s: got %+v, %v, want unknown", status, n.Fact, err)
		}
	}
}

func TestWhereANoticeMayStand(t *testing.T) {
	t.Parallel()
	get := query(notified(nil))
	post := payment.RawRequest{Method: http.MethodPost, ContentType: "application/x-www-form-urlencoded", Body: []byte(get.Query)}
	split := post
	half := strings.Index(get.Query, "&out_trade_no")
	split.Query, split.Body = get.Query[:half], []byte(get.Query[half+1:])
	twice, both, text, broken := get, post, post, get
	twice.Query += "&pid=1001"
	both.Query = get.Query
	text.ContentType = "text/plain"
	broken.Query += "&x=%zz"
	cases := []struct {
		name   string
		method NotifyMethod
		raw    payment.RawRequest
		ok     bool
	}{
		{"get", NotifyGet, get, true},
		{"post where get is agreed", NotifyGet, post, false},
		{"post", NotifyPost, post, true},
		{"get where post is agreed", NotifyPost, get, false},
		{"get of both", NotifyBoth, get, true},
		{"post of both", NotifyBoth, post, true},
		{"merged", NotifyBoth, split, true},
		{"everything twice", NotifyBoth, both, false},
		{"one parameter twice", NotifyGet, twice, false},
		{"not a form", NotifyPost, text, false},
		{"broken encoding", NotifyGet, broken, false},
		{"nothing", NotifyGet, payment.RawRequest{Method: http.MethodGet}, false},
	}
	for _, c := range cases {
		_, err := gateway(t, func(d *Dialect) { d.NotifyMethod = c.method }).ParseNotify(c.raw)
		if (err == nil) != c.ok {
			t.Errorf("%s: got %v, want ok %v", c.name, err, c.ok)
		}
	}
}

func TestAcknowledgement(t *testing.T) {
	t.Parallel()
	g := gateway(t)
	if a := g.Ack(nil); a.Status != 200 || a.Body != "success" || !strings.HasPrefix(a.ContentType, "text/plain") {
		t.Errorf("success: got %+v", a)
	}
	for err, status := range map[error]int{payment.ErrBadSignature: 400, payment.ErrMalformed: 400, errors.New("database is away"): 500} {
		if a := g.Ack(err); a.Status != status || a.Body != "fail" {
			t.Errorf("%v: got %+v, want %d fail", err, a, status)
		}
	}
}

func TestSubjects(t *testing.T) {
	t.Parallel()
	long := subject(strings.Repeat("云", 100))
	if len(long) > 127 || len(long) < 125 || !utf8.ValidString(long) {
		t.Errorf("got %d bytes, valid %v", len(long), utf8.ValidString(long))
	}
	if got := subject("a\r\nb\x00c\xff"); got != "abc" {
		t.Errorf("got %q", got)
	}
}

func TestAnswersToQuestions(t *testing.T) {
	t.Parallel()
	g, ref := gateway(t), payment.AttemptRef{AttemptNo: "S1", Amount: money.New(100, money.CNY)}
	base := map[string]any{
		"code": 1, "out_trade_no": "S1", "trade_no": "T1", "pid": 1001, "money": "1.00", "status": 1,
		"endtime": "2026-11-22 18:00:00", "buyer": "someone@example.com",
	}
	cases := []struct {
		name   string
		change map[string]any
		state  payment.FactState
		want   error
	}{
		{"paid", nil, payment.FactPaid, nil},
		{"as strings", map[string]any{"code": "1", "status": "1", "pid": "1001"}, payment.FactPaid, nil},
		{"money as a number", map[string]any{"money": 1}, payment.FactPaid, nil},
		{"unpaid", map[string]any{"status": 0}, payment.FactPending, nil},
		{"a status of its own", map[string]any{"status": 7}, payment.FactUnknown, nil},
		{"not there", map[string]any{"code": -1}, "", payment.ErrTradeNotFound},
		{"no code", map[string]any{"code": nil}, "", payment.ErrTradeNotFound},
		{"another number", map[string]any{"out_trade_no": "S2"}, "", payment.ErrTemporary},
		{"bad money", map[string]any{"money": "1.234"}, "", payment.ErrTemporary},
		{"paid without a trade", map[string]any{"trade_no": ""}, "", payment.ErrTemporary},
		{"an object", map[string]any{"code": map[string]any{}}, "", payment.ErrTemporary},
	}
	for _, c := range cases {
		m := maps.Clone(base)
		maps.Copy(m, c.change)
		body, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		f, err := g.readAnswer(body, ref)
		if !errors.Is(err, c.want) || f.State != c.state {
			t.Errorf("%s: got %q, %v, want %q, %v", c.name, f.State, err, c.state, c.want)
		}
		if c.state == payment.FactPaid && (f.Amount.Minor != 100 || f.DedupeKey != "T1|TRADE_SUCCESS" || f.PaidAt.Hour() != 10 || f.MerchantID != "1001") {
			t.Errorf("%s: got %+v", c.name, f)
		}
	}
	if _, err := g.readAnswer([]byte("<html>"), ref); !errors.Is(err, payment.ErrTemporary) {
		t.Errorf("a page: got %v", err)
	}
}

func TestADialectIsChecked(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]Dialect{
		"no pid": {Key: specKey}, "short key": {PID: "1", Key: "short"}, "key mode": {PID: "1", Key: specKey, KeyMode: "x"},
		"notify method": {PID: "1", Key: specKey, NotifyMethod: "PUT"},
	} {
		if _, err := New(d, Recipient, nil); err == nil {
			t.Errorf("%s: accepted", name)
		} else if strings.Contains(err.Error(), specKey) {
			t.Errorf("%s: the error holds the key", name)
		}
	}
}

type shut struct{}

func (shut) Begin(context.Context, egress.Call) (*egress.Permit, error) { return nil, egress.ErrLedger }

func (shut) Collect(string, string) (*egress.Permit, error) { return nil, egress.ErrLedger }

func TestNothingIsHandedOutWithoutARecord(t *testing.T) {
	t.Parallel()
	g, err := New(Dialect{PID: "1001", Key: specKey}, Recipient, shut{})
	if err != nil {
		t.Fatal(err)
	}
	in, err := g.Create(context.Background(), payment.CreateRequest{AttemptNo: "S1", Amount: money.New(1, money.CNY), Title: "x"})
	if !errors.Is(err, egress.ErrLedger) || in.URL != "" || in.Fields != nil {
		t.Errorf("got %+v, %v, want nothing", in, err)
	}
	if _, err := g.Query(context.Background(), payment.AttemptRef{AttemptNo: "S1"}); !errors.Is(err, egress.ErrLedger) {
		t.Errorf("query: got %v", err)
	}
	if _, err := g.Refund(context.Background(), payment.RefundRequest{AttemptNo: "S1", Amount: money.New(1, money.CNY)}); !errors.Is(err, egress.ErrLedger) {
		t.Errorf("refund: got %v", err)
	}
	if _, err := g.Create(context.Background(), payment.CreateRequest{AttemptNo: "S1", Amount: money.New(1, money.USD)}); !errors.Is(err, payment.ErrUnsupported) {
		t.Errorf("dollars: got %v, want ErrUnsupported", err)
	}
}

// What verifies was signed: any change of a byte of a good notice that still
// verifies must mean the same.
func FuzzParseNotify(f *testing.F) {
	g, err := New(Dialect{PID: "1001", Key: specKey, NotifyMethod: NotifyBoth}, Recipient, nil)
	if err != nil {
		f.Fatal(err)
	}
	good := query(notified(nil)).Query
	f.Add(good, "")
	f.Add("", good)
	f.Add(strings.Replace(good, "199.00", "0.01", 1), "")
	want, err := g.ParseNotify(payment.RawRequest{Method: http.MethodGet, Query: good})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, q, body string) {
		n, err := g.ParseNotify(payment.RawRequest{Method: http.MethodPost, Query: q, ContentType: "application/x-www-form-urlencoded", Body: []byte(body)})
		if err == nil && n != want {
			t.Errorf("a notice that nobody signed: %+v", n)
		}
	})
}

func FuzzBillRow(f *testing.F) {
	f.Add(`{"trade_no":"T1","out_trade_no":"S1","money":"1.00","status":"1","endtime":"2026-11-22 10:00:00"}`)
	f.Add(`{"trade_no":7,"money":-1e99,"status":1,"endtime":"2026-11-22"}`)
	f.Fuzz(func(t *testing.T, text string) {
		var a answer
		if json.Unmarshal([]byte(text), &a) != nil {
			return
		}
		if r, ok, err := a.row("2026-11-22"); err == nil && ok && (r.Amount.Minor <= 0 || r.TradeNo == "" || r.Fee.Minor != 0) {
			t.Errorf("got %+v", r)
		}
	})
}
