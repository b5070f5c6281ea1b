package alipay

import (
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
	"github.com/skybridge-cloud/skybridge/internal/provider/rsasign"
)

const maxText = 64 // of a number that Alipay chose

// ParseNotify verifies a notice in this order: one value for each parameter, type
// of signature, certificate, signature, then content. Unknown parameters, those
// about the payer among them, take part in the signature and are dropped.
func (g *Gateway) ParseNotify(r payment.RawRequest) (payment.Notice, error) {
	params, err := form(r)
	if err != nil {
		return payment.Notice{}, err
	}
	if params["sign_type"] != signType { // the message never chooses
		return payment.Notice{}, fmt.Errorf("%w: another type of signature", payment.ErrBadSignature)
	}
	key, ok := g.keys[params["alipay_cert_sn"]]
	if !ok {
		return payment.Notice{}, payment.ErrUnknownKey
	}
	if !rsasign.Verify(key, text(params, "sign", "sign_type", "alipay_cert_sn"), params["sign"]) {
		return payment.Notice{}, payment.ErrBadSignature
	}
	return notice(params)
}

func form(r payment.RawRequest) (map[string]string, error) {
	if kind, _, _ := mime.ParseMediaType(r.ContentType); r.Method != http.MethodPost || r.Query != "" || kind != "application/x-www-form-urlencoded" {
		return nil, fmt.Errorf("%w: not a form", payment.ErrMalformed)
	}
	all, err := url.ParseQuery(string(r.Body))
	if err != nil {
		return nil, fmt.Errorf("%w: encoding", payment.ErrMalformed) // the cause would quote the message
	}
	params := map[string]string{}
	for name, v := range all {
		if len(v) != 1 {
			return nil, fmt.Errorf("%w: a parameter comes twice", payment.ErrMalformed)
		}
		params[name] = v[0]
	}
	return params, nil
}

// notice reads verified parameters. The same state comes again after a refund of
// a part, told apart by gmt_refund.
func notice(params map[string]string) (payment.Notice, error) {
	n := payment.Notice{AttemptNo: params["out_trade_no"]}
	amount, err := money.Parse(params["total_amount"], money.CNY)
	if err != nil || amount.Minor <= 0 {
		return n, fmt.Errorf("%w: total_amount", payment.ErrMalformed)
	}
	for _, name := range []string{"app_id", "seller_id", "out_trade_no", "trade_no", "trade_status"} {
		if !numbers(params[name]) {
			return n, fmt.Errorf("%w: %s", payment.ErrMalformed, name)
		}
	}
	if c := params["charset"]; c != "" && !strings.EqualFold(c, "utf-8") {
		return n, fmt.Errorf("%w: charset", payment.ErrMalformed)
	}
	if len(params["gmt_refund"]) > maxText {
		return n, fmt.Errorf("%w: gmt_refund", payment.ErrMalformed)
	}
	n.Fact = fact(params["out_trade_no"], params["trade_no"], merchant(params["app_id"], params["seller_id"]), amount, params["trade_status"], params["gmt_refund"])
	n.Fact.PaidAt, n.Refunded = at(params["gmt_payment"]), params["gmt_refund"] != ""
	return n, nil
}

// fact maps Alipay's states. A finished trade is a paid one that cannot be
// refunded any more; a closed one was not paid, or was refunded whole, which the
// module tells apart by what it knows.
func fact(attempt, trade, merchant string, amount money.Money, status, refunded string) payment.Fact {
	f := payment.Fact{
		AttemptNo: attempt, TradeNo: trade, MerchantID: merchant, Amount: amount, State: payment.FactUnknown,
		DedupeKey: trade + "|" + status + "|" + refunded,
	}
	switch status {
	case "WAIT_BUYER_PAY":
		f.State = payment.FactPending
	case "TRADE_SUCCESS", "TRADE_FINISHED":
		f.State = payment.FactPaid
	case "TRADE_CLOSED":
		f.State = payment.FactClosed
	}
	return f
}

// numbers tells whether a text may be a number or a code of Alipay's.
func numbers(s string) bool {
	return s != "" && len(s) <= maxText && !strings.ContainsFunc(s, notVisible)
}

func notVisible(r rune) bool { return r <= ' ' || r > '~' || r == '/' }
