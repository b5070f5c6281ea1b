package alipay

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
	"github.com/skybridge-cloud/skybridge/internal/provider/rsasign"
)

var now = time.Date(2014, 7, 23, 19, 20, 33, 0, time.UTC)

var pair = sync.OnceValue(func() [2]*rsa.PrivateKey {
	var all [2]*rsa.PrivateKey
	for i := range all {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		all[i] = key
	}
	return all
})

func encoded(key *rsa.PrivateKey) string {
	return base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PrivateKey(key))
}

func config() Config {
	der := x509.MarshalPKCS1PublicKey(&pair()[1].PublicKey)
	return Config{AppID: "2014072300007148", SellerID: "2088102146225135", PrivateKey: encoded(pair()[0]), PublicKey: base64.StdEncoding.EncodeToString(der)}
}

type shut struct{}

func (shut) Begin(context.Context, egress.Call) (*egress.Permit, error) {
	return nil, egress.ErrLedger
}

func (shut) Collect(string, string) (*egress.Permit, error) { return nil, egress.ErrLedger }

func newGateway(t testing.TB) *Gateway {
	t.Helper()
	g, err := New(config(), clock.NewFake(now), shut{})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// The name of Alipay's public roots is known from everybody's requests.
func TestTheNameOfAlipaysRoots(t *testing.T) {
	t.Parallel()
	bundle, err := os.ReadFile("testdata/roots.pem")
	if err != nil {
		t.Fatal(err)
	}
	const want = "687b59193f3f462dd5336e5abf83c5d8_02941eef3187dddf3d3b83462e1dfcf6"
	if got, err := rootSerial(string(bundle)); err != nil || got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

// The text that is signed: sorted, raw, without empty values, with sign_type in
// requests and without it in notices (the platform's documentation of signatures).
func TestTheTextThatIsSigned(t *testing.T) {
	t.Parallel()
	p := map[string]string{
		"app_id": "2014072300007148", "method": "alipay.mobile.public.menu.add", "charset": "GBK", "sign_type": "RSA2", "timestamp": "2014-07-24 03:07:50",
		"biz_content": `{"button":[{"actionParam":"ZFB_HFCZ","name":"话费充值"}]}`, "version": "1.0", "sign": "x", "empty": "",
	}
	const want = `app_id=2014072300007148&biz_content={"button":[{"actionParam":"ZFB_HFCZ","name":"话费充值"}]}&charset=GBK` +
		`&method=alipay.mobile.public.menu.add&sign_type=RSA2&timestamp=2014-07-24 03:07:50&version=1.0`
	if got := string(text(p, "sign")); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := string(text(p, "sign", "sign_type")); strings.Contains(got, "sign_type") {
		t.Errorf("of a notice: %s", got)
	}
	g := newGateway(t)
	signed, err := g.params("alipay.trade.query", map[string]string{"out_trade_no": "S1"}, nil)
	if err != nil || signed["timestamp"] != "2014-07-24 03:20:33" || !rsasign.Verify(&pair()[0].PublicKey, text(signed, "sign"), signed["sign"]) {
		t.Errorf("got %v, %v", signed, err)
	}
	signed["app_id"] += "1"
	if rsasign.Verify(&pair()[0].PublicKey, text(signed, "sign"), signed["sign"]) {
		t.Error("a changed text verifies")
	}
}

// Answers are verified over the bytes of their member as they came: spaces,
// order and escapes included.
func TestAnswersAreVerifiedAsTheyCame(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	const member = "alipay_trade_query_response"
	raw := `{"code":"10000" , "msg":"Success","subject":"\u4f1a\u5458\/1","out_trade_no":"S1"}`
	signature, err := rsasign.Sign(pair()[1], []byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		body string
		good bool
	}{
		"as documented":          {`{"` + member + `":` + raw + `,"sign":"` + signature + `"}`, true},
		"sign first":             {`{"sign":"` + signature + `","` + member + `":` + raw + `}`, true},
		"a changed space":        {`{"` + member + `":` + strings.Replace(raw, " , ", ",", 1) + `,"sign":"` + signature + `"}`, false},
		"another member":         {`{"alipay_trade_close_response":` + raw + `,"sign":"` + signature + `"}`, false},
		"a member twice":         {`{"` + member + `":{"code":"10000"},"` + member + `":` + raw + `,"sign":"` + signature + `"}`, false},
		"no signature":           {`{"` + member + `":` + raw + `}`, false},
		"an error of nobody":     {`{"error_response":{"code":"40002"}}`, false},
		"an unknown certificate": {`{"` + member + `":` + raw + `,"alipay_cert_sn":"0","sign":"` + signature + `"}`, false},
		"our own signature":      {`{"` + member + `":` + raw + `,"sign":"` + own(t, raw) + `"}`, false},
		"nothing":                {``, false},
		"a list":                 {`[]`, false},
	} {
		got, err := g.verified([]byte(c.body), member)
		if c.good != (err == nil) || c.good && string(got) != raw {
			t.Errorf("%s: got %s, %v", name, got, err)
		}
		if !c.good && !errors.Is(err, payment.ErrUnknownOutcome) {
			t.Errorf("%s: got %v, want ErrUnknownOutcome", name, err)
		}
	}
}

func own(t testing.TB, raw string) string {
	t.Helper()
	s, err := rsasign.Sign(pair()[0], []byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCodesOfAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code, sub string
		want      error
	}{
		{"10000", "", nil},
		{"10003", "", payment.ErrUnknownOutcome},
		{"20000", "isp.unknow-error", payment.ErrUnknownOutcome},
		{"40004", "ACQ.SYSTEM_ERROR", payment.ErrUnknownOutcome},
		{"40004", "aop.ACQ.SYSTEM_ERROR", payment.ErrUnknownOutcome},
		{"40004", "ACQ.TRADE_NOT_EXIST", payment.ErrTradeNotFound},
		{"40004", "isp.bill_not_exist", payment.ErrTradeNotFound},
		{"40005", "", payment.ErrTemporary},
		{"40001", "isv.missing-app-id", payment.ErrDeclined},
		{"40002", "isv.invalid-signature", payment.ErrDeclined},
		{"40003", "isv.insufficient-isv-permissions", payment.ErrDeclined},
		{"40004", "ACQ.TRADE_HAS_FINISHED", payment.ErrDeclined},
		{"40006", "", payment.ErrDeclined},
		{"", "", payment.ErrDeclined},
	} {
		if got := classify(answer{Code: c.code, SubCode: c.sub}); !errors.Is(got, c.want) {
			t.Errorf("%s %s: got %v, want %v", c.code, c.sub, got, c.want)
		}
	}
	if got := classify(answer{Code: "40004", SubCode: "ACQ.X\nlevel=ERROR"}).Error(); strings.Contains(got, "level") {
		t.Errorf("a code that forges a line of the log: %q", got)
	}
}

// notified is a notice with the parameters of the platform's documentation.
func notified(change map[string]string) payment.RawRequest {
	p := map[string]string{
		"total_amount": "2.00", "buyer_id": "2088102116773037", "body": "大乐透2.1", "trade_no": "2016071921001003030200089909", "refund_fee": "0.00",
		"notify_time": "2016-07-19 14:10:49", "subject": "大乐透2.1", "charset": "utf-8", "notify_type": "trade_status_sync",
		"out_trade_no": "0719141034-6418", "gmt_close": "2016-07-19 14:10:46", "gmt_payment": "2016-07-19 14:10:47", "trade_status": "TRADE_SUCCESS",
		"version": "1.0", "gmt_create": "2016-07-19 14:10:44", "app_id": "2014072300007148", "seller_id": "2088102146225135",
		"notify_id": "4a91b7a78a503640467525113fb7d8bg8e", "empty": "",
	}
	for n, v := range change {
		p[n] = v
	}
	signature, err := rsasign.Sign(pair()[1], text(p, "sign", "sign_type", "alipay_cert_sn"))
	if err != nil {
		panic(err)
	}
	form := values(p)
	form.Set("sign", signature)
	if _, given := change["sign_type"]; !given {
		form.Set("sign_type", "RSA2")
	}
	return payment.RawRequest{Method: http.MethodPost, ContentType: "application/x-www-form-urlencoded; charset=utf-8", Body: []byte(form.Encode())}
}

func TestNotices(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	n, err := g.ParseNotify(notified(nil))
	want := payment.Fact{
		AttemptNo: "0719141034-6418", TradeNo: "2016071921001003030200089909", MerchantID: "2014072300007148/2088102146225135",
		Amount: money.New(200, money.CNY), State: payment.FactPaid, PaidAt: time.Date(2016, 7, 19, 6, 10, 47, 0, time.UTC),
		DedupeKey: "2016071921001003030200089909|TRADE_SUCCESS|",
	}
	if err != nil || n.Fact != want {
		t.Errorf("got %+v, %v", n.Fact, err)
	}
	for _, c := range []struct {
		name   string
		change map[string]string
		want   error
		state  payment.FactState
	}{
		{"finished", map[string]string{"trade_status": "TRADE_FINISHED"}, nil, payment.FactPaid},
		{"closed", map[string]string{"trade_status": "TRADE_CLOSED"}, nil, payment.FactClosed},
		{"waiting", map[string]string{"trade_status": "WAIT_BUYER_PAY"}, nil, payment.FactPending},
		{"a state of tomorrow", map[string]string{"trade_status": "TRADE_PENDING"}, nil, payment.FactUnknown},
		{"a parameter of tomorrow", map[string]string{"new": "a+b %&="}, nil, payment.FactPaid},
		{"RSA", map[string]string{"sign_type": "RSA"}, payment.ErrBadSignature, ""},
		{"no type", map[string]string{"sign_type": ""}, payment.ErrBadSignature, ""},
		{"an unknown certificate", map[string]string{"alipay_cert_sn": "0"}, payment.ErrUnknownKey, ""},
		{"no amount", map[string]string{"total_amount": ""}, payment.ErrMalformed, ""},
		{"an amount of three decimals", map[string]string{"total_amount": "2.001"}, payment.ErrMalformed, ""},
		{"nothing", map[string]string{"total_amount": "0.00"}, payment.ErrMalformed, ""},
		{"no seller", map[string]string{"seller_id": ""}, payment.ErrMalformed, ""},
		{"a seller with the application in it", map[string]string{"seller_id": "1/2"}, payment.ErrMalformed, ""},
		{"no trade", map[string]string{"trade_no": ""}, payment.ErrMalformed, ""},
		{"a long trade", map[string]string{"trade_no": strings.Repeat("1", 65)}, payment.ErrMalformed, ""},
		{"GBK", map[string]string{"charset": "GBK"}, payment.ErrMalformed, ""},
	} {
		n, err := g.ParseNotify(notified(c.change))
		if !errors.Is(err, c.want) || (c.want == nil) != (err == nil) || n.Fact.State != c.state {
			t.Errorf("%s: got %s, %v, want %s, %v", c.name, n.Fact.State, err, c.state, c.want)
		}
	}
	first, _ := g.ParseNotify(notified(nil))
	second, err := g.ParseNotify(notified(map[string]string{"gmt_refund": "2016-07-20 10:00:00.000", "refund_fee": "1.00"}))
	if err != nil || first.Fact.DedupeKey == second.Fact.DedupeKey || second.Fact.State != payment.FactPaid {
		t.Errorf("after a refund of a part: got %+v, %v", second.Fact, err)
	}
	for name, change := range map[string]func(*payment.RawRequest){
		"a GET":          func(r *payment.RawRequest) { r.Method = http.MethodGet },
		"a query":        func(r *payment.RawRequest) { r.Query = "total_amount=0.01" },
		"JSON":           func(r *payment.RawRequest) { r.ContentType = "application/json" },
		"twice the same": func(r *payment.RawRequest) { r.Body = append(r.Body, "&total_amount=2.00"...) },
		"no encoding":    func(r *payment.RawRequest) { r.Body = append(r.Body, "&a=%zz"...) },
	} {
		r := notified(nil)
		change(&r)
		if _, err := g.ParseNotify(r); !errors.Is(err, payment.ErrMalformed) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// What verifies was signed: no other bytes mean a payment.
func FuzzParseNotify(f *testing.F) {
	g := newGateway(f)
	good := notified(nil)
	want, err := g.ParseNotify(good)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(good.Body))
	f.Add(strings.Replace(string(good.Body), "2.00", "0.01", 1))
	f.Add(string(good.Body) + "&sign_type=RSA2")
	f.Add(string(good.Body) + "&empty=&alipay_cert_sn=")
	f.Add("sign=AAAA&sign_type=RSA2&out_trade_no=S1")
	f.Fuzz(func(t *testing.T, body string) {
		r := good
		r.Body = []byte(body)
		n, err := g.ParseNotify(r)
		if err == nil && n.Fact != want.Fact {
			t.Errorf("a notice that nobody signed: %+v", n)
		}
	})
}

// An answer that is believed is the one that was signed.
func FuzzAnswer(f *testing.F) {
	g := newGateway(f)
	const member, raw = "alipay_trade_query_response", `{"code":"10000","trade_status":"WAIT_BUYER_PAY"}`
	signature, err := rsasign.Sign(pair()[1], []byte(raw))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(`{"` + member + `":` + raw + `,"sign":"` + signature + `"}`)
	f.Add(`{"` + member + `":` + raw + `,"sign":null}`)
	f.Add(`{"sign":"","` + member + `":{}}`)
	f.Add(`{"error_response":{"code":"40002"}}`)
	f.Fuzz(func(t *testing.T, body string) {
		if got, err := g.verified([]byte(body), member); err == nil && string(got) != raw {
			t.Errorf("believed %q", got)
		}
	})
}

func TestNothingIsHandedOutWithoutARecord(t *testing.T) {
	t.Parallel()
	g, ctx := newGateway(t), context.Background()
	for _, m := range Methods() {
		in, err := g.Create(ctx, payment.CreateRequest{AttemptNo: "S1", Method: m, Amount: money.New(1, money.CNY), Title: "x"})
		if !errors.Is(err, egress.ErrLedger) || in.URL != "" || in.QR != "" {
			t.Errorf("%s: got %+v, %v, want nothing", m, in, err)
		}
	}
	for name, r := range map[string]payment.CreateRequest{
		"dollars": {Method: Page, Amount: money.New(1, money.USD)}, "nothing": {Method: Page, Amount: money.New(0, money.CNY)},
		"another method": {Method: "jsapi", Amount: money.New(1, money.CNY)}, "too much": {Method: Page, Amount: money.New(100_000_000_01, money.CNY)},
	} {
		if _, err := g.Create(ctx, r); !errors.Is(err, payment.ErrUnsupported) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestAccountsThatCannotWork(t *testing.T) {
	t.Parallel()
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Config){
		"no application":     func(c *Config) { c.AppID = "" },
		"no seller":          func(c *Config) { c.SellerID = "" },
		"no key":             func(c *Config) { c.PrivateKey = "" },
		"a short key":        func(c *Config) { c.PrivateKey = encoded(short) },
		"no key of Alipay's": func(c *Config) { c.PublicKey = "" },
		"one certificate":    func(c *Config) { c.AppCert = "x" },
	} {
		c := config()
		change(&c)
		_, err := New(c, clock.NewFake(now), shut{})
		if err == nil {
			t.Errorf("%s: accepted", name)
		} else if strings.Contains(err.Error(), encoded(pair()[0])[:40]) {
			t.Errorf("%s: the error holds the key", name)
		}
	}
}

func TestCodesThatAreShown(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]bool{
		"https://qr.alipay.com/bax03431ljhokirwl38f00a7": true, "alipays://platformapi/startapp?x=1": true,
		"javascript:alert(1)": false, "http://qr.alipay.com/x": false, "": false, "https://a/" + strings.Repeat("x", 600): false,
	} {
		if got := scannable(code, "https://openapi.alipay.com/gateway.do"); got != want {
			t.Errorf("%s: got %v", code, got)
		}
	}
	if subject("a/b=c&d\x00"+strings.Repeat("云", 60)) != "abcd"+strings.Repeat("云", 41) {
		t.Errorf("subject: got %q", subject("a/b=c&d\x00"+strings.Repeat("云", 60)))
	}
}

// zipped packs a text as Alipay packs a bill.
func zipped(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("trades.csv")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(w, text)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func FuzzBill(f *testing.F) {
	head, err := simplifiedchinese.GBK.NewEncoder().String("支付宝交易号,商户订单号,业务类型,完成时间,订单金额（元）,退款批次号/请求号,服务费（元）\n")
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(head+"2026112222001\t,S1\t,x,2026-11-22 10:00:00,1.00,,-0.01\n"), true)
	f.Add([]byte(head+"\"a\nb\",,,,-9223372036854775808,,99999999999999999999\n"), true)
	f.Add([]byte("PK\x03\x04"), false)
	f.Fuzz(func(t *testing.T, text []byte, pack bool) {
		if pack {
			text = zipped(t, string(text))
		}
		_ = readBill(text, func(r payment.BillRow) error {
			if r.Amount.Minor <= 0 || r.Fee.Minor < 0 || r.TradeNo == "" {
				t.Errorf("got %+v", r)
			}
			return nil
		})
	})
}
