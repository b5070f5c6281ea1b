package paymenttest

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// Back is how the till closes and pays back. Its zero value cannot close, and pays
// back at once, once for each number, and can be asked about it.
type Back struct {
	b struct {
		sync.Mutex
		closes func(no string) error
		fault  error
		done   bool // the fault comes after the deed
		state  payment.RefundState
		dumb   bool
		paid   map[string]payment.RefundFact
		calls  []payment.RefundRequest
		bill   []payment.BillRow
		noBill error
	}
}

// Closing makes Close do as fn says; nil: it cannot close.
func (g *Back) Closing(fn func(no string) error) { g.b.Lock(); defer g.b.Unlock(); g.b.closes = fn }

// FailRefund makes Refund answer err, with the refund made nevertheless or not;
// nil mends it.
func (g *Back) FailRefund(err error, done bool) {
	g.b.Lock()
	defer g.b.Unlock()
	g.b.fault, g.b.done = err, done
}

// RefundsAre makes refunds from now on be in a state at first.
func (g *Back) RefundsAre(s payment.RefundState) { g.b.Lock(); defer g.b.Unlock(); g.b.state = s }

// Dumb makes the till one that pays back as often as it is told and cannot be
// asked.
func (g *Back) Dumb(on bool) { g.b.Lock(); defer g.b.Unlock(); g.b.dumb = on }

// Calls are the refunds that the till was told of, in order.
func (g *Back) Calls() []payment.RefundRequest {
	g.b.Lock()
	defer g.b.Unlock()
	return append([]payment.RefundRequest(nil), g.b.calls...)
}

// PaidBack is the sum that went back.
func (g *Back) PaidBack() (sum int64) {
	g.b.Lock()
	defer g.b.Unlock()
	for _, f := range g.b.paid {
		if f.State == payment.RefundSucceeded {
			sum += f.Amount.Minor
		}
	}
	return sum
}

// SettleRefund ends a refund that was on its way, and returns what the till says.
func (g *Back) SettleRefund(no string, s payment.RefundState) payment.RefundFact {
	g.b.Lock()
	defer g.b.Unlock()
	f := g.b.paid[no]
	f.State = s
	g.b.paid[no] = f
	return f
}

// Close does what Closing said.
func (g *Back) Close(_ context.Context, r payment.AttemptRef) error {
	g.b.Lock()
	fn := g.b.closes
	g.b.Unlock()
	if fn == nil {
		return payment.ErrUnsupported
	}
	return fn(r.AttemptNo)
}

// IdempotentRefund is so unless it is dumb.
func (g *Back) IdempotentRefund() bool { g.b.Lock(); defer g.b.Unlock(); return !g.b.dumb }

// Refund pays back.
func (g *Back) Refund(_ context.Context, r payment.RefundRequest) (payment.RefundFact, error) {
	g.b.Lock()
	defer g.b.Unlock()
	g.b.calls = append(g.b.calls, r)
	if g.b.fault != nil && !g.b.done {
		return payment.RefundFact{}, g.b.fault
	}
	if g.b.paid == nil {
		g.b.paid = map[string]payment.RefundFact{}
	}
	key := r.RefundNo
	if g.b.dumb { // a second time is a second payment
		for _, again := g.b.paid[key]; again; _, again = g.b.paid[key] {
			key += "+"
		}
	}
	f, known := g.b.paid[key]
	if !known {
		f = payment.RefundFact{RefundNo: r.RefundNo, AttemptNo: r.AttemptNo, MerchantID: Merchant, Amount: r.Amount, State: payment.RefundSucceeded}
		if g.b.state != "" {
			f.State = g.b.state
		}
		g.b.paid[key] = f
	}
	return f, g.b.fault
}

// QueryRefund tells of a refund.
func (g *Back) QueryRefund(_ context.Context, r payment.RefundRef) (payment.RefundFact, error) {
	g.b.Lock()
	defer g.b.Unlock()
	if g.b.dumb {
		return payment.RefundFact{}, payment.ErrUnsupported
	}
	f, ok := g.b.paid[r.RefundNo]
	if !ok {
		return payment.RefundFact{}, payment.ErrTradeNotFound
	}
	return f, nil
}

// SetBill makes the till's bill of any day; err is answered instead.
func (g *Back) SetBill(rows []payment.BillRow, err error) {
	g.b.Lock()
	defer g.b.Unlock()
	g.b.bill, g.b.noBill = rows, err
}

// Bill tells the rows of SetBill that are of the day.
func (g *Back) Bill(_ context.Context, day time.Time, each func(payment.BillRow) error) error {
	g.b.Lock()
	rows, err := g.b.bill, g.b.noBill
	g.b.Unlock()
	for _, r := range rows {
		if r.At.Before(day) || !r.At.Before(day.AddDate(0, 0, 1)) {
			continue
		}
		if err := each(r); err != nil {
			return err
		}
	}
	return err
}

const refundNotice = "refund"

// RawRefund is the notice of a refund.
func RawRefund(f payment.RefundFact) payment.RawRequest {
	body, err := json.Marshal(f)
	if err != nil {
		panic(err)
	}
	return payment.RawRequest{Method: "POST", ContentType: signed, Query: refundNotice, Body: body}
}

// Ends is the module service as refunds see it: it notes what happens to whom.
type Ends struct {
	mu      sync.Mutex
	Periods map[string][2]time.Time // by order line
	Earning map[string]int64        // what is to be earned, by order line; one that is not there is earned
	log     []string
	fail    error
}

// Fail makes holding fail with err; nil mends it.
func (e *Ends) Fail(err error) { e.mu.Lock(); defer e.mu.Unlock(); e.fail = err }

// Log is what happened, in order: "hold svc_1", "end svc_1", "drop svc_1".
func (e *Ends) Log() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string(nil), e.log...)
}

func (e *Ends) note(what, service string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.log = append(e.log, what+" "+service)
}

// PaidBy answers with what the test put into Periods.
func (e *Ends) PaidBy(_ context.Context, _ db.Q, line string) (from, until time.Time, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	p, ok := e.Periods[line]
	if !ok {
		return from, until, errs.New(errs.NotFound, "service.not_found")
	}
	return p[0], p[1], nil
}

// GiveBackTx takes from Earning.
func (e *Ends) GiveBackTx(_ context.Context, _ *db.Tx, line string, amount money.Money) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, ok := e.Earning[line]; ok {
		e.Earning[line] -= amount.Minor
	}
	return nil
}

// KeepTx gives back to Earning.
func (e *Ends) KeepTx(_ context.Context, _ *db.Tx, line string, amount money.Money) (over money.Money, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, ok := e.Earning[line]; !ok {
		return amount, nil
	}
	e.Earning[line] += amount.Minor
	return money.New(0, amount.Cur), nil
}

// HoldRefund notes it.
func (e *Ends) HoldRefund(_ context.Context, service string) error {
	e.mu.Lock()
	err := e.fail
	e.mu.Unlock()
	if err == nil {
		e.note("hold", service)
	}
	return err
}

// EndRefund notes it.
func (e *Ends) EndRefund(_ context.Context, service string) error {
	e.note("end", service)
	return nil
}

// DropRefund notes it.
func (e *Ends) DropRefund(_ context.Context, service string) error {
	e.note("drop", service)
	return nil
}

// CNY is an amount of fen.
func CNY(minor int64) money.Money { return money.New(minor, money.CNY) }
