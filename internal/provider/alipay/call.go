package alipay

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/provider/rsasign"
)

// answer is what is read of the answers; the rest, the payer's ids and names
// among it, is dropped unread.
type answer struct {
	Code         string `json:"code"`
	SubCode      string `json:"sub_code"`
	OutTradeNo   string `json:"out_trade_no"`
	TradeNo      string `json:"trade_no"`
	TradeStatus  string `json:"trade_status"`
	TotalAmount  string `json:"total_amount"`
	SendPayDate  string `json:"send_pay_date"`
	QRCode       string `json:"qr_code"`
	FundChange   string `json:"fund_change"`
	OutRequestNo string `json:"out_request_no"`
	RefundAmount string `json:"refund_amount"`
	RefundStatus string `json:"refund_status"`
	GMTRefundPay string `json:"gmt_refund_pay"`
	BillURL      string `json:"bill_download_url"`
}

// do makes a call and hands its verified answer to use, with the address it came
// from.
func (g *Gateway) do(ctx context.Context, c egress.Call, method string, content, more map[string]string, use func(a answer, base string) error) error {
	permit, err := g.permits.Begin(ctx, c)
	if err != nil {
		return fmt.Errorf("disclosing to Alipay: %w", err)
	}
	a, err := g.ask(ctx, permit, method, content, more)
	outcome := egress.Done // an answer that says no is an answer
	if errors.Is(err, payment.ErrTemporary) || errors.Is(err, payment.ErrUnknownOutcome) {
		outcome = permit.OutcomeOf(err)
	}
	if err == nil {
		err = use(a, permit.URL())
	}
	return errors.Join(err, permit.Finish(ctx, outcome))
}

// ask sends a call over a permit. ErrTemporary: nothing left; ErrUnknownOutcome:
// it left and there is no answer that can be believed; else by the answer's code.
func (g *Gateway) ask(ctx context.Context, permit *egress.Permit, method string, content, more map[string]string) (answer, error) {
	params, err := g.params(method, content, more)
	if err != nil {
		return answer{}, fmt.Errorf("%w: signing", payment.ErrTemporary)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, permit.URL()+"?charset=utf-8", strings.NewReader(values(params).Encode()))
	if err != nil {
		return answer{}, payment.ErrTemporary
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := permit.Client().Do(req)
	if err != nil {
		return answer{}, lost(permit, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{}, lost(permit, err)
	}
	if resp.StatusCode != http.StatusOK {
		return answer{}, fmt.Errorf("%w: status %d", payment.ErrUnknownOutcome, resp.StatusCode)
	}
	raw, err := g.verified(body, strings.ReplaceAll(method, ".", "_")+"_response")
	if err != nil {
		return answer{}, err
	}
	var a answer
	if err := json.Unmarshal(raw, &a); err != nil {
		return answer{}, fmt.Errorf("%w: the answer has another form", payment.ErrUnknownOutcome)
	}
	return a, classify(a)
}

// lost says whether a request that has no answer may have been carried out.
// *url.Error prints the address: only what lies below it is kept.
func lost(permit *egress.Permit, err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if permit.OutcomeOf(err) == egress.Failed {
		return fmt.Errorf("%w: %w", payment.ErrTemporary, err)
	}
	return fmt.Errorf("%w: %w", payment.ErrUnknownOutcome, err)
}

// verified returns the bytes of an answer's member as they came, if they verify.
func (g *Gateway) verified(body []byte, member string) ([]byte, error) {
	outer, err := members(body)
	if err != nil || outer[member] == nil {
		return nil, fmt.Errorf("%w: an answer that is not signed", payment.ErrUnknownOutcome) // error_response
	}
	var signature, sn string
	if json.Unmarshal(outer["sign"], &signature) != nil || signature == "" {
		return nil, fmt.Errorf("%w: an answer that is not signed", payment.ErrUnknownOutcome)
	}
	if raw := outer["alipay_cert_sn"]; raw != nil && json.Unmarshal(raw, &sn) != nil {
		return nil, fmt.Errorf("%w: an answer that is not signed", payment.ErrUnknownOutcome)
	}
	key, ok := g.keys[sn]
	if !ok {
		return nil, fmt.Errorf("%w: an answer of a certificate that is not known", payment.ErrUnknownOutcome)
	}
	if !rsasign.Verify(key, outer[member], signature) {
		return nil, fmt.Errorf("%w: an answer with a wrong signature", payment.ErrUnknownOutcome)
	}
	return outer[member], nil
}

// members cuts the object into the bytes of its members. One that comes twice is
// refused: what is verified and what is read must be the same.
func members(body []byte) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errForm
	}
	all := map[string]json.RawMessage{}
	for d.More() {
		name, err := d.Token()
		n, ok := name.(string)
		if err != nil || !ok || all[n] != nil {
			return nil, errForm
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return nil, errForm
		}
		all[n] = raw
	}
	return all, nil
}

var errForm = errors.New("not an object with each member once")

// classify maps the public codes.
func classify(a answer) error {
	switch {
	case a.Code == "10000":
		return nil
	case a.SubCode == "ACQ.TRADE_NOT_EXIST" || a.SubCode == "TRADE_NOT_EXIST" || a.SubCode == "isp.bill_not_exist":
		return payment.ErrTradeNotFound
	case a.Code == "20000" || strings.HasPrefix(a.SubCode, "isp.") || strings.HasSuffix(a.SubCode, "SYSTEM_ERROR"):
		return fmt.Errorf("%w: %s", payment.ErrUnknownOutcome, visible(a.SubCode))
	case a.Code == "10003":
		return fmt.Errorf("%w: in progress", payment.ErrUnknownOutcome)
	case a.Code == "40005": // called too often
		return fmt.Errorf("%w: %s", payment.ErrTemporary, visible(a.SubCode))
	}
	return fmt.Errorf("%w: %s %s", payment.ErrDeclined, visible(a.Code), visible(a.SubCode))
}

// visible makes a code fit for a log.
func visible(s string) string {
	if len(s) > maxText || strings.ContainsFunc(s, notVisible) {
		return "?"
	}
	return s
}
