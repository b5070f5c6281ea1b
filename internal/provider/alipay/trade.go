package alipay

import (
	"context"
	"errors"
	"fmt"

	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// Query asks for the state of a trade by alipay.trade.query. A trade that nobody
// has opened yet is ErrTradeNotFound.
func (g *Gateway) Query(ctx context.Context, r payment.AttemptRef) (payment.Fact, error) {
	var f payment.Fact
	call := egress.Call{Recipient: Recipient, Op: "query", Subject: r.Subject, Fields: []string{"order_no"}}
	err := g.do(ctx, call, "alipay.trade.query", map[string]string{"out_trade_no": r.AttemptNo}, nil, func(a answer, _ string) (err error) {
		f, err = g.state(a, r.AttemptNo)
		return err
	})
	return f, err
}

func (g *Gateway) state(a answer, attempt string) (payment.Fact, error) {
	amount, err := money.Parse(a.TotalAmount, money.CNY)
	if err != nil || a.OutTradeNo != attempt || !numbers(a.TradeNo) || a.TradeStatus == "" {
		return payment.Fact{}, fmt.Errorf("%w: an answer about something else", payment.ErrTemporary)
	}
	f := fact(attempt, a.TradeNo, g.MerchantID(), amount, a.TradeStatus, "")
	f.PaidAt = at(a.SendPayDate)
	if f.State == payment.FactPaid && amount.Minor <= 0 {
		return payment.Fact{}, fmt.Errorf("%w: a paid trade without amount", payment.ErrTemporary)
	}
	return f, nil
}

// Close ends a trade. One that nobody has opened is unknown to Alipay and counts
// as closed.
func (g *Gateway) Close(ctx context.Context, r payment.AttemptRef) error {
	call := egress.Call{Recipient: Recipient, Op: "close", Subject: r.Subject, Fields: []string{"order_no"}}
	err := g.do(ctx, call, "alipay.trade.close", map[string]string{"out_trade_no": r.AttemptNo}, nil, func(answer, string) error { return nil })
	if errors.Is(err, payment.ErrTradeNotFound) {
		return nil
	}
	return err
}

// IdempotentRefund: out_request_no is paid back once.
func (g *Gateway) IdempotentRefund() bool { return true }

// Refund pays back by alipay.trade.refund. An answer that says that this call
// moved no money is one of a repetition: processing, to be asked about.
func (g *Gateway) Refund(ctx context.Context, r payment.RefundRequest) (payment.RefundFact, error) {
	f := payment.RefundFact{RefundNo: r.RefundNo, AttemptNo: r.AttemptNo, MerchantID: g.MerchantID(), State: payment.RefundProcessing}
	if r.Amount.Cur != money.CNY || r.Amount.Minor < 1 {
		return f, payment.ErrUnsupported
	}
	call := egress.Call{Recipient: Recipient, Op: "refund", Subject: r.Subject, Fields: []string{"order_no", "amount"}}
	content := map[string]string{"out_trade_no": r.AttemptNo, "refund_amount": r.Amount.String(), "out_request_no": r.RefundNo}
	err := g.do(ctx, call, "alipay.trade.refund", content, nil, func(a answer, _ string) error {
		if a.OutTradeNo != r.AttemptNo {
			return fmt.Errorf("%w: an answer about something else", payment.ErrUnknownOutcome)
		}
		if a.FundChange == "Y" {
			f.State, f.Amount, f.At = payment.RefundSucceeded, r.Amount, at(a.GMTRefundPay)
		}
		return nil
	})
	return f, err
}

// QueryRefund asks by alipay.trade.fastpay.refund.query, whose answer is empty for
// a refund that is not there.
func (g *Gateway) QueryRefund(ctx context.Context, r payment.RefundRef) (payment.RefundFact, error) {
	f := payment.RefundFact{RefundNo: r.RefundNo, AttemptNo: r.AttemptNo, MerchantID: g.MerchantID(), State: payment.RefundProcessing}
	call := egress.Call{Recipient: Recipient, Op: "refund_query", Subject: r.Subject, Fields: []string{"order_no"}}
	content := map[string]string{"out_trade_no": r.AttemptNo, "out_request_no": r.RefundNo}
	err := g.do(ctx, call, "alipay.trade.fastpay.refund.query", content, nil, func(a answer, _ string) error {
		switch {
		case a.OutRequestNo == "" && a.RefundStatus == "":
			return payment.ErrTradeNotFound
		case a.OutTradeNo != r.AttemptNo || a.OutRequestNo != r.RefundNo:
			return fmt.Errorf("%w: an answer about something else", payment.ErrTemporary)
		case a.RefundStatus == "REFUND_SUCCESS":
			f.State, f.At = payment.RefundSucceeded, at(a.GMTRefundPay)
		}
		amount, err := money.Parse(a.RefundAmount, money.CNY)
		if err != nil {
			return fmt.Errorf("%w: amount", payment.ErrTemporary)
		}
		f.Amount = amount
		return nil
	})
	return f, err
}
