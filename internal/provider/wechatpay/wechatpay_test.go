package wechatpay

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
	"github.com/skybridge-cloud/skybridge/internal/provider/rsasign"
)

var now = time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)

const (
	key32    = "0123456789abcdefghijklmnopqrstuv"
	publicID = "PUB_KEY_ID_0112300001092026112200000000000000"
)

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
	return Config{
		AppID: "wxd678efh567hg6787", MchID: "1230000109", SerialNo: "5157f09efdc096de15ebe81a47057a7232f1b8e1", PrivateKey: encoded(pair()[0]),
		APIv3Key: key32, PublicKeyID: publicID, PublicKey: base64.StdEncoding.EncodeToString(der),
	}
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

// The vector of WeChat Pay's own library for AEAD_AES_256_GCM. It has a key of 16
// bytes, which open refuses.
func TestTheVectorOfEncryption(t *testing.T) {
	t.Parallel()
	s := sealed{Algorithm: "AEAD_AES_256_GCM", Nonce: "wCq51qZv4Yfg", AssociatedData: "Dl56FrqWQJF1t9LtC3vEUsniZKvbqdR8", Ciphertext: "FsdXzxryWfKwvLJKf8LG/ToRPTRh8RN9wROC"}
	if got, err := unseal([]byte("testAPIv3Key0000"), s); err != nil || string(got) != "Hello World" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := s.open("testAPIv3Key0000"); err == nil {
		t.Error("a key of 16 bytes was taken")
	}
}

// The vector of WeChat Pay's own library for signatures, with its certificate.
func TestTheVectorOfSignatures(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/platform.pem")
	if err != nil {
		t.Fatal(err)
	}
	all, err := rsasign.Certificates(string(text))
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]*rsa.PublicKey{}
	hold(keys, all[0])
	const signature = "BKyAfU4iMCuvXMXS0Wzam3V/cnxZ+JaqigPM5OhljS2iOT95OO6Fsuml2JkFANJU9K6q9bLlDhPXuoVz+pp4hAm6pHU4ld815U4jsKu1RkyaII+1CYBUYC8TK0XtJ8FwUXXz8vZHh58rrAVN1XwNyv" +
		"D1vfpxrMT4SL536GLwvpUHlCqIMzoZUguLli/K8V29QiOhuH6IEqLNJn8e9b3nwNcQ7be3CzYGpDAKBfDGPCqCv8Rw5zndhlffk2FEA70G4hvMwe51qMN/RAJbknXG23bSlObuTCN7Ndj1aJGH6/L+hdwfLpUtJm4QYVazzW7D" +
		"FD27EpSQEqA8bX9+8m1rLg=="
	if !rsasign.Verify(keys["F5765756002FDD77"], []byte("source"), signature) || rsasign.Verify(keys["F5765756002FDD77"], []byte("wrong source"), signature) {
		t.Error("the vector does not verify as it should")
	}
}

// The texts of the documentation: five lines of a request, three of a message,
// each ended.
func TestTheTextsThatAreSigned(t *testing.T) {
	t.Parallel()
	got := string(requestText("GET", "/v3/certificates", "1554208460", "593BEC0C930BF1AFEB40B4A08C8FB242", nil))
	if want := "GET\n/v3/certificates\n1554208460\n593BEC0C930BF1AFEB40B4A08C8FB242\n\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	body := append(make([]byte, 0, 64), `{"a":1}`...)
	if got := string(requestText("POST", "/v3/x?y=1", "1", "n", body)); got != "POST\n/v3/x?y=1\n1\nn\n{\"a\":1}\n" || string(body) != `{"a":1}` {
		t.Errorf("got %q", got)
	}
	if got := string(messageText("1", "n", []byte("b"))); got != "1\nn\nb\n" {
		t.Errorf("got %q", got)
	}
	g := newGateway(t)
	a, err := g.authorization("GET", "/v3/certificates", nil)
	if err != nil || !strings.HasPrefix(a, `WECHATPAY2-SHA256-RSA2048 mchid="1230000109",nonce_str="`) ||
		!strings.Contains(a, `timestamp="`+strconv.FormatInt(now.Unix(), 10)+`"`) || !strings.Contains(a, `serial_no="5157F09EFDC096DE15EBE81A47057A7232F1B8E1"`) {
		t.Errorf("got %s, %v", a, err)
	}
}

const plainTrade = `{"appid":"wxd678efh567hg6787","mchid":"1230000109","out_trade_no":"S26112210200000000000000000001","transaction_id":"1217752501201407033233368018",
	"trade_type":"NATIVE","trade_state":"SUCCESS","success_time":"2026-11-22T10:00:00+08:00","payer":{"openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},
	"amount":{"total":100,"payer_total":90,"currency":"CNY","payer_currency":"CNY"}}`

const plainRefund = `{"mchid":"1230000109","out_trade_no":"S26112210200000000000000000001","out_refund_no":"R1","refund_id":"5","refund_status":"SUCCESS",
	"success_time":"2026-11-22T10:00:00+08:00","amount":{"total":100,"refund":40,"payer_total":90,"payer_refund":40}}`

// sealedBy encrypts with a nonce of any length.
func sealedBy(t testing.TB, plain, nonce string) map[string]string {
	t.Helper()
	block, err := aes.NewCipher([]byte(key32))
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCMWithNonceSize(block, max(len(nonce), 1))
	if err != nil {
		t.Fatal(err)
	}
	filled := nonce
	if filled == "" {
		filled = "x"
	}
	return map[string]string{
		"algorithm": "AEAD_AES_256_GCM", "nonce": nonce, "associated_data": "transaction", "original_type": "transaction",
		"ciphertext": base64.StdEncoding.EncodeToString(aead.Seal(nil, []byte(filled), []byte(plain), []byte("transaction"))),
	}
}

func event(t testing.TB, kind string, resource map[string]string) []byte {
	t.Helper()
	body, err := json.Marshal(map[string]any{"id": "EV-1", "event_type": kind, "resource_type": "encrypt-resource", "resource": resource})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func signed(t testing.TB, body []byte, at time.Time) payment.RawRequest {
	t.Helper()
	ts := strconv.FormatInt(at.Unix(), 10)
	s, err := rsasign.Sign(pair()[1], messageText(ts, "nonce", body))
	if err != nil {
		t.Fatal(err)
	}
	return payment.RawRequest{Method: http.MethodPost, ContentType: "application/json", Body: body, Headers: map[string]string{
		"Wechatpay-Timestamp": ts, "Wechatpay-Nonce": "nonce", "Wechatpay-Signature": s, "Wechatpay-Serial": publicID,
	}}
}

const nonce12 = "fdasflkja484"

func TestNotices(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	good := func() payment.RawRequest {
		return signed(t, event(t, "TRANSACTION.SUCCESS", sealedBy(t, plainTrade, nonce12)), now)
	}
	n, err := g.ParseNotify(good())
	want := payment.Fact{
		AttemptNo: "S26112210200000000000000000001", TradeNo: "1217752501201407033233368018", MerchantID: "wxd678efh567hg6787/1230000109",
		Amount: money.New(100, money.CNY), State: payment.FactPaid, PaidAt: now, DedupeKey: "1217752501201407033233368018|SUCCESS",
	}
	if err != nil || n.Fact != want { // the total, not what is left after the payer's coupons
		t.Errorf("got %+v, %v", n.Fact, err)
	}
	with := func(plain string) payment.RawRequest {
		return signed(t, event(t, "TRANSACTION.SUCCESS", sealedBy(t, plain, nonce12)), now)
	}
	header := func(name, v string) payment.RawRequest { r := good(); r.Headers[name] = v; return r }
	for _, c := range []struct {
		name string
		r    payment.RawRequest
		want error
	}{
		{"a probe", header("Wechatpay-Signature", "WECHATPAY/SIGNTEST/"+good().Headers["Wechatpay-Signature"]), payment.ErrProbe},
		{"another type of signature", header("Wechatpay-Signature-Type", "WECHATPAY2-SM2-WITH-SM3"), payment.ErrBadSignature},
		{"the known type", header("Wechatpay-Signature-Type", "WECHATPAY2-SHA256-RSA2048"), nil},
		{"an unknown key", header("Wechatpay-Serial", "5157F09EFDC096DE15EBE81A47057A7232F1B8E2"), payment.ErrUnknownKey},
		{"no key", header("Wechatpay-Serial", ""), payment.ErrUnknownKey},
		{"no signature", header("Wechatpay-Signature", ""), payment.ErrBadSignature},
		{"another nonce", header("Wechatpay-Nonce", "other"), payment.ErrBadSignature},
		{"no time", header("Wechatpay-Timestamp", ""), payment.ErrBadSignature},
		{"no number for a time", header("Wechatpay-Timestamp", "now"), payment.ErrBadSignature},
		{"old", signed(t, good().Body, now.Add(-301*time.Second)), payment.ErrBadSignature},
		{"new", signed(t, good().Body, now.Add(301*time.Second)), payment.ErrBadSignature},
		{"at the edge", signed(t, good().Body, now.Add(-300*time.Second)), nil},
		{"a time that overflows", header("Wechatpay-Timestamp", "-9223372036854775808"), payment.ErrBadSignature},
		{"a nonce of 16", signed(t, event(t, "TRANSACTION.SUCCESS", sealedBy(t, plainTrade, nonce12+"0000")), now), payment.ErrMalformed},
		{"a nonce of 11", signed(t, event(t, "TRANSACTION.SUCCESS", sealedBy(t, plainTrade, nonce12[1:])), now), payment.ErrMalformed},
		{"no nonce", signed(t, event(t, "TRANSACTION.SUCCESS", sealedBy(t, plainTrade, "")), now), payment.ErrMalformed},
		{"another event", signed(t, event(t, "PAYSCORE.USER_CONFIRM", sealedBy(t, plainTrade, nonce12)), now), payment.ErrMalformed},
		{"another resource", signed(t, []byte(strings.Replace(string(good().Body), "encrypt-resource", "plain", 1)), now), payment.ErrMalformed},
		{"another algorithm", signed(t, []byte(strings.Replace(string(good().Body), "AEAD_AES_256_GCM", "AEAD_SM4_GCM", 1)), now), payment.ErrMalformed},
		{"no JSON", signed(t, []byte("<xml/>"), now), payment.ErrMalformed},
		{"nothing", signed(t, nil, now), payment.ErrMalformed},
		{"no trade", with(`[]`), payment.ErrMalformed},
		{"dollars", with(strings.Replace(plainTrade, `"currency":"CNY"`, `"currency":"USD"`, 1)), payment.ErrMalformed},
		{"no amount", with(strings.Replace(plainTrade, `"total":100`, `"total":0`, 1)), payment.ErrMalformed},
		{"a negative amount", with(strings.Replace(plainTrade, `"total":100`, `"total":-100`, 1)), payment.ErrMalformed},
		{"half a fen", with(strings.Replace(plainTrade, `"total":100`, `"total":100.5`, 1)), payment.ErrMalformed},
		{"no transaction", with(strings.Replace(plainTrade, "1217752501201407033233368018", "", 1)), payment.ErrMalformed},
		{"a merchant with the application in it", with(strings.Replace(plainTrade, "1230000109", "1/2", 1)), payment.ErrMalformed},
	} {
		if _, err := g.ParseNotify(c.r); !errors.Is(err, c.want) || (c.want == nil) != (err == nil) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
	for name, change := range map[string]func(*payment.RawRequest){
		"a GET": func(r *payment.RawRequest) { r.Method = http.MethodGet }, "a query": func(r *payment.RawRequest) { r.Query = "a=1" },
		"a form": func(r *payment.RawRequest) { r.ContentType = "application/x-www-form-urlencoded" },
	} {
		r := good()
		change(&r)
		if _, err := g.ParseNotify(r); !errors.Is(err, payment.ErrMalformed) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestStatesOfTradesAndRefunds(t *testing.T) {
	t.Parallel()
	for state, want := range map[string]payment.FactState{
		"SUCCESS": payment.FactPaid, "REFUND": payment.FactPaid, "NOTPAY": payment.FactPending, "USERPAYING": payment.FactPending,
		"CLOSED": payment.FactClosed, "REVOKED": payment.FactClosed, "PAYERROR": payment.FactFailed, "ACCEPT": payment.FactUnknown,
	} {
		f, ok := transaction{AppID: "a", MchID: "m", OutTradeNo: "S1", TransactionID: "1", TradeState: state, Amount: sum{Total: 1, Currency: "CNY"}}.fact()
		if !ok || f.State != want {
			t.Errorf("%s: got %s, %v, want %s", state, f.State, ok, want)
		}
	}
	g := newGateway(t)
	for event0, want := range map[string]payment.RefundState{"SUCCESS": payment.RefundSucceeded, "ABNORMAL": payment.RefundAbnormal, "CLOSED": payment.RefundFailed} {
		plain := strings.Replace(plainRefund, `"refund_status":"SUCCESS"`, `"refund_status":"`+event0+`"`, 1)
		n, err := g.ParseNotify(signed(t, event(t, "REFUND."+event0, sealedBy(t, plain, nonce12)), now))
		if err != nil || n.Refund == nil || n.Refund.State != want || n.Refund.Amount.Minor != 40 || n.AttemptNo == "" || n.Fact != (payment.Fact{}) {
			t.Errorf("%s: got %+v, %v", event0, n, err)
		}
	}
	if _, ok := (refund{OutTradeNo: "S1", OutRefundNo: "R1", Amount: sum{Refund: 1}}).fact("TOMORROW", "m"); ok {
		t.Error("a state of tomorrow was read")
	}
}

func TestCodesOfAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int
		code   string
		want   error
	}{
		{404, "ORDER_NOT_EXIST", payment.ErrTradeNotFound},
		{404, "RESOURCE_NOT_EXISTS", payment.ErrTradeNotFound},
		{400, "NO_STATEMENT_EXIST", payment.ErrTradeNotFound},
		{429, "FREQUENCY_LIMITED", payment.ErrTemporary},
		{500, "SYSTEM_ERROR", payment.ErrUnknownOutcome},
		{502, "", payment.ErrUnknownOutcome},
		{400, "ORDERPAID", payment.ErrUnknownOutcome},
		{404, "", payment.ErrUnknownOutcome},
		{400, "PARAM_ERROR", payment.ErrDeclined},
		{401, "SIGN_ERROR", payment.ErrDeclined},
		{403, "NOT_ENOUGH", payment.ErrDeclined},
		{400, "ORDER_CLOSED", payment.ErrDeclined},
	} {
		if got := classify(c.status, []byte(`{"code":"`+c.code+`","message":"x"}`)); !errors.Is(got, c.want) {
			t.Errorf("%d %s: got %v, want %v", c.status, c.code, got, c.want)
		}
	}
}

// What verifies was signed: no other bytes and headers mean a payment.
func FuzzParseNotify(f *testing.F) {
	g := newGateway(f)
	good := signed(f, event(f, "TRANSACTION.SUCCESS", sealedBy(f, plainTrade, nonce12)), now)
	want, err := g.ParseNotify(good)
	if err != nil {
		f.Fatal(err)
	}
	h := good.Headers
	f.Add(good.Body, h["Wechatpay-Timestamp"], h["Wechatpay-Nonce"], h["Wechatpay-Signature"], h["Wechatpay-Serial"])
	f.Add([]byte("{}"), "", "", "WECHATPAY/SIGNTEST/x", "")
	f.Add(good.Body, h["Wechatpay-Timestamp"], "\n", h["Wechatpay-Signature"], publicID)
	f.Fuzz(func(t *testing.T, body []byte, ts, nonce, signature, serial string) {
		n, err := g.ParseNotify(payment.RawRequest{Method: http.MethodPost, ContentType: "application/json", Body: body, Headers: map[string]string{
			"Wechatpay-Timestamp": ts, "Wechatpay-Nonce": nonce, "Wechatpay-Signature": signature, "Wechatpay-Serial": serial,
		}})
		if err == nil && n.Fact != want.Fact {
			t.Errorf("a notice that nobody signed: %+v", n)
		}
	})
}

// What is encrypted may be anything once the key is known to others: opening it
// and reading it never panics, and money is positive.
func FuzzResource(f *testing.F) {
	g := newGateway(f)
	f.Add("AEAD_AES_256_GCM", nonce12, "transaction", sealedBy(f, plainTrade, nonce12)["ciphertext"], plainTrade)
	f.Add("AEAD_AES_256_GCM", "", "", "", plainRefund)
	f.Add("", "0123456789abcdef", "", "AAAA", `{"amount":{"total":9223372036854775807}}`)
	f.Fuzz(func(t *testing.T, algorithm, nonce, data, text, plain string) {
		s := sealed{Algorithm: algorithm, Nonce: nonce, AssociatedData: data, Ciphertext: text}
		if got, err := s.open(key32); err == nil && string(got) != plainTrade {
			t.Errorf("decrypted %q, which nobody encrypted", got)
		}
		if n, err := paid([]byte(plain)); err == nil && n.Fact.State == payment.FactPaid && (n.Fact.Amount.Minor <= 0 || n.Fact.TradeNo == "") {
			t.Errorf("got %+v", n)
		}
		if n, err := g.refunded([]byte(plain)); err == nil && n.Refund.Amount.Minor <= 0 {
			t.Errorf("got %+v", n.Refund)
		}
	})
}

func FuzzBill(f *testing.F) {
	f.Add("交易时间,微信订单号,商户订单号,交易状态,商户退款单号,订单金额,申请退款金额,手续费\n`2026-11-22 10:00:00,`4200,`S1,`SUCCESS,`0,`1.00,`0.00,`0.01000\n总交易单数\n`1\n")
	f.Add("\ufeff`a,\"b\n")
	f.Fuzz(func(t *testing.T, text string) {
		_ = readBill(strings.NewReader(text), func(r payment.BillRow) error {
			if r.Amount.Minor <= 0 || r.Fee.Minor < 0 || r.TradeNo == "" {
				t.Errorf("got %+v", r)
			}
			return nil
		})
	})
}

func TestNothingIsHandedOutWithoutARecord(t *testing.T) {
	t.Parallel()
	g, ctx := newGateway(t), context.Background()
	in, err := g.Create(ctx, payment.CreateRequest{AttemptNo: "S1", Method: Native, Amount: money.New(1, money.CNY), Title: "x"})
	if !errors.Is(err, egress.ErrLedger) || in.QR != "" {
		t.Errorf("got %+v, %v, want nothing", in, err)
	}
	for name, r := range map[string]payment.CreateRequest{
		"dollars": {Method: Native, Amount: money.New(1, money.USD)}, "nothing": {Method: Native, Amount: money.New(0, money.CNY)},
		"what needs an address": {Method: "h5", Amount: money.New(1, money.CNY)}, "what needs an openid": {Method: "jsapi", Amount: money.New(1, money.CNY)},
	} {
		if _, err := g.Create(ctx, r); !errors.Is(err, payment.ErrUnsupported) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestAccountsThatCannotWork(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Config){
		"no application":         func(c *Config) { c.AppID = "" },
		"no merchant":            func(c *Config) { c.MchID = "" },
		"a merchant with quotes": func(c *Config) { c.MchID = `1"` },
		"no serial":              func(c *Config) { c.SerialNo = "" },
		"no key":                 func(c *Config) { c.PrivateKey = "" },
		"a short APIv3 key":      func(c *Config) { c.APIv3Key = key32[1:] },
		"a public key alone":     func(c *Config) { c.PublicKeyID = "" },
		"an id alone":            func(c *Config) { c.PublicKey = "" },
		"an id of another form":  func(c *Config) { c.PublicKeyID = "KEY" },
		"no certificate":         func(c *Config) { c.Certificates = "x" },
	} {
		c := config()
		change(&c)
		_, err := New(c, clock.NewFake(now), shut{})
		if err == nil {
			t.Errorf("%s: accepted", name)
		} else if strings.Contains(err.Error(), key32[1:]) || strings.Contains(err.Error(), encoded(pair()[0])[:40]) {
			t.Errorf("%s: the error holds a key", name)
		}
	}
}
