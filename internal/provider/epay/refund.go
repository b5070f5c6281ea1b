package epay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// IdempotentRefund: the protocol has no refund number, and a second call pays back
// a second time.
func (g *Gateway) IdempotentRefund() bool { return false }

// Refund pays back by act=refund, whose success is code 0 where it is 1 elsewhere.
func (g *Gateway) Refund(ctx context.Context, r payment.RefundRequest) (payment.RefundFact, error) {
	f := payment.RefundFact{RefundNo: r.RefundNo, AttemptNo: r.AttemptNo, MerchantID: g.d.PID, Amount: r.Amount, State: payment.RefundSucceeded}
	if g.d.NoRefund || r.Amount.Cur != money.CNY || r.Amount.Minor < 1 {
		return payment.RefundFact{}, payment.ErrUnsupported
	}
	permit, err := g.permits.Begin(ctx, egress.Call{Recipient: g.recipient, Op: "refund", Subject: r.Subject, Fields: []string{"order_no", "amount"}})
	if err != nil {
		return payment.RefundFact{}, fmt.Errorf("disclosing a refund: %w", err)
	}
	body, err := g.call(ctx, permit, url.Values{"act": {"refund"}, "out_trade_no": {r.AttemptNo}, "money": {r.Amount.String()}})
	outcome := permit.OutcomeOf(err)
	var a answer
	switch {
	case err != nil:
	case json.Unmarshal(body, &a) != nil || a.Code == "":
		err = fmt.Errorf("%w: not an answer", payment.ErrUnknownOutcome)
	case a.Code != "0":
		err = payment.ErrDeclined
	}
	if err = errors.Join(err, permit.Finish(ctx, outcome)); err != nil {
		return payment.RefundFact{}, err
	}
	return f, nil
}

const (
	pageSize = 50   // the most that gateways give
	maxPages = 1000 // of one day's bill
)

// Bill lists the payments of a day by act=orders, newest first, until they are
// older than the day. Refunds and fees do not stand there.
func (g *Gateway) Bill(ctx context.Context, day time.Time, each func(payment.BillRow) error) error {
	date := day.In(beijing).Format(time.DateOnly)
	for page := 1; page <= maxPages; page++ {
		rows, err := g.page(ctx, page)
		if err != nil {
			return err
		}
		for _, a := range rows {
			b, ok, err := a.row(date)
			if err != nil {
				return err
			}
			if ok {
				if err := each(b); err != nil {
					return err
				}
			}
		}
		// A trade is paid within a day of its beginning.
		if len(rows) < pageSize || string(rows[len(rows)-1].AddTime) < day.In(beijing).AddDate(0, 0, -1).Format(time.DateOnly) {
			return nil
		}
	}
	return fmt.Errorf("%w: a bill without end", payment.ErrTemporary)
}

func (g *Gateway) page(ctx context.Context, page int) ([]answer, error) {
	permit, err := g.permits.Collect(g.recipient, "orders")
	if err != nil {
		return nil, err
	}
	body, err := g.call(ctx, permit, url.Values{"act": {"orders"}, "limit": {strconv.Itoa(pageSize)}, "page": {strconv.Itoa(page)}})
	if finish := permit.Finish(ctx, permit.OutcomeOf(err)); err != nil || finish != nil {
		return nil, fmt.Errorf("%w: %w", payment.ErrTemporary, errors.Join(err, finish))
	}
	var list struct {
		Code text     `json:"code"`
		Data []answer `json:"data"`
	}
	if json.Unmarshal(body, &list) != nil || list.Code != "1" {
		return nil, fmt.Errorf("%w: not a list", payment.ErrTemporary)
	}
	return list.Data, nil
}

// row reads a line that was paid on a date.
func (a answer) row(date string) (b payment.BillRow, ok bool, err error) {
	if a.Status != "1" || len(a.EndTime) < len(date) || string(a.EndTime[:len(date)]) != date {
		return b, false, nil
	}
	b = payment.BillRow{AttemptNo: string(a.OutTradeNo), TradeNo: string(a.TradeNo), At: paidAt(string(a.EndTime)), Fee: money.New(0, money.CNY)}
	b.Amount, err = money.Parse(string(a.Money), money.CNY)
	if err != nil || b.TradeNo == "" || len(b.TradeNo) > maxText || b.Amount.Minor <= 0 {
		return b, false, fmt.Errorf("%w: a paid trade without number or amount", payment.ErrTemporary)
	}
	return b, true, nil
}
