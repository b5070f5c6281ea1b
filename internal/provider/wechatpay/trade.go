package wechatpay

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// transaction is what is read of a trade; the rest, the payer's openid among it,
// is dropped unread. What the payer's coupons took off (payer_total) does not
// concern us.
type transaction struct {
	AppID         string `json:"appid"`
	MchID         string `json:"mchid"`
	OutTradeNo    string `json:"out_trade_no"`
	TransactionID string `json:"transaction_id"`
	TradeState    string `json:"trade_state"`
	SuccessTime   string `json:"success_time"`
	Amount        sum    `json:"amount"`
}

// fact maps the states of trades; ok is false for what cannot be read.
func (t transaction) fact() (f payment.Fact, ok bool) {
	f = payment.Fact{
		AttemptNo: t.OutTradeNo, TradeNo: t.TransactionID, MerchantID: merchant(t.AppID, t.MchID), Amount: money.New(t.Amount.Total, money.CNY),
		State: payment.FactUnknown, PaidAt: at(t.SuccessTime), DedupeKey: t.TransactionID + "|" + t.TradeState,
	}
	switch t.TradeState {
	case "SUCCESS", "REFUND": // refunds are handled apart
		f.State = payment.FactPaid
	case "NOTPAY", "USERPAYING":
		f.State = payment.FactPending
	case "CLOSED", "REVOKED":
		f.State = payment.FactClosed
	case "PAYERROR":
		f.State = payment.FactFailed
	}
	if !number(t.OutTradeNo) || !number(t.AppID) || !number(t.MchID) || t.TradeState == "" || len(t.TradeState) > maxText {
		return f, false
	}
	if f.State != payment.FactPaid {
		if f.TradeNo == "" {
			f.DedupeKey = t.OutTradeNo + f.DedupeKey
		}
		return f, true
	}
	return f, number(t.TransactionID) && t.Amount.Total > 0 && t.Amount.Currency == "CNY"
}

// Query asks for the state of a trade.
func (g *Gateway) Query(ctx context.Context, r payment.AttemptRef) (payment.Fact, error) {
	var t transaction
	call := egress.Call{Recipient: Recipient, Op: "query", Subject: r.Subject, Fields: []string{"order_no"}}
	_, err := g.disclosed(ctx, call, request{method: http.MethodGet, numbers: []string{r.AttemptNo}, query: url.Values{"mchid": {g.c.MchID}}, into: &t})
	if err != nil {
		return payment.Fact{}, err
	}
	f, ok := t.fact()
	if !ok || f.AttemptNo != r.AttemptNo {
		return payment.Fact{}, fmt.Errorf("%w: an answer about something else", payment.ErrTemporary)
	}
	return f, nil
}

// Close ends a trade that is not paid.
func (g *Gateway) Close(ctx context.Context, r payment.AttemptRef) error {
	call := egress.Call{Recipient: Recipient, Op: "close", Subject: r.Subject, Fields: []string{"order_no"}}
	body := struct {
		MchID string `json:"mchid"`
	}{g.c.MchID}
	_, err := g.disclosed(ctx, call, request{method: http.MethodPost, numbers: []string{r.AttemptNo}, body: body})
	return err
}

// IdempotentRefund: out_refund_no is paid back once.
func (g *Gateway) IdempotentRefund() bool { return true }

type refundRequest struct {
	OutTradeNo  string `json:"out_trade_no"`
	OutRefundNo string `json:"out_refund_no"`
	NotifyURL   string `json:"notify_url,omitempty"`
	Amount      sum    `json:"amount"`
}

// refund is what is read of a refund: by a call its state is in status, in a notice
// in refund_status.
type refund struct {
	OutTradeNo   string `json:"out_trade_no"`
	OutRefundNo  string `json:"out_refund_no"`
	Status       string `json:"status"`
	RefundStatus string `json:"refund_status"`
	SuccessTime  string `json:"success_time"`
	MchID        string `json:"mchid"`
	Amount       sum    `json:"amount"`
}

func (r refund) fact(status, merchant string) (payment.RefundFact, bool) {
	states := map[string]payment.RefundState{
		"SUCCESS": payment.RefundSucceeded, "PROCESSING": payment.RefundProcessing, "CLOSED": payment.RefundFailed, "ABNORMAL": payment.RefundAbnormal,
	}
	f := payment.RefundFact{
		RefundNo: r.OutRefundNo, AttemptNo: r.OutTradeNo, MerchantID: merchant, Amount: money.New(r.Amount.Refund, money.CNY),
		State: states[status], At: at(r.SuccessTime),
	}
	return f, f.State != "" && number(f.RefundNo) && number(f.AttemptNo) && r.Amount.Refund > 0
}

// Refund pays back a part of a trade or all of it. What was accepted and is on its
// way is RefundProcessing.
func (g *Gateway) Refund(ctx context.Context, r payment.RefundRequest) (payment.RefundFact, error) {
	if r.Amount.Cur != money.CNY || r.Amount.Minor < 1 || r.Paid.Cur != money.CNY || r.Paid.Minor < r.Amount.Minor {
		return payment.RefundFact{}, payment.ErrUnsupported
	}
	ask := refundRequest{r.AttemptNo, r.RefundNo, r.NotifyURL, sum{Total: r.Paid.Minor, Refund: r.Amount.Minor, Currency: "CNY"}}
	call := egress.Call{Recipient: Recipient, Op: "refund", Subject: r.Subject, Fields: []string{"order_no", "amount"}}
	var a refund
	if _, err := g.disclosed(ctx, call, request{method: http.MethodPost, body: ask, into: &a}); err != nil {
		return payment.RefundFact{}, err
	}
	f, ok := a.fact(a.Status, g.MerchantID())
	if !ok || f.RefundNo != r.RefundNo || f.AttemptNo != r.AttemptNo || f.Amount != r.Amount {
		return payment.RefundFact{}, fmt.Errorf("%w: an answer about something else", payment.ErrUnknownOutcome)
	}
	return f, nil
}

// QueryRefund asks for the state of a refund.
func (g *Gateway) QueryRefund(ctx context.Context, r payment.RefundRef) (payment.RefundFact, error) {
	call := egress.Call{Recipient: Recipient, Op: "refund_query", Subject: r.Subject, Fields: []string{"order_no"}}
	var a refund
	if _, err := g.disclosed(ctx, call, request{method: http.MethodGet, numbers: []string{r.RefundNo}, into: &a}); err != nil {
		return payment.RefundFact{}, err
	}
	f, ok := a.fact(a.Status, g.MerchantID())
	if !ok || f.RefundNo != r.RefundNo || f.AttemptNo != r.AttemptNo {
		return payment.RefundFact{}, fmt.Errorf("%w: an answer about something else", payment.ErrTemporary)
	}
	return f, nil
}
