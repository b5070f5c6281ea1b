// Package alipay is the payment gateway 支付宝 of its open platform: RSA2
// signatures, payment on Alipay's page or by a code, questions and refunds at one
// address. Alipay is known by its public key, or by certificates, in which case
// messages name the certificate that they are signed with.
//
//	Create page, wap ── disclosure recorded ── signed address ──▶ browser ──▶ /gateway.do
//	Create qr, Query, Close, Refund ── egress permit ───────────────────────▶ /gateway.do
//	Bill ── permit that sends nothing of a person ──▶ /gateway.do, then the file's own host
//	ParseNotify ◀───────────────────────────────────────── POST notify_url ── Alipay
//
// Invariants: what is sent about a person is the order number and the amount,
// besides the protocol's own fields; of answers and notices nothing of the payer
// is read; an answer counts only if its raw bytes verify, and an unsigned one
// never; keys are never in a log, an error or a URL.
//
// The contract is Alipay's public documentation of alipay.trade.*; where that is
// silent, the tests say what is borne.
package alipay

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
	"github.com/skybridge-cloud/skybridge/internal/provider/rsasign"
)

// Ids in the registry of recipients: the platform, and where its bills lie.
const (
	Recipient     = "pay.alipay"
	BillRecipient = "pay.alipay.bill"
)

// Methods of payment.
const (
	Page = "page" // Alipay's page on a computer
	Wap  = "wap"  // Alipay's page on a telephone
	QR   = "qr"   // a code to scan
)

// Methods lists them.
func Methods() []string { return []string{Page, QR, Wap} }

// Config is an account. AppID, SellerID, PrivateKey and either PublicKey or all
// three certificates are needed.
type Config struct {
	AppID      string
	SellerID   string // 2088…, whom notices must name
	PrivateKey string // of the application; secret
	PublicKey  string // Alipay's, in key mode

	AppCert    string // PEM of the application, in certificate mode
	AlipayCert string // PEM of Alipay; several while it changes
	RootCert   string // PEM bundle of Alipay's roots
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
	keys    map[string]*rsa.PublicKey // Alipay's, by serial number of the certificate; "" in key mode
	certs   map[string]string         // parameters of certificate mode
	expires time.Time
	clock   clock.Clock
	permits Permits
}

// New reads the keys and returns the gateway.
func New(c Config, clk clock.Clock, permits Permits) (*Gateway, error) {
	if c.AppID == "" || c.SellerID == "" || strings.Contains(c.AppID+c.SellerID, "/") {
		return nil, errors.New("alipay: app id and seller id are needed")
	}
	g := &Gateway{c: c, keys: map[string]*rsa.PublicKey{}, certs: map[string]string{}, clock: clk, permits: permits}
	var err error
	if g.key, err = rsasign.Private(c.PrivateKey); err != nil {
		return nil, fmt.Errorf("alipay: private key: %w", err)
	}
	g.c.PrivateKey = ""
	if c.AppCert != "" || c.AlipayCert != "" || c.RootCert != "" {
		return g, g.certificates()
	}
	if g.keys[""], err = rsasign.Public(c.PublicKey); err != nil {
		return nil, fmt.Errorf("alipay: Alipay's public key: %w", err)
	}
	return g, nil
}

// Kind is "alipay".
func (g *Gateway) Kind() string { return "alipay" }

// MerchantID is what facts bear: application and seller.
func (g *Gateway) MerchantID() string { return merchant(g.c.AppID, g.c.SellerID) }

// Expires is when the first certificate ends; zero in key mode.
func (g *Gateway) Expires() time.Time { return g.expires }

func merchant(app, seller string) string { return app + "/" + seller }

// Create returns the signed address of Alipay's page, or the text of a code.
func (g *Gateway) Create(ctx context.Context, r payment.CreateRequest) (payment.Instruction, error) {
	if r.Amount.Cur != money.CNY || r.Amount.Minor < 1 || r.Amount.Minor > 100_000_000_00 || !slices.Contains(Methods(), r.Method) {
		return payment.Instruction{}, payment.ErrUnsupported
	}
	content := map[string]string{
		"out_trade_no": r.AttemptNo, "total_amount": r.Amount.String(), "subject": subject(r.Title),
		"time_expire": r.ExpireAt.In(beijing).Format(time.DateTime),
	}
	if r.Method == QR {
		return g.precreate(ctx, r, content)
	}
	method := "alipay.trade.page.pay"
	content["product_code"] = "FAST_INSTANT_TRADE_PAY"
	if r.Method == Wap {
		method, content["product_code"], content["quit_url"] = "alipay.trade.wap.pay", "QUICK_WAP_WAY", r.ReturnURL
	}
	params, err := g.params(method, content, map[string]string{"notify_url": r.NotifyURL, "return_url": r.ReturnURL})
	if err != nil {
		return payment.Instruction{}, err
	}
	// What the browser carries is out of our hands: the disclosure is recorded first.
	permit, err := g.permits.Begin(ctx, egress.Call{Recipient: Recipient, Op: "page", Subject: r.Subject, Fields: []string{"order_no", "amount"}})
	if err != nil {
		return payment.Instruction{}, fmt.Errorf("disclosing a payment: %w", err)
	}
	if err := permit.Names(names(params, content)...); err != nil {
		return payment.Instruction{}, errors.Join(err, permit.Finish(ctx, egress.Failed))
	}
	in := payment.Instruction{Kind: payment.Redirect, URL: permit.URL() + "?" + values(params).Encode()}
	if err := permit.Finish(ctx, egress.Done); err != nil {
		return payment.Instruction{}, err
	}
	return in, nil
}

func (g *Gateway) precreate(ctx context.Context, r payment.CreateRequest, content map[string]string) (payment.Instruction, error) {
	var in payment.Instruction
	call := egress.Call{Recipient: Recipient, Op: "precreate", Subject: r.Subject, Fields: []string{"order_no", "amount"}}
	err := g.do(ctx, call, "alipay.trade.precreate", content, map[string]string{"notify_url": r.NotifyURL}, func(a answer, base string) error {
		if a.OutTradeNo != r.AttemptNo || !scannable(a.QRCode, base) {
			return fmt.Errorf("%w: no code of this payment", payment.ErrUnknownOutcome)
		}
		in = payment.Instruction{Kind: payment.QRCode, QR: a.QRCode}
		return nil
	})
	return in, err
}

// scannable holds a code to what Alipay's telephone program opens. A simulator
// without TLS hands out addresses like its own.
func scannable(code, base string) bool {
	u, err := url.Parse(code)
	if err != nil || len(code) > 512 {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "alipays" || u.Scheme == "http" && strings.HasPrefix(base, "http://")
}

// Ack answers a notice: exactly "success", else "fail" and Alipay comes again.
func (g *Gateway) Ack(err error) payment.Answer {
	a := payment.Answer{Status: http.StatusOK, ContentType: "text/plain; charset=utf-8", Body: "success"}
	if err == nil {
		return a
	}
	a.Body, a.Status = "fail", http.StatusInternalServerError
	if errors.Is(err, payment.ErrBadSignature) || errors.Is(err, payment.ErrUnknownKey) || errors.Is(err, payment.ErrMalformed) {
		a.Status = http.StatusBadRequest
	}
	return a
}

// Alipay tells Beijing time without a zone.
var beijing = time.FixedZone("CST", 8*3600)

// at reads a time of Alipay's; zero if there is none.
func at(s string) time.Time {
	t, err := time.ParseInLocation(time.DateTime, s, beijing)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// subject removes control characters and what Alipay forbids (/, =, &), and cuts
// at 127 bytes on a rune border.
func subject(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError || strings.ContainsRune("/=&", r) {
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
