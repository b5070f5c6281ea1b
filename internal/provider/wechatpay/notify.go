package wechatpay

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/control/payment"
)

const maxText = 64 // of a number that WeChat Pay chose

// callback is what is read of a notice.
type callback struct {
	EventType    string `json:"event_type"`
	ResourceType string `json:"resource_type"`
	Resource     sealed `json:"resource"`
}

// ParseNotify verifies a notice, decrypts it and reads what it says about a trade
// or a refund.
func (g *Gateway) ParseNotify(r payment.RawRequest) (payment.Notice, error) {
	if r.Method != http.MethodPost || r.Query != "" {
		return payment.Notice{}, fmt.Errorf("%w: not a notice", payment.ErrMalformed)
	}
	if err := g.verify(func(name string) string { return r.Headers[name] }, r.Body); err != nil {
		return payment.Notice{}, err
	}
	var c callback
	if kind, _, _ := mime.ParseMediaType(r.ContentType); kind != "application/json" || json.Unmarshal(r.Body, &c) != nil {
		return payment.Notice{}, fmt.Errorf("%w: not JSON", payment.ErrMalformed)
	}
	text, err := c.Resource.open(g.c.APIv3Key)
	if err != nil || c.ResourceType != "encrypt-resource" {
		return payment.Notice{}, fmt.Errorf("%w: it does not decrypt", payment.ErrMalformed)
	}
	switch {
	case c.EventType == "TRANSACTION.SUCCESS":
		return paid(text)
	case strings.HasPrefix(c.EventType, "REFUND."):
		return g.refunded(text)
	}
	return payment.Notice{}, fmt.Errorf("%w: another event", payment.ErrMalformed)
}

func paid(text []byte) (payment.Notice, error) {
	var t transaction
	if json.Unmarshal(text, &t) != nil {
		return payment.Notice{}, fmt.Errorf("%w: not a trade", payment.ErrMalformed)
	}
	n := payment.Notice{}
	if number(t.OutTradeNo) {
		n.AttemptNo = t.OutTradeNo
	}
	f, ok := t.fact()
	if !ok {
		return n, fmt.Errorf("%w: a trade that cannot be read", payment.ErrMalformed)
	}
	n.Fact = f
	return n, nil
}

func (g *Gateway) refunded(text []byte) (payment.Notice, error) {
	var r refund
	if json.Unmarshal(text, &r) != nil {
		return payment.Notice{}, fmt.Errorf("%w: not a refund", payment.ErrMalformed)
	}
	f, ok := r.fact(r.RefundStatus, merchant(g.c.AppID, r.MchID)) // a refund's notice names no application
	if !ok {
		return payment.Notice{}, fmt.Errorf("%w: a refund that cannot be read", payment.ErrMalformed)
	}
	return payment.Notice{AttemptNo: f.AttemptNo, Refund: &f}, nil
}

// number tells whether a text may be a number of a trade or an account.
func number(s string) bool { return s != "" && visible(s) == s }

// visible makes a code fit for a log.
func visible(s string) string {
	if len(s) > maxText || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '/' }) {
		return "?"
	}
	return s
}
