package walk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

type quoteRequest struct {
	Product string            `json:"product"`
	Region  string            `json:"region"`
	Options map[string]string `json:"options"`
	Cycle   int               `json:"cycle"`
}

type orderRequest struct {
	quoteRequest
	QuoteHash     string            `json:"quote_hash"`
	Configuration map[string]string `json:"configuration"`
}

type amount struct {
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
}

// place asks for a price and orders at it.
func (w *walker) place(ctx context.Context) error {
	q := quoteRequest{Product: "vpn-gateway", Region: w.Region, Cycle: 1, Options: map[string]string{"ssl_bandwidth": "1000", "ssl_connections": "5"}}
	var quote struct {
		Hash  string `json:"quote_hash"`
		Total amount `json:"total"`
	}
	if err := w.call(ctx, http.MethodPost, "/quotes", q, &quote); err != nil {
		return err
	}
	var order struct {
		ID    string `json:"id"`
		State string `json:"state"`
		Total amount `json:"total"`
	}
	r := orderRequest{q, quote.Hash, map[string]string{"name": "demo-" + w.run, "network": w.Network}}
	if err := w.call(ctx, http.MethodPost, "/orders", r, &order); err != nil {
		return err
	}
	if order.Total != quote.Total || order.State != "pending_payment" {
		return fmt.Errorf("the order costs %v and is %s; quoted were %v", order.Total, order.State, quote.Total)
	}
	w.order = order.ID
	return nil
}

// refused checks that a mainland order without a verified identity is refused.
func (w *walker) refused(ctx context.Context) error {
	err := w.place(ctx)
	var p *problem
	if errors.As(err, &p) && p.Code == "realname.required" {
		return nil
	}
	if err == nil {
		return errors.New("an order without real name was taken")
	}
	return fmt.Errorf("an order without real name, want realname.required: %w", err)
}

// pay starts a payment, carries the form to the cashier as the browser would,
// and pays there.
func (w *walker) pay(ctx context.Context) error {
	var methods struct {
		Items []struct {
			ID      string `json:"id"`
			Purpose string `json:"purpose"`
		} `json:"items"`
	}
	if err := w.call(ctx, http.MethodGet, "/payment-methods", nil, &methods); err != nil {
		return err
	}
	if len(methods.Items) == 0 {
		return errors.New("there is no way to pay")
	}
	method := methods.Items[0]
	if err := w.consent(ctx, method.Purpose); err != nil {
		return fmt.Errorf("agreeing to share with the payment provider: %w", err)
	}
	var start struct {
		Instruction struct {
			Kind, URL string
			Fields    map[string]string
		}
	}
	if err := w.call(ctx, http.MethodPost, "/orders/"+w.order+"/payments", map[string]string{"method": method.ID}, &start); err != nil {
		return err
	}
	form := url.Values{}
	for k, v := range start.Instruction.Fields {
		form.Set(k, v)
	}
	return w.cashier(ctx, start.Instruction.URL, form)
}

func (w *walker) cashier(ctx context.Context, address string, form url.Values) error {
	cashier, err := w.fetch(ctx, http.MethodPost, address, form)
	if err != nil {
		return err
	}
	trade := between(cashier.text, `name="trade" value="`, `"`)
	if cashier.status != http.StatusOK || trade == "" {
		return fmt.Errorf("the cashier answered %d without a trade", cashier.status)
	}
	base, err := url.Parse(address)
	if err != nil {
		return err
	}
	paid, err := w.fetch(ctx, http.MethodPost, base.ResolveReference(&url.URL{Path: "/cashier/pay"}).String(), url.Values{"trade": {trade}})
	if err != nil {
		return err
	}
	if paid.status != http.StatusSeeOther {
		return fmt.Errorf("paying at the cashier answered %d", paid.status)
	}
	return w.patiently(ctx, func() error {
		_, err := w.fetch(ctx, http.MethodGet, paid.location, nil)
		return err
	})
}

// delivered waits until the order is completed and the gateway is active.
func (w *walker) delivered(ctx context.Context) error {
	err := wait(ctx, 200*time.Millisecond, func() (bool, error) {
		var order struct {
			State string `json:"state"`
			Lines []struct {
				State, Problem string
			} `json:"lines"`
		}
		if err := w.call(ctx, http.MethodGet, "/orders/"+w.order, nil, &order); err != nil {
			return false, err
		}
		for _, l := range order.Lines {
			if l.State == "failed" {
				return false, fmt.Errorf("delivery failed: %s", l.Problem)
			}
		}
		return order.State == "completed", nil
	})
	if err != nil {
		return err
	}
	var gateways struct {
		Items []struct {
			ID, State, Problem string
		} `json:"items"`
	}
	if err := w.call(ctx, http.MethodGet, "/vpn-gateways", nil, &gateways); err != nil {
		return err
	}
	if len(gateways.Items) != 1 || gateways.Items[0].State != "active" {
		return fmt.Errorf("gateways: got %+v, want one that is active", gateways.Items)
	}
	w.gateway = gateways.Items[0].ID
	return nil
}
