package wechatpay

import (
	"bytes"
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/payment"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/provider/rsasign"
)

// request is a call. body nil: none; into nil: the answer says nothing.
type request struct {
	method  string
	numbers []string // of the path
	query   url.Values
	body    any
	into    any
}

// disclosed makes a call about a person and returns the address it went to.
func (g *Gateway) disclosed(ctx context.Context, c egress.Call, r request) (base string, err error) {
	permit, err := g.permits.Begin(ctx, c)
	if err != nil {
		return "", fmt.Errorf("disclosing to WeChat Pay: %w", err)
	}
	err = g.ask(ctx, permit, r)
	outcome := egress.Done // an answer that says no is an answer
	if errors.Is(err, payment.ErrTemporary) || errors.Is(err, payment.ErrUnknownOutcome) {
		outcome = permit.OutcomeOf(err)
	}
	return permit.URL(), errors.Join(err, permit.Finish(ctx, outcome))
}

// ask makes a call over a permit and reads its verified answer. ErrTemporary:
// nothing left; ErrUnknownOutcome: it left and there is no answer that can be
// believed; else by the answer's status and code.
func (g *Gateway) ask(ctx context.Context, permit *egress.Permit, r request) error {
	resp, err := g.send(ctx, permit, r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return lost(permit, err)
	}
	if resp.StatusCode/100 != 2 {
		return classify(resp.StatusCode, body)
	}
	err = g.verify(one(resp.Header), body)
	if errors.Is(err, payment.ErrUnknownKey) {
		if failure := g.RefreshKeys(ctx); failure == nil {
			err = g.verify(one(resp.Header), body)
		}
	}
	if err != nil {
		return fmt.Errorf("%w: an answer with a wrong signature", payment.ErrUnknownOutcome)
	}
	if r.into != nil && json.Unmarshal(body, r.into) != nil {
		return fmt.Errorf("%w: the answer has another form", payment.ErrUnknownOutcome)
	}
	return nil
}

// one returns a header that came once.
func one(h http.Header) func(string) string {
	return func(name string) string {
		if v := h.Values(name); len(v) == 1 {
			return v[0]
		}
		return ""
	}
}

// send signs a request and sends it.
func (g *Gateway) send(ctx context.Context, permit *egress.Permit, r request) (*http.Response, error) {
	var body []byte
	var err error
	if r.body != nil {
		if body, err = json.Marshal(r.body); err != nil {
			return nil, fmt.Errorf("%w: encoding", payment.ErrTemporary)
		}
	}
	address := permit.URL(r.numbers...)
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, address, bytes.NewReader(body))
	if err != nil {
		return nil, payment.ErrTemporary
	}
	signed, err := g.authorization(r.method, req.URL.RequestURI(), body)
	if err != nil {
		return nil, fmt.Errorf("%w: signing", payment.ErrTemporary)
	}
	req.Header.Set("Authorization", signed)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "skybridge")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if g.c.PublicKeyID != "" { // asks for answers that are signed with the public key's pair
		req.Header.Set("Wechatpay-Serial", g.c.PublicKeyID)
	}
	resp, err := permit.Client().Do(req)
	if err != nil {
		return nil, lost(permit, err)
	}
	return resp, nil
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

// classify maps the public codes of answers that are no success. They are not
// signed and never a fact.
func classify(status int, body []byte) error {
	var a struct {
		Code string `json:"code"`
	}
	_ = json.Unmarshal(body, &a) // without a code the status decides
	why := fmt.Sprintf("status %d %s", status, visible(a.Code))
	switch {
	case a.Code == "ORDER_NOT_EXIST" || a.Code == "RESOURCE_NOT_EXISTS" || a.Code == "ORDERNOTEXIST" || a.Code == "NO_STATEMENT_EXIST" || a.Code == "STATEMENT_CREATING":
		return fmt.Errorf("%w: %s", payment.ErrTradeNotFound, why)
	case status == http.StatusTooManyRequests || a.Code == "FREQUENCY_LIMITED" || a.Code == "RATELIMIT_EXCEEDED":
		return fmt.Errorf("%w: %s", payment.ErrTemporary, why)
	case status >= 500 || a.Code == "ORDERPAID" || a.Code == "ORDER_PAID" || a.Code == "":
		return fmt.Errorf("%w: %s", payment.ErrUnknownOutcome, why)
	}
	return fmt.Errorf("%w: %s", payment.ErrDeclined, why)
}

// RefreshKeys fetches the platform certificates. They are encrypted with the
// APIv3 key, and the answer is signed by one of them or one that is held.
func (g *Gateway) RefreshKeys(ctx context.Context) error {
	now := g.clock.Now()
	g.mu.Lock()
	early := !g.refreshed.IsZero() && now.Sub(g.refreshed) < time.Minute
	if !early {
		g.refreshed = now
	}
	g.mu.Unlock()
	if early {
		return fmt.Errorf("%w: asked for platform certificates a moment ago", payment.ErrTemporary)
	}
	permit, err := g.permits.Collect(Recipient, "certificates")
	if err != nil {
		return err
	}
	fresh, err := g.certificates(ctx, permit)
	if finish := permit.Finish(ctx, permit.OutcomeOf(err)); err != nil || finish != nil {
		return errors.Join(err, finish)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	maps.Copy(g.keys, fresh)
	return nil
}

func (g *Gateway) certificates(ctx context.Context, permit *egress.Permit) (map[string]*rsa.PublicKey, error) {
	resp, err := g.send(ctx, permit, request{method: http.MethodGet})
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, lost(permit, err)
	}
	if resp.StatusCode != http.StatusOK {
		if err := classify(resp.StatusCode, body); !errors.Is(err, payment.ErrTradeNotFound) {
			return nil, err
		}
		return nil, nil // a merchant with the public key alone has none
	}
	fresh, err := g.unsealed(body)
	if err != nil {
		return nil, err
	}
	header := one(resp.Header)
	g.mu.Lock()
	key, known := g.keys[header("Wechatpay-Serial")]
	g.mu.Unlock()
	if !known {
		key, known = fresh[header("Wechatpay-Serial")]
	}
	return fresh, g.verifyWith(key, known, header, body)
}

func (g *Gateway) unsealed(body []byte) (map[string]*rsa.PublicKey, error) {
	var list struct {
		Data []struct {
			SerialNo string `json:"serial_no"`
			Sealed   sealed `json:"encrypt_certificate"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, fmt.Errorf("%w: the list of certificates has another form", payment.ErrTemporary)
	}
	fresh := map[string]*rsa.PublicKey{}
	for _, d := range list.Data {
		text, err := d.Sealed.open(g.c.APIv3Key)
		if err != nil {
			return nil, fmt.Errorf("%w: a certificate does not decrypt: is it the right APIv3 key?", payment.ErrBadSignature)
		}
		all, err := rsasign.Certificates(string(text))
		if err != nil {
			return nil, fmt.Errorf("%w: %w", payment.ErrBadSignature, err)
		}
		hold(fresh, all[0])
	}
	return fresh, nil
}
