package epay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// Query asks for the state of an attempt by act=order. The answer is not
// signed: it counts because the connection is verified, and only if it names
// the attempt and its amount parses.
func (g *Gateway) Query(ctx context.Context, r payment.AttemptRef) (payment.Fact, error) {
	if g.d.NoQuery {
		return payment.Fact{}, payment.ErrUnsupported
	}
	permit, err := g.permits.Begin(ctx, egress.Call{Recipient: g.recipient, Op: "query", Subject: r.Subject, Fields: []string{"order_no"}})
	if err != nil {
		return payment.Fact{}, fmt.Errorf("disclosing a question: %w", err)
	}
	f, err := g.ask(ctx, permit, r)
	outcome := egress.Done // an answer that says no is an answer
	if errors.Is(err, payment.ErrTemporary) || errors.Is(err, payment.ErrUnknownOutcome) {
		outcome = permit.OutcomeOf(err)
	}
	return f, errors.Join(err, permit.Finish(ctx, outcome))
}

func (g *Gateway) ask(ctx context.Context, permit *egress.Permit, r payment.AttemptRef) (payment.Fact, error) {
	body, err := g.call(ctx, permit, url.Values{"act": {"order"}, "out_trade_no": {r.AttemptNo}})
	if errors.Is(err, payment.ErrUnknownOutcome) { // a question may always be repeated
		err = fmt.Errorf("%w: no usable answer", payment.ErrTemporary)
	}
	if err != nil {
		return payment.Fact{}, err
	}
	return g.readAnswer(body, r)
}

// call posts a form with our id and key. ErrTemporary: nothing left;
// ErrUnknownOutcome: it left and there is no answer.
func (g *Gateway) call(ctx context.Context, permit *egress.Permit, form url.Values) ([]byte, error) {
	form.Set("pid", g.d.PID)
	form.Set("key", g.d.Key)
	req, err := g.request(ctx, permit.URL(), form)
	if err != nil {
		return nil, payment.ErrTemporary
	}
	resp, err := permit.Client().Do(req)
	if err != nil {
		return nil, lost(permit, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, lost(permit, err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%w: status %d", payment.ErrUnknownOutcome, resp.StatusCode)
	}
	return body, nil
}

// lost says whether a request without an answer may have been carried out.
// *url.Error prints the address: only what lies below it is kept.
func lost(permit *egress.Permit, err error) error {
	if permit.OutcomeOf(err) == egress.Failed {
		return fmt.Errorf("%w: %w", payment.ErrTemporary, bare(err))
	}
	return fmt.Errorf("%w: %w", payment.ErrUnknownOutcome, bare(err))
}

func (g *Gateway) request(ctx context.Context, address string, form url.Values) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err == nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return req, err
}

func bare(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// text is a JSON string or number, which gateways mix.
type text string

// UnmarshalJSON takes both, and null as empty.
func (t *text) UnmarshalJSON(b []byte) error {
	var s string
	if len(b) > 0 && b[0] == '"' {
		err := json.Unmarshal(b, &s)
		*t = text(s)
		return err
	}
	var n json.Number
	if string(b) == "null" {
		return nil
	}
	err := json.Unmarshal(b, &n)
	*t = text(n)
	return err
}

// answer is what is read of an answer; the rest is dropped unread (buyer,
// param, ...).
type answer struct {
	Code       text `json:"code"`
	TradeNo    text `json:"trade_no"`
	OutTradeNo text `json:"out_trade_no"`
	PID        text `json:"pid"`
	Money      text `json:"money"`
	Status     text `json:"status"`
	AddTime    text `json:"addtime"`
	EndTime    text `json:"endtime"`
}

func (g *Gateway) readAnswer(body []byte, r payment.AttemptRef) (payment.Fact, error) {
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return payment.Fact{}, fmt.Errorf("%w: not JSON", payment.ErrTemporary)
	}
	if a.Code != "1" {
		return payment.Fact{}, payment.ErrTradeNotFound
	}
	if string(a.OutTradeNo) != r.AttemptNo {
		return payment.Fact{}, fmt.Errorf("%w: the answer is about another number", payment.ErrTemporary)
	}
	amount, err := money.Parse(string(a.Money), money.CNY)
	if err != nil {
		return payment.Fact{}, fmt.Errorf("%w: money", payment.ErrTemporary)
	}
	pid := string(a.PID)
	if pid == "" { // some dialects leave it out of their answer to our own pid and key
		pid = g.d.PID
	}
	f := payment.Fact{AttemptNo: r.AttemptNo, TradeNo: string(a.TradeNo), MerchantID: pid, Amount: amount, State: payment.FactUnknown}
	switch a.Status {
	case "0":
		f.State = payment.FactPending
	case "1":
		f = fact(r.AttemptNo, f.TradeNo, pid, amount, tradeSuccess)
		f.PaidAt = paidAt(string(a.EndTime))
		if f.TradeNo == "" || len(f.TradeNo) > maxText || amount.Minor <= 0 {
			return payment.Fact{}, fmt.Errorf("%w: a paid trade without number or amount", payment.ErrTemporary)
		}
	}
	return f, nil
}

// Gateways of the family tell Beijing time without a zone.
var beijing = time.FixedZone("CST", 8*3600)

func paidAt(s string) time.Time {
	t, err := time.ParseInLocation(time.DateTime, s, beijing)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}
