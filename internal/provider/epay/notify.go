package epay

import (
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

const (
	tradeSuccess = "TRADE_SUCCESS"
	maxText      = 64 // of a number that a gateway chose
)

// ParseNotify verifies a notice in this order: one value
// for each parameter, type of signature, signature, then content. Unknown
// parameters take part in the signature and are dropped.
func (g *Gateway) ParseNotify(r payment.RawRequest) (payment.Notice, error) {
	params, err := g.params(r)
	if err != nil {
		return payment.Notice{}, err
	}
	if t := params["sign_type"]; t != "" && t != signType { // the message never chooses
		return payment.Notice{}, fmt.Errorf("%w: another type of signature", payment.ErrBadSignature)
	}
	if !verify(params, g.d.Key, g.d.KeyMode) {
		return payment.Notice{}, payment.ErrBadSignature
	}
	return notice(params)
}

// notice reads verified parameters.
func notice(params map[string]string) (payment.Notice, error) {
	n := payment.Notice{AttemptNo: params["out_trade_no"]}
	amount, err := money.Parse(params["money"], money.CNY)
	if err != nil || amount.Minor <= 0 {
		return n, fmt.Errorf("%w: money", payment.ErrMalformed)
	}
	for _, name := range []string{"pid", "out_trade_no", "trade_no", "trade_status"} {
		if v := params[name]; v == "" || len(v) > maxText || strings.ContainsFunc(v, notVisible) {
			return n, fmt.Errorf("%w: %s", payment.ErrMalformed, name)
		}
	}
	n.Fact = fact(params["out_trade_no"], params["trade_no"], params["pid"], amount, params["trade_status"])
	return n, nil
}

// fact says "paid" for TRADE_SUCCESS only.
func fact(attempt, trade, pid string, amount money.Money, status string) payment.Fact {
	f := payment.Fact{
		AttemptNo: attempt, TradeNo: trade, MerchantID: pid, Amount: amount, State: payment.FactUnknown,
		DedupeKey: trade + "|" + status,
	}
	if status == tradeSuccess {
		f.State = payment.FactPaid
	}
	return f
}

func notVisible(r rune) bool { return r <= ' ' || r > '~' }

// params returns the message's parameters, decoded once, each with one value.
func (g *Gateway) params(r payment.RawRequest) (map[string]string, error) {
	all := map[string]string{}
	useQuery := g.d.NotifyMethod != NotifyPost
	useForm := g.d.NotifyMethod != NotifyGet
	if (r.Method == http.MethodGet && !useQuery) || (r.Method == http.MethodPost && !useForm) {
		return nil, fmt.Errorf("%w: method", payment.ErrMalformed)
	}
	if useQuery {
		if err := merge(all, r.Query); err != nil {
			return nil, err
		}
	}
	if useForm && r.Method == http.MethodPost {
		if kind, _, _ := mime.ParseMediaType(r.ContentType); kind != "application/x-www-form-urlencoded" {
			return nil, fmt.Errorf("%w: content type", payment.ErrMalformed)
		}
		if err := merge(all, string(r.Body)); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func merge(all map[string]string, encoded string) error {
	values, err := url.ParseQuery(encoded)
	if err != nil {
		return fmt.Errorf("%w: encoding", payment.ErrMalformed) // the cause would quote the message
	}
	for name, v := range values {
		if _, twice := all[name]; twice || len(v) != 1 {
			return fmt.Errorf("%w: a parameter comes twice", payment.ErrMalformed)
		}
		all[name] = v[0]
	}
	return nil
}
