// Package wechatpay is the payment gateway 微信支付, API version 3: payment by a
// code (Native), questions, refunds and bills as signed JSON, notices that are
// signed and encrypted.
//
//	Create native, Query, Close, Refund ── egress permit ──▶ /v3/…
//	Bill, RefreshKeys ── permit that sends nothing of a person ──▶ /v3/…
//	ParseNotify ◀──────────────────────── POST notify_url ── WeChat Pay
//
// WeChat Pay signs with a platform key, whose public half the operator is given
// (PUB_KEY_ID_…), or with a platform certificate, which is fetched; while a merchant
// moves from one to the other both come. Both are held.
//
// Invariants: what is sent about a person is the order number and the amount,
// besides the protocol's own fields, and so there is no payment that needs an
// address or an openid (H5, JSAPI); of answers and notices nothing of the payer is
// read; an answer counts only if its raw bytes verify, and one that is no success
// never; keys are never in a log, an error or a URL.
//
// The contract is WeChat Pay's public documentation of APIv3.
package wechatpay

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
	"github.com/skybridge-cloud/skybridge/internal/provider/rsasign"
)

// Recipient is WeChat Pay's id in the registry of recipients.
const Recipient = "pay.wechatpay"

// Native is payment by a code to scan.
const Native = "native"

// Config is an account. All but PublicKeyID with PublicKey and Certificates is
// needed; without both the platform certificates are fetched.
type Config struct {
	AppID        string
	MchID        string
	SerialNo     string // of the merchant's certificate, hexadecimal
	PrivateKey   string // of the merchant; secret
	APIv3Key     string // 32 characters; secret
	PublicKeyID  string // PUB_KEY_ID_…
	PublicKey    string // WeChat Pay's
	Certificates string // PEM of platform certificates, to begin with
}

// Permits opens the way out. *egress.Egress fills it.
type Permits interface {
	Begin(ctx context.Context, c egress.Call) (*egress.Permit, error)
	Collect(recipient, op string) (*egress.Permit, error)
}

// Gateway is one account. It is safe for concurrent use.
type Gateway struct {
	c       Config
	key     *rsa.PrivateKey
	clock   clock.Clock
	permits Permits

	mu        sync.Mutex
	keys      map[string]*rsa.PublicKey // WeChat Pay's, by what Wechatpay-Serial says
	refreshed time.Time
}

var (
	isSerial    = regexp.MustCompile(`^[0-9A-Fa-f]{1,64}$`)
	isPublicKey = regexp.MustCompile(`^PUB_KEY_ID_[0-9A-Za-z]{1,64}$`)
)

// New reads the keys and returns the gateway.
func New(c Config, clk clock.Clock, permits Permits) (*Gateway, error) {
	switch {
	case c.AppID == "" || c.MchID == "" || strings.ContainsAny(c.AppID+c.MchID, `/"`):
		return nil, errors.New("wechatpay: app id and merchant id are needed")
	case !isSerial.MatchString(c.SerialNo):
		return nil, errors.New("wechatpay: the serial number of the merchant's certificate is needed")
	case len(c.APIv3Key) != keyLength:
		return nil, errors.New("wechatpay: the APIv3 key has 32 characters")
	case (c.PublicKeyID == "") != (c.PublicKey == "") || c.PublicKeyID != "" && !isPublicKey.MatchString(c.PublicKeyID):
		return nil, errors.New("wechatpay: the public key and its id, PUB_KEY_ID_…, belong together")
	}
	g := &Gateway{c: c, clock: clk, permits: permits, keys: map[string]*rsa.PublicKey{}}
	g.c.SerialNo, g.c.PrivateKey = strings.ToUpper(c.SerialNo), ""
	var err error
	if g.key, err = rsasign.Private(c.PrivateKey); err != nil {
		return nil, fmt.Errorf("wechatpay: private key: %w", err)
	}
	if c.PublicKey != "" {
		if g.keys[c.PublicKeyID], err = rsasign.Public(c.PublicKey); err != nil {
			return nil, fmt.Errorf("wechatpay: WeChat Pay's public key: %w", err)
		}
	}
	if c.Certificates != "" {
		all, err := rsasign.Certificates(c.Certificates)
		if err != nil {
			return nil, fmt.Errorf("wechatpay: platform certificates: %w", err)
		}
		for _, cert := range all {
			hold(g.keys, cert)
		}
	}
	return g, nil
}

// Kind is "wechatpay".
func (g *Gateway) Kind() string { return "wechatpay" }

// MerchantID is what facts bear: application and merchant.
func (g *Gateway) MerchantID() string { return merchant(g.c.AppID, g.c.MchID) }

func merchant(app, mch string) string { return app + "/" + mch }

type sum struct {
	Total    int64  `json:"total"` // fen
	Refund   int64  `json:"refund,omitempty"`
	Currency string `json:"currency"`
}

type native struct {
	AppID       string `json:"appid"`
	MchID       string `json:"mchid"`
	Description string `json:"description"`
	OutTradeNo  string `json:"out_trade_no"`
	TimeExpire  string `json:"time_expire"`
	NotifyURL   string `json:"notify_url"`
	Amount      sum    `json:"amount"`
}

// Create returns the text of a code to scan.
func (g *Gateway) Create(ctx context.Context, r payment.CreateRequest) (payment.Instruction, error) {
	if r.Amount.Cur != money.CNY || r.Amount.Minor < 1 || r.Method != Native {
		return payment.Instruction{}, payment.ErrUnsupported
	}
	ask := native{
		AppID: g.c.AppID, MchID: g.c.MchID, Description: subject(r.Title), OutTradeNo: r.AttemptNo,
		TimeExpire: r.ExpireAt.In(beijing).Format(time.RFC3339), NotifyURL: r.NotifyURL, Amount: sum{Total: r.Amount.Minor, Currency: "CNY"},
	}
	var answer struct {
		CodeURL string `json:"code_url"`
	}
	call := egress.Call{Recipient: Recipient, Op: "native", Subject: r.Subject, Fields: []string{"order_no", "amount"}}
	base, err := g.disclosed(ctx, call, request{method: http.MethodPost, body: ask, into: &answer})
	if err != nil {
		return payment.Instruction{}, err
	}
	if !scannable(answer.CodeURL, base) {
		return payment.Instruction{}, fmt.Errorf("%w: no code", payment.ErrUnknownOutcome)
	}
	return payment.Instruction{Kind: payment.QRCode, QR: answer.CodeURL}, nil
}

// scannable holds a code to what WeChat opens. A simulator without TLS hands out
// addresses like its own.
func scannable(code, base string) bool {
	u, err := url.Parse(code)
	if err != nil || len(code) > 512 {
		return false
	}
	return u.Scheme == "weixin" || u.Scheme == "http" && strings.HasPrefix(base, "http://")
}

// Ack answers a notice: nothing, else a failure and WeChat Pay comes again.
func (g *Gateway) Ack(err error) payment.Answer {
	a := payment.Answer{Status: http.StatusOK, ContentType: "application/json"}
	if err == nil {
		return a
	}
	a.Body, a.Status = `{"code":"FAIL","message":"not processed"}`, http.StatusInternalServerError
	for _, refused := range []error{payment.ErrBadSignature, payment.ErrProbe, payment.ErrUnknownKey, payment.ErrMalformed} {
		if errors.Is(err, refused) {
			a.Status = http.StatusBadRequest
		}
	}
	return a
}

// WeChat Pay tells days in Beijing time.
var beijing = time.FixedZone("CST", 8*3600)

// at reads a time; zero if there is none.
func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// subject removes control characters and cuts at 127 bytes on a rune border.
func subject(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, s)
	for len(s) > 127 {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return s
}
