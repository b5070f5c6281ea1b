// Package epay is the payment gateway family called 易支付, version 1: MD5
// signatures, payment by a form that the customer's browser submits, notices by
// GET, questions at api.php.
//
// Aggregators such as CooPay speak dialects of it; Dialect is what differs.
// The family has no standard: the operator checks the gateway's own papers.
//
//	Create ── disclosure recorded ── form fields ──▶ browser ──▶ /submit.php
//	Query  ── egress permit ───────────────────────────────────▶ /api.php act=order
//	Refund ── egress permit ───────────────────────────────────▶ /api.php act=refund
//	Bill   ── permit that sends nothing of a person ───────────▶ /api.php act=orders
//	ParseNotify ◀────────────────────────────── GET notify_url ── gateway
//
// Invariants: what is sent about a person is the order number and the amount,
// besides the protocol's own fields, never an address; the key is never in a
// log, an error or a URL; answers to questions are not signed and count only
// over the permit's verified connection and with number and amount compared; a
// refund has no key that makes repeating it harmless, so that only a person repeats
// one.
package epay

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// KeyMode is how the key is joined to the text that is signed.
type KeyMode string

// Key modes.
const (
	Plain  KeyMode = "plain"   // text + KEY
	AmpKey KeyMode = "amp_key" // text + "&key=" + KEY
)

// NotifyMethod is how the gateway delivers notices.
type NotifyMethod string

// Notify methods.
const (
	NotifyGet  NotifyMethod = "GET"
	NotifyPost NotifyMethod = "POST"
	NotifyBoth NotifyMethod = "both" // query and form are merged
)

// Dialect is what differs between gateways. Zero values mean what stands in
// the comments.
type Dialect struct {
	PID          string
	Key          string       // secret
	KeyMode      KeyMode      // Plain
	NotifyMethod NotifyMethod // NotifyGet
	SuccessBody  string       // "success"
	FailBody     string       // "fail"
	NoQuery      bool         // the gateway has no act=order
	NoRefund     bool         // the gateway has no act=refund
}

// Permits opens the way out. *egress.Egress fills it.
type Permits interface {
	Begin(ctx context.Context, c egress.Call) (*egress.Permit, error)
	Collect(recipient, op string) (*egress.Permit, error)
}

// Gateway is one account at one gateway. It is safe for concurrent use.
type Gateway struct {
	d         Dialect
	recipient string
	permits   Permits
}

// Recipient is the gateway's id in the registry of recipients.
const Recipient = "pay.epay"

// New checks the dialect and returns the gateway. recipient is its id in the
// registry of recipients, usually Recipient.
func New(d Dialect, recipient string, permits Permits) (*Gateway, error) {
	d = d.withDefaults()
	switch {
	case d.PID == "" || len(d.Key) < 8:
		return nil, errors.New("epay: pid and key are needed")
	case d.KeyMode != Plain && d.KeyMode != AmpKey:
		return nil, fmt.Errorf("epay: key mode %q", d.KeyMode)
	case !slices.Contains([]NotifyMethod{NotifyGet, NotifyPost, NotifyBoth}, d.NotifyMethod):
		return nil, fmt.Errorf("epay: notify method %q", d.NotifyMethod)
	}
	return &Gateway{d, recipient, permits}, nil
}

func (d Dialect) withDefaults() Dialect {
	for _, f := range []struct {
		to    *string
		unset string
	}{
		{(*string)(&d.KeyMode), string(Plain)},
		{(*string)(&d.NotifyMethod), string(NotifyGet)},
		{&d.SuccessBody, "success"},
		{&d.FailBody, "fail"},
	} {
		if *f.to == "" {
			*f.to = f.unset
		}
	}
	return d
}

// Kind is "epay".
func (g *Gateway) Kind() string { return "epay" }

// MerchantID is the pid that facts bear.
func (g *Gateway) MerchantID() string { return g.d.PID }

// Create returns the signed form for the browser. The disclosure is recorded
// first, because what the browser submits is out of our hands.
func (g *Gateway) Create(ctx context.Context, r payment.CreateRequest) (payment.Instruction, error) {
	if r.Amount.Cur != money.CNY || r.Amount.Minor <= 0 {
		return payment.Instruction{}, payment.ErrUnsupported
	}
	permit, err := g.permits.Begin(ctx, egress.Call{Recipient: g.recipient, Op: "submit", Subject: r.Subject, Fields: []string{"order_no", "amount"}})
	if err != nil {
		return payment.Instruction{}, fmt.Errorf("disclosing a payment: %w", err)
	}
	fields := map[string]string{
		"pid": g.d.PID, "type": r.Method, "out_trade_no": r.AttemptNo, "notify_url": r.NotifyURL, "return_url": r.ReturnURL,
		"name": subject(r.Title), "money": r.Amount.String(),
	}
	if r.Method == "cashier" { // the gateway's own page asks how to pay
		delete(fields, "type")
	}
	fields["sign"], fields["sign_type"] = sign(fields, g.d.Key, g.d.KeyMode), signType
	if err := permit.Names(slices.Collect(maps.Keys(fields))...); err != nil {
		return payment.Instruction{}, errors.Join(err, permit.Finish(ctx, egress.Failed))
	}
	in := payment.Instruction{Kind: payment.FormPost, URL: permit.URL(), Fields: fields}
	// Whether the browser sends it is not known here; as far as the register is
	// concerned it was handed over.
	if err := permit.Finish(ctx, egress.Done); err != nil {
		return payment.Instruction{}, err
	}
	return in, nil
}

// Ack answers a notice: exactly the success body, else "repeat".
func (g *Gateway) Ack(err error) payment.Answer {
	a := payment.Answer{Status: http.StatusOK, ContentType: "text/plain; charset=utf-8", Body: g.d.SuccessBody}
	if err == nil {
		return a
	}
	a.Body, a.Status = g.d.FailBody, http.StatusInternalServerError
	if errors.Is(err, payment.ErrBadSignature) || errors.Is(err, payment.ErrMalformed) {
		a.Status = http.StatusBadRequest
	}
	return a
}
